"""Gradient boosting that gives the same trees twice: one place for LightGBM's settings.

Each fit uses one thread: on a shared machine its threads spend longer waiting for each other than working. Callers run
several fits at once through their engine instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.errors import MissingExtra

Numbers = NDArray[np.float64] | NDArray[np.float32]


def lightgbm() -> Any:
    """The library, loaded when first needed.

    Raises:
        MissingExtra: the machine lacks the OpenMP library that LightGBM is built on.
    """
    try:
        import lightgbm
    except OSError as error:
        raise MissingExtra(
            "LightGBM cannot load the OpenMP library; install it with 'apt-get install libgomp1' (Debian, Ubuntu), "
            "'dnf install libgomp' (Fedora) or 'brew install libomp' (macOS)."
        ) from error
    return lightgbm


def boost(
    features: Numbers,
    target: NDArray[Any],
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
    forest: bool = False,
) -> Any:
    """Fit a LightGBM booster (Ke et al. 2017), or with `forest` a random forest (Breiman 2001) of its trees.

    Args:
        features: (n, d), NaN where missing; label columns hold codes.
        target: (n,), numbers, or class numbers from 0.
        categorical: Positions of the label columns.
        objective: "binary", "multiclass" (with `classes`) or "regression".

    Returns:
        The `lightgbm.Booster`; its ``predict(features, raw_score=True, num_threads=1)`` gives log-odds.
    """
    library = lightgbm()
    chosen = settings(leaves, rate, smallest_leaf, seed) | {"objective": objective, "num_class": classes}
    if forest:
        chosen |= {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.632, "feature_fraction_bynode": 0.4}
    table = library.Dataset(features, target, weight=weight, categorical_feature=list(categorical), params=chosen)
    return library.train(chosen, table, num_boost_round=trees)


def settings(leaves: int, rate: float, smallest_leaf: int, seed: int) -> dict[str, Any]:
    """What every fit shares: one thread, the same trees each time, silence."""
    return {
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


def patient_folds(patients: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each row, all rows of a patient in the same one, as even as patients allow: (n,)."""
    found, code = np.unique(patients, return_inverse=True)
    return (rng.permutation(len(found)) % folds)[code].astype(np.int64)
