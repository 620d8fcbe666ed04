"""Boosted answers to yes/no questions, grown only as long as unseen patients profit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.allotment import Spent, endless
from semblance.data.boosting import Numbers, lightgbm, settings

FEW = 10
PAST, MORE = 1.3, 5
"""How far past its lowest point the loss of unseen rows is followed: a share, and some trees."""


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
    spent: Spent = endless,
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
        spent: Asked before and after each tree whether time is over; the trees so far are then all there are.

    Returns:
        LightGBM's text model, whose predictions leave `start` out; empty when not even the first tree helps.
    """
    if min(int(unseen.sum()), int((~unseen).sum())) < FEW or spent():  # too few to say when to stop, or no time
        return ""
    library = lightgbm()
    chosen = settings(leaves, rate, smallest_leaf, seed) | {
        "objective": "binary",
        "path_smooth": smoothing,
        "max_bin": bins,
        "boost_from_average": False,
    }
    table = library.Dataset(
        features, answers, init_score=start, categorical_feature=list(categorical), params=chosen, free_raw_data=False
    ).construct()
    seen, judge = (table.subset(np.flatnonzero(rows)) for rows in (~unseen, unseen))
    stop = library.early_stopping(patience, verbose=False)
    model = library.train(
        chosen, seen, trees, valid_sets=[judge], valid_names=["unseen"], callbacks=[stop, _stop_when(spent)]
    )
    sign = np.where(answers[unseen] == 1, -1.0, 1.0)
    without = float(np.logaddexp(0.0, sign * start[unseen]).mean())
    if model.best_score["unseen"]["binary_logloss"] >= without:
        return ""
    enough = min(model.current_iteration(), round(PAST * model.best_iteration) + MORE)
    return str(model.model_to_string(num_iteration=enough))


def _stop_when(spent: Spent) -> Callable[[Any], None]:
    """A callback that ends the boosting after the tree with which its time was over."""

    def look(now: Any) -> None:
        if spent():
            raise lightgbm().callback.EarlyStopException(now.iteration, now.evaluation_result_list)

    return look
