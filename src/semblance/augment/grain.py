"""Noise, blur and patches cut out: what a worse picture of the same patient looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from semblance.augment.claims import GRAINS, SPOTS, doubts
from semblance.augment.frame import altered, from_parts, parts, pixels_of
from semblance.data.images import Images
from semblance.image_schema import ImageSchema


@dataclass(frozen=True, slots=True)
class Noise:
    """Gaussian noise on every pixel."""

    name: ClassVar[str] = "noise"
    about: ClassVar[str] = "noise of up to `share` of the way from darkest to brightest on each pixel"

    share: float = 0.04

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of fine structure."""
        return doubts(schema, (GRAINS, "it covers fine structure"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        spread = rng.uniform(0, self.share, (len(images), 1, 1, 1))
        return from_parts(images, parts(images) + spread * rng.standard_normal(images.pixels.shape))


@dataclass(frozen=True, slots=True)
class Blur:
    """A Gaussian blur."""

    name: ClassVar[str] = "blur"
    about: ClassVar[str] = "blurred by a Gaussian of up to `share` of the longer side"

    share: float = 0.025

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of fine structure."""
        return doubts(schema, (GRAINS, "it wipes out fine structure"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        widths = rng.uniform(0, pixels_of(self.share, images), len(images))
        blurred = [
            ndimage.gaussian_filter(one.astype(np.float64), (0, width, width), mode="nearest")
            for one, width in zip(images.pixels, widths.tolist(), strict=True)
        ]
        return altered(images, np.stack(blurred) if blurred else images.pixels)


@dataclass(frozen=True, slots=True)
class Cutout:
    """A square patch covered with the image's mean (DeVries and Taylor 2017). Masks stay: the organ is still there."""

    name: ClassVar[str] = "cutout"
    about: ClassVar[str] = "a square of `share` of the shorter side covered, anywhere"

    share: float = 0.25

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what may lie under the patch."""
        return doubts(schema, (SPOTS, "what it is about may be covered"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        schema = images.schema
        side = max(1, round(self.share * min(schema.height, schema.width)))
        top, first = (rng.integers(0, size - side + 1, len(images)) for size in (schema.height, schema.width))
        down, right = np.arange(schema.height), np.arange(schema.width)
        rows = (down >= top[:, None]) & (down < top[:, None] + side)
        columns = (right >= first[:, None]) & (right < first[:, None] + side)
        covered = (rows[:, :, None] & columns[:, None, :])[:, None]
        return altered(images, np.where(covered, images.pixels.mean(axis=(2, 3), keepdims=True), images.pixels))
