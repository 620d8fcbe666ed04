"""Which kinds of patients a table of cells has, and whether another table shows them: how collapse is noticed.

A mode is a cell of one column or a pair of cells of two columns, common enough that a real sample of the other table's
size would hold it many times. It is shown if the other table holds it at least a quarter as often as real rows would.
A generator that has collapsed makes a few kinds of patients over and over, and leaves modes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from semblance.data.alphabet import Codes

EXPECTED = 20.0
"""Rows of a mode that a real sample of the size would hold, at least."""
ENOUGH = 0.25
PAIRS = 400
"""Pairs of columns looked at, at most, drawn at random from all."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of a training table's modes.

    Attributes:
        modes: How many there are. shown: Share that the sample shows. real: Share that real rows would show.
        single: Positions of columns that the sample holds in one cell only, though half or more of the training rows
            are spread over others.
    """

    modes: int
    shown: float
    real: float
    single: tuple[int, ...]

    @property
    def ratio(self) -> float:
        """Modes shown, of those that a real sample of the size would show; 1 where there are none to show."""
        return self.shown / self.real if self.modes else 1.0


def measure_modes(real: Codes, fake: Codes, rng: np.random.Generator) -> Coverage:
    """See which modes of `real` the rows of `fake` show: (n, n_columns) and (m, n_columns)."""
    shown, expected, modes = 0, 0.0, 0
    for first, second in _pairs(real.shape[1], rng):
        wide = int(max(real[:, second].max(initial=0), fake[:, second].max(initial=0))) + 1
        known = (real[:, first] >= 0) & (real[:, second] >= 0)
        seen = real[known, first].astype(np.int64) * wide + real[known, second]
        drawn = fake[:, first].astype(np.int64) * wide + fake[:, second]
        counts = np.bincount(seen, minlength=int(drawn.max(initial=0)) + 1)
        found = np.bincount(drawn, minlength=len(counts))
        shares = counts / max(len(seen), 1)
        common = shares * len(fake) >= EXPECTED
        least = np.ceil(ENOUGH * shares[common] * len(fake))
        modes += int(common.sum())
        shown += int((found[common] >= least).sum())
        expected += float(np.sum(binom.sf(least - 1, len(fake), shares[common])))
    single = tuple(c for c in range(real.shape[1]) if _stuck(real[:, c], fake[:, c]))
    if not modes:
        return Coverage(0, 0.0, 0.0, single)
    return Coverage(modes, shown / modes, expected / modes, single)


def _pairs(n_columns: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Each column with itself, that is, its cells; and pairs of columns."""
    yield from ((c, c) for c in range(n_columns))
    first, second = np.triu_indices(n_columns, k=1)
    chosen = np.sort(rng.permutation(len(first))[:PAIRS])
    yield from zip(first[chosen].tolist(), second[chosen].tolist(), strict=True)


def _stuck(real: NDArray[np.int32], fake: NDArray[np.int32]) -> bool:
    known = real[real >= 0]
    if not len(known) or not len(fake) or (fake != fake[0]).any():
        return False
    return bool((known != fake[0]).mean() >= 0.5)
