"""The report's sentences: what each number means to someone who has never heard of it.

Shared with the data card, so that a page and a card never say different things.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from semblance.evidence import Evidence, Finding

TITLES: dict[str, str] = {
    "validity.rows.share": "Rows that obey every rule of the schema",
    "validity.rules.share": "Rows that obey every rule between columns",
    "validity.columns.match": "Same columns as the source",
    "fidelity.marginal.score": "Each column on its own",
    "fidelity.pair.score": "Pairs of columns",
    "fidelity.triple.score": "Triples of columns",
    "fidelity.c2st.auc": "Told apart by a machine",
    "fidelity.missing.score": "Pattern of missing values",
    "fidelity.map.overlap": "Overlap on the map",
    "fidelity.visits.difference": "Rows per patient",
    "utility.tstr.auc": "Model learned from synthetic patients",
    "utility.trtr.auc": "Model learned from real patients",
    "utility.gap.auc": "What is lost by learning from synthetic",
    "utility.tstr.r2": "Model learned from synthetic patients",
    "utility.trtr.r2": "Model learned from real patients",
    "utility.gap.r2": "What is lost by learning from synthetic",
    "copies.exact.excess": "Exact copies beyond chance",
    "copies.near.excess": "Near copies beyond chance",
    "copies.nearest.share": "Pull towards its own patients",
    "copies.nearest.p": "Pull towards its own patients: chance of this under innocence",
    "copies.tail.p": "Closest rows: chance of this under innocence",
    "membership.distance.auc": "Guessing membership by distance",
    "membership.distance.tpr_at_fpr_1pct": "Members found by distance at 1 % false alarms",
    "membership.density.auc": "Guessing membership by density",
    "membership.density.tpr_at_fpr_1pct": "Members found by density at 1 % false alarms",
}

FAMILIES: dict[str, str] = {
    "validity": "Is it the same kind of table?",
    "fidelity": "Does it resemble the patients?",
    "utility": "Is it of use?",
    "copies": "Are there copies?",
    "membership": "Can it be told who was in the data?",
}

STATUSES: dict[str, str] = {
    "pass": "met",
    "fail": "not met",
    "underpowered": "cannot be shown",
    "not_run": "not measured",
    "not_applicable": "does not apply",
    "measured": "measured",
    "skipped": "skipped",
}


def title_of(name: str) -> str:
    """The finding in plain words; an unknown one by its own name."""
    return TITLES.get(name, name.replace("_", " ").replace(".", " · "))


def family_of(name: str) -> str:
    family = name.split(".", 1)[0]
    return FAMILIES.get(family, family.replace("_", " ").capitalize())


def figure(x: float | None) -> str:
    """A number for reading: three decimals, more for a small one, never a rounding to 0 or 1 that is not one."""
    if x is None:
        return "–"
    if 0 < abs(x) < 0.00005:
        text = f"{x:.0e}".replace("e-0", "e-")
    elif 0.9995 <= x < 1:
        return "> 0.999"
    else:
        text = f"{x:.3f}" if 0.001 <= abs(x) < 10 else f"{x:.4f}" if abs(x) < 1 else f"{x:,.1f}"
        text = re.sub(r"\.0+$", "", text)
    return text.replace("-", "−").replace(",", "\u202f")


def thousands(n: int) -> str:
    """6374 becomes "6 374", with a thin space that does not break."""
    return f"{n:,}".replace(",", "\u202f")


def interval(finding: Finding) -> str:
    if finding.low is None or finding.high is None:
        return ""
    return f"{figure(finding.low)} to {figure(finding.high)}"


def in_hundred(x: float) -> str:
    """0.573 becomes "57"; half a patient is not rounded away near 0 and 100."""
    hundred = 100 * x
    if 0 < hundred < 1 or 99 < hundred < 100:
        return f"{hundred:.1f}"
    return f"{hundred:.0f}"


def verdict_sentence(verdict: Mapping[str, Any]) -> str:
    """The decision in one sentence."""
    rules = verdict.get("rules") or ()
    asked = [r for r in rules if r.get("status") != "not_applicable"]
    broken = [r for r in asked if r.get("status") != "pass"]
    policy = str((verdict.get("policy") or {}).get("name") or "unnamed")
    if verdict.get("decision") == "RELEASE":
        return f"This synthetic table may be released: it met all {len(asked)} rules of the policy “{policy}”."
    count = f"{len(broken)} of {len(asked)} rules" if asked else "the rules"
    were = "was" if len(broken) == 1 else "were"
    unknown = any(r.get("status") in ("underpowered", "not_run") for r in broken)
    not_met = "not met, or could not be shown to be met" if unknown else "not met"
    return f"This synthetic table may not be released: {count} of the policy “{policy}” {were} {not_met}."


def uses(verdict: Mapping[str, Any], evidence: Evidence) -> tuple[list[str], list[str]]:
    """What the data may be used for, and what it may not."""
    if verdict.get("decision") != "RELEASE":
        return (
            ["Nothing yet: the synthetic table was not written to this folder."],
            [
                "Do not hand out this synthetic table by another way: the tests that failed are there to protect "
                "patients, and the people who would rely on the data.",
            ],
        )
    may = [
        "Teaching, and building and testing software.",
        "Trying out an analysis and writing its code before asking for the real data.",
    ]
    target = evidence.provenance.get("target")
    gap = next((f for n in ("utility.gap.auc", "utility.gap.r2") if (f := evidence.get(n)) is not None), None)
    if target and gap is not None and gap.status == "measured":
        may.append(
            f"Developing a model that predicts {target}, to be confirmed on real patients before anyone relies on it."
        )
    may_not = [
        "Deciding anything about a patient, or building a device that does, on this data alone.",
        "Reporting a medical result that was not repeated on real patients: synthetic rows are not patients and add "
        "nothing to the size of a study.",
        "Studying small groups and rare events: they are the first thing a generator gets wrong.",
        "Trying to recognise anyone, or linking it with other data about people.",
    ]
    if not has_guarantee(evidence):
        may_not.append(
            "Open publication: there is no formal guarantee (ε = ∞), so give it to known recipients who agree to this."
        )
    return may, may_not


def has_guarantee(evidence: Evidence) -> bool:
    """True where every charge in the ledger states an epsilon."""
    charges = evidence.ledger.get("charges") or ()
    return bool(charges) and all(c.get("epsilon") is not None for c in charges)


def guarantee_sentence(evidence: Evidence) -> str:
    if has_guarantee(evidence):
        return "Every touch of the real data was charged to the ledger with the epsilon and delta listed below."
    return (
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
