"""Boosting stops where strangers stop profiting, and gives the same trees twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.conditionals.trees import boost_while_it_helps
from semblance.data.boosting import lightgbm, patient_folds

Array = np.ndarray[Any, Any]


def learn(features: Array, answers: Array, unseen: Array, **changed: Any) -> str:
    settings: dict[str, Any] = {
        "start": np.zeros(len(answers)),
        "unseen": unseen,
        "categorical": [],
        "seed": 0,
        "trees": 200,
        "leaves": 8,
        "rate": 0.1,
        "smallest_leaf": 20,
        "patience": 10,
        "smoothing": 0.0,
        "bins": 255,
    }
    return boost_while_it_helps(features, answers, **{**settings, **changed})


def n_trees(model: str) -> int:
    return lightgbm().Booster(model_str=model).num_trees() if model else 0


def coins(n: int, seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 5)).astype(np.float32), rng.integers(0, 2, n), rng.random(n) < 0.2


def test_noise_is_mostly_left_unlearned() -> None:
    trees = [n_trees(learn(*coins(500, seed))) for seed in range(20)]
    assert np.median(trees) <= 3


def test_a_signal_is_learned_and_the_same_trees_come_twice() -> None:
    features, answers, unseen = coins(1000, 0)
    answers = (features[:, 2] > 0).astype(int)
    one, two = learn(features, answers, unseen), learn(features, answers, unseen)
    found = lightgbm().Booster(model_str=one).predict(features, raw_score=True)
    assert ((found > 0) == (answers == 1)).mean() > 0.97
    assert one == two


def test_what_the_start_already_knows_is_not_learned_again() -> None:
    features, _, unseen = coins(2000, 1)
    odds = 1.5 * features[:, 0].astype(float)
    answers = (np.random.default_rng(2).random(2000) < 1 / (1 + np.exp(-odds))).astype(int)
    assert n_trees(learn(features, answers, unseen, start=odds)) < n_trees(learn(features, answers, unseen))


def test_the_unseen_leave_no_trace_but_the_stopping() -> None:
    features, answers, unseen = coins(1000, 4)
    answers = (features[:, 0] + 0.5 * features[:, 1] > 0).astype(int)
    swapped = answers.copy()
    swapped[np.flatnonzero(unseen)[:2]] ^= 1  # two strangers differ: at most the number of trees may change
    one, two = learn(features, answers, unseen), learn(features, swapped, unseen)
    first = "Tree=0", "Tree=1"
    assert one.split(first[0])[1].split(first[1])[0] == two.split(first[0])[1].split(first[1])[0]


def test_too_few_to_say_when_to_stop() -> None:
    features, answers, _ = coins(200, 3)
    assert learn(features, answers, np.arange(200) < 5) == ""


def test_folds_keep_a_patient_together() -> None:
    patients = np.repeat(np.arange(50), 3)
    folds = patient_folds(patients, 5, np.random.default_rng(0))
    assert all(len(set(folds[patients == p])) == 1 for p in range(50))
    assert np.bincount(folds[::3]).tolist() == [10] * 5
