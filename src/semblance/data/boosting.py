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
FEW = 10
PAST, MORE = 1.3, 5
"""How far past its lowest point the loss of unseen rows is followed: a share, and some trees."""


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
    settings = _settings(leaves, rate, smallest_leaf, seed) | {"objective": objective, "num_class": classes}
    if forest:
        settings |= {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.632, "feature_fraction_bynode": 0.4}
    table = library.Dataset(features, target, weight=weight, categorical_feature=list(categorical), params=settings)
    return library.train(settings, table, num_boost_round=trees)


def boost_while_it_helps(
    features: Numbers,
    answers: NDArray[Any],
    *,
    start: NDArray[np.float64],
    unseen: NDArray[np.bool_],
    categorical: Sequence[int],
    seed: int,
    trees: int,
    leaves: int,
    rate: float,
    smallest_leaf: int,
    patience: int,
    smoothing: float,
    bins: int,
) -> str:
    """Boost yes/no answers from given log-odds, only as long as rows outside the fit profit.

    Boosting stops where the log loss of the `unseen` rows has its lowest point, and a little past it: the loss is flat
    there, and the next trees restore weak links that a shrunken model would leave out of every synthetic row. The
    unseen are not used for anything else: growing the trees again on all rows buys memory, not likeness.

    Args:
        features: (n, d); answers: (n,) of 0 and 1; start: (n,) log-odds before the first tree.
        unseen: Rows that only say when to stop: (n,).
        trees: Most trees; patience: trees without a gain before giving up.
        smoothing: Pull of each leaf towards its parent, in rows (LightGBM's path_smooth).
        bins: Most bins a feature is cut into.

    Returns:
        LightGBM's text model, whose predictions leave `start` out; empty when not even the first tree helps.
    """
    if min(int(unseen.sum()), int((~unseen).sum())) < FEW:  # too few to say when to stop
        return ""
    library = lightgbm()
    settings = _settings(leaves, rate, smallest_leaf, seed) | {
        "objective": "binary",
        "path_smooth": smoothing,
        "max_bin": bins,
        "boost_from_average": False,
    }
    table = library.Dataset(
        features, answers, init_score=start, categorical_feature=list(categorical), params=settings, free_raw_data=False
    ).construct()
    seen, judge = (table.subset(np.flatnonzero(rows)) for rows in (~unseen, unseen))
    stop = library.early_stopping(patience, verbose=False)
    model = library.train(settings, seen, trees, valid_sets=[judge], valid_names=["unseen"], callbacks=[stop])
    sign = np.where(answers[unseen] == 1, -1.0, 1.0)
    without = float(np.logaddexp(0.0, sign * start[unseen]).mean())
    if model.best_score["unseen"]["binary_logloss"] >= without:
        return ""
    enough = min(model.current_iteration(), round(PAST * model.best_iteration) + MORE)
    return str(model.model_to_string(num_iteration=enough))


def _settings(leaves: int, rate: float, smallest_leaf: int, seed: int) -> dict[str, Any]:
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
