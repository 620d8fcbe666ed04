"""Is a model trained on synthetic patients as good, on real patients, as one trained on real patients?

The value is the mean over three learners: choosing the best would choose with hindsight. Every learner's own number is
in the detail. The examination is always the holdout, and both sides are resampled together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.utility.learners import LEARNERS, Lesson, answer
from semblance.contracts import Comparison, Run
from semblance.data.boosting import patient_folds
from semblance.data.dataset import Dataset
from semblance.data.encode import MISSING, comparable, labels, numbers
from semblance.evidence import Finding
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEW = 10
"""Held-out patients of a class below which its curve is noise."""

CLASSES = 20
PARTS = 5
GRID = np.linspace(0, 1, 101)

_ASKS_GAP = "Is a model trained on synthetic patients as good, on real patients, as one trained on real patients?"
_ASKS_TSTR = "How well does a model trained on synthetic patients do on real patients it has not seen?"
_ASKS_TRTR = "How well does a model trained on real patients do on real patients it has not seen?"


@dataclass(frozen=True, slots=True)
class Utility:
    """TSTR against TRTR (Esteban et al. 2017) with a paired interval.

    Attributes:
        rows: Most rows to learn from, and most to be examined on, drawn by whole patients.
    """

    name: ClassVar[str] = "utility"
    asks: ClassVar[str] = _ASKS_GAP

    rows: int = 12_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        task = _task(comparison)
        if isinstance(task, str):
            return (Finding("utility.gap.auc", _ASKS_GAP, status="skipped", why=task),)
        rows = self.rows // (4 if run.quick else 1)
        train, held, fake = (
            _known(t, task, rows, run, n)
            for n, t in (("train", comparison.train), ("held", comparison.held), ("fake", comparison.fake))
        )
        names = [f"utility.{n}.{task.unit}" for n in ("tstr", "trtr", "gap")]
        why = _too_little(task, train, held, fake)
        if why:
            asks = (_ASKS_TSTR, _ASKS_TRTR, _ASKS_GAP)
            return tuple(Finding(n, q, status="underpowered", why=why) for n, q in zip(names, asks, strict=True))
        # Neither side may learn from more rows than the other.
        n = min(train.n_rows, fake.n_rows)
        sides = [
            _of(t, stats.sample_patients(t.subjects, n, run.seeds(f"audit/utility/equal/{i}")))
            for i, t in enumerate((fake, train))
        ]
        return _findings(names, task, sides, held, run)


@dataclass(frozen=True)
class Task:
    """What is predicted. `classes` is empty for a number."""

    target: Column
    features: tuple[Column, ...]
    classes: tuple[str, ...]

    @property
    def unit(self) -> str:
        return "auc" if self.classes else "r2"

    def values(self, data: Dataset) -> Floats:
        """The target as numbers or class numbers, NaN where missing or not among the classes: (n_rows,)."""
        if not self.classes:
            return numbers(data, self.target.name)
        place = {v: float(i) for i, v in enumerate(self.classes)}
        return np.array([place.get(v, np.nan) for v in _text(data, self.target)])


def _text(data: Dataset, target: Column) -> list[str]:
    if target.numeric:
        return [MISSING if v != v else f"{v:g}" for v in numbers(data, target.name)]
    return [str(v) for v in labels(data, target.name)]


def _task(comparison: Comparison) -> Task | str:
    """What to predict, or why nothing can be."""
    name = comparison.train.schema.target
    if name is None:
        return "no column has the role of target; name one to have this measured"
    columns = comparable(comparison.train, comparison.fake)
    target = next((c for c in columns if c.name == name), None)
    if target is None or target.kind == "text":
        return "the target is not a modelled column of both tables"
    features = tuple(c for c in columns if c.name != name and c.kind != "text")
    if not features:
        return "there is no column to predict the target from"
    if (
        target.numeric
        and len(np.unique(numbers(comparison.train, name)[~np.isnan(numbers(comparison.train, name))])) > 2
    ):
        return Task(target, features, ())
    found, counts = np.unique(_text(comparison.train, target), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    classes = sorted([str(found[i]) for i in order if found[i] != MISSING][:CLASSES])
    return (
        Task(target, features, tuple(classes))
        if len(classes) > 1
        else "the target has one value among training patients"
    )


@dataclass(frozen=True)
class Known:
    """Rows whose target is known."""

    data: Dataset
    target: Floats

    @property
    def n_rows(self) -> int:
        return self.data.n_rows

    @property
    def subjects(self) -> Ints:
        return self.data.subjects


def _known(data: Dataset, task: Task, rows: int, run: Run, purpose: str) -> Known:
    values = task.values(data)
    known = Known(data.take(~np.isnan(values)), values[~np.isnan(values)])
    return _of(known, stats.sample_patients(known.subjects, rows, run.seeds(f"audit/utility/rows/{purpose}")))


def _of(known: Known, rows: Ints) -> Known:
    return Known(known.data.take(rows), known.target[rows])


def _examined(task: Task, held: Known) -> list[int]:
    """Classes with enough held-out patients on either side; of two classes the second speaks for both."""
    good = []
    for k in range(len(task.classes)):
        inside = held.target == k
        if min(len(np.unique(held.subjects[side])) for side in (inside, ~inside)) >= FEW:
            good.append(k)
    return good[-1:] if len(task.classes) == 2 else good


def _too_little(task: Task, train: Known, held: Known, fake: Known) -> str:
    if min(train.n_rows, fake.n_rows) < 2 * FEW:
        return f"fewer than {2 * FEW} training or synthetic rows with a known target"
    if task.classes:
        return "" if _examined(task, held) else f"no class has {FEW} held-out patients in it and {FEW} outside"
    if held.data.n_subjects < 2 * FEW or float(np.ptp(held.target)) == 0:
        return f"fewer than {2 * FEW} held-out patients with a known target, or all alike"
    return ""


def _findings(names: list[str], task: Task, sides: list[Known], held: Known, run: Run) -> tuple[Finding, ...]:
    fold = [patient_folds(s.subjects, PARTS, run.seeds(f"audit/utility/parts/{i}")) for i, s in enumerate(sides)]

    def sit(job: tuple[int, str, int | None]) -> Floats:
        side, learner, part = job
        seed = run.seeds.integer(f"audit/utility/{learner}")
        known = sides[side] if part is None else _of(sides[side], np.flatnonzero(fold[side] == part))
        return answer(Lesson(known.data, known.target, held.data, task.features, len(task.classes), seed), learner)

    every = [(i, learner, None) for i in (0, 1) for learner in LEARNERS]
    parts = [(i, learner, p) for i in (0, 1) for p in range(PARTS) for learner in LEARNERS]
    answers = run.engine.map(sit, [*every, *parts])
    weights = stats.patient_weights(held.subjects, 100 if run.quick else 500, run.seeds("audit/utility/bootstrap"))
    weights = np.hstack([np.ones((held.n_rows, 1)), weights])
    grade = _grade_classes if task.classes else _grade_numbers
    scores = np.stack([grade(task, a, held, weights) for a in answers[: len(every)]]).reshape(2, len(LEARNERS), -1)
    small = np.stack([grade(task, a, held, weights[:, :1]) for a in answers[len(every) :]])
    # A fit on a fifth of the rows varies with its rows five times as much as a fit on all, in variance.
    luck = small.reshape(2, PARTS, len(LEARNERS)).mean(axis=2).var(axis=1, ddof=1) / PARTS
    scores = scores[:, :, np.isfinite(scores).all(axis=(0, 1))]
    means = scores.mean(axis=1)  # (2, 1 + replicates)
    measured = (means[0], means[1], means[0] - means[1])
    asks = (_ASKS_TSTR, _ASKS_TRTR, _ASKS_GAP)
    details = [_detail(task, scores[i], answers[3 * i : 3 * i + 3], held) for i in (0, 1)]
    details.append({"learners": _by_learner(scores[0] - scores[1])})
    baselines = (float(means[1][0]), None, 0.0)
    measure = {0: "R²", 2: "AUC"}.get(len(task.classes), "macro one-vs-rest AUC")
    found = []
    for i, (name, values) in enumerate(zip(names, measured, strict=True)):
        extra = float(luck.sum()) if i == 2 else float(luck[i])
        interval = stats.normal_interval(float(values[0]), values[1:], extra=extra)
        found.append(
            Finding(
                name=name,
                question=asks[i],
                value=interval.value,
                low=interval.low,
                high=interval.high if i == 2 else min(1.0, interval.high),
                n=held.data.n_subjects,
                unit="R²" if not task.classes else "AUC",
                direction="none" if i == 1 else "higher",
                baseline=baselines[i],
                method=f"{measure} on the holdout, mean of {', '.join(LEARNERS)}, each trained on {sides[0].n_rows} "
                f"synthetic or {sides[1].n_rows} real rows; ± 1.96 standard errors: a bootstrap of held-out patients, "
                f"paired for the gap, and the luck of the training rows, from fits on {PARTS} parts of them",
                detail=details[i],
            )
        )
    return tuple(found)


def _grade_classes(task: Task, scores: Floats, held: Known, weights: Floats) -> Floats:
    """Area under the ROC curve, mean over the classes examined, in the sample and each replicate: (1 + r,)."""
    areas = [stats.auc_replicates(scores[:, k], held.target == k, weights) for k in _examined(task, held)]
    return np.asarray(np.mean(areas, axis=0))


def _grade_numbers(task: Task, answers: Floats, held: Known, weights: Floats) -> Floats:
    """1 − squared error / squared deviation from the mean: (1 + r,)."""
    total = weights.sum(axis=0)
    mean = (held.target @ weights) / total
    spread = (held.target**2) @ weights / total - mean**2
    error = ((held.target - answers) ** 2) @ weights / total
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - error / spread)


def _by_learner(scores: Floats) -> list[dict[str, Any]]:
    out = []
    for name, values in zip(LEARNERS, scores, strict=True):
        interval = stats.percentile_interval(float(values[0]), values[1:])
        out.append({"name": name, "value": interval.value, "low": interval.low, "high": interval.high})
    return out


def _detail(task: Task, scores: Floats, answers: list[Floats], held: Known) -> dict[str, Any]:
    detail: dict[str, Any] = {"learners": _by_learner(scores)}
    if task.classes:
        curve: Callable[[Floats, int], Floats] = lambda a, k: stats.roc(a[:, k], held.target == k, GRID)  # noqa: E731
        mean = np.mean([curve(a, k) for a in answers for k in _examined(task, held)], axis=0)
        detail["roc"] = {"fpr": [round(float(x), 2) for x in GRID], "tpr": [round(float(y), 3) for y in mean]}
    return detail
