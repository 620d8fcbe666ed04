"""Brighter, flatter, darker in the middle: exposure and window differ from one hospital to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semblance.augment.claims import SHADES, doubts
from semblance.augment.frame import from_parts, parts
from semblance.data.images import Images
from semblance.image_schema import ImageSchema

_WHY = "it changes how bright things are"
_IN_UNITS = "a value is in {unit}, and would not mean what it says"


def _claims(schema: ImageSchema) -> Mapping[str, str]:
    """All but what is written in words of brightness; nothing where a value has a unit, such as HU."""
    found = doubts(schema, (SHADES, _WHY))
    if not schema.unit:
        return found
    told = _IN_UNITS.format(unit=schema.unit)
    return {name: "; ".join(filter(None, (why, told))) for name, why in found.items()}


@dataclass(frozen=True, slots=True)
class Brightness:
    """The same amount more, or less, everywhere."""

    name: ClassVar[str] = "brightness"
    about: ClassVar[str] = "brighter or darker by up to `share` of the way from darkest to brightest"

    share: float = 0.08

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of brightness; nothing where a value has a unit, such as HU."""
        return _claims(schema)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        more = rng.uniform(-self.share, self.share, (len(images), 1, 1, 1))
        return from_parts(images, parts(images) + more)


@dataclass(frozen=True, slots=True)
class Contrast:
    """Further from the image's own mean, or nearer to it."""

    name: ClassVar[str] = "contrast"
    about: ClassVar[str] = "more or less contrast around the image's own mean, by up to `share`"

    share: float = 0.15

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of brightness; nothing where a value has a unit, such as HU."""
        return _claims(schema)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        factor = 1 + rng.uniform(-self.share, self.share, (len(images), 1, 1, 1))
        lit = parts(images)
        middle = lit.mean(axis=(1, 2, 3), keepdims=True)
        return from_parts(images, middle + (lit - middle) * factor)


@dataclass(frozen=True, slots=True)
class Gamma:
    """A power of the brightness: black and white stay, what lies between moves."""

    name: ClassVar[str] = "gamma"
    about: ClassVar[str] = "to a power between 1 / (1 + `share`) and 1 + `share`"

    share: float = 0.2

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is written in words of brightness; nothing where a value has a unit, such as HU."""
        return _claims(schema)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        power = np.exp(rng.uniform(-1, 1, (len(images), 1, 1, 1)) * np.log1p(self.share))
        return from_parts(images, parts(images) ** power)
