"""Blend two patients of the same labels: what lies between them is taken to have their labels too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.augment.claims import SPOTS, doubts
from semblance.augment.frame import altered
from semblance.data.images import Images
from semblance.image_schema import ImageSchema


@dataclass(frozen=True, slots=True)
class Mixup:
    """A weighted mean of two images of the same labels (after Zhang et al. 2018, who blend labels as well).

    Labels here are words, and words cannot be blended: so only images that agree in all of them are. The first has at
    least half the weight; its mask and patient stay. An image without its like stays as it is. Two patients then show
    in one image: split patients before, never after.
    """

    name: ClassVar[str] = "mixup"
    about: ClassVar[str] = "blended with another of the same labels, weights from Beta(`alpha`, `alpha`)"

    alpha: float = 0.4

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """All but what is in one place: it fades, or is there twice. Of masks, see above."""
        return doubts(schema, (SPOTS, "what it is about fades, or is there twice"))

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """See ``image_contracts.Augmentation``."""
        weight = rng.beta(self.alpha, self.alpha, (len(images), 1, 1, 1))
        weight = np.maximum(weight, 1 - weight)
        other = images.pixels[partners(images, rng)]
        return altered(images, weight * images.pixels + (1 - weight) * other)


def alike(images: Images) -> NDArray[np.int64]:
    """Number of each image's combination of labels: (n,)."""
    names = list(images.schema.conditions)
    if not names:
        return np.zeros(len(images), dtype=np.int64)
    numbers = images.about[names].fillna("").groupby(names, sort=True).ngroup()
    return np.asarray(numbers, dtype=np.int64).reshape(-1)


def partners(images: Images, rng: np.random.Generator) -> NDArray[np.int64]:
    """Of each image another one of the same labels, drawn anew for each; itself where there is none: (n,)."""
    found = np.arange(len(images), dtype=np.int64)
    for rows in pd.Series(found).groupby(alike(images)).indices.values():
        if len(rows) > 1:
            steps = rng.integers(1, len(rows), len(rows))
            found[rows] = rows[(np.arange(len(rows)) + steps) % len(rows)]
    return found.astype(np.int64)
