"""The lesson `composition`: golden values, counts that are what they are said to be, and broken formulas noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from semblance.errors import InputError
from semblance.explain.lessons import composition as lesson
from semblance.explain.lessons.composition import Composition
from semblance.seeds import Seeds

DELTA = 1e-5
SIGMA = lesson.sigma_for(1.0, DELTA)


def disagreeing(seed: int = 0, **knobs: Any) -> set[str]:
    """Claims that do not agree, without the picture."""
    one = Composition(**knobs)
    sigma = lesson.sigma_for(one.epsilon, one.delta)
    fits = lesson.releases_within(sigma, one.cap, one.delta)
    return {claim.name for claim in one._claims(sigma, fits, Seeds(seed)) if not claim.agrees}


def test_golden_values() -> None:
    """Gaussian noise, one patient moves the answer by 1, δ = 1e-5 (shared/reference/evidence.md, 1c)."""
    for sigma, epsilon in ((0.5, 9.99726), (1.0, 4.37718), (2.0, 1.99309), (4.0, 0.92634)):
        assert lesson.exact(sigma, 1, DELTA) == pytest.approx(epsilon, abs=6e-6)
        assert lesson.exact(sigma * math.sqrt(7), 7, DELTA) == pytest.approx(epsilon, abs=6e-6)
    assert pytest.approx(3.73063, abs=6e-6) == SIGMA


def test_delta_is_that_of_its_definition() -> None:
    """The integral of what the density with the patient has beyond e^ε times that without."""
    for sigma, epsilon in ((1.0, 0.5), (3.0, 0.2)):
        from_ = 0.5 + epsilon * sigma**2  # where the ratio reaches e^ε

        def beyond(x: float, sigma: float = sigma, epsilon: float = epsilon) -> float:
            return float(norm.pdf(x, 1, sigma) - math.exp(epsilon) * norm.pdf(x, 0, sigma))

        assert lesson.delta_of(sigma, epsilon) == pytest.approx(quad(beyond, from_, 60)[0], rel=1e-7)


def test_renyi_accounting_is_its_best_order_and_never_below_the_truth() -> None:
    for k in (1, 3, 10, 100):
        orders = np.geomspace(1.01, 3000, 20_000)
        by_hand = k * orders / (2 * SIGMA**2) + np.log1p(-1 / orders) - np.log(DELTA * orders) / (orders - 1)
        assert lesson.renyi(SIGMA, k, DELTA) == pytest.approx(by_hand.min(), rel=1e-6)
        assert lesson.renyi(SIGMA, k, DELTA) > lesson.exact(SIGMA, k, DELTA)
        assert k == 1 or lesson.exact(SIGMA, k, DELTA) < lesson.added(1.0, k)


def test_a_filter_lets_fewer_through_than_what_is_planned_together() -> None:
    for epsilon, cap in ((1.0, 3.0), (0.5, 3.0), (1.0, 6.0)):
        sigma = lesson.sigma_for(epsilon, DELTA)
        assert cap / epsilon < lesson.releases_one_by_one(sigma, cap, DELTA) < lesson.releases_within(sigma, cap, DELTA)
    assert lesson.releases_one_by_one(SIGMA, 3.0, DELTA) == 5
    assert lesson.releases_within(SIGMA, 3.0, DELTA) == 7


def test_losses_are_weighed_back_to_what_they_are() -> None:
    """Drawn around another place and weighed, or as they fall: the same mean and spread."""
    plain, alike = lesson.losses(SIGMA, 5, 40_000, np.random.default_rng(1))
    assert (alike == 1).all()
    for towards in (0.0, 1.0):
        loss, weight = lesson.losses(SIGMA, 5, 40_000, np.random.default_rng(2), towards=towards)
        assert loss.mean() == pytest.approx(towards, abs=0.02)
        assert weight.mean() == pytest.approx(1, abs=0.1)
        assert (weight * loss).mean() == pytest.approx(plain.mean(), abs=0.06)
    assert plain.mean() == pytest.approx(5 / (2 * SIGMA**2), abs=0.015)


@pytest.mark.slow
def test_what_is_said_to_be_four_standard_errors_is_that() -> None:
    epsilon = lesson.exact(SIGMA, 3, DELTA)
    runs = [lesson.failure(SIGMA, 3, epsilon, np.random.default_rng(seed), n=4000) for seed in range(150)]
    z = np.array([4 * (found - DELTA) / allowed for found, allowed in runs])
    assert z.std() == pytest.approx(1, abs=0.2)
    assert abs(z.mean()) < 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    "knobs",
    [{}, {"epsilon": 0.1, "cap": 0.6, "releases": 20}, {"epsilon": 4.0, "cap": 8.0, "releases": 2, "delta": 1e-9}],
    ids=str,
)
def test_the_simulation_bears_the_formulas_out(knobs: dict[str, Any]) -> None:
    assert disagreeing(seed=1, **knobs) == set()


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulations at a tenth of their draws; of the ledger, what it let through."""
    monkeypatch.setattr(lesson, "DRAWS", 20_000)
    monkeypatch.setattr(lesson, "RUNS", 40_000)
    monkeypatch.setattr(lesson, "charged", lambda sigma, cap, delta: 7)


BROKEN: list[tuple[str, Callable[..., Any], set[str]]] = [
    ("delta_of", lambda s, e: norm.cdf(0.5 / s - e * s), {"one", "all", "exact"}),  # the second term forgotten
    ("exact", lambda s, k, delta: math.sqrt(k), {"all", "exact", "fits"}),  # ε grows with the root
    ("exact", lambda s, k, delta: float(k), {"all", "exact", "fits"}),
    ("exact", lambda s, k, delta: 0.1 * k, {"all", "exact", "fits", "attacked"}),
    ("renyi", lambda s, k, delta: k * 1.0, {"renyi"}),
    ("renyi", lambda s, k, delta: math.sqrt(2 * k * math.log(1 / delta)) / s + k / (2 * s**2), {"renyi"}),  # older
    ("charged", lambda s, cap, delta: 3, {"fits"}),
]


@pytest.mark.slow
@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize(("formula", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    formula: str, broken: Callable[..., Any], noticed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, formula, broken)
    assert noticed <= disagreeing()


@pytest.mark.usefixtures("replayed")
def test_a_ledger_that_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = lesson.epsilon_of
    monkeypatch.setattr(lesson, "epsilon_of", lambda event, delta: right(event.event, delta))  # one of ten releases
    assert {"renyi", "exact"} <= disagreeing()


def test_knobs_beyond_their_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"cap between 1\.5 and 6 times epsilon"):
        Composition(cap=7.0).run(Seeds(0))
