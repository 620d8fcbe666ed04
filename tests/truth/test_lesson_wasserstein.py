"""The lesson `wasserstein`: golden values, errors that are what they are said to be, and broken formulas noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from semblance.explain.critic import NeuralCritic, StraightCritic
from semblance.explain.lessons import wasserstein as lesson
from semblance.explain.lessons.wasserstein import WIDTH, Wasserstein
from semblance.seeds import Seeds

LOG2 = 0.6931471805599453


def disagreeing(seed: int = 0, **knobs: Any) -> set[str]:
    return {claim.name for claim in Wasserstein(**knobs).run(Seeds(seed)).claims if not claim.agrees}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("knobs", [{}, {"theta": -1.4}, {"theta": 0.1}, {"critic_steps": 1}], ids=str)
def test_the_simulation_bears_the_formulas_out(seed: int, knobs: dict[str, float]) -> None:
    assert disagreeing(seed, **knobs) == set()


def test_where_theory_ends_the_table_says_so() -> None:
    told = Wasserstein(theta=0.25, critic_steps=20).run(Seeds(0))
    assert "narrow" in told.paragraphs
    assert {claim.name for claim in told.claims if not claim.agrees} >= {"flat"}


def test_golden_values_by_hand() -> None:
    assert lesson.jensen_shannon(0.3) == lesson.jensen_shannon(7.0) == pytest.approx(LOG2, abs=1e-15)
    assert lesson.jensen_shannon(-WIDTH / 4) == pytest.approx(LOG2 / 4, abs=1e-15)
    assert lesson.jensen_shannon_slope(np.array([-1.0, -0.1, 0.1, 1.0])) == pytest.approx(
        [0, -LOG2 / 0.2, LOG2 / 0.2, 0]
    )
    assert lesson.earth_mover(-0.7) == 0.7
    assert lesson.way_home(-1.0)[[0, 1, 49, 50, 100]] == pytest.approx([-1, -0.98, -0.02, 0, 0], abs=1e-12)


def test_the_formulas_are_those_of_their_definitions() -> None:
    """By sums over a fine grid: the mixture for one, the area between the distribution functions for the other."""
    x = np.linspace(-2, 2, 400_001)[:-1] + 5e-6
    for theta in (0.05, 0.13, -0.1, 0.5, -1.0):
        real, fake = ((x > a) & (x < a + WIDTH) for a in (0.0, theta))
        real, fake = real / real.sum(), fake / fake.sum()
        middle = (real + fake) / 2
        parts = [np.sum(p[p > 0] * np.log(p[p > 0] / middle[p > 0])) / 2 for p in (real, fake)]
        assert lesson.jensen_shannon(theta) == pytest.approx(sum(parts), abs=1e-4)
        area = np.abs(np.cumsum(real) - np.cumsum(fake)).sum() * 1e-5
        assert lesson.earth_mover(theta) == pytest.approx(area, abs=1e-4)


@pytest.mark.slow
def test_what_is_said_to_be_four_standard_errors_is_that() -> None:
    for estimate, truth in ((lesson.counted, lesson.jensen_shannon), (lesson.moved, lesson.earth_mover)):
        runs = [estimate(0.1, np.random.default_rng(seed)) for seed in range(150)]
        z = np.array([4 * (found - truth(0.1)) / allowed for found, allowed in runs])
        assert z.std() == pytest.approx(1, abs=0.2)  # 150 draws: standard error .058
        assert abs(z.mean()) < 0.3


def test_the_critics_slopes_are_those_of_what_they_win() -> None:
    """By finite differences: for the forger, and for what the critic learns."""
    rng = np.random.default_rng(2)
    critic = NeuralCritic(rng, reach=1.0)
    real, fake = rng.uniform(0, 1, 50), rng.uniform(0.3, 1.3, 50)
    h = 1e-6
    for one in (critic, StraightCritic()):
        one.learn(real, fake)
        slope = (one.won(real, fake + h) - one.won(real, fake - h)) / (2 * h)
        assert one.push(fake) == pytest.approx(slope, rel=1e-5)
    seen: list[Any] = []
    critic._step = seen.append  # type: ignore[method-assign]
    critic.learn(real, fake)
    start = critic._weights
    for i in range(start.size):
        won = []
        for sign in (1, -1):
            critic._weights = start + sign * h * (np.arange(start.size) == i)
            won.append(critic.won(real, fake))
        assert -seen[0][i] == pytest.approx((won[0] - won[1]) / (2 * h), abs=1e-7)


@pytest.fixture(scope="module")
def played() -> Iterator[dict[str, list[Any]]]:
    """What the simulations of one run gave, to be replayed: only the formulas are broken below."""
    with pytest.MonkeyPatch.context() as patch:
        given: dict[str, list[Any]] = {"train": [], "trained_slope": []}
        for name, results in given.items():
            patch.setattr(lesson, name, _remembering(getattr(lesson, name), results))
        assert disagreeing() == set()
        yield given


def _remembering(function: Callable[..., Any], results: list[Any]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        results.append(function(*args, **named))
        return results[-1]

    return call


BROKEN: list[tuple[str, Callable[..., Any], set[str]]] = [
    ("jensen_shannon", lambda x: np.minimum(1.0, np.abs(x) / WIDTH), {"half", "apart"}),  # bits
    ("jensen_shannon", lambda x: LOG2 * np.abs(x) / WIDTH, {"apart"}),  # goes on rising
    ("jensen_shannon", lambda x: LOG2 * np.minimum(1.0, (x / WIDTH) ** 2), {"half"}),
    ("jensen_shannon_slope", lambda x: LOG2 / WIDTH * np.sign(x), {"flat"}),
    ("earth_mover", lambda x: np.asarray(x) ** 2 + 0.002, {"paid"}),
    ("earth_mover", lambda x: np.minimum(1.0, np.abs(x) / WIDTH) / 2, {"paid"}),
    ("earth_mover_slope", lambda x: -np.sign(x), {"mover_slope"}),
    ("earth_mover_slope", lambda x: 2 * np.asarray(x) * 1.001, {"mover_slope"}),
    ("way_home", lambda x: np.maximum(x - 0.04 * np.arange(101), 0.0), {"early", "way"}),
    ("way_home", lambda x: x * 0.97 ** np.arange(101), {"way"}),
]


@pytest.mark.parametrize(("formula", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    formula: str,
    broken: Callable[..., Any],
    noticed: set[str],
    played: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, results in played.items():
        replay = iter(list(results))
        monkeypatch.setattr(lesson, name, lambda *_, again=replay, **__: next(again))
    monkeypatch.setattr(lesson, formula, broken)
    assert noticed <= disagreeing()


def test_a_forger_who_walks_the_wrong_way_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = StraightCritic.push
    monkeypatch.setattr(StraightCritic, "push", lambda self, fake: -right(self, fake))
    assert {"mover_slope", "early", "way"} <= disagreeing(critic_steps=20)
