from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from semblance.privacy import vectors

ALARM = 1e-7  # a right sampler fails a test this often, as nothing here is seeded


def test_gaussian_draws_follow_their_formula() -> None:
    drawn = vectors.gaussian(100_001)
    assert len(drawn) == 100_001
    assert kstest(drawn, "norm").pvalue > ALARM
    half = len(drawn) // 2
    assert abs(np.corrcoef(drawn[:half], drawn[half : 2 * half])[0, 1]) < 6 / np.sqrt(half)
    assert abs(np.corrcoef(drawn[1:] ** 2, drawn[:-1] ** 2)[0, 1]) < 6 / np.sqrt(len(drawn))


def test_the_test_itself_sees_noise_that_is_a_twentieth_too_small() -> None:
    assert kstest(0.95 * vectors.gaussian(100_000), "norm").pvalue < ALARM


def test_blocks_do_not_repeat_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "BLOCK", 100)
    drawn = vectors.gaussian(30_000)
    assert len(np.unique(drawn)) == len(drawn)
    assert kstest(drawn, "norm").pvalue > ALARM


def test_noise_is_as_wide_as_is_charged_and_no_narrower() -> None:
    for reach, noise in ((1.0, 2.0), (0.03, 0.7)):
        found = vectors.noisy_sum(np.full(100_000, 5.0), noise, reach) - 5.0
        assert noise * reach < found.std() * (1 + 6 / np.sqrt(200_000))
        assert found.std() == pytest.approx(noise * reach, rel=0.02)
        assert abs(found.mean()) < 6 * noise * reach / np.sqrt(100_000)


def test_what_comes_out_lies_on_a_grid_that_the_data_do_not_move() -> None:
    """Floating point has gaps that depend on the value; whole steps of a public grid have none."""
    step = 1.0 / (vectors.FINE * np.sqrt(1000))
    for total in (np.zeros(1000), np.random.default_rng(1).normal(0, 300, 1000)):
        steps = vectors.noisy_sum(total, 1.5, 1.0) / step
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_rounding_is_made_up_for() -> None:
    """Half a step in each number, twice, is less than what more noise is drawn than is charged."""
    numbers = 10_000
    step = 1.0 / (vectors.FINE * np.sqrt(numbers))
    assert 1.0 + step * np.sqrt(numbers) < vectors.WIDER


def test_noise_is_never_the_same_again() -> None:
    assert not np.array_equal(vectors.noisy_sum(np.zeros(50), 1.0, 1.0), vectors.noisy_sum(np.zeros(50), 1.0, 1.0))


@pytest.mark.parametrize(("total", "noise", "reach"), [([np.nan], 1.0, 1.0), ([1.0], 0.0, 1.0), ([1.0], 1.0, 0.0)])
def test_what_cannot_be_kept_is_refused(total: list[float], noise: float, reach: float) -> None:
    with pytest.raises(ValueError, match=r"finite|above 0"):
        vectors.noisy_sum(np.array(total), noise, reach)
