"""Endpoints, each in every bootstrap sample: chances (n,), truth (n,), weights (n, samples) -> (samples,).

NaN where a replicate holds only one side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from semblance.stats import auc_replicates

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Measure = Callable[[Floats, Bools, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One number that a classifier is judged by. `higher`: whether more of it is better."""

    name: str
    measure: Measure
    higher: bool = True


def endpoints(specificity: float) -> tuple[Endpoint, ...]:
    """All of them; the first decides."""
    return (
        Endpoint("auroc", auc_replicates),
        Endpoint("auprc", precision_area),
        Endpoint("sensitivity", partial(sensitivity, specificity=specificity)),
        Endpoint("recall", recall),
        Endpoint("brier", brier, higher=False),
    )


def precision_area(chances: Floats, truth: Bools, weights: Floats) -> Floats:
    """Average precision: the mean precision at which each positive is found; ties are found together."""
    hits, alarms = _found(chances, truth, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(hits + alarms > 0, hits / (hits + alarms), 0.0)
        return np.asarray((np.diff(hits, axis=0, prepend=0) * precision).sum(axis=0) / hits[-1])


def sensitivity(chances: Floats, truth: Bools, weights: Floats, *, specificity: float) -> Floats:
    """Share of positives found at the lowest threshold that keeps the specificity on the same images."""
    hits, alarms = _found(chances, truth, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        allowed = (alarms / alarms[-1] <= 1 - specificity + 1e-12).sum(axis=0)
        found = np.where(allowed > 0, np.take_along_axis(hits, np.maximum(allowed - 1, 0)[None], axis=0)[0], 0.0)
        return np.asarray(found / hits[-1])


def recall(chances: Floats, truth: Bools, weights: Floats) -> Floats:
    """Share of positives to which the classifier gives an even chance or more."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights * (truth & (chances >= 0.5))[:, None]).sum(axis=0) / weights[truth].sum(axis=0))


def brier(chances: Floats, truth: Bools, weights: Floats) -> Floats:
    """Mean squared distance of the chance from what is so (Brier 1950): calibration and discrimination in one."""
    return np.asarray(((chances - truth) ** 2) @ weights / weights.sum(axis=0))


def _found(chances: Floats, truth: Bools, weights: Floats) -> tuple[Floats, Floats]:
    """Positives and negatives above each threshold, from the highest down: (thresholds, replicates) each."""
    order = np.argsort(-chances, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(chances[order]) != 0, True])
    hits = np.cumsum(weights[order] * truth[order][:, None], axis=0)[ends]
    return hits, np.cumsum(weights[order] * ~truth[order][:, None], axis=0)[ends]
