"""The statistics of the audit in many runs: golden values, right mechanisms left alone, half the noise caught."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from semblance.attacks.many_runs import Counted, audit, lower_bound, provable

DELTA = 1e-5


def test_golden_values() -> None:
    assert lower_bound(Counted(100, 1000, 1, 1000), DELTA) == pytest.approx(2.6925, abs=5e-5)
    assert provable(1000, 1000, DELTA) == pytest.approx(5.6006, abs=5e-5)


def test_it_reads_both_the_event_and_its_absence() -> None:
    assert lower_bound(Counted(1000, 1000, 500, 1000), DELTA) == pytest.approx(
        lower_bound(Counted(500, 1000, 0, 1000), DELTA), abs=1e-12
    )
    assert lower_bound(Counted(500, 1000, 500, 1000), DELTA) == 0.0
    assert lower_bound(Counted(10, 1000, 900, 1000), DELTA) == 0.0  # the caller says which way the patient pushes
    assert lower_bound(Counted(100, 1000, 1, 1000), 0.09) < lower_bound(Counted(100, 1000, 1, 1000), 0.0)
    with pytest.raises(ValueError, match="more often"):
        Counted(2, 1, 0, 1)


def test_a_right_share_is_refuted_no_more_often_than_stated() -> None:
    """Shares at the very edge of ε = 1, counted exactly: 5 % at most, whatever the size."""
    rng = np.random.default_rng(3)
    for alarm in (0.25, 0.05):
        hit = alarm * math.e
        refuted = [
            lower_bound(Counted(int(rng.binomial(2000, hit)), 2000, int(rng.binomial(2000, alarm)), 2000), 0.0) > 1
            for _ in range(1000)
        ]
        assert sum(refuted) <= binom.ppf(0.999, 1000, 0.05)


def sigma_of_one() -> float:
    """The noise of a Gaussian mechanism of sensitivity 1 at ε = 1, δ = 1e-5 (Balle and Wang 2018)."""
    low, high = 1.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        delta = norm.cdf(0.5 / middle - middle) - math.e * norm.cdf(-0.5 / middle - middle)
        low, high = (middle, high) if delta > DELTA else (low, middle)
    return high


def test_the_right_noise_is_let_be_and_half_of_it_is_caught() -> None:
    sigma, runs, rng = sigma_of_one(), 80_000, np.random.default_rng(5)
    assert sigma == pytest.approx(3.73063, abs=1e-5)
    for share, accused in ((1.0, False), (0.5, True)):
        for _ in range(3):
            noise = share * sigma * rng.normal(size=(2, runs))
            found = audit(1 + noise[0], noise[1], DELTA)
            assert (found.epsilon > 1.0) is accused
            assert found.epsilon < found.provable == provable(runs // 2, runs // 2, DELTA)


def test_laplace_is_left_alone_as_often_as_stated() -> None:
    """At every threshold beyond the patient its ratio is e^ε exactly: the hardest right mechanism there is."""
    rng = np.random.default_rng(6)
    trials = 100
    accused = sum(audit(1 + rng.laplace(size=2000), rng.laplace(size=2000), 0.0).epsilon > 1 for _ in range(trials))
    assert accused <= binom.ppf(0.999, trials, 0.05)
    caught = [audit(1 + rng.laplace(size=4000) / 2, rng.laplace(size=4000) / 2, 0.0).epsilon > 1 for _ in range(10)]
    assert all(caught)


def test_a_few_runs_prove_nothing_and_fewer_are_refused() -> None:
    quiet = np.zeros(20)
    assert audit(quiet, quiet, 0.0).epsilon == 0.0
    with pytest.raises(ValueError, match="20 runs"):
        audit(quiet, quiet[:19], 0.0)
