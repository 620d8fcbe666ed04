"""Who learned from what, asked about images that nobody learned from: losses that tell what a change does.

Three classifiers for each fold of patients: one learned from images x, one from changed images T(x) with the same
labels, one from both. A fourth learned to tell x from T(x). All are asked about the patients left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.image_contracts import Augmentation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLUR, GRAIN = 1 / 28, 0.2
"""Of what hides how an image was changed: width of the longer side, and of values from -1 to 1."""
FLOOR = 0.01
"""No chance counts as smaller, so that one image that a classifier is sure and wrong about cannot decide alone."""


class Reader(Protocol):
    """Who tells classes."""

    def chances(self, images: NDArray[np.float32]) -> Floats:
        """Probability of each class: (n, channels, height, width) from -1 to 1 -> (n, n_classes)."""


class Learner(Protocol):
    """How classifiers are learned: the same way for all, so that only what they saw differs."""

    def __call__(self, images: NDArray[np.float32], labels: Ints, run: Run, /, *, n_classes: int) -> Reader:
        """Learn from images, (n, channels, height, width) from -1 to 1, with numbers of classes, (n,)."""


@dataclass(frozen=True, eq=False)
class Losses:
    """Log loss in nats of each image, (n,), by who was asked about what; and the patient of each.

    Attributes:
        blind: Who knows only how frequent the classes are. own: Who learned from x, about x. unseen: The same, about
            T(x). learned: Who learned from T(x), about T(x). relabelled: As `unseen`, with the classes exchanged in the
            way that suits best. right, still_right: Whether `own` and `unseen` name the right class first.
        dim_own, dim_learned: As `own` and `learned`, all images seen through `dimmed`. shared: The same, who learned
            from both; the mean about x and T(x). told_apart: The same, who tells x from T(x); the mean about both.
    """

    patients: Ints
    blind: Floats
    own: Floats
    unseen: Floats
    learned: Floats
    dim_own: Floats
    dim_learned: Floats
    shared: Floats
    told_apart: Floats
    relabelled: Floats
    right: NDArray[np.bool_]
    still_right: NDArray[np.bool_]
    folds: int


@dataclass(frozen=True, eq=False)
class Plain:
    """What is the same for every change: the folds, and who learned from x in each."""

    images: Images
    labels: Ints
    fold: Ints
    readers: tuple[Reader, ...]
    dim_readers: tuple[Reader, ...]
    learner: Learner

    @property
    def n_classes(self) -> int:
        return len(self.images.schema.classes)


def folds_of(labels: Ints, patients: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Fold of each image, whole patients together, classes spread by each patient's first label: (n_images,)."""
    _, first = np.unique(patients, return_index=True)
    fold = np.empty(len(first), dtype=np.int64)
    start = 0
    for label in np.unique(labels[first]):
        rows = rng.permutation(np.flatnonzero(labels[first] == label))
        fold[rows] = (start + np.arange(len(rows))) % n
        start += len(rows)
    return fold[np.unique(patients, return_inverse=True)[1]]


def begin(images: Images, learner: Learner, run: Run, *, folds: int) -> Plain:
    """Learn from x in each fold. Images without a label are to be taken out before."""
    labels = images.codes(images.schema.label)
    fold = folds_of(labels, images.patients, folds, run.seeds("invariance/folds"))
    readers, dim_readers = (
        tuple(
            learner(stack[fold != k], labels[fold != k], _for(run, f"{view}/{k}"), n_classes=len(images.schema.classes))
            for k in range(folds)
        )
        for view, stack in (("own", images.unit()), ("dim", dimmed(images.unit(), run.seeds("invariance/dim"))))
    )
    return Plain(images, labels, fold, readers, dim_readers, learner)


