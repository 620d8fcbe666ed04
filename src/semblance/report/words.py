"""The report's sentences: what each number means to someone who has never heard of it.

Shared with the data card, so that a page and a card never say different things.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report.language import ENGLISH, Language
from semblance.report.titles import STATUSES as STATUSES
from semblance.report.titles import family_of as family_of
from semblance.report.titles import title_of as title_of


def figure(x: float | None) -> str:
    """A number for reading, in English; see ``Language.figure``."""
    return ENGLISH.figure(x)


def thousands(n: int) -> str:
    """6374 becomes "6 374", with a thin space that does not break."""
    return ENGLISH.thousands(n)


def interval(finding: Finding, say: Language = ENGLISH) -> str:
    """Such as "0.49 to 0.53"; empty where the finding has no interval."""
    return say.interval(finding.low, finding.high)


def in_hundred(x: float) -> str:
    """0.573 becomes "57"; half a patient is not rounded away near 0 and 100."""
    hundred = 100 * x
    if 0 < hundred < 0.05 or 99.95 <= hundred < 100:
        return "< 0.1" if hundred < 1 else "> 99.9"
    if 0 < abs(hundred) < 1 or 99 < hundred < 100:
        return f"{hundred:.1f}".replace("-", "−")
    return f"{hundred:.0f}".replace("-", "−")


def verdict_sentence(verdict: Mapping[str, Any], say: Language = ENGLISH) -> str:
    """The decision in one sentence."""
    rules = verdict.get("rules") or ()
    asked = [r for r in rules if r.get("status") != "not_applicable"]
    broken = [r for r in asked if r.get("status") != "pass"]
    name = str((verdict.get("policy") or {}).get("name") or "–")
    if verdict.get("decision") == "RELEASE":
        if broken:  # an override that was not needed changes nothing
            return say(
                "This synthetic table may be released, but only because a person overruled the policy “{name}”.",
                name=name,
            )
        return say(
            "This synthetic table may be released: it met all {n} rules of the policy “{name}”.",
            n=len(asked),
            name=name,
        )
    if not asked:
        return say(
            "This synthetic table may not be released: the rules of the policy “{name}” were not met.", name=name
        )
    unknown = any(r.get("status") in ("underpowered", "not_run") for r in broken)
    return say(_REFUSED[unknown, len(broken) == 1], n=len(broken), all=len(asked), name=name)


_REFUSED = {
    # whether something could not be shown, whether it is one rule
    (False, True): "This synthetic table may not be released: {n} of {all} rules of the policy “{name}” was not met.",
    (False, False): "This synthetic table may not be released: {n} of {all} rules of the policy “{name}” were not met.",
    (True, True): "This synthetic table may not be released: {n} of {all} rules of the policy “{name}” was not met, or "
    "could not be shown to be met.",
    (True, False): "This synthetic table may not be released: {n} of {all} rules of the policy “{name}” were not met, "
    "or could not be shown to be met.",
}


OPEN = "open-release"
"""The policy whose board has decided that a table may be published."""


def uses(verdict: Mapping[str, Any], evidence: Evidence, say: Language = ENGLISH) -> tuple[list[str], list[str]]:
    """What the data may be used for, and what it may not."""
    if verdict.get("decision") != "RELEASE":
        return (
            [say("Nothing yet: the synthetic table was not written to this folder.")],
            [
                say(
                    "Do not hand out this synthetic table by another way: the tests that failed are there to protect "
                    "patients, and the people who would rely on the data."
                ),
            ],
        )
    may = [
        say("Teaching, and building and testing software."),
        say("Trying out an analysis and writing its code before asking for the real data."),
    ]
    target = evidence.provenance.get("target")
    gap = next((f for n in ("utility.gap.auc", "utility.gap.r2") if (f := evidence.get(n)) is not None), None)
    if target and gap is not None and gap.status == "measured":
        may.append(
            say(
                "Developing a model that predicts {name}, to be confirmed on real patients before anyone relies on it.",
                name=target,
            )
        )
    may_not = [
        say("Deciding anything about a patient, or building a device that does, on this data alone."),
        say(
            "Reporting a medical result that was not repeated on real patients: synthetic rows are not patients and "
            "add nothing to the size of a study."
        ),
        say("Studying small groups and rare events: they are the first thing a generator gets wrong."),
        say("Trying to recognise anyone, or linking it with other data about people."),
    ]
    if not has_guarantee(evidence):
        may_not.append(
            say("Publication without saying that these patients are synthetic, with no formal guarantee (ε = ∞).")
            if (verdict.get("policy") or {}).get("name") == OPEN
            else say(
                "Open publication: there is no formal guarantee (ε = ∞), so give it to known recipients who agree to "
                "this."
            )
        )
    return may, may_not


def has_guarantee(evidence: Evidence) -> bool:
    """True where an epsilon is promised, and every charge in the ledger states its own."""
    charges = evidence.ledger.get("charges") or ()
    return bool(evidence.ledger.get("claim")) and all(c.get("epsilon") is not None for c in charges)


def guarantee_sentence(evidence: Evidence, say: Language = ENGLISH) -> str:
    """What is promised formally, which without differential privacy is nothing."""
    if has_guarantee(evidence):
        claim = evidence.ledger["claim"]
        return say(
            "Differential privacy: ε = {epsilon} at δ = {delta}, for adding or removing one {unit}. Every look at "
            "patients that this table was made from was charged before noise was drawn.",
            epsilon=f"{claim['epsilon']:.4g}",
            delta=f"{claim['delta']:g}",
            unit=str(claim["unit"]),
        )
    return say(
        "No formal guarantee (ε = ∞): the table was made without differential privacy. The tests here look for "
        "leaks; that a test finds none does not prove that there are none."
    )


def attribution(evidence: Evidence) -> str:
    """Who must be named as the origin of the data, and under which licence; empty where nobody said."""
    source = evidence.provenance.get("source")
    if not isinstance(source, Mapping):
        return ""
    said = [str(source[k]) for k in ("attribution", "licence") if source.get(k)]
    return " · ".join(said)
