"""How far apart are two clouds of points? Fréchet distance with its bias taken out, and kernel distance without one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def frechet(a: Floats, b: Floats) -> float:
    """Squared Fréchet distance of the normal distributions of two sets of points, (n, d) and (m, d).

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) (Dowson and Landau 1982; Heusel et al. 2017). Biased upwards, the more the
    fewer points there are: to be compared between sets of one size only.
    """
    one, other = np.atleast_2d(np.cov(a.T, ddof=1)), np.atleast_2d(np.cov(b.T, ddof=1))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ other @ root)
    apart = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    return apart + float(np.trace(one) + np.trace(other) - 2 * np.sqrt(np.maximum(cross, 0)).sum())


def frechet_at_infinity(a: Floats, b: Floats, rng: np.random.Generator, *, sizes: int = 8) -> float:
    """`frechet` as of endless many points: a straight line in 1/n, where it meets 0 (Chong and Forsyth 2020).

    May be a little below 0 where the sets are alike.
    """
    n = min(len(a), len(b))
    counts = np.unique(np.linspace(n / 3, n, sizes).astype(int))
    found = [frechet(a[rng.permutation(len(a))[:m]], b[rng.permutation(len(b))[:m]]) for m in counts]
    return float(np.polyfit(1 / counts, found, 1)[1])


def kernel(a: Floats, b: Floats) -> Floats:
    """(x · y / d + 1)³, the kernel of Bińkowski et al. (2018): (n, d), (m, d) -> (n, m)."""
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


def kernel_distance(pooled: Floats, first: NDArray[np.bool_]) -> float:
    """Squared maximum mean discrepancy without bias (Gretton et al. 2012), from kernel values of both sets together.

    Args:
        pooled: (n, n). first: Which belong to the first set: (n,).
    """
    one, other = first.astype(np.float64), (~first).astype(np.float64)
    n, m = one.sum(), other.sum()
    hollow = pooled - np.diag(np.diag(pooled))
    within = one @ hollow @ one / (n * (n - 1)) + other @ hollow @ other / (m * (m - 1))
    return float(within - 2 * (one @ pooled @ other) / (n * m))
