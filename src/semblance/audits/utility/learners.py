"""Three learners of different temper: boosted trees, a linear model, a forest. Each fit uses one thread and no luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    features = Features.fit([lesson.table], lesson.features)
    objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    model = boost(
        features(lesson.table),
        target,
        categorical=features.categorical,
        seed=lesson.seed,
        objective=objective,
        classes=classes if objective == "multiclass" else 1,
    )
    found = np.asarray(model.predict(features(lesson.exam), num_threads=1))
    return np.column_stack([1 - found, found]) if classes == 2 else found


def _linear(lesson: Lesson, target: Floats, classes: int) -> Floats:
    """Ridge or logistic regression on ranks and indicators; ranks are those of the lesson's own rows."""
    from sklearn.linear_model import LogisticRegression, Ridge

    space = Space.fit([lesson.table], lesson.features, common=24, hashed=4)
    points, exam = space(lesson.table).astype(np.float64), space(lesson.exam).astype(np.float64)
    if classes == 0:
        return np.asarray(Ridge(alpha=1.0).fit(points, target).predict(exam))
    solver = "newton-cholesky" if classes == 2 and space.width <= 1_000 else "lbfgs"
    return _every(LogisticRegression(solver=solver, max_iter=200).fit(points, target).predict_proba(exam))


def _forest(lesson: Lesson, target: Floats, classes: int) -> Floats:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    space = Space.fit([lesson.table], lesson.features, common=24, hashed=4)
    kind = RandomForestRegressor if classes == 0 else RandomForestClassifier
    share = 1 / 3 if classes == 0 else "sqrt"
    forest: Any = kind(
        100, min_samples_leaf=5, max_features=share, max_samples=0.5, random_state=lesson.seed % 2**31, n_jobs=1
    )
    forest.fit(space(lesson.table), target)
    exam = space(lesson.exam)
    return np.asarray(forest.predict(exam)) if classes == 0 else _every(forest.predict_proba(exam))


def _every(scores: Any) -> Floats:
    return np.asarray(scores, dtype=np.float64)
