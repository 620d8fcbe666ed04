"""What a translator must beat: maps of intensity alone, fitted with pairs or without.

Each takes slices, 0 to 1: (n, height, width), with the brain's mask, and leaves what is outside of it as it was: black.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
GRID = np.linspace(0, 1, 513)
LEVELS = 64
"""Of the paired lookup."""


def negative(x: Floats, mask: Mask) -> Floats:
    return np.where(mask, 1 - x, 0).astype(np.float32)


def inverted_histogram_match(x: Floats, mask: Mask, source: Floats, target: Floats) -> Floats:
    """What is the q-th brightest pixel of `source` becomes as bright as the q-th darkest of `target`.

    `source`, `target`: values inside the brain of the training pools, which are no pairs.
    """
    ranks = np.interp(x, np.quantile(source, GRID), GRID)
    return np.where(mask, np.interp(1 - ranks, GRID, np.quantile(target, GRID)), 0).astype(np.float32)


def paired_lookup(x: Floats, mask: Mask, source: Floats, target: Floats) -> Floats:
    """The mean of `target` where `source` has that value; the two are pairs of pixels of other patients."""
    edges = np.quantile(source, np.linspace(0, 1, LEVELS + 1))
    cell = np.clip(np.searchsorted(edges, source, "right") - 1, 0, LEVELS - 1)
    counts = np.bincount(cell, minlength=LEVELS)
    known = counts > 0
    means = np.bincount(cell, target, minlength=LEVELS)[known] / counts[known]
    middle = np.bincount(cell, source, minlength=LEVELS)[known] / counts[known]
    return np.where(mask, np.interp(x, middle, means), 0).astype(np.float32)
