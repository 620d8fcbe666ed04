"""What a class of look-alikes gives away without pointing at anyone: l-diversity and t-closeness of a secret.

When all patients of a class share a secret, who is known to be in the class has no secret left. Patients whose secret
is missing have nothing to give away here: they are left out, and so is a class that holds nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.encode import labels, numbers
from semblance.disclosure_risk.patients import Ints, coded
from semblance.schema import Column

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Diversity:
    """What the classes say about one secret.

    Attributes:
        sizes: Patients with a known secret in each class that has any: (n_classes,).
        distinct: Different values in each class ("distinct l-diversity": Machanavajjhala et al. 2007).
        entropy: exp of the entropy of the values in each class ("entropy l-diversity", the same paper).
        closeness: Distance from the values of each class to those of all patients ("t-closeness": Li et al. 2007).
        ordered: Whether that distance respects an order of the values, or treats all values as equally far apart.
    """

    sizes: Ints
    distinct: Ints
    entropy: Floats
    closeness: Floats
    ordered: bool

    def share(self, of_class: NDArray[np.bool_]) -> float:
        """Share of patients with a known secret who are in these classes."""
        return float(self.sizes[of_class].sum() / max(1, self.sizes.sum()))


def diversity(data: Dataset, rows: Ints, column: Column, of_patient: Ints) -> Diversity:
    """How diverse a secret is within classes.

    Args:
        rows: The row of `data` that stands for each patient. of_patient: Class of each patient; both (n_patients,).
    """
    table = data.take(rows) if len(rows) < data.n_rows else data
    known = ~_missing(table, column)
    codes = coded(table, column)[known]
    codes = _in_order(codes, table, column)
    classes = np.unique(of_patient[known], return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(classes).astype(np.int64)
    levels = int(codes.max(initial=-1)) + 1
    pairs, many = np.unique(classes * max(1, levels) + codes, return_counts=True)
    whose, value = np.divmod(pairs, max(1, levels))
    part = many / sizes[whose]
    ordered = column.numeric or column.kind == "ordinal"
    overall = np.bincount(codes, minlength=levels) / max(1, len(codes))
    return Diversity(
        sizes,
        np.bincount(whose, minlength=len(sizes)).astype(np.int64),
        np.exp(-np.bincount(whose, weights=part * np.log(part), minlength=len(sizes))),
        _earth_mover(whose, value, part, overall) if ordered else _variation(whose, value, part, overall, len(sizes)),
        ordered,
    )


def _missing(table: Dataset, column: Column) -> NDArray[np.bool_]:
    if column.numeric:
        return np.isnan(numbers(table, column.name))
    return np.asarray(table.frame[column.name].isna())


def _in_order(codes: Ints, table: Dataset, column: Column) -> Ints:
    """Codes 0…levels-1 without gaps; of an ordinal in the order of its categories, unheard-of labels last."""
    if column.kind == "ordinal" and column.categories:
        place = {label: i for i, label in enumerate(column.categories)}
        held = labels(table, column.name).astype(str)
        held = held[held != "\x00missing"]
        codes = np.array([place.get(label, len(place)) for label in held], dtype=np.int64)
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _variation(whose: Ints, value: Ints, part: Floats, overall: Floats, n_classes: int) -> Floats:
    """Half the summed difference of shares: the earth mover's distance when all values are equally far apart.

    Only values present in a class can have a larger share there than among all.
    """
    more = np.maximum(0.0, part - overall[value])
    return np.asarray(np.bincount(whose, weights=more, minlength=n_classes), dtype=np.float64)


def _earth_mover(whose: Ints, value: Ints, part: Floats, overall: Floats) -> Floats:
    """Mean distance between two cumulated shares over the values in order (Li et al. 2007, section 5.2).

    The class's own cumulated share is constant between two of its values, so each such stretch is summed at once.
    """
    levels = len(overall)
    if levels < 2:
        return np.zeros(len(np.unique(whose)))
    below = np.cumsum(overall)
    summed = np.r_[0.0, np.cumsum(below)]  # summed[i] = below[0] + … + below[i−1]
    first = np.r_[True, whose[1:] != whose[:-1]]
    last = np.r_[first[1:], True]
    climbed = np.cumsum(part)
    climbed = climbed - np.repeat(climbed[first] - part[first], np.diff(np.r_[np.flatnonzero(first), len(whose)]))
    ends = np.where(last, levels - 1, np.r_[value[1:], 0])
    stretches = _between(np.where(last, 1.0, climbed), value, ends, below, summed)
    heads = _between(
        np.zeros(int(first.sum())), np.zeros(int(first.sum()), dtype=np.int64), value[first], below, summed
    )
    return np.asarray((np.bincount(whose, weights=stretches) + heads) / (levels - 1))


def _between(level: Floats, start: Ints, end: Ints, below: Floats, summed: Floats) -> Floats:
    """Sum of |level − below[i]| for start <= i < end; `below` rises."""
    turn = np.clip(np.searchsorted(below, level, "left"), start, end)
    lower = level * (turn - start) - (summed[turn] - summed[start])
    upper = (summed[end] - summed[turn]) - level * (end - turn)
    return np.asarray(lower + upper)
