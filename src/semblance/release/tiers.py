"""Three readers, three depths: what the board sees, what a recipient sees, what everybody may see.

Numbers about how well a table keeps its patients are themselves read off the patients, and enough of them rebuild
some (Ganev and De Cristofaro, arXiv 2312.05114). So the further a page travels, the less it says: rounded, always to
the unfavourable side, and without what only a chart of the board's page needs. No tier holds a row or points at one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from semblance.errors import InputError
from semblance.evidence import NOTHING_TO_ASK, Evidence, Finding
from semblance.release.gate import WITHHELD, decide
from semblance.release.overrides import Override
from semblance.release.policy import Policy
from semblance.report import words

Tier = Literal["board", "recipient", "public"]
TIERS: tuple[str, ...] = get_args(Tier)

_ALWAYS = {"queries", NOTHING_TO_ASK}  # what is left of a detail in every tier: how often the patients were asked
_CHARTS = _ALWAYS | {"members", "others", "naive", "naive_low", "naive_high", "p", "groups", "doses", "families"}
_PER_GROUP = {"name", "value", "low", "high", "leak", "seen", "by"}
_TOLD = {
    "recipient": (
        "generator", "holdout", "libraries", "max_minutes", "notes", "policy", "python", "quick", "recipe",
        "semblance", "source", "split", "synthetic_rows", "target", "terms", "guarantee", WITHHELD,
    ),
    "public": ("generator", "holdout", "notes", "policy", "quick", "recipe", "semblance", "source", "split",
               "synthetic_rows", "target", "terms", "guarantee", WITHHELD),
}  # fmt: skip
_FREE = ("privacy.epsilon", "privacy.uncharged.", "canaries.", "protocol.")
"""Findings that touch no patient: all that is published beside a promise."""
_INSIDE_THE_HOUSE = {"cohort", "head"}
"""Of a ledger: whoever guesses the patients' table can check the guess by its fingerprint."""
_INSIDE = {"source": ("attribution", "licence"), "split": ("holdout_opened_for",), "generator": ("name",)}
_HEADLINES = ("validity.", "protocol.", "power.best.", "utility.", "fidelity.map.")
_MOST_DIGITS = 12


def for_tier(evidence: Evidence, tier: str, *, policy: Policy, overrides: Sequence[Override] = ()) -> Evidence:
    """What readers of `tier` may see of `evidence`.

    Numbers keep two decimals, rounded to the unfavourable side; where that would change how a rule of `policy` comes
    out, as many more as it takes.

    Raises:
        InputError: there is no such tier.
    """
    if tier not in TIERS:
        raise InputError(f"there is no tier {tier!r}; choose one of {', '.join(TIERS)}.")
    if tier == "board":
        return evidence
    if words.has_guarantee(evidence):
        evidence = _without_what_no_epsilon_covers(evidence, policy, overrides)
    before = _statuses(evidence, policy, overrides)
    kept = [f for f in evidence if tier == "recipient" or _is_headline(f, policy)]
    findings = tuple(_reduced(f, tier, evidence, policy, overrides, before) for f in kept)
    told = {k: v for k, v in evidence.ledger.items() if k not in _INSIDE_THE_HOUSE}
    cut = Evidence(findings, told, dict(_provenance(evidence.provenance, tier)))
    if _statuses(cut, policy, overrides) != before:
        raise ValueError("rounding changed how a rule comes out")
    return cut


def _without_what_no_epsilon_covers(evidence: Evidence, policy: Policy, overrides: Sequence[Override]) -> Evidence:
    """Findings that touch no patient, and for the rest which rules the board saw met.

    Where a rule is not met and a person answers for it, it stays unmet here, without its number.
    """
    free = tuple(f for f in evidence if f.name.startswith(_FREE))
    named = {f.name for f in free}
    rulings = decide(evidence, policy, overrides=overrides).rules
    hidden = [r.rule.name for r in rulings if r.status == "pass" and not named & {*r.rule.findings}]
    return Evidence(free, evidence.ledger, {**evidence.provenance, WITHHELD: hidden})


def _statuses(evidence: Evidence, policy: Policy, overrides: Sequence[Override]) -> list[str]:
    return [ruling.status for ruling in decide(evidence, policy, overrides=overrides).rules]


def _is_headline(finding: Finding, policy: Policy) -> bool:
    """What the policy reads, and what the first screen shows beside it."""
    return finding.name.startswith(_HEADLINES) or any(finding.name in rule.findings for rule in policy.rules)


def _reduced(
    finding: Finding,
    tier: str,
    evidence: Evidence,
    policy: Policy,
    overrides: Sequence[Override],
    before: Sequence[str],
) -> Finding:
    shown = _CHARTS if tier == "recipient" else _ALWAYS
    detail = {key: _short(value) for key, value in finding.detail.items() if key in shown}
    plain = replace(finding, n=_two_figures(finding.n), detail=detail)
    for decimals in range(2, _MOST_DIGITS):
        rounded = round_outward(plain, decimals)
        others = tuple(rounded if f.name == finding.name else f for f in evidence)
        if _statuses(replace(evidence, findings=others), policy, overrides) == list(before):
            return rounded
    return plain


def round_outward(finding: Finding, decimals: int) -> Finding:
    """The same finding with fewer decimals: an interval never gets narrower, nor a bare number better."""
    low, high, value = finding.low, finding.high, finding.value
    low = None if low is None else _floor(low, decimals)
    high = None if high is None else _ceil(high, decimals)
    if value is not None:
        if finding.low is None and finding.high is None and finding.direction in ("higher", "lower"):
            value = _floor(value, decimals) if finding.direction == "higher" else _ceil(value, decimals)
        else:
            value = round(value, decimals)
    baseline = None if finding.baseline is None else round(finding.baseline, decimals)
    return replace(finding, low=low, high=high, value=value, baseline=baseline)


def _floor(x: float, decimals: int) -> float:
    """The largest number of so many decimals that is not above `x`; a number of no more decimals stays as it is."""
    nearest = round(x, decimals)
    return nearest if nearest <= x else round(nearest - 10.0**-decimals, decimals)


def _ceil(x: float, decimals: int) -> float:
    return -_floor(-x, decimals) + 0.0


def _two_figures(n: int) -> int:
    """Rounded down: a claim never rests on more patients than it does."""
    step = 10 ** max(0, int(math.log10(n)) - 1) if n > 0 else 1
    return n // step * step


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _short(v) for k, v in value.items() if k in _PER_GROUP}
    if isinstance(value, (list, tuple)):
        return [_short(v) for v in value]
    return round(value, 2) if isinstance(value, float) else value


def _provenance(facts: Mapping[str, Any], tier: str) -> Iterator[tuple[str, Any]]:
    """Neither seed nor fingerprints: they are the board's, to make the table again."""
    for key in _TOLD[tier]:
        if key in facts:
            value = facts[key]
            inside = _INSIDE.get(key)
            if inside is not None and isinstance(value, Mapping):
                value = {k: v for k, v in value.items() if k in inside}
            yield key, value
