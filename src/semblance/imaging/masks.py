"""Masks as smooth numbers that a net can learn and draw: how far each place is inside each structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from semblance.errors import InputError
from semblance.image_schema import ImageSchema

REACH = 3.0
"""Pixels from an outline beyond which every place counts as equally far."""


def depths_of(masks: NDArray[np.uint8], structures: int) -> NDArray[np.float32]:
    """How deep each pixel lies inside each structure, 0 (none of them) first.

    Args:
        masks: (n, height, width) of numbers 0…structures.

    Returns: (n, structures + 1, height, width), from -1 (`REACH` pixels outside, or more) to 1 (as far inside).
    """
    depths = np.empty((len(masks), structures + 1, *masks.shape[1:]), dtype=np.float32)
    for place, mask in enumerate(masks):
        for number in range(structures + 1):
            depths[place, number] = _depth(mask == number)
    return depths


def _depth(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the outline, which runs half a pixel from the middle of the nearest pixel beyond."""
    if inside.all() or not inside.any():
        return np.full(inside.shape, 1.0 if inside.all() else -1.0)
    within, without = distance_transform_edt(inside), distance_transform_edt(~inside)
    return np.clip(np.where(inside, within - 0.5, 0.5 - without) / REACH, -1, 1)


def masks_of(depths: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The structure that each pixel lies deepest in; the inverse of `depths_of`.

    Args:
        depths: (n, structures + 1, height, width).

    Returns: (n, height, width).
    """
    masks: NDArray[np.uint8] = depths.argmax(axis=1).astype(np.uint8)
    return masks


def planes_of(masks: NDArray[np.uint8], structures: int) -> NDArray[np.float32]:
    """A picture of each structure, 1 where it is: (n, height, width) -> (n, structures, height, width)."""
    return np.stack([masks == number for number in range(1, structures + 1)], axis=1).astype(np.float32)


def check_masks(masks: NDArray[np.uint8], schema: ImageSchema) -> None:
    """Refuse masks that are not of these images.

    Raises:
        InputError: they have another size, or mark a structure that the schema does not name.
    """
    if masks.ndim != 3 or masks.shape[1:] != schema.shape[1:]:
        raise InputError(
            f"masks must be {schema.height} × {schema.width} pixels, as the images that were learned; resize them."
        )
    if masks.dtype.kind not in "iub" or (
        masks.size and not 0 <= int(masks.min()) <= int(masks.max()) <= len(schema.structures)
    ):
        known = ", ".join(f"{number} {name}" for number, name in enumerate(schema.structures, start=1))
        raise InputError(f"masks must hold whole numbers of structures: 0 none, {known}.")
