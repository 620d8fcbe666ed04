"""The generator of ``explain/crowd.py`` itself: patients, what is drawn from them, and what can be measured on that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.data.nearest import nearest, smallest_distance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Release:
    """Training and held-out patients, a blur, and as many synthetic rows as training patients: (n, 2) each."""

    train: Floats
    held: Floats
    bandwidth: float
    rows: Floats

    @classmethod
    def of(cls, patients: tuple[Floats, Floats], bandwidth: float, rng: np.random.Generator) -> Release:
        """Draw from a generator that learned the first of `patients`."""
        train, n = patients[0], len(patients[0])
        rows = train[rng.integers(0, n, n)] + bandwidth * rng.normal(size=(n, 2))
        return cls(*patients, bandwidth, rows)

    @property
    def everyone(self) -> Floats:
        return np.vstack([self.train, self.held])

    @property
    def member(self) -> NDArray[np.bool_]:
        return np.arange(2 * len(self.train)) < len(self.train)

    @cached_property
    def density(self) -> Floats:
        """What each training patient adds to the generator's density at each of everyone, 1 at itself: (2n, n)."""
        a, b = self.everyone, self.train
        apart = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
        return np.asarray(np.exp(-np.maximum(apart, 0) / (2 * self.bandwidth**2)))

    @property
    def score(self) -> Floats:
        """The generator's density at each of everyone, over what the population leads to expect: (2n,)."""
        expected = np.exp(-(self.everyone**2).sum(axis=1) / (2 * (1 + self.bandwidth**2)))
        return np.asarray(self.density.sum(axis=1) / expected)


def patients_of(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Training and held-out patients."""
    return rng.normal(size=(n, 2)), rng.normal(size=(n, 2))


def utility(release: Release) -> float:
    """Of the generator's density, judged by held-out patients (Rudemo 1982; Bowman 1984); ∫p² = 1/4π is known."""
    n, h = len(release.train), release.bandwidth
    with_population, with_itself = release.density[n:].mean() / h**2, np.sqrt(release.density[:n]).mean() / h**2
    return float(2 * 2 * with_population - with_itself)


def given_away(release: Release) -> tuple[float, float, float]:
    """Nearest share, and the areas under the curves of the distance and of the open attack."""
    n, everyone = len(release.train), release.everyone.astype(np.float32)
    rows = release.rows.astype(np.float32)
    found = nearest(rows, everyone, np.arange(2 * n))
    return (
        float(found.share[found.point < n].sum() / n),
        stats.auc(-smallest_distance(everyone, rows), release.member),
        stats.auc(release.score, release.member),
    )
