"""Were the batches of a training drawn as its account says: each patient in each by a coin of its own?

Accounts of private training rest on Poisson samples. Shuffled batches of a fixed size are not that, and can cost a
multiple of what is claimed (Chua et al. 2024, "How private are DP-SGD implementations?"; Annamalai, Balle and De
Cristofaro 2024, "To shuffle or not to shuffle"). They give themselves away: under fair coins the sizes of batches
scatter, and so do the numbers of times that patients are taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, chi2

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def poisson_p(taken: Bools, rate: float) -> float:
    """Chance that coins of this rate scatter so little, or so much, as these batches do: (steps, patients) -> p.

    Three questions, each from both sides, the smallest answer times six (Bonferroni): how many were taken in all, how
    the sizes of batches scatter, how the times that patients were taken do. For enough coins that a batch and a
    patient are expected to be taken at least five times each.

    Raises:
        ValueError: too few steps or patients for that rate.
    """
    steps, patients = taken.shape
    if not 0 < rate < 1 or min(steps, patients) * min(rate, 1 - rate) < 5:
        raise ValueError("more steps and patients are needed, so that each is taken at least five times.")
    total = int(taken.sum())
    tails = [float(binom.cdf(total, taken.size, rate)), float(binom.sf(total - 1, taken.size, rate))]
    for counts, of in ((taken.sum(axis=1), patients), (taken.sum(axis=0), steps)):
        # around their own mean: how many there are in all was asked already
        scatter = float(((counts - counts.mean()) ** 2).sum() / (of * rate * (1 - rate)))
        freedom = len(counts) - 1
        tails += [float(chi2.cdf(scatter, freedom)), float(chi2.sf(scatter, freedom))]
    return min(1.0, 6 * min(tails))
