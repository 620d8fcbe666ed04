"""A scale of intensities that patients share, though each scanner and each day has another.

Landmarks of a patient's own histogram are moved onto those of the training images of the same kind, by straight lines
between them (Nyúl and Udupa 1999). Only the images that go in are looked at: never what they are to become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.image_schema import ImageSchema

Floats = NDArray[np.float64]

SCALES: dict[str, tuple[float, ...]] = {
    "landmarks": (10, 20, 30, 40, 50, 60, 70, 80, 90, 99),
    "gain": (50,),
    "none": (),
}
"""What of a patient's histogram is matched: percentiles of what is not background."""
BACKGROUND = 0.02
"""What lies below this share of the schema's range is background: it keeps its place, and no landmark counts it."""
FEWEST = 500
"""Pixels of a patient that landmarks are taken from, at least; a patient with fewer is left as it is."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Where the landmarks of one kind of image belong.

    Attributes:
        scale: One of `SCALES`. aims: Each landmark's place, -1 to 1: the mean over training patients.
    """

    scale: str
    aims: tuple[float, ...] = ()

    @classmethod
    def learn(cls, images: Images, scale: str) -> Levels:
        """From training images of one kind. Privacy: means of patients' percentiles stay in the model."""
        if not SCALES[scale]:
            return cls(scale)
        groups = images.patients if images.schema.patient else np.zeros(len(images), dtype=np.int64)
        found = [landmarks(images.pixels[groups == g], images.schema, scale) for g in np.unique(groups)]
        known = [f for f in found if f is not None]
        if not known:
            return cls("none")
        aims = images.schema.to_unit(np.mean(known, axis=0).astype(np.float32))
        return cls(scale, tuple(float(aim) for aim in aims))

    def apply(self, images: Images, schema: ImageSchema) -> NDArray[np.float32]:
        """Pixels from -1 to 1, each patient's on the shared scale: (n, channels, height, width).

        Where patients are not told apart, all of them count as one.

        Args:
            schema: The one the levels were learned under.
        """
        unit = schema.to_unit(images.pixels)
        if not self.aims:
            return unit
        groups = images.patients if images.schema.patient else np.zeros(len(images), dtype=np.int64)
        for group in np.unique(groups):
            rows = groups == group
            found = landmarks(images.pixels[rows], schema, self.scale)
            if found is not None:
                unit[rows] = self._move(images.pixels[rows].astype(np.float64), found, schema)
        return unit

    def _move(self, pixels: Floats, found: Floats, schema: ImageSchema) -> NDArray[np.float32]:
        """Straight lines from landmark to landmark; beyond the last, as steep as from the darkest value to it."""
        x, y = np.concatenate([[schema.low], found]), np.concatenate([[-1.0], self.aims])
        steep = (y[-1] - y[0]) / (x[-1] - x[0])
        moved = np.where(pixels > x[-1], y[-1] + steep * (pixels - x[-1]), np.interp(pixels, x, y))
        return np.asarray(np.clip(moved, -1, 1), dtype=np.float32)

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {"scale": self.scale, "aims": list(self.aims)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Levels:
        """The inverse of `to_dict`."""
        return cls(str(found["scale"]), tuple(float(aim) for aim in found["aims"]))


def landmarks(pixels: NDArray[np.float32], schema: ImageSchema, scale: str) -> Floats | None:
    """Percentiles of one patient's pixels above the background, strictly rising; None where there are too few."""
    inside = pixels[pixels > schema.low + BACKGROUND * (schema.high - schema.low)]
    if inside.size < FEWEST:
        return None
    found = np.percentile(inside.astype(np.float64), SCALES[scale])
    least = 1e-6 * (schema.high - schema.low)
    return np.asarray(np.maximum.accumulate(found + least * np.arange(len(found))), dtype=np.float64)
