"""Three learners of different temper: boosted trees, a linear model, a forest. Each fit uses one thread and no luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from semblance.data.boosting import boost
from semblance.data.dataset import Dataset
from semblance.data.encode import Features, Space
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEARNERS = ("boosted trees", "linear model", "random forest")


@dataclass(frozen=True)
class Lesson:
    """What to learn from and what to answer.

    Attributes:
        features: Columns that may be used; the target is not among them.
        target: Numbers, or class numbers 0…classes−1: (n,).
        classes: 0 for a number.
    """

    table: Dataset
    target: Floats
    exam: Dataset
    features: tuple[Column, ...]
    classes: int
    seed: int


def answer(lesson: Lesson, learner: str) -> Floats:
    """Predictions for the exam: numbers (n,), or a score for every class (n, classes), higher meaning likelier.

    A class that the lesson never shows scores 0 throughout; with a single class there is nothing to learn.
    """
    learn = {"boosted trees": _boosted, "linear model": _linear, "random forest": _forest}[learner]
    if lesson.classes == 0:
        return learn(lesson, lesson.target, 0).ravel()
    shown, target = np.unique(lesson.target, return_inverse=True)
    scores = np.zeros((lesson.exam.n_rows, lesson.classes))
    if len(shown) > 1:
        scores[:, shown.astype(np.int64)] = learn(lesson, target.astype(np.float64), len(shown))
    return scores


def _boosted(lesson: Lesson, target: Floats, classes: int) -> Floats:
    return _trees(lesson, target, classes)


def _forest(lesson: Lesson, target: Floats, classes: int) -> Floats:
    return _trees(lesson, target, classes, forest=True, leaves=255, smallest_leaf=5)


def _trees(lesson: Lesson, target: Floats, classes: int, **settings: Any) -> Floats:
    features = Features.fit([lesson.table], lesson.features)
    objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    model = boost(
        features(lesson.table),
        target,
        categorical=features.categorical,
        seed=lesson.seed,
        objective=objective,
        classes=classes if objective == "multiclass" else 1,
        trees=100 if classes <= 2 else max(20, 300 // classes),  # every round grows a tree for each class
        **settings,
    )
    found = np.asarray(model.predict(features(lesson.exam), num_threads=1))
    return np.column_stack([1 - found, found]) if classes == 2 else found


def _linear(lesson: Lesson, target: Floats, classes: int) -> Floats:
    """Ridge or one-vs-rest logistic regression on ranks and indicators; ranks are those of the lesson's own rows."""
    space = Space.fit([lesson.table], lesson.features, common=12, hashed=4)
    points, exam = space(lesson.table).astype(np.float64), space(lesson.exam).astype(np.float64)
    middle = points.mean(axis=0)
    points, exam = (np.column_stack([p - middle, np.ones(len(p))]) for p in (points, exam))
    if classes == 0:
        penalty = _penalty(points.shape[1])
        slopes = np.linalg.solve(points.T @ points + np.diag(penalty), points.T @ target)
        return np.asarray(exam @ slopes, dtype=np.float64)
    against = list(range(classes)) if classes > 2 else [1]
    scores = np.column_stack([expit(exam @ _logistic(points, (target == k).astype(np.float64))) for k in against])
    return np.column_stack([1 - scores, scores]) if classes == 2 else scores


def _logistic(points: Floats, target: Floats) -> Floats:
    """Weights (width,) of largest likelihood less half their squares, by Newton's steps."""
    penalty = _penalty(points.shape[1])
    weights = np.zeros(points.shape[1])
    for _ in range(15):
        chance = expit(points @ weights)
        slope = points.T @ (target - chance) - penalty * weights
        curve = (points * np.maximum(chance * (1 - chance), 1e-6)[:, None]).T @ points + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights += step / max(1.0, float(np.abs(step).max()) / 5)  # a first step too long would overshoot
        if float(np.abs(step).max()) < 1e-4:
            break
    return weights


def _penalty(width: int) -> Floats:
    """1 on every weight; next to nothing on the constant, which is the last."""
    penalty = np.ones(width)
    penalty[-1] = 1e-8
    return penalty
