"""What a synthetic table gives away about one record: numbers that are larger where the table says more of it.

How near the nearest row comes tells copies. How many rows share the record's values, two and three columns at a time,
tells a model that has learned its patients by heart without ever repeating one. Counting queries of this kind are the
attacker of Houssiau et al. (2022) and Meeus et al. (2023); Homer et al. (2008) found members from marginals alone.
Whether a row is the very same is told apart: no normal distribution of distances expects it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.encode import Bins, Space
from semblance.data.nearest import Points, smallest_distance
from semblance.schema import Column
from semblance.seeds import Seeds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NAMES = ("nearest row", "pairs", "triples")
COPY = len(NAMES)
"""After these: 1 where a row is the same as the record in every column, 0 where none is."""
PAIRS, TRIPLES = 600, 900
"""Sets of two, and of three columns, at most; by lot where there are more."""
FINE, COARSE = 20, 8
"""Bins of a column in pairs, and in triples."""
NEAREST = 1e-3
"""Added to a distance before its logarithm: copies are this near."""


@dataclass(frozen=True, eq=False)
class Counting:
    """Counts rows that share a record's bins in some sets of columns.

    Attributes:
        bins: Of every column. held: Bins of the records: (n_records, n_columns). sets: Of columns.
    """

    bins: Bins
    held: Ints
    sets: tuple[tuple[int, ...], ...]

    def __call__(self, fake: Dataset, rows: int) -> Floats:
        """Mean over the sets of the log of how many in `rows` rows are like each record, and one more: (n_records,)."""
        made, sizes = self.bins(fake), self.bins.sizes
        total = np.zeros(len(self.held))
        for columns in self.sets:
            mine, theirs = np.zeros(len(self.held), dtype=np.int64), np.zeros(len(made), dtype=np.int64)
            for i in columns:
                mine, theirs = mine * sizes[i] + self.held[:, i], theirs * sizes[i] + made[:, i]
            room = int(np.prod(sizes[list(columns)]))
            total += np.log(np.bincount(theirs, minlength=room)[mine] * (rows / max(1, len(made))) + 1.0)
        return np.asarray(total / max(1, len(self.sets)))


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads off a synthetic table what it gives away about some records.

    Attributes:
        points: The records in space: (n_records, width).
    """

    space: Space
    points: Points
    counting: tuple[Counting, Counting]

    @classmethod
    def of(
        cls, records: Sequence[Dataset], columns: tuple[Column, ...], seeds: Seeds, *, real: Sequence[Dataset]
    ) -> Reader:
        """A reader of `records`, measured against `real` patients pooled, so that it does not know who is who."""
        space = Space.fit(real, columns)
        counting = []
        for size, most, fineness in ((2, PAIRS, FINE), (3, TRIPLES, COARSE)):
            bins = Bins.fit(real, columns, bins=fineness, common=fineness)
            held = np.vstack([bins(data) for data in records])
            counting.append(Counting(bins, held, _sets(len(columns), size, most, seeds(f"sets/{size}"))))
        return cls(space, np.vstack([space(data) for data in records]), (counting[0], counting[1]))

    def __call__(self, fake: Dataset, rows: int) -> Floats:
        """What `fake` gives away about each record, as if it had `rows` rows: (n_records, 4), of NAMES and COPY.

        Of NAMES less their mean: how close and crowded a table is as a whole says nothing of anybody.
        """
        distance = smallest_distance(self.points, self.space(fake))
        traces = np.column_stack([-np.log(distance + NEAREST), *(count(fake, rows) for count in self.counting)])
        return np.column_stack([traces - traces.mean(axis=0), distance == 0])


def _sets(n_columns: int, size: int, most: int, rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """All sets of so many columns, or `most` different ones by lot; smaller sets where there are fewer columns."""
    size = min(size, n_columns)
    if comb(n_columns, size) <= most:
        return tuple(combinations(range(n_columns), size))
    drawn: set[tuple[int, ...]] = set()
    while len(drawn) < most:
        drawn.add(tuple(sorted(int(i) for i in rng.choice(n_columns, size, replace=False))))
    return tuple(sorted(drawn))
