"""Batches into which each patient comes by a coin of their own: what the account of private training counts on.

The coins are the operating system's, with odds that are exact. A batch has no fixed size, and may be empty; its
*expected* size is what sums over it are divided by, since its real one is a secret.

PRIVACY: batches hold real rows. Costs nothing by itself; `events.Poisson(rate, …)` is what is charged for an answer
from each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.privacy.randomness import WORD, words

Integers = NDArray[np.int64]
Coins = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of some patients.

    Attributes:
        rows: Positions in the table, all rows of a patient together: (m,).
        owners: Which of the batch's patients each row belongs to, 0, 1, …, in order: (m,). patients: How many.
    """

    rows: Integers
    owners: Integers
    patients: int

    def __repr__(self) -> str:
        return "Batch()"

    def blocks(self, rows: int) -> list[Batch]:
        """The batch in parts of about so many rows; a patient's are never taken apart."""
        ends = np.append(np.flatnonzero(np.diff(self.owners)) + 1, len(self.rows))  # where each patient's rows end
        parts, start, first = [], 0, 0
        while first < self.patients:
            last = max(first + 1, int(np.searchsorted(ends, start + rows, side="right")))
            stop = int(ends[last - 1])
            parts.append(Batch(self.rows[start:stop], self.owners[start:stop] - first, last - first))
            start, first = stop, last
        return parts


class Batches:
    """Draws batches of a table's patients.

    Args:
        subjects: Patient of each row, numbered: (n_rows,). rate: Chance of each patient to be in a batch.
    """

    def __init__(self, subjects: Integers, rate: float) -> None:
        if not 0 < rate <= 1:
            raise ValueError("a sampling rate must be above 0 and at most 1.")
        self._rows = np.argsort(subjects, kind="stable")
        _, self._starts, self._sizes = np.unique(subjects[self._rows], return_index=True, return_counts=True)
        self._rate = rate

    def __repr__(self) -> str:
        return "Batches()"

    def draw(self) -> Batch:
        """A new batch; empty where no coin fell."""
        taken = np.flatnonzero(coins(self._rate, len(self._sizes)))
        sizes = self._sizes[taken]
        owners = np.repeat(np.arange(len(taken)), sizes)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return Batch(self._rows[np.repeat(self._starts[taken], sizes) + within], owners, len(taken))


def coins(rate: float, n: int) -> Coins:
    """`n` coins of the operating system that fall with probability `rate`, rounded down to 64 bits: (n,)."""
    limit = math.floor(rate * 2**WORD)
    return np.ones(n, dtype=bool) if limit >= 2**WORD else np.asarray(words(n) < np.uint64(limit))
