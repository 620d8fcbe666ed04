"""Gradient boosting that gives the same trees twice: one place for LightGBM's settings.

Each fit uses one thread: on a shared machine its threads spend longer waiting for each other than working. Callers run
several fits at once through their engine instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def boost(
    features: NDArray[np.float64],
    target: NDArray[np.float64],
    *,
    categorical: Sequence[int],
    seed: int,
    objective: str = "binary",
    classes: int = 1,
    trees: int = 100,
    leaves: int = 31,
    rate: float = 0.1,
    smallest_leaf: int = 20,
    weight: NDArray[np.float64] | None = None,
) -> Any:
    """Fit a LightGBM booster (Ke et al. 2017).

    Args:
        features: (n, d), NaN where missing; label columns hold codes.
        target: (n,), numbers, or class numbers from 0.
        categorical: Positions of the label columns.
        objective: "binary", "multiclass" (with `classes`) or "regression".

    Returns:
        The `lightgbm.Booster`; its ``predict(features, raw_score=True, num_threads=1)`` gives log-odds.
    """
    import lightgbm

    settings = {
        "objective": objective,
        "num_class": classes,
        "learning_rate": rate,
        "num_leaves": leaves,
        "min_data_in_leaf": smallest_leaf,
        "min_data_per_group": smallest_leaf,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    table = lightgbm.Dataset(features, target, weight=weight, categorical_feature=list(categorical), params=settings)
    return lightgbm.train(settings, table, num_boost_round=trees)


def patient_folds(patients: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each row, all rows of a patient in the same one, as even as patients allow: (n,)."""
    found, code = np.unique(patients, return_inverse=True)
    return (rng.permutation(len(found)) % folds)[code].astype(np.int64)
