"""What an experiment says in words, from its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semblance.experiment.plan import NAMED
from semblance.report.draw import number
from semblance.report.language import Language

Known = Mapping[str, Any]

ARMS = {
    "real": "real alone",
    "oversampled": "real + copies",
    "classical": "real, transformed",
    "oversampled+classical": "real + copies, transformed",
    "synthetic": "real + synthetic",
    "synthetic+classical": "real + synthetic, transformed",
    "synthetic-only": "synthetic alone",
    "more-real": "real + further real",
}
ENDPOINTS = {
    "auroc": "area under the ROC curve",
    "auprc": "average precision",
    "sensitivity": "sensitivity at {n} % specificity",
    "recall": "recall at an even chance",
    "brier": "Brier score (lower is better)",
}
_HEADLINES = {
    "HELPS": "It helped: real patients were told better with the synthetic images than with anything that needs none",
    "NO EVIDENCE": "No evidence that the synthetic images help",
    "HARMS": "It harmed: with the synthetic images real patients were told worse than without",
}
_VERDICTS = {"HELPS": "HELPS", "NO EVIDENCE": "NO EVIDENCE", "HARMS": "HARMS"}


def headline(record: Known, say: Language) -> str:
    """The verdict as a sentence."""
    if not record["judgements"]:
        return say("No arm with a generator was tried, so there is nothing to judge")
    return say(_HEADLINES[record["verdict"]])


def verdict(found: Known, say: Language) -> str:
    return say(_VERDICTS[found["verdict"]])


def arm(name: str, say: Language) -> str:
    return say(ARMS[name])


def setting(line: Known, say: Language) -> str:
    """An arm and its ratio."""
    name = arm(line["arm"], say)
    return say("{name} × {n}", name=name, n=number(line["ratio"])) if line["ratio"] else name


def endpoint(name: str, record: Known, say: Language) -> str:
    text = ENDPOINTS[name]
    if name == "sensitivity":
        return say(text, n=number(100 * record["design"]["specificity"]))
    return say(text)


def reason(found: Known, record: Known, say: Language) -> str:
    """Why one arm got its verdict."""
    tail = (1 - record["design"]["confidence"]) / 2
    if found["verdict"] == "HARMS":
        return say("worse than the same without them, p = {n} after correction", n=say.figure(found["p_harm"]))
    if found["verdict"] == "HELPS":
        return say("better than every arm without a generator, p = {n} after correction", n=say.figure(found["p"]))
    if found["p"] <= tail:
        return say("better here, but not shown to be no worse at the other site")
    return say(
        "not shown to be better than “{arm}”, p = {n} after correction; a true gain of {m} would have been found four "
        "times in five",
        arm=setting(found["best"], say),
        n=say.figure(found["p"]),
        m=say.figure(found["detectable"]),
    )


def worth(line: Known, say: Language) -> str:
    """How many further real images would have taught as much."""
    found = line["worth"]
    if found is None:
        return "–"
    told = say.thousands(round(found["images"]))
    if round(found["images"]) >= found["most"]:
        told = say("{n} or more", n=told)
    return say("{name} ({n} to {m})", name=told, n=round(found["low"]), m=round(found["high"]))


def doubts(record: Known, say: Language) -> list[tuple[str, str]]:
    """What a reader must know before believing the verdict: a head and a sentence each."""
    design, found = record["design"], []
    if not record["generator"]["name"]:
        found.append(
            (
                say("The synthetic images were made elsewhere."),
                say("Nobody here knows whether their generator saw patients who judge; if it did, they flatter it."),
            )
        )
    if "elsewhere" not in record["cohort"]:
        found.append(
            (
                say("One site only."),
                say("Whether a gain would hold at another hospital was not asked; add --external."),
            )
        )
    if record["provenance"]["quick"]:
        found.append(
            (
                say("This was a quick experiment."),
                say("Fewer seeds and shorter trainings: smaller gains and harms go unseen."),
            )
        )
    if design["seeds"] < 5:
        found.append(
            (
                say("{n} seeds.", n=design["seeds"]),
                say("So few say little of the luck of a training; intervals are wide by that. Five are usual."),
            )
        )
    if missing := sorted({s["arm"] for s in record["not_tried"]}, key=list(NAMED).index):
        found.append(
            (
                say("Not everything could be tried."),
                say("Too few further real images: “{name}”.", name=say.listed(*(arm(name, say) for name in missing))),
            )
        )
    return found