def dimmed(unit: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Images, from -1 to 1, behind a blur and grain.

    A change looks values up between pixels, which betrays it to whoever looks at single pixels. That is no ground for
    another label, so it is hidden before anybody is asked to tell changed images apart, or to learn both at once.
    """
    width = max(unit.shape[2:]) * BLUR
    blurred = ndimage.gaussian_filter(unit.astype(np.float64), (0, 0, width, width), mode="nearest")
    return (blurred + GRAIN * rng.standard_normal(unit.shape)).astype(np.float32)


def measure(plain: Plain, change: Augmentation, run: Run) -> Losses:
    """Ask about one change. It is drawn once for each image, the same for all who learn from it."""
    labels, n, k = plain.labels, len(plain.labels), plain.n_classes
    clear = (plain.images.unit(), _changed(plain, change, run))
    dim = (
        dimmed(clear[0], run.seeds("invariance/dim")),
        dimmed(clear[1], run.seeds(f"invariance/dim/{change.name}")),
    )
    names = ("blind", "own", "unseen", "learned", "dim_own", "dim_learned", "shared", "told_apart")
    found = {name: np.zeros(n) for name in names}
    seen, right = np.zeros((n, k)), np.zeros((2, n), dtype=bool)
    for number, (reader, dim_reader) in enumerate(zip(plain.readers, plain.dim_readers, strict=True)):
        out, into = plain.fold == number, plain.fold != number
        at, truth, taught = np.flatnonzero(out), labels[out], labels[into]
        frequent = np.bincount(taught, minlength=k) / into.sum()
        found["blind"][at] = -np.log(np.maximum(frequent, FLOOR))[truth]
        mine, seen[at] = reader.chances(clear[0][out]), reader.chances(clear[1][out])
        found["own"][at], found["unseen"][at] = _loss(mine, truth), _loss(seen[at], truth)
        right[0, at], right[1, at] = mine.argmax(axis=1) == truth, seen[at].argmax(axis=1) == truth
        found["dim_own"][at] = _loss(dim_reader.chances(dim[0][out]), truth)
        learn = _learning(plain, run, f"{change.name}/{number}")
        found["learned"][at] = _loss(learn("changed", clear[1][into], taught, k).chances(clear[1][out]), truth)
        found["dim_learned"][at] = _loss(learn("dim", dim[1][into], taught, k).chances(dim[1][out]), truth)
        pairs = np.stack([stack[into] for stack in dim], axis=1).reshape(-1, *dim[0].shape[1:])
        both = learn("both", pairs, np.repeat(taught, 2), k)
        found["shared"][at] = _halves([_loss(both.chances(stack[out]), truth) for stack in dim])
        teller = learn("apart", pairs, np.arange(len(pairs), dtype=np.int64) % 2, 2)
        told = [_loss(teller.chances(stack[out]), np.full(len(at), side)) for side, stack in enumerate(dim)]
        found["told_apart"][at] = _halves(told)
    return Losses(
        patients=plain.images.patients,
        **found,
        relabelled=_relabelled(seen, labels),
        right=right[0],
        still_right=right[1],
        folds=len(plain.readers),
    )


def _halves(two: list[Floats]) -> Floats:
    return np.asarray((two[0] + two[1]) / 2)


def _changed(plain: Plain, change: Augmentation, run: Run) -> NDArray[np.float32]:
    """T(x), made fold by fold: a change may blend images, and must not blend those asked about into the others."""
    changed = np.empty_like(plain.images.unit())
    for number in range(len(plain.readers)):
        rows = plain.fold == number
        changed[rows] = change(plain.images.take(rows), run.seeds(f"invariance/{change.name}/{number}")).unit()
    return changed


def _learning(plain: Plain, run: Run, where: str) -> Callable[[str, NDArray[np.float32], Ints, int], Reader]:
    def learn(what: str, images: NDArray[np.float32], labels: Ints, n_classes: int) -> Reader:
        return plain.learner(images, labels, _for(run, f"{what}/{where}"), n_classes=n_classes)

    return learn


def _loss(chances: Floats, truth: Ints) -> Floats:
    return np.asarray(-np.log(np.maximum(chances[np.arange(len(truth)), truth], FLOOR)))


def _relabelled(chances: Floats, labels: Ints) -> Floats:
    """Loss with the classes exchanged in the way, other than not at all, that suits best: (n,).

    Best by the assignment of least summed loss in which some class is called another.
    """
    losses = -np.log(np.maximum(chances, FLOOR))
    k = chances.shape[1]
    cost = np.stack([losses[labels == c].sum(axis=0) if (labels == c).any() else np.zeros(k) for c in range(k)])
    best, least = np.arange(k), np.inf
    for keeps_not in range(k):  # in any other order than the true one some class is called another
        barred = cost.copy()
        barred[keeps_not, keeps_not] = cost.sum() + 1.0
        _, order = linear_sum_assignment(barred)
        if (total := float(cost[np.arange(k), order].sum())) < least and order[keeps_not] != keeps_not:
            best, least = order, total
    return np.asarray(losses[np.arange(len(labels)), best[labels]])


def _for(run: Run, purpose: str) -> Run:
    return replace(run, seeds=run.seeds.within(f"invariance/{purpose}"))
