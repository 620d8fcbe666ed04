"""Descriptions of a person, made from synthetic rows alone, that fit exactly one synthetic patient.

A predicate is a conjunction of conditions, each on one column: a label, a range of a number or a date, or "missing".
Values become whole numbers in their own order, so that every condition is a range of codes and a missing value is a
value like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.encode import MISSING, labels, numbers
from semblance.schema import Column

Ints = NDArray[np.int64]
Codes = NDArray[np.int32]

ABSENT, UNHEARD, TOP = -1, -2, np.iinfo(np.int32).max
"""Codes of a missing value, of a label that is not known, and beyond every number."""
BAND = 0.025
"""A range reaches this share of the synthetic values to either side of the value it is drawn around."""


class Condition(NamedTuple):
    """`low` <= code of column number `column` <= `high`."""

    column: int
    low: int
    high: int


Predicate = tuple[Condition, ...]


@dataclass(frozen=True)
class Codebook:
    """Values of each column as codes: known value number k is 2k + 1, a number between two known ones is even."""

    columns: tuple[Column, ...]
    known: tuple[Any, ...]

    @classmethod
    def of(cls, tables: Sequence[Dataset], columns: tuple[Column, ...]) -> Codebook:
        """Knows every value of these tables: those that predicates are formed from."""
        known: list[Any] = []
        for column in columns:
            if column.numeric:
                values = np.concatenate([_rounded(data, column) for data in tables])
                known.append(np.unique(values[~np.isnan(values)]))
            else:
                held = set().union(*(set(labels(data, column.name)) for data in tables)) - {MISSING}
                known.append(pd.Index(sorted(held, key=str), dtype=object))
        return cls(columns, tuple(known))

    def __call__(self, data: Dataset) -> Codes:
        """Codes: (n_rows, n_columns)."""
        codes = np.empty((data.n_rows, len(self.columns)), dtype=np.int32, order="F")
        for i, (column, known) in enumerate(zip(self.columns, self.known, strict=True)):
            if column.numeric:
                values = _rounded(data, column)
                place = np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")
                codes[:, i] = np.where(np.isnan(values), ABSENT, place)
            else:
                held = labels(data, column.name)
                place = known.get_indexer(pd.Index(held, dtype=object))
                codes[:, i] = np.where(held == MISSING, ABSENT, np.where(place < 0, UNHEARD, 2 * place + 1))
        return codes


def _rounded(data: Dataset, column: Column) -> NDArray[np.float64]:
    """Numbers that agree to six decimals are the same; adding 0 makes −0 and 0 the same."""
    return np.round(numbers(data, column.name), 6) + 0.0


@dataclass(frozen=True, eq=False)
class Crowd:
    """Coded rows and whose they are.

    Attributes:
        codes: (n_rows, n_columns). patients: Patient number of each row: (n_rows,). n: Patients.
    """

    codes: Codes
    patients: Ints
    n: int

    @classmethod
    def of(cls, data: Dataset, codebook: Codebook) -> Crowd:
        return cls(codebook(data), data.subjects, data.n_subjects)

    def meeting(self, condition: Condition, rows: Ints | None = None) -> Ints:
        """Those of `rows` (None: all) that meet the condition."""
        values = self.codes[:, condition.column] if rows is None else self.codes[rows, condition.column]
        met = ((values >= condition.low) & (values <= condition.high)).nonzero()[0]
        return met if rows is None else rows[met]

    def matching(self, predicate: Predicate) -> Ints:
        """Patients with a row that meets every condition at once, each once."""
        rows: Ints | None = None
        for condition in predicate:
            rows = self.meeting(condition, rows)
            if not len(rows):
                break
        assert rows is not None
        return np.unique(self.patients[rows]) if len(rows) > 1 else self.patients[rows]


def univariate(fake: Crowd, columns: Sequence[Column]) -> list[Predicate]:
    """Every value that one synthetic patient alone holds, a missing one included, and the two ends of each scale."""
    found: list[Predicate] = []
    for i, column in enumerate(columns):
        # Each value of each patient counts once.
        pairs = np.unique((fake.codes[:, i].astype(np.int64) - UNHEARD) * fake.n + fake.patients)
        values, holders = np.unique(pairs // max(1, fake.n) + UNHEARD, return_counts=True)
        found += [(Condition(i, int(v), int(v)),) for v in values[holders == 1]]
        scale = values >= 0
        if column.numeric and scale.any():
            if holders[scale][0] == 1:
                found.append((Condition(i, 0, int(values[scale][0])),))
            if holders[scale][-1] == 1:
                found.append((Condition(i, int(values[scale][-1]), TOP),))
    return found


Windows = tuple[Codes, Codes]


def windows(fake: Crowd, columns: Sequence[Column]) -> Windows:
    """The condition that each cell of each row suggests, as its lowest and its highest code.

    A label and a missing value suggest themselves; a number suggests a range of its neighbours, open where it reaches
    the end of the scale.
    """
    low, high = fake.codes.copy(), fake.codes.copy()
    for i, column in enumerate(columns):
        codes = fake.codes[:, i]
        here = codes >= 0
        if not column.numeric or not here.any():
            continue
        ordered = np.sort(codes[here])
        reach = int(np.ceil(BAND * len(ordered)))
        first = np.searchsorted(ordered, codes[here], "left") - reach
        last = np.searchsorted(ordered, codes[here], "right") - 1 + reach
        low[here, i] = np.where(first <= 0, 0, ordered[np.maximum(first, 0)])
        high[here, i] = np.where(last >= len(ordered) - 1, TOP, ordered[np.minimum(last, len(ordered) - 1)])
    return low, high


def conjunctions(
    fake: Crowd, suggested: Windows, seeds: Ints, rng: np.random.Generator, *, wanted: int, spare: int
) -> list[Predicate]:
    """At most `wanted` different predicates, each made of one of the rows `seeds` in turn.

    Args:
        suggested: What `windows` returned for `fake`.
        spare: Conditions beyond those that it takes to fit one synthetic patient. Each makes the predicate lighter.
    """
    found: dict[Predicate, None] = {}
    for i in range(2 * wanted if len(seeds) else 0):
        if len(found) == wanted:
            break
        predicate = _from_row(fake, suggested, int(seeds[i % len(seeds)]), rng, spare=spare)
        if predicate is not None:
            found[predicate] = None
    return list(found)


def _from_row(fake: Crowd, suggested: Windows, row: int, rng: np.random.Generator, *, spare: int) -> Predicate | None:
    """Conditions on columns at random until one patient is left, and `spare` more; None where all do not do it."""
    low, high = suggested
    parts: list[Condition] = []
    rows: Ints | None = None
    alone = False
    for column in rng.permutation(low.shape[1]):
        if alone and not spare:
            break
        parts.append(Condition(int(column), int(low[row, column]), int(high[row, column])))
        if alone:
            spare -= 1
        else:
            rows = fake.meeting(parts[-1], rows)
            alone = len(rows) == 1 or bool((fake.patients[rows] == fake.patients[row]).all())
    return tuple(sorted(parts)) if alone else None


def blind(like: Sequence[Predicate], suggested: Windows, rng: np.random.Generator) -> list[Predicate]:
    """Predicates on the same columns, each condition from a row of its own: how columns hang together is lost."""
    low, high = suggested
    found = []
    for predicate in like:
        rows = rng.integers(0, len(low), len(predicate))
        parts = zip(predicate, rows, strict=True)
        found.append(tuple(Condition(c.column, int(low[r, c.column]), int(high[r, c.column])) for c, r in parts))
    return found
