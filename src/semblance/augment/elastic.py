"""Bend smoothly: no two chests have the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from semblance.augment.claims import SIZES, doubts
from semblance.augment.frame import looked_up, pixels_of
from semblance.data.images import Images
from semblance.image_schema import ImageSchema

STEEPEST = 0.45
"""How much a move may differ between neighbouring pixels; from 1 on an image would fold over itself."""


@dataclass(frozen=True, slots=True)
class Elastic:
    """A smooth random displacement (Simard, Steinkraus and Platt 2003).

    Attributes:
        share: How far a pixel moves at most, of the longer side. smooth: Width of the Gaussian that smooths the moves,
            of the longer side. mm: How far a pixel moves at most where the spacing is known; 0 for no such bound.
    """

    name: ClassVar[str] = "elastic"
    about: ClassVar[str] = "bent smoothly, by up to `share` of the longer side and `mm` millimetres; never folded"

    share: float = 0.03
    smooth: float = 0.12
    mm: float = 5.0

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of size."""
        return doubts(schema, (SIZES, "it changes sizes and shapes"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        schema = images.schema
        reach = pixels_of(self.share, images)
        if schema.spacing_mm and self.mm:
            reach = min(reach, self.mm / max(schema.spacing_mm))
        shape = (len(images), 2, schema.height, schema.width)
        width = max(1.0, pixels_of(self.smooth, images))
        moves = ndimage.gaussian_filter(rng.standard_normal(shape), (0, 0, width, width), mode="reflect")
        moves *= rng.uniform(0.5, 1, (len(images), 1, 1, 1)) * np.minimum(
            reach / np.abs(moves).max(axis=(1, 2, 3), keepdims=True), STEEPEST / _steepness(moves)
        )
        down, right = np.mgrid[: schema.height, : schema.width]
        return looked_up(images, down + moves[:, 0], right + moves[:, 1])


def _steepness(moves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest difference between neighbouring pixels of each displacement: (n, 2, height, width) -> (n, 1, 1, 1)."""
    each = [np.abs(np.diff(moves, axis=axis)).max(axis=(1, 2, 3), keepdims=True) for axis in (2, 3)]
    return np.asarray(np.maximum(*each))
