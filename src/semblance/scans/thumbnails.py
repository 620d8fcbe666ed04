"""Small pictures that are compared in place of large ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semblance.extras import need

Floats = NDArray[np.float32]


def shrink(pixels: Floats, side: int) -> Floats:
    """Grey pictures of `side` × `side` pixels, areas averaged: (n, channels, height, width) -> (n, side, side)."""
    grey: Floats = pixels.mean(axis=1)
    n, height, width = grey.shape
    if (height, width) == (side, side):
        return grey
    if height % side == 0 and width % side == 0:
        blocks: Floats = grey.reshape(n, side, height // side, side, width // side).mean(axis=(2, 4))
        return blocks
    need("images", "comparing images")
    from PIL import Image

    way = Image.Resampling.BOX if min(height, width) >= side else Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side), way)) for one in grey])


def standardise(pictures: Floats) -> Floats:
    """Each picture with mean 0 and norm 1, so that brightness and contrast no longer count: (n, h, w) -> (n, h · w)."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    scaled: Floats = (flat / np.maximum(norm, 1e-6)).astype(np.float32)
    return scaled
