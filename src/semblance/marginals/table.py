"""Integer-coded tables, and how often each combination of cells occurs in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Counts = NDArray[np.int64]
Attrs = tuple[int, ...]
"""Positions of columns, ascending."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of cells, every one known. Its repr shows sizes only.

    Attributes:
        codes: (n_rows, n_columns), column c in 0 … sizes[c] - 1. sizes: Cells of each column.
        most: Rows that one patient has, at most: what one patient can add to any marginal.
    """

    codes: Codes
    sizes: tuple[int, ...]
    most: int = 1

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.sizes):
            raise ValueError("a table needs a size for each of its columns.")
        if self.codes.size and (self.codes.min() < 0 or (self.codes.max(axis=0) >= np.array(self.sizes)).any()):
            raise ValueError("a code lies outside its column's cells.")
        if self.most < 1:
            raise ValueError("a patient has at least one row.")

    def __repr__(self) -> str:
        return f"Table({len(self.sizes)} columns)"

    def count(self, attrs: Attrs) -> Counts:
        """Rows of each combination of cells of some columns: one axis a column.

        PRIVACY: exact counts. A patient moves them by L2 distance `most` at most, as all of the patient's rows may
        fall into one cell.
        """
        return count(self.codes, attrs, self.sizes)


def count(codes: Codes, attrs: Attrs, sizes: Sequence[int]) -> Counts:
    """Rows of each combination of cells: one axis a column."""
    shape = tuple(sizes[a] for a in attrs)
    place = np.zeros(len(codes), dtype=np.int64)
    for a in attrs:
        place = place * sizes[a] + codes[:, a]
    return np.bincount(place, minlength=int(np.prod(shape, dtype=np.int64))).reshape(shape)


def cells(attrs: Attrs, sizes: Sequence[int]) -> int:
    """How many combinations of cells some columns have."""
    found = 1
    for a in attrs:
        found *= sizes[a]
    return found
