"""The five numbers of the first screen, each with its interval, its baseline and a word in plain language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report.words import figure, in_hundred, interval


@dataclass(frozen=True, slots=True)
class Gauge:
    """A strip from `start` to `end`; every other field is a position on it in percent, None where there is none."""

    start: str
    end: str
    value: float
    low: float | None
    high: float | None
    baseline: float | None
    allowed_from: float | None
    allowed_to: float | None


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the five. `status` is that of the policy's rule on it, empty where no rule reads it."""

    asks: str
    figure: str
    interval: str
    word: str
    sentence: str
    baseline: str
    status: str
    gauge: Gauge | None


def five_numbers(evidence: Evidence, verdict: Mapping[str, Any]) -> list[Headline]:
    """Resemblance, told apart, usefulness, copies, membership: in this order, whatever was measured."""
    rules = {str(r.get("finding")): r for r in verdict.get("rules") or ()}
    return [
        _headline(
            "Does it resemble the patients?",
            _first(evidence, "fidelity.pair.score", "fidelity.marginal.score"),
            rules,
            (0.8, 1.0),
            _resembles,
        ),
        _headline("Can a machine tell it apart?", evidence.get("fidelity.c2st.auc"), rules, (0.4, 1.0), _told_apart),
        _headline(
            "Is it of use?",
            _first(evidence, "utility.gap.auc", "utility.gap.r2"),
            rules,
            (-0.15, 0.05),
            lambda f: _useful(f, evidence),
        ),
        _headline(
            "Does it lean on its own patients?", evidence.get("copies.nearest.share"), rules, (0.35, 0.65), _leans
        ),
        _headline("Can membership be guessed?", _worst_attack(evidence), rules, (0.35, 0.75), _guessed),
    ]


Speaker = Callable[[Finding], tuple[str, str, str]]  # word, sentence, baseline


def _headline(
    asks: str, finding: Finding | None, rules: Mapping[str, Any], scale: tuple[float, float], speak: Speaker
) -> Headline:
    rule = rules.get(finding.name, {}) if finding else {}
    status = str(rule.get("status", ""))
    if finding is None or finding.status != "measured" or finding.value is None:
        word = {"underpowered": "too few patients to say"}.get(finding.status, "skipped") if finding else "not measured"
        why = finding.why if finding else "This was not measured, so nothing is known about it."
        return Headline(asks, "–", "", word, why, "", status or "not_run", None)
    word, sentence, baseline = speak(finding)
    shown = f"{figure(finding.value)}"
    return Headline(asks, shown, interval(finding), word, sentence, baseline, status, _gauge(finding, rule, scale))


def _gauge(finding: Finding, rule: Mapping[str, Any], scale: tuple[float, float]) -> Gauge:
    numbers = [x for x in (finding.value, finding.low, finding.high, finding.baseline) if x is not None]
    start, end = min(scale[0], *numbers), max(scale[1], *numbers)

    def place(x: float | None) -> float | None:
        return None if x is None else round(100 * (min(max(x, start), end) - start) / (end - start), 1)

    limit = place(rule.get("limit"))
    at_least = rule.get("op") == ">="
    return Gauge(
        start=figure(start),
        end=figure(end),
        value=place(finding.value) or 0.0,
        low=place(finding.low),
        high=place(finding.high),
        baseline=place(finding.baseline),
        allowed_from=None if limit is None else (limit if at_least else 0.0),
        allowed_to=None if limit is None else (100.0 if at_least else limit),
    )


def _resembles(finding: Finding) -> tuple[str, str, str]:
    value, fresh = finding.value or 0.0, finding.baseline
    behind = (fresh if fresh is not None else 1.0) - value
    word = (
        "very close" if behind <= 0.02 else "close" if behind <= 0.05 else "roughly" if behind <= 0.1 else "not close"
    )
    what = "Pairs of columns agree" if "pair" in finding.name else "Columns agree"
    sentence = f"{what} with those of held-out patients to {in_hundred(value)} in 100."
    return word, sentence, "" if fresh is None else f"Fresh real patients reach {in_hundred(fresh)}."


def _told_apart(finding: Finding) -> tuple[str, str, str]:
    value = finding.value or 0.0
    word = "hardly" if value < 0.6 else "sometimes" if value < 0.7 else "often" if value < 0.8 else "easily"
    sentence = (
        f"Shown one real and one synthetic patient, a machine picks the real one {in_hundred(value)} times in 100."
    )
    against = "" if finding.baseline is None else f"Two sets of real patients: {in_hundred(finding.baseline)}. "
    return word, sentence, f"{against}Guessing: 50."


def _useful(finding: Finding, evidence: Evidence) -> tuple[str, str, str]:
    measure = "r2" if finding.name.endswith("r2") else "auc"
    said = "share of variance explained" if measure == "r2" else "AUC"
    lost = -(finding.value or 0.0)
    word = (
        "as useful"
        if lost <= 0.01
        else "nearly as useful"
        if lost <= 0.03
        else "less useful"
        if lost <= 0.1
        else "of little use"
    )
    fake, real = (evidence.get(f"utility.{who}.{measure}") for who in ("tstr", "trtr"))
    target = evidence.provenance.get("target") or "the target"
    if fake is None or real is None or fake.value is None or real.value is None:
        return word, f"The {said} lost by learning to predict {target} from synthetic patients.", "No loss: 0."
    sentence = f"A model of {target} learned from it reaches {said} {figure(fake.value)} on real patients."
    return word, sentence, f"Learned from real patients: {figure(real.value)}."


def _leans(finding: Finding) -> tuple[str, str, str]:
    value, low = finding.value or 0.0, finding.low
    fair = finding.baseline if finding.baseline is not None else 0.5
    word = "no sign of it" if low is not None and low <= fair else "slightly" if value < 0.55 else "clearly"
    sentence = (
        f"{in_hundred(value)} in 100 synthetic rows lie nearer to a patient they were learned from than to a stranger."
    )
    return word, sentence, f"A table that copies nobody: {in_hundred(fair)}."


def _guessed(finding: Finding) -> tuple[str, str, str]:
    value, low = finding.value or 0.0, finding.low
    if low is not None and low <= 0.5:
        word = "no sign of it"
    else:
        word = "a little" if value < 0.55 else "somewhat" if value < 0.6 else "yes"
    sentence = (
        f"Shown someone from the data and a stranger, the best attack picks right {in_hundred(value)} times in 100."
    )
    return word, sentence, "Guessing: 50."


def _first(evidence: Evidence, *names: str) -> Finding | None:
    """The first that was measured; else the first there is."""
    found = [f for n in names if (f := evidence.get(n)) is not None]
    return next((f for f in found if f.status == "measured"), found[0] if found else None)


def _worst_attack(evidence: Evidence) -> Finding | None:
    attacks = [f for f in evidence if f.name.startswith("membership.") and f.name.endswith(".auc")]
    silent = next((f for f in attacks if f.status != "measured"), None)
    return silent or max(attacks, key=lambda f: f.high if f.high is not None else (f.value or 0.0), default=None)
