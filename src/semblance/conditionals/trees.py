"""Boosted answers to yes/no questions: first see how many trees unseen patients profit from, then grow as many.

Both steps use the same settings. The search learns from four fifths of the patients and is judged by the others; what
is kept is grown from all, since a model of fewer patients is both less like them and nearer to each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.allotment import Spent, endless
from semblance.data.boosting import Numbers, lightgbm, settings

Floats = NDArray[np.float64]

FEW = 10
"""Rows on either side of the search below which it says nothing."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much the classifiers of a link may learn; see the parameters of ``generators/chain.py``."""

    trees: int
    patience: int
    reach: float
    parents: float
    leaves: int
    learning_rate: float
    min_leaf: int
    smoothing: float
    min_rows: int
    bins: int
    min_patients: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one classifier learns from.

    Attributes:
        features: (n, d); answers: (n,) of 0 and 1; start: (n,) log-odds before the first tree.
        categorical: Positions of features whose values are labels.
        seed: Of LightGBM's own choices.
    """

    features: Numbers
    answers: NDArray[Any]
    start: NDArray[np.float64]
    categorical: Sequence[int]
    seed: int


def search(
    lesson: Lesson, unseen: NDArray[np.bool_], *, capacity: Capacity, spent: Spent = endless
) -> tuple[Floats, Floats]:
    """Learn from some rows and judge by the unseen ones.

    Boosting stops `patience` trees past the lowest loss; from there the losses go on rising as they did since.

    Args:
        unseen: Rows that are only judged: (n,).
        spent: Asked around each tree whether time is over.

    Returns:
        Log loss of the unseen rows, summed, after no tree, after one, and so on: (capacity.trees + 1,).
        What each feature gained the trees up to the lowest loss. (d,)
    """
    sign = np.where(lesson.answers[unseen] == 1, -1.0, 1.0)
    before = float(np.logaddexp(0.0, sign * lesson.start[unseen]).sum())
    if min(len(sign), len(unseen) - len(sign)) < FEW or spent():
        return np.full(capacity.trees + 1, before), np.zeros(lesson.features.shape[1])
    library = lightgbm()
    table = _table(lesson, capacity)
    seen, judge = (table.subset(np.flatnonzero(rows)) for rows in (~unseen, unseen))
    seen_so_far: dict[str, dict[str, list[float]]] = {}
    model = library.train(
        _settings(lesson, capacity),
        seen,
        capacity.trees,
        valid_sets=[judge],
        valid_names=["unseen"],
        callbacks=[
            library.record_evaluation(seen_so_far),
            library.early_stopping(capacity.patience, verbose=False),
            _stop_when(spent),
        ],
    )
    after = seen_so_far.get("unseen", {}).get("binary_logloss", [])  # nothing where time was over at the first tree
    measured = np.array([before, *(len(sign) * loss for loss in after)])
    beyond = np.arange(1, capacity.trees + 2 - len(measured))
    best, last = int(measured.argmin()), len(measured) - 1
    rise = (measured[last] - measured[best]) / max(last - best, 1)
    gains = model.feature_importance("gain", iteration=best) if best else np.zeros(lesson.features.shape[1])
    return np.concatenate([measured, measured[last] + rise * beyond]), gains


def grow(lesson: Lesson, trees: int, *, capacity: Capacity, spent: Spent = endless) -> str:
    """Boost from given log-odds.

    Returns:
        LightGBM's text model, whose predictions leave `start` out; empty when there is nothing to grow.
    """
    if not trees or spent():
        return ""
    callbacks = [_stop_when(spent)]
    model = lightgbm().train(_settings(lesson, capacity), _table(lesson, capacity), trees, callbacks=callbacks)
    return str(model.model_to_string())


def _settings(lesson: Lesson, capacity: Capacity) -> dict[str, Any]:
    return settings(capacity.leaves, capacity.learning_rate, capacity.min_leaf, lesson.seed) | {
        "objective": "binary",
        "path_smooth": capacity.smoothing,
        "max_bin": capacity.bins,
        "boost_from_average": False,
        # One label against the rest. Splits of many labels against many are chosen from so many that the choice
        # itself remembers the patients.
        "max_cat_to_onehot": capacity.bins,
    }


def _table(lesson: Lesson, capacity: Capacity) -> Any:
    table = lightgbm().Dataset(
        lesson.features,
        lesson.answers,
        init_score=lesson.start,
        categorical_feature=list(lesson.categorical),
        params=_settings(lesson, capacity),
        free_raw_data=False,
    )
    return table.construct()


def _stop_when(spent: Spent) -> Callable[[Any], None]:
    """A callback that ends the boosting after the tree with which its time was over."""

    def look(now: Any) -> None:
        if spent():
            raise lightgbm().callback.EarlyStopException(now.iteration, now.evaluation_result_list)

    return look
