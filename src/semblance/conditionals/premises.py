"""The columns that a net is told before it draws the others: how often each combination is seen, and draws of them.

A combination that fewer than `min_patients` hold is not kept. Its mass goes to independent draws of the columns, so
that every combination can be drawn, and none because one patient had it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.data.alphabet import Codes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Premises:
    """A distribution over cells of a few columns: a mixture of known combinations and of independent draws.

    Attributes:
        at: Positions of the columns: (k,).
        combinations: Those that enough patients hold: (m, k). chances: Their probabilities: (m,).
        alone: Probability of each cell of each column on its own, k arrays.
        loose: Probability of an independent draw.
    """

    at: tuple[int, ...]
    combinations: Codes
    chances: Floats
    alone: tuple[Floats, ...]
    loose: float

    @classmethod
    def learn(
        cls, codes: Codes, at: Sequence[int], sizes: Sequence[int], subjects: NDArray[np.int64], *, min_patients: int
    ) -> Premises:
        """Count the combinations in training rows, those with an unknown cell left out: codes is (n, n_columns)."""
        mine = codes[:, list(at)]
        known = (mine >= 0).all(axis=1) if len(at) else np.zeros(len(codes), dtype=bool)
        mine, subjects = mine[known], subjects[known]
        if not len(mine):
            return cls(tuple(at), np.empty((0, len(at)), np.int32), np.empty(0), _even(at, sizes), 1.0)
        found, which, counts = np.unique(mine, axis=0, return_inverse=True, return_counts=True)
        holders = np.unique(np.column_stack([which.reshape(-1), subjects]), axis=0)[:, 0]
        enough = np.bincount(holders, minlength=len(found)) >= min_patients
        alone = tuple(np.bincount(mine[:, j], minlength=sizes[c]) / len(mine) for j, c in enumerate(at))
        kept = counts[enough] / len(mine)
        share = kept.sum()
        chances = kept / share if share else kept
        return cls(tuple(at), found[enough].astype(np.int32), chances, alone, float(1 - share))

    def draw(self, n: int, rng: np.random.Generator, shares: Mapping[int, Floats]) -> tuple[Codes, Floats]:
        """Cells that may be drawn, and log weights that make each count as one drawn freely: (n, k), (n,).

        Args:
            shares: Column's position → how much of each of its cells may be drawn, 0 to 1. A cell of which less may be
                drawn is drawn less often; its weight makes up for it, since whoever asks will count the share again.
        """
        share = [np.asarray(shares.get(c, np.ones(len(p)))) for c, p in zip(self.at, self.alone, strict=True)]
        together = self.chances.copy()
        for j, allowed in enumerate(share):
            together *= allowed[self.combinations[:, j]]
        apart = [p * allowed for p, allowed in zip(self.alone, share, strict=True)]
        tight, loose = (1 - self.loose) * together.sum(), self.loose * float(np.prod([p.sum() for p in apart]))
        if tight + loose <= 0:
            return np.zeros((n, len(self.at)), dtype=np.int32), np.full(n, -np.inf)
        drawn = np.empty((n, len(self.at)), dtype=np.int32)
        is_loose = rng.random(n) < loose / (tight + loose)
        if tight > 0:
            places = rng.choice(len(together), size=n, p=together / together.sum())
            drawn[:] = self.combinations[places]
        for j, chances in enumerate(apart):
            if loose > 0:
                free = rng.choice(len(chances), size=n, p=chances / chances.sum()).astype(np.int32)
                drawn[:, j] = np.where(is_loose, free, drawn[:, j])
        weights = np.full(n, np.log(tight + loose))
        for j, allowed in enumerate(share):
            weights -= np.log(allowed[drawn[:, j]])
        return drawn, weights


def _even(at: Sequence[int], sizes: Sequence[int]) -> tuple[Floats, ...]:
    return tuple(np.full(sizes[c], 1 / sizes[c]) for c in at)


def even_out(codes: Codes, at: Sequence[int]) -> Floats:
    """How often to show each training row so that rare cells of the columns are seen more: (n,), adds up to 1.

    The mean over the columns of one over the square root of the row's cell's count: half-way, in orders of magnitude,
    between as often as they are and all alike. Rows with an unknown cell are not shown.
    """
    n = len(codes)
    if not len(at):
        return np.full(n, 1 / max(n, 1))
    weights = np.zeros(n)
    for c in at:
        mine = codes[:, c]
        counts = np.bincount(mine[mine >= 0], minlength=1)
        weights += np.where(mine >= 0, 1 / np.sqrt(np.maximum(counts[np.maximum(mine, 0)], 1)), 0.0)
    weights[(codes[:, list(at)] < 0).any(axis=1)] = 0.0
    return weights / weights.sum() if weights.sum() else np.full(n, 1 / max(n, 1))
