"""Columns that another column settles, cell by cell: an education and its number, a disease and its group.

What is settled need not be learned beside what settles it, and cannot contradict it: it is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

EXCEPTIONS = 0.02
"""Of the rows outside a column's commonest cell, the share that may be guessed wrongly from the column it hangs on."""
FEWEST = 100
"""Rows outside the commonest cell: with fewer, anything settles a column by chance."""
GLANCE = 2000
"""Rows that a pair of columns is looked at on before it is looked at on all of them."""


@dataclass(frozen=True, eq=False)
class Dependent:
    """A column that hangs on another.

    Attributes:
        at: Position of the column. on: Position of the one that settles it, which hangs on none.
        chances: Probability of each cell of the column, given each cell of the other: (cells of on, cells of at).
    """

    at: int
    on: int
    chances: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file: most chances are 0, and left out."""
        rows, columns = np.nonzero(self.chances)
        return {
            "at": self.at,
            "on": self.on,
            "shape": list(self.chances.shape),
            "cells": [rows.tolist(), columns.tolist(), self.chances[rows, columns].tolist()],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Dependent:
        chances = np.zeros([int(size) for size in data["shape"]])
        rows, columns, values = data["cells"]
        chances[rows, columns] = values
        return cls(int(data["at"]), int(data["on"]), chances)


def find_dependents(
    codes: Ints, sizes: Sequence[int], patients: NDArray[np.int64], *, min_patients: int
) -> tuple[Dependent, ...]:
    """Columns that another one settles, each hung on the first finer column that does.

    A combination of two cells that fewer than `min_patients` patients have is never drawn, unless it is the likeliest
    one: what is kept is what most patients with the first cell have, not an exception that is one patient's own.

    Args:
        codes: Cell of every value, -1 for unknown: (n, n_columns). sizes: Cells of each column.
    """
    order = sorted(range(len(sizes)), key=lambda at: (-sizes[at], at))
    roots: list[int] = []
    found: dict[int, Dependent] = {}
    for at in order:
        on = next((root for root in roots if _settles(codes, root, at, sizes)), None)
        if on is None:
            roots.append(at)
        else:
            found[at] = Dependent(at, on, _chances(codes, on, at, sizes, patients, min_patients))
    return tuple(found[at] for at in sorted(found))


def _settles(codes: Ints, on: int, at: int, sizes: Sequence[int]) -> bool:
    """Whether the cell of column `on` tells that of column `at` (Goodman and Kruskal's lambda, 1954)."""
    for rows in (codes[:GLANCE], codes):
        known = (rows[:, on] >= 0) & (rows[:, at] >= 0)
        if known.mean() < 0.99:
            return False
        table = _count(rows[known], on, at, sizes)
        others = table.sum() - table.sum(axis=0).max()
        wrong = table.sum() - table.max(axis=1).sum()
        # at a glance a column that is settled may have few rows outside its commonest cell, and one more exception
        if wrong > EXCEPTIONS * others + (3 if rows is not codes else 0):
            return False
    return bool(others >= FEWEST)


def _count(codes: Ints, on: int, at: int, sizes: Sequence[int]) -> Floats:
    places = codes[:, on].astype(np.int64) * sizes[at] + codes[:, at]
    return np.bincount(places, minlength=sizes[on] * sizes[at]).reshape(sizes[on], sizes[at]).astype(np.float64)


def _chances(
    codes: Ints, on: int, at: int, sizes: Sequence[int], patients: NDArray[np.int64], min_patients: int
) -> Floats:
    known = (codes[:, on] >= 0) & (codes[:, at] >= 0)
    table = _count(codes[known], on, at, sizes)
    triples = np.unique(np.column_stack([codes[known][:, [on, at]], patients[known]]), axis=0)
    holders = _count(triples[:, :2].astype(np.int32), 0, 1, (sizes[on], sizes[at]))
    likeliest = table.argmax(axis=1)
    empty = table.sum(axis=1) == 0
    likeliest[empty] = table.sum(axis=0).argmax()
    table[holders < min_patients] = 0
    table[np.arange(sizes[on]), likeliest] = np.maximum(table[np.arange(sizes[on]), likeliest], 1)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
