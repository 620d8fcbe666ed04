"""Parts of an image that should not tell a diagnosis: its border, its grey values, all but its middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images

Floats = NDArray[np.float64]

SIDE = 28
"""Larger images are brought to so many pixels a side before a probe sees them."""
BORDER = 2
BINS = 32
MIDDLE = 0.6
"""Part of each side that counts as the middle."""


def small(images: Images, side: int = SIDE) -> Floats:
    """Grey, and no larger than `side` pixels a side, by the mean of what falls together: (n, h, w), -1 to 1."""
    grey = images.unit().mean(axis=1).astype(np.float64)
    return pooled(grey, min(side, grey.shape[1]), min(side, grey.shape[2]))


def pooled(grey: Floats, rows: int, columns: int) -> Floats:
    """(n, h, w) -> (n, rows, columns), cells as equal as they can be."""
    down, right = (
        np.linspace(0, size, k + 1).round().astype(int) for size, k in zip(grey.shape[1:], (rows, columns), strict=True)
    )
    summed = np.add.reduceat(np.add.reduceat(grey, down[:-1], axis=1), right[:-1], axis=2)
    return np.asarray(summed / (np.diff(down)[:, None] * np.diff(right)))


def border(images: Images) -> Floats:
    """The outermost pixels alone: (n, d)."""
    grey = small(images)
    edge = np.ones(grey.shape[1:], dtype=bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    return np.asarray(grey[:, edge])


def histogram(images: Images) -> Floats:
    """How much of an image is how bright, not where: roots of shares, (n, BINS)."""
    flat = images.unit().mean(axis=1).reshape(len(images), -1)
    bins = np.clip(((flat + 1) / 2 * BINS).astype(np.int64), 0, BINS - 1)
    counts = np.stack([np.bincount(row, minlength=BINS) for row in bins])
    return np.asarray(np.sqrt(counts / flat.shape[1]))


def surround(images: Images) -> Floats:
    """All but the middle; where there are masks, all but what any of them marks: (n, d)."""
    grey = small(images)
    height, width = grey.shape[1:]
    if images.masks is not None and (images.masks > 0).any():
        marked = pooled((images.masks > 0).astype(np.float64), height, width).max(axis=0) > 0
        if (~marked).sum() >= 8:
            return grey[:, ~marked]
    outside = np.ones((height, width), dtype=bool)
    top, left = (round(size * (1 - MIDDLE) / 2) for size in (height, width))
    outside[top : height - top, left : width - left] = False
    return grey[:, outside]


def whole(images: Images) -> Floats:
    """Everything, for comparison: (n, d)."""
    grey = small(images)
    return grey.reshape(len(grey), -1)
