from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chi2

from semblance.privacy import mechanisms, randomness

N = 40_000
ALARM = 1e-7  # a right sampler fails a test this often, as nothing here is seeded


def fits(drawn: np.ndarray, values: np.ndarray, weights: np.ndarray) -> float:
    """p of the chi-square test that `drawn` follows the weights; rare values are put together."""
    shares = weights / weights.sum()
    common = shares * len(drawn) >= 10
    seen = np.array([(drawn == v).sum() for v in values[common]])
    observed = np.append(seen, len(drawn) - seen.sum())
    expected = np.append(shares[common], 1 - shares[common].sum()) * len(drawn)
    observed, expected = observed[expected > 1e-6], expected[expected > 1e-6]
    return float(chi2.sf(np.sum((observed - expected) ** 2 / expected), len(expected) - 1))


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.73063, 41.5])
def test_discrete_gaussian_follows_its_formula(sigma: float) -> None:
    reach = int(12 * sigma) + 12
    values = np.arange(-reach, reach + 1)
    drawn = mechanisms.discrete_gaussian(sigma, N)
    assert drawn.dtype == np.int64
    assert fits(drawn, values, np.exp(-(values**2) / (2 * sigma**2))) > ALARM


@pytest.mark.parametrize("scale", [0.5, 1.0, 7.25])
def test_discrete_laplace_follows_its_formula(scale: float) -> None:
    values = np.arange(-int(30 * scale) - 5, int(30 * scale) + 6)
    assert fits(mechanisms.discrete_laplace(scale, N), values, np.exp(-np.abs(values) / scale)) > ALARM


def test_the_test_itself_sees_noise_that_is_a_tenth_too_small() -> None:
    values = np.arange(-60, 61)
    drawn = mechanisms.discrete_gaussian(3.73063 * 0.9, N)
    assert fits(drawn, values, np.exp(-(values**2) / (2 * 3.73063**2))) < ALARM


def test_large_noise_has_the_spread_it_claims() -> None:
    drawn = mechanisms.discrete_gaussian(5000.5, 100_000)
    assert abs(drawn.std() / 5000.5 - 1) < 6 / np.sqrt(200_000)
    assert abs(drawn.mean()) < 6 * 5000.5 / np.sqrt(100_000)


def test_no_two_draws_are_alike_whatever_numpy_was_seeded_with() -> None:
    np.random.seed(1)  # noqa: NPY002
    first = mechanisms.discrete_gaussian(100.0, 50)
    np.random.seed(1)  # noqa: NPY002
    assert not np.array_equal(first, mechanisms.discrete_gaussian(100.0, 50))


def test_choices_follow_the_exponential_mechanism() -> None:
    scores = np.array([0.0, 1.0, 2.5, -40.0])
    drawn = np.array([mechanisms.choose(scores, 2.0, 1.5) for _ in range(4000)])
    assert fits(drawn, np.arange(4), np.exp(scores * 2.0 / 3.0)) > ALARM


def test_a_choice_among_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="scores"):
        mechanisms.choose(np.array([]), 1.0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        mechanisms.choose(np.array([0.0, np.nan]), 1.0, 1.0)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf, 2.0**41])
def test_impossible_noise_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match="sigma"):
        mechanisms.discrete_gaussian(sigma, 3)


def test_noise_keeps_the_shape_of_counts() -> None:
    counts = np.full((3, 4, 5), 1000)
    noised = mechanisms.noisy(counts, 2.0)
    assert noised.shape == counts.shape
    assert (noised != counts).any()
    assert np.abs(noised - counts).max() < 40


def test_whole_numbers_below_a_limit_are_uniform() -> None:
    drawn = randomness.below(7, N)
    assert fits(drawn, np.arange(7), np.ones(7)) > ALARM
    assert set(randomness.below(1, 5)) == {0}


def test_close_coins_are_settled_by_more_bits() -> None:
    """A uniform number whose first bits are those of the probability itself is decided exactly, either way."""
    digits = Fraction("0.36787944117144232159552377016146086744581113103176")  # 1/e
    word, rest = divmod(digits * 2**64, 1)
    assert randomness._settle(int(word) - 1, Fraction(1))
    assert not randomness._settle(int(word) + 1, Fraction(1))
    fallen = sum(randomness._settle(int(word), Fraction(1)) for _ in range(400))
    assert abs(fallen / 400 - float(rest)) < 6 * 0.5 / np.sqrt(400)


def test_a_sure_coin_always_falls() -> None:
    assert randomness.exponential_coins(np.zeros(1000), lambda i: Fraction(0)).all()
    assert not randomness.exponential_coins(np.full(1000, 800.0), lambda i: Fraction(800)).any()
