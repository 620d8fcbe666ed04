"""Noisy counts of many labels, drawn to where they are likely to come from."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.marginals.shrink import shrunk

SIGMA = 40.0


def truth(n: int = 1200, seed: int = 0) -> np.ndarray:
    """Most codes of nobody, some of a few, few of many: like diagnoses."""
    rng = np.random.default_rng(seed)
    return np.concatenate([np.zeros(n // 2), rng.geometric(0.02, n // 2 - 40), rng.integers(200, 3000, 40)])


@pytest.mark.parametrize("seed", range(3))
def test_nearer_to_the_truth_than_a_threshold_or_the_counts(seed: int) -> None:
    real = truth(seed=seed)
    noisy = real + np.random.default_rng(seed + 9).normal(0, SIGMA, len(real))
    found = shrunk(noisy, SIGMA)
    errors = [np.square(guess - real).sum() for guess in (found, np.maximum(noisy, 0), noisy * (noisy > 3 * SIGMA))]
    assert errors[0] < 0.9 * min(errors[1:])
    assert found.sum() == pytest.approx(real.sum(), rel=0.05)
    assert (found >= 0).all()


def test_clear_counts_stay_and_nothing_stays_little() -> None:
    noisy = np.concatenate([np.random.default_rng(1).normal(0, SIGMA, 1000), [5000.0, 9000.0]])
    found = shrunk(noisy, SIGMA)
    assert found[-2:] == pytest.approx([5000, 9000], rel=0.02)
    assert found[:1000].sum() < 0.1 * np.maximum(noisy[:1000], 0).sum()


def test_no_count_is_above_zero() -> None:
    found = shrunk(np.full(200, -30.0), SIGMA)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
