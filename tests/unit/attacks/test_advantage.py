"""The difference between hits in training and in the holdout, and its interval."""

import numpy as np
import pytest

from semblance.attacks.advantage import Tally, advantage, one_sided_p


def test_the_interval_is_newcombes_and_not_clipped():
    found = advantage("a.advantage", "Q?", members=Tally(0, 200), others=Tally(6, 200))
    assert found.value == pytest.approx(-0.03)
    assert found.low is not None
    assert found.low < found.value < 0
    assert found.high is not None
    assert found.high > -0.03
    # Newcombe 1998, method 10, by hand from the two Wilson intervals
    known = advantage("a.advantage", "Q?", members=Tally(56, 70), others=Tally(48, 80))
    assert (known.low, known.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_few_attacks_are_underpowered():
    assert advantage("a.advantage", "Q?", members=Tally(1, 99), others=Tally(1, 500)).status == "underpowered"


def test_p_is_fishers():
    from scipy.stats import fisher_exact

    expected = fisher_exact([[30, 470], [20, 480]], alternative="greater").pvalue
    assert one_sided_p(Tally(30, 500), Tally(20, 500)) == pytest.approx(expected)


def test_alike_sides_are_covered_as_often_as_stated():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(2_000):
        found = advantage(
            "a", "Q?", members=Tally(rng.binomial(700, 0.1), 700), others=Tally(rng.binomial(300, 0.1), 300)
        )
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0 <= found.high
    assert 0.935 <= covered / 2_000 <= 0.97
