"""Batches drawn by coins are let be as often as stated; batches drawn in any usual other way are noticed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

from semblance.attacks.sampling import poisson_p

Rng = np.random.Generator
STEPS, PATIENTS, RATE = 200, 400, 0.05


def by_coins(rng: Rng) -> np.ndarray:
    return rng.random((STEPS, PATIENTS)) < RATE


def shuffled(rng: Rng) -> np.ndarray:
    """Each patient once an epoch, in batches of one size."""
    size = round(RATE * PATIENTS)
    epochs = [rng.permutation(PATIENTS).reshape(-1, size) for _ in range(STEPS * size // PATIENTS)]
    return np.array([np.isin(np.arange(PATIENTS), batch) for batch in np.concatenate(epochs)])


def of_one_size(rng: Rng) -> np.ndarray:
    """Each batch drawn by itself, without coming back to a patient."""
    return np.array([rng.permutation(PATIENTS) < RATE * PATIENTS for _ in range(STEPS)])


def twice_as_often(rng: Rng) -> np.ndarray:
    return rng.random((STEPS, PATIENTS)) < 1.1 * RATE


def in_pairs(rng: Rng) -> np.ndarray:
    return (rng.random((STEPS, PATIENTS // 2)) < RATE).repeat(2, axis=1)


def some_more_than_others(rng: Rng) -> np.ndarray:
    return rng.random((STEPS, PATIENTS)) < RATE * np.where(np.arange(PATIENTS) % 2, 1.4, 0.6)


def test_coins_are_let_be_as_often_as_stated() -> None:
    rng = np.random.default_rng(1)
    p = np.array([poisson_p(by_coins(rng), RATE) for _ in range(400)])
    assert (p < 0.05).sum() <= binom.ppf(0.999, 400, 0.05)
    assert (p < 0.2).sum() >= 10  # and it is no idle test


@pytest.mark.parametrize("wrong", [shuffled, of_one_size, twice_as_often, in_pairs, some_more_than_others])
def test_anything_else_is_noticed(wrong: Callable[[Rng], np.ndarray]) -> None:
    rng = np.random.default_rng(2)
    assert max(poisson_p(wrong(rng), RATE) for _ in range(5)) < 1e-3


def test_too_few_coins_tell_nothing() -> None:
    with pytest.raises(ValueError, match="five times"):
        poisson_p(np.ones((50, 50), bool), 0.05)
