"""What is measured of a set of synthetic images, each number beside the same number of real images."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import semblance as sb
from benchmarks.images.cohorts import Cohort
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.engines.local import Local
from semblance.imaging.manifold import PixelSpace, likeness, nearest
from semblance.nets.images.classifier import Judge, learn_classes
from semblance.stats import auc

CLASSIFIERS = 2
"""Classifiers trained on each set, from other weights and in another order."""
REPLICATES = 2000

Chances = NDArray[np.float64]


def begin(seed: int, cpus: int) -> Run:
    """A run on so many processors."""
    return replace(sb.begin(seed=seed), engine=Local(cpus))


def schooled(images: Images, *, cpus: int, classifiers: int = CLASSIFIERS, steps: int = 1000) -> list[Judge]:
    """Classifiers that learned from these images alone."""
    label = images.schema.label
    n = len(images.schema.classes)
    return [
        learn_classes(images.unit(), images.codes(label), begin(seed, cpus), n_classes=n, steps=steps)
        for seed in range(classifiers)
    ]


def examined(judges: list[Judge], test: Images) -> Chances:
    """Chance of each class that each classifier gives each test image: (classifiers, n, classes)."""
    return np.stack([judge.chances(test.unit()) for judge in judges])


def accuracy(chances: Chances, truth: NDArray[np.int64]) -> float:
    """Mean over classifiers."""
    return float((chances.argmax(axis=2) == truth).mean())


def areas(chances: Chances, truth: NDArray[np.int64]) -> list[float]:
    """Of each classifier, class 1 against class 0."""
    return [auc(one[:, 1], truth == 1) for one in chances]


def difference(ours: list[Chances], theirs: list[Chances], truth: NDArray[np.int64]) -> tuple[float, float, float]:
    """Mean AUC of ours minus theirs, with 95 % limits: generator seeds, classifiers and test images drawn anew.

    Args:
        ours, theirs: One entry a generator seed.
    """
    rng = np.random.default_rng(0)
    value = float(np.mean([areas(c, truth) for c in ours]) - np.mean([areas(c, truth) for c in theirs]))
    found = []
    for _ in range(REPLICATES):
        rows = rng.integers(len(truth), size=len(truth))
        one, other = (
            np.mean([auc(_any(_any(side, rng), rng)[rows, 1], truth[rows] == 1) for _ in side])
            for side in (ours, theirs)
        )
        found.append(float(one - other))
    low, high = np.quantile(found, [0.025, 0.975])
    return value, float(low), float(high)


def interval(ours: list[Chances], truth: NDArray[np.int64]) -> tuple[float, float, float]:
    """Mean AUC with 95 % limits, drawn anew as in `difference`."""
    rng = np.random.default_rng(0)
    value = float(np.mean([areas(c, truth) for c in ours]))
    found = []
    for _ in range(REPLICATES):
        rows = rng.integers(len(truth), size=len(truth))
        found.append(np.mean([auc(_any(_any(ours, rng), rng)[rows, 1], truth[rows] == 1) for _ in ours]))
    low, high = np.quantile(found, [0.025, 0.975])
    return value, float(low), float(high)


def _any(things: Any, rng: np.random.Generator) -> Any:
    return things[int(rng.integers(len(things)))]


def looks(fake: Images, cohort: Cohort) -> dict[str, float]:
    """Precision, recall, density and coverage against the training images, as many of each; and copies.

    Copies: synthetic images nearer to their nearest training image than 99 % of the held-out real ones are to theirs.
    """
    space = PixelSpace.learn(cohort.train.unit())
    real, held, made = (space.of(images.unit()) for images in (cohort.train, cohort.held, fake))
    found = asdict(likeness(real[: len(held)], made[: len(held)]))
    limit = np.quantile(nearest(held, real)[0], 0.01)
    near = nearest(made, real)[0]
    found["copies"] = float((near < limit).mean())
    found["median_distance_ratio"] = float(np.median(near) / np.median(nearest(held, real)[0]))
    return found


def fidelity(judges: list[Judge], images: Images) -> dict[str, float]:
    """How often classifiers of real images agree with the label an image was drawn for: in all, and class by class."""
    truth = images.codes(images.schema.label)
    right = examined(judges, images).argmax(axis=2) == truth
    classes = {name: float(right[:, truth == k].mean()) for k, name in enumerate(images.schema.classes)}
    return {"all": float(right.mean()), **classes}
