"""A probe: how well a few numbers of each patient tell a label, and how often chance alone would tell it as well.

The learner is regularised linear discriminant analysis, as a ridge regression of the label (Hastie, Tibshirani and
Friedman 2009, section 4.3): what it says of a patient is linear in the labels of the others, so that a thousand
relabellings cost as much as a few. Every score is of a patient whom it did not learn from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance.stats import Estimate, auc_interval, auc_replicates, normal_interval, patient_weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FOLDS = 5
HOW = (
    "regularised linear discriminant analysis, cross-fitted in 5 folds, one image of each patient; DeLong "
    "interval, its variance doubled for cross-fitting; relabelling within folds; Holm over the probes in the detail"
)
BATCH = 250
"""Relabellings worked on at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be told apart: one image or row of each patient.

    Attributes:
        codes: The label of each, 0…k-1, each label at least `FOLDS` times: (n,).
        fold: Dealt within each label, so that no fold's mix of labels hints at the answer: (n,).
        strata: Within which labels may be exchanged if they mean nothing: folds, and what else is held fast: (n,).
    """

    codes: Ints
    fold: Ints
    strata: Ints

    @classmethod
    def deal(cls, codes: Ints, rng: np.random.Generator, *, within: Ints | None = None) -> Asked:
        """Deal the folds. `within`: what a relabelling leaves as it is, such as the diagnosis, numbered: (n,)."""
        held = np.zeros(len(codes), dtype=np.int64) if within is None else within
        fold = np.empty(len(codes), dtype=np.int64)
        for kind in np.unique(codes * (held.max(initial=0) + 1) + held):
            rows = np.flatnonzero(codes * (held.max(initial=0) + 1) + held == kind)
            fold[rows] = (rng.permutation(len(rows)) + rng.integers(FOLDS)) % FOLDS
        return cls(codes, fold, fold * (held.max(initial=0) + 1) + held)

    def relabelled(self, times: int, rng: np.random.Generator) -> Ints:
        """The labels exchanged within strata: (n, times)."""
        found = np.empty((len(self.codes), times), dtype=np.int64)
        for stratum in np.unique(self.strata):
            rows = np.flatnonzero(self.strata == stratum)
            found[rows] = self.codes[rows][np.argsort(rng.random((len(rows), times)), axis=0)]
        return found


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found.

    Attributes:
        scores: Of each patient and label; of two labels only the second's: (n, labels).
        area: Area under the ROC curve, the mean over labels. null: The same of each relabelling: (times,).
    """

    scores: Floats
    area: float
    null: Floats

    @property
    def p(self) -> float:
        """Of so large an area by chance: (1 + b) / (1 + m) (Phipson and Smyth 2010)."""
        return float((1 + (self.null >= self.area - 1e-12).sum()) / (1 + len(self.null)))


def probe(features: Floats, asked: Asked, relabelled: Ints) -> Probed:
    """Tell the labels from `features`, (n, d), and again under each relabelling, (n, times).

    Under no link between features and labels (within strata) the p value is exact.
    """
    learner = Learner.of(features, asked.fold)
    scores = learner.scores(targets_of(asked.codes[:, None]))
    area = float(areas(scores[:, :, 0], asked.codes[:, None])[0])
    null = [areas_of(learner, relabelled[:, start : start + BATCH]) for start in range(0, relabelled.shape[1], BATCH)]
    return Probed(scores[:, :, 0], area, np.concatenate(null) if null else np.zeros(0))


