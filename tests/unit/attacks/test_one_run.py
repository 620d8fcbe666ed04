"""The statistics of the audit in one run: golden values, guesses counted by hand, accusations as rare as stated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from semblance.attacks.one_run import Guesses, Plan, best_lower_bound, chance, lower_bound, provable


@pytest.mark.parametrize(
    ("guesses", "delta", "bound"),
    [
        (Guesses(1000, 100, 75), 1e-4, 0.673),
        (Guesses(1000, 100, 75), 0.0, 0.7022),
        (Guesses(100, 100, 100), 0.0, 3.4930),
        (Guesses(1000, 1000, 1000), 1e-5, 5.7823),
    ],
)
def test_golden_values(guesses: Guesses, delta: float, bound: float) -> None:
    assert lower_bound(guesses, delta) == pytest.approx(bound, abs=6e-5)


def test_all_right_is_what_that_many_canaries_can_prove() -> None:
    """With δ = 0 the bound solves q^m = 0.05 for q = e^ε / (1 + e^ε)."""
    q = 0.05 ** (1 / 100)
    assert provable(100, 0.0) == pytest.approx(math.log(q / (1 - q)), abs=1e-6)
    assert provable(1000, 1e-5) == pytest.approx(5.7823, abs=5e-5)
    assert provable(1000, 1e-5, guessed=100) == lower_bound(Guesses(1000, 100, 100), 1e-5)
    assert provable(4, 0.0) < 0.2  # four coins prove next to nothing
    assert provable(3, 1e-5) == 0.0


def test_the_chance_is_that_of_its_definition() -> None:
    guesses, epsilon, delta = Guesses(50, 20, 15), 0.7, 1e-3
    q = math.exp(epsilon) / (1 + math.exp(epsilon))
    tail = sum(binom.pmf(k, 20, q) for k in range(15, 21))
    ratios = [sum(binom.pmf(k, 20, q) for k in range(15 - i, 15)) / i for i in range(1, 16)]
    assert chance(guesses, epsilon, delta) == pytest.approx(tail + 2 * 50 * delta * max(ratios), rel=1e-12)
    assert chance(Guesses(50, 20, 0), epsilon, delta) == 1.0


def test_a_bound_is_the_edge_of_what_is_refuted() -> None:
    guesses = Guesses(300, 120, 95)
    bound = lower_bound(guesses, 1e-5)
    assert chance(guesses, bound - 1e-5, 1e-5) < 0.05 < chance(guesses, bound + 1e-5, 1e-5)
    assert lower_bound(guesses, 1e-5, confidence=0.99) < bound < lower_bound(guesses, 0.0)
    assert lower_bound(Guesses(300, 120, 62), 1e-5) == 0.0  # a fair coin may do that


def test_guesses_are_made_at_both_ends_or_at_one() -> None:
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    inside = np.array([True, False, True, False, True, False])
    assert [Plan.even(n) for n in (0, 2, 3, 6)] == [(0, 0), (1, 1), (2, 1), (3, 3)]
    assert Guesses.of(scores, inside, Plan(1, 1)) == Guesses(6, 2, 2)
    assert Guesses.of(scores, inside, Plan(2, 1)) == Guesses(6, 3, 2)
    assert Guesses.of(scores, inside, Plan(3, 3)) == Guesses(6, 6, 4)
    assert Guesses.of(scores, inside, Plan(3, 0)) == Guesses(6, 3, 2)
    assert Guesses.of(scores, inside, Plan(0, 0)) == Guesses(6, 0, 0)
    with pytest.raises(ValueError, match="some rightly"):
        Guesses(10, 5, 6)


def randomised_response(epsilon: float, canaries: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The mechanism that gives away the most at a given ε, and the coins."""
    inside = rng.random(canaries) < 0.5
    truthful = rng.random(canaries) < math.exp(epsilon) / (1 + math.exp(epsilon))
    return np.where(truthful, inside, ~inside) + 0.001 * rng.random(canaries), inside


def test_the_worst_mechanism_that_keeps_its_word_is_not_accused_more_often_than_stated() -> None:
    """Randomised response is as bad as ε allows, so accusations come as often as they may: at most 5 %."""
    rng = np.random.default_rng(7)
    trials, sizes = 1500, (100, 200, 400)
    # bounds rise with right guesses, so each is refuted from some number of them on
    alone, one_of_three = (
        {r: next(v for v in range(r) if chance(Guesses(400, r, v), 1.0, 0.0) < level) for r in sizes}
        for level in (0.05, 0.05 / 3)
    )
    accused = np.zeros(2, int)
    for _ in range(trials):
        scores, inside = randomised_response(1.0, 400, rng)
        right = {r: Guesses.of(scores, inside, Plan.even(r)).right for r in sizes}
        accused += (right[400] >= alone[400], any(right[r] >= one_of_three[r] for r in sizes))
    assert (accused <= binom.ppf(0.999, trials, 0.05)).all()
    assert accused[0] >= binom.ppf(0.001, trials, 0.03)  # and it is no idle bound: 400 coins round 5 % down to 4.4 %
    assert lower_bound(Guesses(400, 400, alone[400]), 0.0) > 1 > lower_bound(Guesses(400, 400, alone[400] - 1), 0.0)


def test_half_the_noise_is_caught() -> None:
    rng = np.random.default_rng(8)
    caught = [
        lower_bound(Guesses.of(*randomised_response(2.0, 400, rng), Plan.even(400)), 0.0) > 1.0  # said to be 1
        for _ in range(10)
    ]
    assert all(caught)


def test_the_best_of_several_sizes_pays_for_the_choice() -> None:
    scores, inside = randomised_response(3.0, 500, np.random.default_rng(9))
    plans = (Plan.even(50), Plan.even(500), Plan(40, 0))
    alone = [lower_bound(Guesses.of(scores, inside, plan), 1e-5) for plan in plans]
    best, guesses = best_lower_bound(scores, inside, plans, 1e-5)
    assert guesses.guessed in (40, 50, 500)
    assert best < max(alone)
    assert best == lower_bound(guesses, 1e-5, confidence=1 - 0.05 / 3)
