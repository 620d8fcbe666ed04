"""Noisy counts of many labels, each drawn to where such counts are likely to come from: empirical Bayes.

Where a list of a thousand codes is declared, most counts are noise, and the few hundred patients' worth of a code
between drown one by one. Together they tell how true counts are spread, and given that, each noisy count has an
expected true one (Robbins 1956; the spread by maximum likelihood, Kiefer and Wolfowitz 1956). Reads noisy counts
only, so it costs no privacy.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, softmax

from semblance.marginals.propagation import Floats

MANY = 100
"""Labels from which on their spread can be told."""
STEPS = 500
GRID = 200


def shrunk(counts: Floats, sigma: float) -> Floats:
    """Expected true counts, given noisy ones of standard deviation `sigma`: (n,), none of them negative."""
    top = max(float(counts.max()), sigma)
    grid = np.concatenate([[0.0], np.geomspace(min(1.0, sigma / 4), top, GRID)])
    likely = -0.5 * ((counts[:, None] - grid) / sigma) ** 2
    prior = np.full(len(grid), -np.log(len(grid)))
    for _ in range(STEPS):
        prior = np.log(softmax(likely + prior, axis=1).mean(axis=0) + 1e-300)
    return np.asarray(np.exp(log_softmax(likely + prior, axis=1)) @ grid)