@dataclass(frozen=True, slots=True)
class Learner:
    """What cross-fitting knows before it knows the labels: for each fold the way from labels to weights.

    Attributes:
        mean, spread: Of each feature: (d,). features: Standardised: (n, d).
    """

    mean: Floats
    spread: Floats
    features: Floats
    fold: Ints
    ways: tuple[Floats, ...]

    @classmethod
    def of(cls, features: Floats, fold: Ints) -> Learner:
        """Adds d / n (at least .02) of independent noise to the covariance of standardised features."""
        mean, spread = features.mean(axis=0), features.std(axis=0)
        spread = np.where(spread > 1e-9, spread, np.inf)
        x = (features - mean) / spread
        n, d = x.shape
        ways = []
        for number in range(FOLDS):
            known = x[fold != number]
            around = known - known.mean(axis=0)
            shrunk = around.T @ around / len(known) + max(d / n, 0.02) * np.eye(d)
            ways.append(np.linalg.solve(shrunk, around.T) / len(known))
        return cls(mean, spread, x, fold, tuple(ways))

    def scores(self, targets: Floats, *, instead: Floats | None = None) -> Floats:
        """(n, labels, times) -> the same: what is said of each by who did not see it.

        Args:
            instead: Features of each that are judged instead of its own: (n, d).
        """
        judged = self.features if instead is None else (instead - self.mean) / self.spread
        found = np.empty_like(targets)
        for number, way in enumerate(self.ways):
            known, asked = self.fold != number, self.fold == number
            weights = way @ targets[known].reshape(int(known.sum()), -1)
            middle = self.features[known].mean(axis=0)
            found[asked] = ((judged[asked] - middle) @ weights).reshape(-1, *targets.shape[1:])
        return found


def areas_of(learner: Learner, codes: Ints) -> Floats:
    """The area under each relabelling: (n, times) -> (times,)."""
    scores = learner.scores(targets_of(codes))
    each = [_areas(scores[:, i], codes == label) for i, label in enumerate(_labels(codes))]
    return np.asarray(np.mean(each, axis=0))


def areas(scores: Floats, codes: Ints) -> Floats:
    """Mean area over labels of one set of scores, (n, labels), for labels (n, 1): (1,)."""
    each = [_areas(scores[:, i : i + 1], codes == label) for i, label in enumerate(_labels(codes))]
    return np.asarray(np.mean(each, axis=0))


def _labels(codes: Ints) -> list[int]:
    """Of two labels the second speaks for both."""
    most = int(codes.max())
    return [1] if most == 1 else list(range(most + 1))


def targets_of(codes: Ints) -> Floats:
    """Each label as a column of 0 and 1, of two labels the second alone: (n, times) -> (n, labels, times)."""
    return np.stack([(codes == label).astype(np.float64) for label in _labels(codes)], axis=1)


def _areas(scores: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Column by column, ties counting half: (n, times), (n, times) -> (times,)."""
    ties = len(np.unique(scores[:, 0])) < len(scores)
    if ties:
        ranks = distributions.rankdata(scores, axis=0)
    else:
        order = np.argsort(scores, axis=0)
        ranks = np.empty(scores.shape)
        np.put_along_axis(ranks, order, np.arange(1.0, len(scores) + 1)[:, None], axis=0)
    ups = positive.sum(axis=0)
    return np.asarray(((ranks * positive).sum(axis=0) - ups * (ups + 1) / 2) / (ups * (len(scores) - ups)))


def interval(scores: Floats, codes: Ints, rng: np.random.Generator, *, confidence: float = 0.95) -> Estimate:
    """The area of cross-fitted scores, (n, labels), one patient a row; its variance doubled for cross-fitting.

    Two labels: DeLong's. More: the mean area over labels, plus or minus bootstrap standard errors.
    """
    n = np.arange(len(codes))
    if scores.shape[1] == 1:
        return auc_interval(scores[:, 0], codes == 1, inflate=2.0, confidence=confidence)
    weights = patient_weights(n, 300, rng)
    each = [auc_replicates(scores[:, k], codes == k, weights) for k in range(scores.shape[1])]
    found = np.nanmean(each, axis=0)
    value = float(areas(scores, codes[:, None])[0])
    return normal_interval(value, found, extra=float(np.var(found, ddof=1)), confidence=confidence)
