"""Images of patients together with what they mean. The repr shows shapes, never values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Origin
from semblance.errors import SchemaError
from semblance.image_schema import ImageSchema

PATIENT = "patient"
FILE = "file"
"""Columns of `about` beside the schema's conditions: who, and where the image was read from (real images only)."""


@dataclass(frozen=True, eq=False)
class Images:
    """A set of images of one geometry.

    Attributes:
        pixels: (n, channels, height, width) float32, in the schema's unit.
        about: (n, …), index 0…n-1: one column for each of the schema's conditions, holding labels or None; "patient"
            where the schema says so; "file" where they were read from files.
        masks: (n, height, width) uint8, numbers of structures as in the schema; None where it has none.
        origin: "real", "augmented" or "synthetic"; the gate treats augmented as real.
    """

    pixels: NDArray[np.float32]
    about: pd.DataFrame
    schema: ImageSchema
    masks: NDArray[np.uint8] | None = None
    origin: Origin = "real"

    def __post_init__(self) -> None:
        if self.pixels.shape[1:] != self.schema.shape or len(self.about) != len(self.pixels):
            raise SchemaError("the images' shape is not that of their schema, or not all of them are told about.")
        if not set(self.schema.conditions) <= set(self.about.columns):
            raise SchemaError("the images' labels and attributes are not those of their schema.")
        if bool(self.schema.structures) != (self.masks is not None):
            raise SchemaError("images have masks exactly where their schema names structures.")
        if self.masks is not None and self.masks.shape != (len(self.pixels), *self.schema.shape[1:]):
            raise SchemaError("the masks' shape is not that of their images.")

    def __repr__(self) -> str:
        size = f"{self.schema.height} × {self.schema.width}"
        return f"Images({self.origin}: {len(self)} images of {size}, {self.n_patients} patients)"

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def patients(self) -> NDArray[np.int64]:
        """Patient number of each image, 0…n_patients-1 in order of first appearance: (n,).

        An image whose patient is missing counts as a patient of its own.
        """
        if not self.schema.patient:
            return np.arange(len(self), dtype=np.int64)
        codes = pd.factorize(self.about[PATIENT])[0].astype(np.int64)
        alone = codes < 0
        codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
        return codes

    @property
    def n_patients(self) -> int:
        """Number of patients; of images where no patient is named."""
        return len(np.unique(self.patients))

    def codes(self, condition: str) -> NDArray[np.int64]:
        """Number of each image's label in the schema's order; -1 where it has none: (n,)."""
        labels = self.schema.conditions[condition]
        return pd.Categorical(self.about[condition], categories=list(labels)).codes.astype(np.int64)

    def unit(self) -> NDArray[np.float32]:
        """Pixels from -1 to 1: (n, channels, height, width)."""
        return self.schema.to_unit(self.pixels)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Images:
        """The images at these positions (or where a mask is true)."""
        return replace(
            self,
            pixels=self.pixels[rows],
            about=self.about.loc[rows].reset_index(drop=True),
            masks=None if self.masks is None else self.masks[rows],
        )
