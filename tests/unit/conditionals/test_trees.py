"""The search finds how many trees strangers profit from; the growing gives the same trees twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.conditionals.trees import Capacity, Lesson, grow, search
from semblance.data.boosting import lightgbm

Array = np.ndarray[Any, Any]
CAPACITY = Capacity(
    trees=200,
    patience=10,
    reach=1.0,
    parents=0.95,
    leaves=8,
    learning_rate=0.1,
    min_leaf=20,
    smoothing=0.0,
    min_rows=100,
    bins=255,
    min_patients=11,
)


def coins(n: int, seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 5)).astype(np.float32), rng.integers(0, 2, n), rng.random(n) < 0.2


def lesson(features: Array, answers: Array, start: Array | None = None) -> Lesson:
    return Lesson(features, answers, np.zeros(len(answers)) if start is None else start, [], 0)


def best(features: Array, answers: Array, unseen: Array, start: Array | None = None) -> int:
    losses, _ = search(lesson(features, answers, start), unseen, capacity=CAPACITY)
    assert losses.shape == (CAPACITY.trees + 1,)
    return int(losses.argmin())


def test_noise_is_mostly_left_unlearned() -> None:
    assert np.median([best(*coins(500, seed)) for seed in range(20)]) <= 3


def test_a_signal_is_found_where_it_lies() -> None:
    features, _, unseen = coins(1000, 0)
    answers = (features[:, 2] > 0).astype(int)
    losses, gains = search(lesson(features, answers), unseen, capacity=CAPACITY)
    assert losses.argmin() > 10
    assert gains[2] > 0.9 * gains.sum()


def test_past_their_lowest_point_losses_rise_to_the_last_tree() -> None:
    losses, _ = search(lesson(*coins(500, 3)[:2]), coins(500, 3)[2], capacity=CAPACITY)
    assert losses.argmin() < 100
    assert (np.diff(losses[100:]) >= 0).all()
    assert losses[-1] > losses.min()


def test_what_the_start_already_knows_is_not_learned_again() -> None:
    features, _, unseen = coins(2000, 1)
    odds = 1.5 * features[:, 0].astype(float)
    answers = (np.random.default_rng(2).random(2000) < 1 / (1 + np.exp(-odds))).astype(int)
    assert best(features, answers, unseen, odds) < best(features, answers, unseen)


def test_too_few_say_nothing() -> None:
    features, answers, _ = coins(200, 3)
    assert best(features, answers, np.arange(200) < 5) == 0


def test_time_that_is_over_at_the_first_tree_says_nothing() -> None:
    features, answers, unseen = coins(500, 4)
    asked = iter([False])
    losses, gains = search(lesson(features, answers), unseen, capacity=CAPACITY, spent=lambda: next(asked, True))
    assert losses.argmin() == 0
    assert not gains.any()


def test_the_same_trees_come_twice_and_know_the_signal() -> None:
    features, _, _ = coins(1000, 0)
    answers = (features[:, 2] > 0).astype(int)
    one, two = (grow(lesson(features, answers), 30, capacity=CAPACITY) for _ in range(2))
    booster = lightgbm().Booster(model_str=one)
    assert booster.num_trees() == 30
    assert ((booster.predict(features, raw_score=True) > 0) == (answers == 1)).mean() > 0.97
    assert one == two


def test_no_trees_are_no_model() -> None:
    features, answers, _ = coins(200, 0)
    assert grow(lesson(features, answers), 0, capacity=CAPACITY) == ""
