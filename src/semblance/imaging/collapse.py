"""Whether drawn images vary as real ones do, label by label: how a generator's collapse is noticed.

A generator that has collapsed makes one image, or a few, over and over. One is found by the distances between any two
of its images, few by the distances to the nearest: both are taken against those of as many real images of the label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

SAMPLE = 200
"""Images of a label that are looked at, at most."""
FEWEST = 8
"""Images of a label, at least: fewer say nothing."""

Draw = Callable[[NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Variety:
    """How much drawn images differ, against real ones.

    Attributes:
        least: The smallest share over all labels: of the mean distance of two images, or of that to the nearest one;
            1 where no label has enough images. at: The labels where it is.
    """

    least: float
    at: tuple[int, ...]


def measure_variety(
    images: NDArray[np.float32], labels: NDArray[np.int64], draw: Draw, rng: np.random.Generator
) -> Variety:
    """Draw as many images of each label as there are (`SAMPLE` at most) and compare.

    Args:
        images: Real ones, (n, c, h, w). labels: (n, conditions). draw: From rows of labels to images.
    """
    found = Variety(1.0, tuple([-1] * labels.shape[1]))
    for row in np.unique(labels, axis=0):
        mine = np.flatnonzero((labels == row).all(axis=1))
        if len(mine) < FEWEST:
            continue
        real = images[rng.permutation(mine)[:SAMPLE]]
        share = compare_variety(real, draw(np.tile(row, (len(real), 1))))
        if share < found.least:
            found = Variety(share, tuple(int(number) for number in row))
    return found


def compare_variety(real: NDArray[np.float32], fake: NDArray[np.float32]) -> float:
    """The smaller share, of mean distances and of mean distances to the nearest; both sets as large: (n, c, h, w)."""
    shares = [a / max(b, 1e-9) for a, b in zip(_distances(fake), _distances(real), strict=True)]
    return float(min(1.0, *shares))


def _distances(images: NDArray[np.float32]) -> tuple[float, float]:
    apart = squareform(pdist(images.reshape(len(images), -1).astype(np.float64)))
    others = apart[~np.eye(len(apart), dtype=bool)].reshape(len(apart), -1)
    return float(others.mean()), float(others.min(axis=1).mean())
