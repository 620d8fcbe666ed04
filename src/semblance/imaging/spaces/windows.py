"""Parts of images, cut out wherever they lie and brought to one size, so that a moved or cropped copy can be laid over.

A box is (row of the middle, column of the middle, size), in shares of the image's height and width: what is said of
images of 28 pixels holds for larger ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Pixels = NDArray[np.float32]
Floats = NDArray[np.float64]

SIDE = 16
"""Pixels of a window's side."""
BLUR = 0.043
"""Standard deviation of the smoothing before cutting, in shares of the height: noise is gone, lungs and ribs stay."""
FLAT = 1e-3
"""A window that varies less has no picture in it."""


def smooth(images: Pixels) -> Pixels:
    """(n, channels, height, width) -> (n, height, width): the mean of the channels, blurred."""
    grey = images.mean(axis=1)
    return np.asarray(ndimage.gaussian_filter(grey, (0, BLUR * grey.shape[1], BLUR * grey.shape[2])), dtype=np.float32)


def cut(smoothed: Pixels, box: tuple[float, float, float]) -> Pixels:
    """The same window of every image: (n, SIDE²), each of mean 0 and variance 1, so that brightness does not count."""
    row, column, size = (np.array([value]) for value in box)
    down, across = _weights(row, size, smoothed.shape[1])[0], _weights(column, size, smoothed.shape[2])[0]
    return standard((down @ smoothed @ across.T).reshape(len(smoothed), -1))


def view(smoothed: Pixels, boxes: Floats) -> Pixels:
    """Of each image its own window: (n, height, width), (n, 3) -> (n, SIDE²), as `cut`."""
    down = _weights(boxes[:, 0], boxes[:, 2], smoothed.shape[1])
    across = _weights(boxes[:, 1], boxes[:, 2], smoothed.shape[2])
    return standard((down @ smoothed @ across.transpose(0, 2, 1)).reshape(len(smoothed), -1))


def standard(windows: Pixels | Floats) -> Pixels:
    """Each row of mean 0 and variance 1; of a flat one nothing is left."""
    centred = windows - windows.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True))
    return np.asarray(centred / np.maximum(spread, FLAT), dtype=np.float32)


def _weights(middle: Floats, size: Floats, n: int) -> Pixels:
    """Straight lines between pixels; beyond the edge, the edge: (b,), (b,) -> (b, SIDE, n)."""
    places = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    at = np.clip((middle[:, None] + places * size[:, None]) * n - 0.5, 0, n - 1)
    near: Pixels = np.maximum(0, 1 - np.abs(at[:, :, None] - np.arange(n))).astype(np.float32)
    return near
