"""The part of the card that the law's readers look for: variables, risks, and the headings of the standard."""

from __future__ import annotations

from collections.abc import Mapping

from semblance.release.facts import Facts, Page, mark
from semblance.report import titles
from semblance.schema import Column

_TECHNIQUES: Mapping[str, str] = {
    "surrogate": "never learned; replaced by freshly made values of the same form",
    "blank": "never learned; left empty",
    "drop": "left out",
}
_KINDS: Mapping[str, str] = {
    "number": "number",
    "integer": "whole number",
    "date": "day",
    "datetime": "moment",
    "boolean": "yes or no",
    "category": "label",
    "ordinal": "ordered label",
    "code": "code",
    "text": "free text",
}
_ROLES: Mapping[str, str] = {
    "feature": "feature",
    "target": "target",
    "subject": "names the patient",
    "identifier": "names a person directly",
    "quasi-identifier": "known to others",
    "sensitive": "can harm",
}
_INITIAL = ("source.prosecutor.risk", "source.journalist.risk", "source.marketer.risk", "source.unique.share")
_PRIVACY = ("copies", "membership", "singling_out", "linkage", "inference", "reconstruction")


def variables(page: Page, facts: Facts) -> None:
    """Each variable, who may know it, and what was done with it."""
    page.heading("Variables, and the technique for each")
    page.table("Variable", "Kind", "Role", "Unit", "Technique")
    for c in facts.schema:
        unit = mark(c.unit) if c.unit else "–"
        page.row(mark(c.name), page.say(_KINDS[c.kind]), page.say(_ROLES[c.role]), unit, page.say(_technique(c)))


def _technique(column: Column) -> str:
    if not column.modelled:
        return _TECHNIQUES.get(column.handling, "left empty")
    if column.numeric:
        return "learned, and drawn anew from a model; values of few patients are blurred"
    if column.code_system:
        return "learned, and drawn anew from a model; rare codes are pooled with their neighbours"
    return "learned, and drawn anew from a model; labels of few patients are never drawn for their own sake"


def risks(page: Page, facts: Facts) -> None:
    """Initial risk, threshold and residual risk."""
    page.heading("Initial, threshold and residual risk")
    known = [name for name in _INITIAL if (f := facts.evidence.get(name)) is not None and f.value is not None]
    page.add(
        "The real table, before anything was done. A risk above {limit} is too high for {ema} in most cases.",
        limit=facts.law("EMA threshold"),
        ema=facts.law("EMA"),
    )
    page.add()
    if known:
        page.table("Initial risk", "Value", "Interval")
        for name in known:
            finding = facts.evidence.get(name)
            assert finding is not None
            page.row(mark(titles.title_of(name, page.say)), facts.number(name), facts.interval(finding))
    else:
        page.add("It was not measured here; semblance source-risk measures it.")
    page.add()
    page.add("What the synthetic table adds to what strangers risk. The gate reads the end of the interval, not the "
             "estimate; nothing here proves that no risk is left.")  # fmt: skip
    page.add()
    page.table("Residual risk", "Threshold", "Read by the gate", "Status")
    for ruling in facts.verdict.get("rules") or ():
        if ruling["finding"].split(".", 1)[0] in _PRIVACY:
            sign = "≥" if ruling["op"] == ">=" else "≤"
            page.row(
                facts.rule(ruling, "rule"),
                f"{sign} {facts.rule(ruling, 'limit')}",
                facts.rule(ruling, "bound"),
                titles.status_of(ruling["status"], page.say),
            )


def by_the_standard(page: Page, facts: Facts, tier: str) -> None:
    """A sentence or two under each heading of ISO/IEC 27559 that a table by itself can answer."""
    clause = facts.law
    page.heading("By the headings of {iso}", iso=clause("ISO"))
    page.add("- {clause} Context: who receives the table, and under which agreement, is the holder's to decide; the "
             "policy {name} was written for the case that its first lines describe.",
             clause=clause("context"), name=mark(facts.verdict["policy"]["name"]))  # fmt: skip
    page.add("- {clause} Data features: the variables, and who may know them, are listed above.",
             clause=clause("features"))  # fmt: skip
    page.add("- {clause} Attacks: copies, membership, singling out, linkage and inference ({wp29}), on random "
             "patients, on isolated ones and on the worst subgroup: the largest risk as well as the average one.",
             clause=clause("attacks"), wp29=clause("WP29"))  # fmt: skip
    page.add("- {clause} Quantified: each risk has an interval and a threshold, above.", clause=clause("quantify"))
    _testing(page, facts)
    page.add("- {clause} To be assessed again: see “Until when, and whom to ask”.", clause=clause("again"))
    page.add("- {clause} Governance: the policy was written down by its fingerprint, and the decision follows from "
             "the evidence in this folder, which anybody can repeat.", clause=clause("governance"))  # fmt: skip
    if tier == "board":
        page.add("- This card is for the board. Give others the folder that semblance share makes: numbers about the "
                 "patients are themselves read off the patients.")  # fmt: skip
    else:
        page.add("- This card was cut for readers outside the board: numbers are rounded to the unfavourable side.")


def _testing(page: Page, facts: Facts) -> None:
    power = facts.evidence.get("power.best.leak")
    if power is not None and power.status == "measured":
        page.add("- {clause} Adversarial testing: together the attacks would have seen a leak of a share of {leak} of "
                 "the rows.", clause=facts.law("testing"), leak=facts.part(power, "value"))  # fmt: skip
    else:
        page.add("- {clause} Adversarial testing: it could not be shown that the attacks would have seen a leak.",
                 clause=facts.law("testing"))  # fmt: skip
    asked = list(facts.queries())
    if asked:
        page.add()
        page.add("Questions put to the held-out patients, at most:")
        page.add()
        page.table("Attack", "Questions")
        for family, n in asked:
            page.row(mark(titles.family_of(f"{family}.", page.say)), n)
    if facts.has("holdout", "uses"):
        page.add()
        page.add("Releases that were judged by these held-out patients so far, this one included: {n}.",
                 n=facts.said("holdout", "uses"))  # fmt: skip
    page.add()
