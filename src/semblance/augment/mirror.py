"""Flip and quarter turns: no pixel is lost, and left becomes right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from semblance.augment.claims import ENDS, SIDES, doubts
from semblance.augment.frame import altered
from semblance.data.images import Images
from semblance.image_schema import ImageSchema

Kind = TypeVar("Kind", bound=np.generic)

_MOVES_SIDES = "it makes left of right"
_MOVES_ENDS = "it turns top to bottom or to a side"


@dataclass(frozen=True, slots=True)
class Flip:
    """Left becomes right. A heart on the other side is another patient: see `mirror` of the schema."""

    name: ClassVar[str] = "flip"
    about: ClassVar[str] = "a mirror image: left becomes right, in `share` of the images"

    share: float = 1.0

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but sides."""
        return doubts(schema, (SIDES, _MOVES_SIDES))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        chosen = rng.random(len(images)) < self.share
        pixels = np.where(chosen[:, None, None, None], images.pixels[..., ::-1], images.pixels)
        masks = None
        if images.masks is not None:
            masks = np.where(chosen[:, None, None], images.masks[..., ::-1], images.masks)
        return altered(images, pixels, masks)


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn by one, two or three right angles: for images that have no top, such as skin or slides."""

    name: ClassVar[str] = "turn"
    about: ClassVar[str] = "turned by 90, 180 or 270 degrees (180 where height and width differ)"

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but sides and ends."""
        return doubts(schema, (SIDES, _MOVES_SIDES), (ENDS, _MOVES_ENDS))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        square = images.schema.height == images.schema.width
        quarters = rng.integers(1, 4, len(images)) if square else np.full(len(images), 2)
        masks = None if images.masks is None else _turned(images.masks, quarters)
        return altered(images, _turned(images.pixels, quarters), masks)


def _turned(stack: NDArray[Kind], quarters: NDArray[np.int64]) -> NDArray[Kind]:
    made = stack.copy()
    for k in np.unique(quarters).tolist():
        made[quarters == k] = np.rot90(stack[quarters == k], k, axes=(-2, -1))
    return made


def allowed_by(schema: ImageSchema) -> tuple[Flip | Turn, ...]:
    """The mirror images that `mirror` of the schema allows."""
    return {"none": (), "left-right": (Flip(share=0.5),), "any": (Flip(share=0.5), Turn())}[schema.mirror]
