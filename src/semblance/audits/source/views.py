"""What is asked of the source, and the sets of quasi-identifiers it is asked about: all of them, and a telling few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from semblance.disclosure_risk.lattice import Lattice
from semblance.disclosure_risk.patients import Classes, Patients
from semblance.evidence import Direction, Finding

QUESTIONS = {
    "source.unique.share": "How many patients of the real table are alone in what others may know of them?",
    "source.k.minimum": "How many patients are there in the smallest group that look alike to others?",
    "source.l.minimum": "How many different secrets does the least varied group of look-alikes hold?",
    "source.t.maximum": "How far are the secrets of a group of look-alikes from those of all patients, at most?",
    "source.homogeneous.share": "How many patients have the same secret as everyone who looks like them?",
    "source.prosecutor.risk": "How surely is a patient recognised by someone who knows who is in the table, at most?",
    "source.population_unique.share": "How many patients of the table are alone in the whole population, too?",
    "source.journalist.risk": "How surely is a patient recognised by someone who does not know who is in the table?",
    "source.marketer.risk": "How many patients are recognised when the table is matched with a list of the population?",
}

SMALLEST_CELL = 11
THRESHOLD = 1 / SMALLEST_CELL
"""Largest risk of recognition in data made public: .09, a cell of 11 (EMA policy 0070; Health Canada PRCI)."""


@dataclass(frozen=True, eq=False)
class View:
    """One set of quasi-identifiers and the classes it makes.

    Attributes:
        name: "all", or "few": the most revealing set of at most four.
    """

    name: str
    columns: tuple[str, ...]
    classes: Classes

    @property
    def label(self) -> dict[str, Any]:
        return {"name": self.name, "columns": list(self.columns)}


def views_of(patients: Patients, lattice: Lattice) -> tuple[View, ...]:
    """All quasi-identifiers, then the most revealing few where those are others."""
    names = tuple(c.name for c in patients.columns)
    views = [View("all", names, patients.classes())]
    if len(lattice.worst) < len(names):
        views.append(View("few", tuple(names[i] for i in lattice.worst), patients.classes(lattice.worst)))
    return tuple(views)


def fact(
    name: str, value: float, n: int, *, unit: str, baseline: float, method: str, detail: dict[str, Any],
    direction: Direction = "lower",
) -> Finding:  # fmt: skip
    """A finding about a table that was seen whole: without sampling error."""
    return Finding(
        name,
        QUESTIONS[name],
        value=value,
        low=value,
        high=value,
        n=n,
        unit=unit,
        direction=direction,
        baseline=baseline,
        method=f"{method}; every patient of the real table counted once, so there is no sampling error",
        detail=rounded(detail),
    )


def rounded(detail: Any) -> Any:
    """The same with numbers to four digits, which is all that a chart needs."""
    if isinstance(detail, dict):
        return {key: rounded(value) for key, value in detail.items()}
    if isinstance(detail, list):
        return [rounded(value) for value in detail]
    return float(f"{detail:.4g}") if isinstance(detail, float) else detail
