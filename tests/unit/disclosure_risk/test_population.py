"""The models of Ewens and Pitman: published values, exact sums over small tables, simulated populations."""

from __future__ import annotations

from math import exp, factorial, prod

import numpy as np
import pytest
from scipy.stats import betabinom

from semblance.disclosure_risk.population import Pitman, fit, fit_ewens, half_samples, log_likelihood


def seated(model: Pitman, n: int, rng: np.random.Generator) -> np.ndarray:
    """Class of each of n people, drawn one after another by the model's own rule."""
    whose, sizes, opens = np.zeros(n, dtype=np.int64), [1], rng.random(n)
    for i in range(1, n):
        if opens[i] * (i + model.theta) < model.theta + model.alpha * len(sizes):
            whose[i] = len(sizes)
            sizes.append(1)
            continue
        while True:  # a class in proportion to its size, taken with probability 1 − alpha / size
            j = whose[rng.integers(i)]
            if rng.random() * sizes[j] < sizes[j] - model.alpha:
                break
        whose[i] = j
        sizes[j] += 1
    return whose


def test_expected_uniques_are_the_known_values() -> None:
    assert Pitman(0.0, 10.0).uniques(1000) == pytest.approx(9.9108, abs=5e-5)
    assert Pitman(0.3, 50.0).uniques(100_000) == pytest.approx(489.83, abs=5e-3)
    assert Pitman(0.0, 10.0).uniques(1000) == pytest.approx(1000 * 10 / (10 + 1000 - 1))


@pytest.mark.parametrize("model", [Pitman(0.0, 2.0), Pitman(0.4, 0.7), Pitman(0.7, -0.3)])
def test_the_likelihoods_of_all_partitions_of_six_people_sum_to_one(model: Pitman) -> None:
    total, alone = 0.0, 0.0
    for sizes in partitions(6):
        size, many = np.unique(sizes, return_counts=True)
        ways = factorial(6) / (prod(factorial(s) for s in sizes) * prod(factorial(int(m)) for m in many))
        chance = ways * exp(log_likelihood(model.alpha, model.theta, size, many))
        total += chance
        alone += chance * sizes.count(1)
    assert total == pytest.approx(1.0)
    assert alone == pytest.approx(model.uniques(6))


def partitions(n: int, most: int | None = None) -> list[list[int]]:
    if n == 0:
        return [[]]
    return [[first, *rest] for first in range(min(n, most or n), 0, -1) for rest in partitions(n - first, first)]


@pytest.mark.parametrize(
    ("size", "n", "population"), [(1, 500, 5000), (3, 500, 60_000), (30, 900, 9000), (31, 900, 9000)]
)
@pytest.mark.parametrize("model", [Pitman(0.0, 500.0), Pitman(0.3, 50.0), Pitman(0.8, 900.0)])
def test_the_chance_of_a_right_match_is_a_beta_binomial_mean(size: int, n: int, population: int, model: Pitman) -> None:
    x = np.arange(population - n + 1)
    weight = betabinom.pmf(x, population - n, size - model.alpha, model.theta + n - size + model.alpha)
    exact = float((weight / (size + x)).sum())
    assert model.match_chance(np.array([size]), n, population)[0] == pytest.approx(exact, rel=0.002)
    if size == 1:
        assert model.stays_alone(n, population) == pytest.approx(weight[0])


def test_a_population_as_large_as_the_table_is_the_table() -> None:
    model = Pitman(0.5, 20.0)
    assert model.stays_alone(300, 300) == 1.0
    assert model.match_chance(np.array([1, 4]), 300, 300).tolist() == [1.0, 0.25]


@pytest.mark.parametrize("truth", [Pitman(0.3, 50.0), Pitman(0.7, 10.0)])
def test_a_simulated_population_is_estimated_from_a_tenth(truth: Pitman) -> None:
    rng = np.random.default_rng(8)
    people, n = 40_000, 4_000
    whose = seated(truth, people, rng)
    everyone = np.bincount(whose)
    table = whose[rng.permutation(people)[:n]]
    here = np.bincount(table, minlength=len(everyone))
    model = fit(here[here > 0])
    assert model.alpha == pytest.approx(truth.alpha, abs=0.08)
    still = float(((here == 1) & (everyone == 1)).sum() / n)
    estimate = float((here == 1).sum() / n) * model.stays_alone(n, people)
    assert estimate == pytest.approx(still, rel=0.25)
    one = here[table] == 1
    assert model.match_chance(np.array([1]), n, people)[0] == pytest.approx(np.mean(1 / everyone[table[one]]), rel=0.15)


def test_without_a_heavy_tail_pitman_becomes_ewens() -> None:
    sizes = np.bincount(seated(Pitman(0.0, 40.0), 3000, np.random.default_rng(1)))
    model, ewens = fit(sizes), fit_ewens(sizes)
    assert model.alpha < 0.12
    assert ewens.theta == pytest.approx(40, rel=0.3)
    # Ewens (1972): at the maximum the expected number of classes is the observed one.
    assert float((ewens.theta / (ewens.theta + np.arange(3000))).sum()) == pytest.approx(len(sizes), rel=1e-4)


def test_nothing_near_the_maximum_is_likelier() -> None:
    sizes = np.bincount(seated(Pitman(0.5, 30.0), 2000, np.random.default_rng(2)))
    size, many = np.unique(sizes, return_counts=True)
    best = fit(sizes)
    top = log_likelihood(best.alpha, best.theta, size, many)
    for alpha in (best.alpha - 0.03, best.alpha + 0.03):
        assert log_likelihood(alpha, best.theta, size, many) < top
    for theta in (best.theta * 0.9, best.theta * 1.1):
        assert log_likelihood(best.alpha, theta, size, many) < top


def test_half_samples_hold_half_of_the_patients_and_make_no_pairs() -> None:
    sizes = np.array([1] * 50 + [6] * 10)
    for half in half_samples(sizes, np.random.default_rng(0), replicates=5):
        assert half.sum() == 55
        assert half.max() <= 6
        assert half.min() >= 1
