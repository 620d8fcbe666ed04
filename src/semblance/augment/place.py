"""Move, turn and enlarge: a patient never lies twice in quite the same place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semblance.augment.claims import ENDS, SIDES, SIZES, SPOTS, doubts
from semblance.augment.frame import around_middle, pixels_of
from semblance.data.images import Images
from semblance.image_schema import ImageSchema

FAR_TURN = 45.0
"""Degrees from which on left may be taken for top."""


@dataclass(frozen=True, slots=True)
class Rotate:
    """A turn by up to so many degrees, either way."""

    name: ClassVar[str] = "rotate"
    about: ClassVar[str] = "turned by up to `degrees`, either way"

    degrees: float = 7.0

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All, but sides and ends where the turn is wide."""
        if self.degrees < FAR_TURN:
            return doubts(schema)
        return doubts(schema, (SIDES, "so wide a turn moves sides"), (ENDS, "so wide a turn moves top and bottom"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        angle = np.radians(rng.uniform(-self.degrees, self.degrees, len(images)))
        cos, sin = np.cos(angle), np.sin(angle)
        turns = np.stack([np.stack([cos, sin], axis=-1), np.stack([-sin, cos], axis=-1)], axis=-2)
        return around_middle(images, turns, np.zeros((len(images), 2)))


@dataclass(frozen=True, slots=True)
class Shift:
    """A move by up to a share of the longer side, along and across."""

    name: ClassVar[str] = "shift"
    about: ClassVar[str] = "moved by up to `share` of the longer side"

    share: float = 0.07

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All: what lies left of the patient's middle stays there."""
        return doubts(schema)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        reach = pixels_of(self.share, images)
        shifts = rng.uniform(-reach, reach, (len(images), 2))
        return around_middle(images, np.broadcast_to(np.eye(2), (len(images), 2, 2)), shifts)


@dataclass(frozen=True, slots=True)
class Scale:
    """A factor up to 1 + `share`, or down to its inverse."""

    name: ClassVar[str] = "scale"
    about: ClassVar[str] = "enlarged or shrunk by up to `share`"

    share: float = 0.08

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of size; a spacing in millimetres does not hold any more either."""
        return doubts(schema, (SIZES, "it changes sizes"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        factor = np.exp(rng.uniform(-1, 1, len(images)) * np.log1p(self.share))
        return around_middle(images, np.eye(2)[None] / factor[:, None, None], np.zeros((len(images), 2)))


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the image, somewhere in it, enlarged to the size of the whole."""

    name: ClassVar[str] = "crop"
    about: ClassVar[str] = "a part of at least 1 − `share` of each side, enlarged to the whole"

    share: float = 0.12

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but sizes, and what may lie where it was cut off."""
        return doubts(schema, (SIZES, "it changes sizes"), (SPOTS, "what it is about may be cut off"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        side = 1 - rng.uniform(0, self.share, len(images))
        sizes = np.array([images.schema.height, images.schema.width])
        room = (1 - side)[:, None] * (sizes - 1) / 2
        return around_middle(images, np.eye(2)[None] * side[:, None, None], rng.uniform(-1, 1, room.shape) * room)
