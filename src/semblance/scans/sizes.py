"""One size for all images: the commonest, or one that they are brought to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance.errors import InputError
from semblance.extras import need
from semblance.image_contracts import Shot

SMALLEST = 8

Size = tuple[int, int]


def as_size(size: int | Size | None) -> Size | None:
    """Height and width; one number is both. Raises InputError."""
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < SMALLEST:
        raise InputError(f"images must be brought to at least {SMALLEST} × {SMALLEST} pixels.")
    return height, width


def resize(shot: Shot, size: Size) -> Shot:
    """The image with another number of pixels over the same field, and its spacing with it.

    Smaller by averaging areas, larger by linear interpolation; whole values stay whole. A mask keeps its numbers:
    each pixel takes that of the nearest.
    """
    height, width = shot.pixels.shape[1:]
    if (height, width) == size:
        return shot
    need("images", "resampling images")
    from PIL import Image

    way = Image.Resampling.BOX if size[0] <= height and size[1] <= width else Image.Resampling.BILINEAR
    planes = [np.asarray(Image.fromarray(plane).resize(size[::-1], way)) for plane in shot.pixels]
    pixels: NDArray[np.float32] = np.stack(planes).astype(np.float32)
    if shot.step == 1:
        pixels = np.rint(pixels)
    mask = shot.mask
    if mask is not None:
        mask = np.asarray(Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST))
    spacing = shot.spacing_mm
    if spacing is not None:
        spacing = (spacing[0] * height / size[0], spacing[1] * width / size[1])
    return replace(shot, pixels=pixels, mask=mask, spacing_mm=spacing)
