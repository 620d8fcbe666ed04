from __future__ import annotations

import numpy as np
import pytest

from semblance.data.boosting import boost, patient_folds


def lesson(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=n), rng.integers(0, 5, n)])
    return features, (features[:, 0] + (features[:, 1] == 2) > 0.5).astype(float)


@pytest.mark.parametrize("forest", [False, True])
def test_the_same_trees_twice(forest: bool) -> None:
    features, target = lesson()
    first, second = (boost(features, target, categorical=[1], seed=3, forest=forest).predict(features) for _ in (0, 1))
    assert (first == second).all()
    assert ((first > 0.5) == target).mean() > 0.95


def test_a_forest_is_not_a_boosting() -> None:
    features, target = lesson()
    one, two = (boost(features, target, categorical=[1], seed=3, forest=f).predict(features) for f in (False, True))
    assert not np.allclose(one, two)


def test_a_patient_stays_in_one_fold() -> None:
    patients = np.repeat(np.arange(50), 4)
    fold = patient_folds(patients, 5, np.random.default_rng(0))
    assert (fold.reshape(50, 4) == fold.reshape(50, 4)[:, :1]).all()
    assert np.bincount(fold).tolist() == [40] * 5
