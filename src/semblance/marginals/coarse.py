"""Columns seen coarser: a pair of them stands out in a few wide cells where its many narrow ones would drown in noise.

The noise of a marginal grows with its cells, and what two numbers have to do with each other mostly shows in few. So
sets of columns are asked for at several levels: as they are, and in at most 16, 8 or 4 cells a column. A coarse
marginal is a sum over cells of the fine one, so a patient moves it no further; inside a wide cell the fitted graph
keeps what it knows of each column. The wide cells follow from noisy counts, so they cost no privacy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semblance.marginals.propagation import Floats
from semblance.marginals.table import Attrs

N = TypeVar("N", np.float64, np.int64)
WIDEST = (16, 8, 4)
"""Cells of a column at levels 1, 2 and 3, at most; at level 0 they are as they are."""


@dataclass(frozen=True, eq=False)
class Merge:
    """Cells of one column put together.

    Attributes:
        groups: Cell → wide cell. order, starts: Cells of one wide cell after those of another, and where each begins.
    """

    groups: NDArray[np.int32]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, groups: NDArray[np.int32]) -> Merge:
        return cls(
            groups, np.argsort(groups, kind="stable"), np.searchsorted(np.sort(groups), np.arange(groups.max() + 1))
        )


Merges = tuple[Merge | None, ...]
"""One a column; None leaves its cells as they are."""


def merged(values: NDArray[N], merges: Merges) -> NDArray[N]:
    """Sums over wide cells: one axis a column."""
    for axis, merge in enumerate(merges):
        if merge is not None:
            values = np.add.reduceat(np.take(values, merge.order, axis=axis), merge.starts, axis=axis)
    return values


def repeated(values: Floats, merges: Merges) -> Floats:
    """Each wide cell's value in all of its cells: what `merged` is turned round."""
    for axis, merge in enumerate(merges):
        if merge is not None:
            values = np.take(values, merge.groups, axis=axis)
    return values


@dataclass(frozen=True, eq=False)
class Levels:
    """How each column looks at each level.

    Attributes:
        sizes: Cells of each column. columns: Level → column → how cells are put together; level 0 is not in it.
    """

    sizes: tuple[int, ...]
    columns: tuple[Merges, ...] = ()

    def merges(self, attrs: Attrs, level: int) -> Merges:
        """How their cells are put together; empty for cells as they are."""
        return tuple(self.columns[level - 1][a] for a in attrs) if level else ()

    def cells(self, attrs: Attrs, level: int) -> int:
        """Combinations of cells."""
        found = 1
        for a in attrs:
            merge = self.columns[level - 1][a] if level else None
            found *= self.sizes[a] if merge is None else len(merge.starts)
        return found

    def different(self, attrs: Attrs) -> list[int]:
        """Levels at which these columns look unlike at every finer one; a column alone is asked for as it is."""
        seen: dict[int, int] = {}
        for level in range(1 + len(self.columns) if len(attrs) > 1 else 1):
            seen.setdefault(self.cells(attrs, level), level)
        return list(seen.values())


def find_levels(counts: Sequence[Floats], ordered: Sequence[int]) -> Levels:
    """Wide cells from noisy counts.

    Args:
        counts: Of each column's cells. ordered: How many cells of each column, from the first, are stretches of a
            number in order: neighbours are put together, about as many rows in each. Other cells stay apart as long as
            they are among the commonest, and the rest shares one.
    """
    sizes = tuple(len(c) for c in counts)
    levels = tuple(tuple(_merge(c, n, widest) for c, n in zip(counts, ordered, strict=True)) for widest in WIDEST)
    return Levels(sizes, levels)


def _merge(counts: Floats, ordered: int, widest: int) -> Merge | None:
    if len(counts) <= widest:
        return None
    rows = np.maximum(counts, 0.0)
    groups = np.empty(len(rows), dtype=np.int32)
    if ordered:
        inside = rows[:ordered]
        middle = (np.cumsum(inside) - inside / 2) / max(inside.sum(), 1.0)
        room = max(1, widest - (len(rows) - ordered))
        groups[:ordered] = np.minimum((middle * room).astype(np.int32), room - 1)
        groups[ordered:] = room + np.arange(len(rows) - ordered)
    else:
        commonest = np.argsort(-rows, kind="stable")
        groups[commonest] = np.minimum(np.arange(len(rows)), widest - 1)
    return Merge.of(np.unique(groups, return_inverse=True)[1].astype(np.int32))
