"""What every transformation does with pixels: look them up elsewhere, and hand out what a file of theirs could hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from semblance.data.images import Images

Floats = NDArray[np.float64]


def altered(images: Images, pixels: NDArray[np.floating], masks: NDArray[np.uint8] | None = None) -> Images:
    """These images with other pixels, (n, channels, height, width), in whole steps between darkest and brightest.

    Origin "augmented": each still shows a real patient.
    """
    schema = images.schema
    values = np.clip(pixels.astype(np.float64), schema.low, schema.high)
    if schema.step:
        values = schema.low + np.round((values - schema.low) / schema.step) * schema.step
    return replace(
        images,
        pixels=np.minimum(values, schema.high).astype(np.float32),
        masks=images.masks if masks is None else masks,
        origin="augmented",
    )


def looked_up(images: Images, rows: Floats, columns: Floats) -> Images:
    """Each pixel taken from where `rows` and `columns` say, (n, height, width): between pixels by straight lines.

    A mask's number is that of the nearest pixel. Beyond the edge an image goes on as it ends, and so does its mask.
    """
    pixels = np.empty_like(images.pixels, dtype=np.float64)
    masks = None if images.masks is None else np.empty_like(images.masks)
    for i in range(len(images)):
        where = np.stack([rows[i], columns[i]])
        for channel in range(images.schema.channels):
            plane = images.pixels[i, channel].astype(np.float64)
            pixels[i, channel] = ndimage.map_coordinates(plane, where, order=1, mode="nearest")
        if masks is not None and images.masks is not None:
            masks[i] = ndimage.map_coordinates(images.masks[i], where, order=0, mode="nearest")
    return altered(images, pixels, masks)


def around_middle(images: Images, turns: NDArray[np.float64], shifts: Floats) -> Images:
    """Each pixel taken from `turns` (n, 2, 2) times where it lies from the middle, plus `shifts` (n, 2) in pixels."""
    height, width = images.schema.height, images.schema.width
    down, right = np.mgrid[:height, :width].astype(np.float64)
    down -= (height - 1) / 2
    right -= (width - 1) / 2
    from_middle = np.stack([down.ravel(), right.ravel()])
    there = turns @ from_middle + shifts[:, :, None]  # (n, 2, pixels)
    there += np.array([(height - 1) / 2, (width - 1) / 2])[None, :, None]
    shape = (len(images), height, width)
    return looked_up(images, there[:, 0].reshape(shape), there[:, 1].reshape(shape))


def parts(images: Images) -> Floats:
    """Pixels as parts of the way from darkest to brightest, 0 to 1."""
    schema = images.schema
    return np.clip((images.pixels.astype(np.float64) - schema.low) / (schema.high - schema.low), 0, 1)


def from_parts(images: Images, lit: Floats) -> Images:
    """The inverse of `parts`; what lies beyond is cut off."""
    schema = images.schema
    return altered(images, schema.low + np.clip(lit, 0, 1) * (schema.high - schema.low))


def pixels_of(schema_share: float, images: Images) -> float:
    """A share of the longer side, in pixels."""
    return schema_share * max(images.schema.height, images.schema.width)
