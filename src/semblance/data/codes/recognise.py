"""Which code system a column's labels belong to, told only where they leave no doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semblance.data.codes.hierarchy import Hierarchy, hierarchy_of
from semblance.data.describe.column_words import words

NAMING = frozenset({"icd", "icd9", "icd10", "icd9cm", "icd10cm", "diag", "diagnosis", "diagnoses", "dx"})
PROCEDURES = frozenset({"procedure", "procedures", "proc", "px", "pcs"})
FEWEST, SHARE, CHAPTERS = 20, 0.95, 3


@dataclass(frozen=True, slots=True)
class Recognised:
    """A code system as in `Column.code_system`, and what speaks for it."""

    system: str
    why: str


def recognise(name: str, counts: Mapping[str, int]) -> Recognised | None:
    """The code system of a column's labels (label → rows), or None.

    At least 20 labels, 95 % of them, and of the rows, in the published classification, from three chapters or more.
    Whole numbers alone could be anything, so the column's name must speak of diagnoses where they carry neither
    letters nor a point.
    """
    found = set(words(name))
    if len(counts) < FEWEST or found & PROCEDURES:
        return None
    named = bool(found & NAMING)
    shares = {system: _share(counts, system, named=named) for system in ("icd9cm", "icd10", "icd10cm")}
    system = max(shares, key=lambda s: shares[s])  # the first of equals: the plainer edition
    if shares[system] < SHARE:
        return None
    known = hierarchy_of(system)
    assert known is not None
    hint = " and the column's name speaks of diagnoses" if named else ""
    return Recognised(system, f"{shares[system]:.0%} of the labels are {known.title} codes{hint}")


def _share(counts: Mapping[str, int], system: str, *, named: bool) -> float:
    """Share of labels, or of rows where that is less, that are published codes; 0 where something speaks against."""
    hierarchy = hierarchy_of(system)
    assert hierarchy is not None
    codes = [label for label in counts if hierarchy.knows(label)]
    if not codes or not (named or _telling(codes, hierarchy)):
        return 0.0
    chapters = {hierarchy.path(category)[-2] for label in codes for category, _ in [hierarchy.read(label) or ("", "")]}
    if len(chapters) < CHAPTERS:
        return 0.0
    return min(len(codes) / len(counts), sum(counts[label] for label in codes) / sum(counts.values()))


def _telling(codes: list[str], hierarchy: Hierarchy) -> bool:
    """Whether the labels alone give the system away: subdivided codes with a point, and letters among them."""
    pointed = sum("." in label for label in codes)
    lettered = sum(label[:1].isalpha() for label in codes)
    if hierarchy.system == "icd9cm":
        return pointed > 0.2 * len(codes) and 0 < lettered < len(codes)
    return pointed > 0.2 * len(codes) and lettered == len(codes)
