"""The lesson `gan-game`: its formulas against values worked out by hand, and each of them broken must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semblance.explain.lessons import gan_game as lesson
from semblance.explain.lessons.gan_game import GanGame
from semblance.seeds import Seeds

P = np.array([0.6, 0.3, 0.1])
LOG4 = 1.3862943611198906


def disagreeing(seed: int = 0, **knobs: float) -> set[str]:
    return {claim.name for claim in GanGame(**knobs).run(Seeds(seed)).claims if not claim.agrees}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("knobs", [{}, {"theta": 0.0}, {"theta": 0.4}, {"theta": 1.0}, {"step": 0.1}, {"step": 5.0}])
def test_the_simulation_bears_the_formulas_out(seed: int, knobs: dict[str, float]) -> None:
    assert disagreeing(seed, **knobs) == set()


def test_golden_values_by_hand() -> None:
    q = lesson.forged_shares(0.9)  # .1 · (.8, .2, 0) + .9 · (.3, .45, .25)
    assert q == pytest.approx([0.35, 0.425, 0.225], abs=1e-15)
    assert lesson.best_critic(P, q) == pytest.approx([12 / 19, 12 / 29, 4 / 13], abs=1e-15)
    by_hand = 0.6 * np.log(12 / 19) + 0.3 * np.log(12 / 29) + 0.1 * np.log(4 / 13)
    by_hand += 0.35 * np.log(7 / 19) + 0.425 * np.log(17 / 29) + 0.225 * np.log(9 / 13)
    assert 2 * lesson.jensen_shannon(P, q) - LOG4 == pytest.approx(by_hand, abs=1e-14)
    assert lesson.best_knob() == pytest.approx(0.4, abs=1e-15)
    assert lesson.forged_shares(lesson.best_knob()) == pytest.approx(P, abs=1e-15)
    assert lesson.value(np.full(3, 0.5), P, P) == pytest.approx(-LOG4, abs=1e-15)
    assert lesson.jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(LOG4 / 2, abs=1e-15)


def test_the_identity_holds_for_any_shares_and_no_critic_beats_the_best() -> None:
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.ones(3), 2000), rng.dirichlet(np.ones(3), 2000)
    most = lesson.value(lesson.best_critic(p, q), p, q)
    assert np.abs(most - (2 * lesson.jensen_shannon(p, q) - LOG4)).max() < 1e-12
    assert (lesson.value(rng.uniform(0.001, 0.999, (2000, 3)), p, q) <= most + 1e-12).all()


def test_what_is_said_to_be_four_standard_errors_is_that() -> None:
    q = lesson.forged_shares(0.9)
    runs = [lesson.counted(0.9, np.random.default_rng(seed)) for seed in range(400)]
    z = (np.array([critic for critic, _, _ in runs]) - lesson.best_critic(P, q)) / lesson.error_of_counting(P, q)
    won = 2 * lesson.jensen_shannon(P, q) - LOG4
    z_value = np.array([(found - won) / error for _, found, error in runs])
    for scores in (*z.T, z_value):
        assert scores.std() == pytest.approx(1, abs=0.12)  # 400 draws: standard error .035
        assert abs(scores.mean()) < 0.2


@pytest.mark.parametrize(("step", "settles"), [(0.2, True), (1.0, True), (4.0, True), (4.5, False), (5.0, False)])
def test_the_pace_tells_whether_the_game_settles(step: float, settles: bool) -> None:
    assert (lesson.pace(step) < 1) == settles
    knob, _ = lesson.play(0.9, step)
    assert (np.ptp(knob[-100:]) < 1e-3) == settles
    told = GanGame(step=step).run(Seeds(0))
    assert ("settles" in told.paragraphs) == settles
    assert ("played" in {claim.name for claim in told.claims}) == settles


def _simultaneous(step: float) -> float:
    """The pace if the forger did not see the critic's move."""
    slope = lesson.ROUGH_FORGERIES - lesson.EVEN_FORGERIES
    both = np.eye(4)
    both[:3, :3] -= step * np.diag(P) / 2
    both[:3, 3] -= step * slope / 2
    both[3, :3] += step * slope / 2
    return float(np.abs(np.linalg.eigvals(both)).max())


BROKEN: list[tuple[str, Callable[..., Any], str]] = [
    ("best_critic", lambda p, q: q / (p + q), "critic_smooth"),
    ("best_critic", lambda p, q: p / (p + 1.05 * q), "critic_smooth"),
    ("best_critic", lambda p, q: p / (p + q) + 1e-5, "identity"),
    ("jensen_shannon", lambda p, q: lesson._relative(p, q), "identity"),
    ("jensen_shannon", lambda p, q: (lesson._relative(p, q) + lesson._relative(q, p)) / 2, "value"),
    ("best_knob", lambda: 0.5, "knob"),
    ("best_knob", lambda: 0.4015, "played"),
    ("pace", _simultaneous, "pace"),
    ("pace", lambda step: 0.92, "pace"),
]


@pytest.mark.parametrize(("formula", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    formula: str, broken: Callable[..., Any], noticed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, formula, broken)
    step = 4.0 if broken is _simultaneous else 1.0  # with small steps both have the same slowest direction
    assert noticed in disagreeing(step=step)


def test_a_broken_game_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lesson.one_round
    monkeypatch.setattr(lesson, "one_round", lambda logits, theta, step: (whole(logits, theta, step)[0], theta))
    assert {"pace", "played", "half", "floor"} <= disagreeing()
