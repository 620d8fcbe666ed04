"""The lesson `epsilon`: golden values, noise that is what it is said to be, and broken formulas noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from semblance.errors import InputError
from semblance.explain.lessons import epsilon as lesson
from semblance.explain.lessons.epsilon import Epsilon
from semblance.seeds import Seeds


def disagreeing(seed: int = 0, **knobs: Any) -> set[str]:
    """Claims that do not agree, without the picture."""
    return {claim.name for claim in Epsilon(**knobs)._claims(Seeds(seed)) if not claim.agrees}


def test_golden_values_of_the_worked_example() -> None:
    """v = 4, τ = .5, m = 100 (shared/reference/evidence.md, 1c)."""
    tau_squared = lesson.noise_variance(1.0, 0.5)
    assert tau_squared == 0.25
    assert lesson.expected_loss(tau_squared, 4.0) == 0.03125
    assert lesson.squared_error(tau_squared, 4.0, 100) == pytest.approx(0.29, abs=1e-15)
    rng = np.random.default_rng(0)
    noise = lesson.from_seed(tau_squared, 200_000, rng)
    assert lesson.losses(noise, 4.0, rng).mean() == pytest.approx(0.031325, abs=0.0006)
    assert lesson.errors(noise[:40_000], 4.0, 100, rng).mean() == pytest.approx(0.290208, abs=0.012)


def test_half_the_epsilon_costs_four_times_the_loss() -> None:
    for epsilon in (0.2, 1.0, 3.0):
        once, half = (lesson.noise_variance(e, 0.5) for e in (epsilon, epsilon / 2))
        assert lesson.expected_loss(half, 4.0) == pytest.approx(4 * lesson.expected_loss(once, 4.0), rel=1e-12)


def test_the_loss_of_one_release_is_the_divergence_of_its_definition() -> None:
    def integrand(x: float, shift: float) -> float:
        there = norm.logpdf(x, scale=1.5)
        return float(np.exp(there) * (there - norm.logpdf(x, loc=shift, scale=1.5)))

    for shift in (0.1, 2.0):
        assert quad(integrand, -20, 20, args=(shift,))[0] == pytest.approx(shift**2 / (2 * 2.25), abs=1e-8)
        each = lesson.losses(np.full(5, shift), 2.25, np.random.default_rng(1))
        assert each == pytest.approx(np.full(5, shift**2 / 4.5), abs=1e-12)  # a value and its mirror image


def test_the_pipelines_noise_has_the_variance_it_is_said_to_have() -> None:
    for epsilon in (0.3, 2.0):
        tau_squared = lesson.noise_variance(epsilon, 0.5)
        drawn = lesson.from_pipeline(tau_squared, 40_000)
        assert np.abs(np.round(drawn / lesson.STEP) - drawn / lesson.STEP).max() < 1e-6
        assert drawn.var() == pytest.approx(tau_squared, rel=5 * math.sqrt(5 / 40_000) + 0.002)
    assert not np.array_equal(lesson.from_pipeline(1.0, 50), lesson.from_pipeline(1.0, 50))


def test_the_simulation_bears_the_formulas_out() -> None:
    assert disagreeing() == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "knobs",
    [{"epsilon": 0.1}, {"epsilon": 5.0}, {"variance": 0.1, "noise": 5.0}, {"rows": 1000, "noise": 0.1}],
    ids=str,
)
def test_the_simulation_bears_the_formulas_out_elsewhere(knobs: dict[str, float]) -> None:
    assert disagreeing(seed=1, **knobs) == set()


BROKEN: list[tuple[str, Callable[..., Any], set[str]]] = [
    ("noise_variance", lambda epsilon, noise: noise**2 / epsilon, {"loss_half"}),
    ("expected_loss", lambda t, v: t / v, {"loss", "loss_half", "own_loss"}),
    ("expected_loss", lambda t, v: math.sqrt(t) / (4 * v), {"loss_half"}),
    ("squared_error", lambda t, v, m: t, {"error", "own_error"}),
    ("squared_error", lambda t, v, m: v / m + t / 2, {"error", "own_error"}),
    ("_steps", lambda t: round(math.sqrt(t / 8) / 0.01), {"own_loss", "own_error", "kept"}),
    ("_steps", lambda t: round(math.sqrt(2 * t) / 0.01), {"own_loss", "own_error", "broken"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("what", "broken", "noticed"), BROKEN)
def test_a_broken_formula_or_mechanism_is_noticed(
    what: str, broken: Callable[..., Any], noticed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, "DRAWS", 30_000)
    monkeypatch.setattr(lesson, "RUNS", 20_000)
    if what == "noise_variance":  # the noise that is drawn stays right
        monkeypatch.setattr(lesson, "from_seed", _right_noise_for(broken, lesson.from_seed))
    monkeypatch.setattr(lesson, what, broken)
    assert noticed <= disagreeing()


def _right_noise_for(broken: Callable[..., float], right: Callable[..., Any]) -> Callable[..., Any]:
    def drawn(tau_squared: float, n: int, rng: np.random.Generator) -> Any:
        epsilon = 1.0 if tau_squared == broken(1.0, 0.5) else 0.5
        return right((0.5 / epsilon) ** 2, n, rng)

    return drawn


def test_knobs_beyond_their_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"epsilon must lie in \[0.1, 5\]"):
        Epsilon(epsilon=6.0).run(Seeds(0))
