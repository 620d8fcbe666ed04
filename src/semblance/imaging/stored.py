"""Values of images as the whole numbers that files hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.image_schema import ImageSchema


@dataclass(frozen=True, slots=True)
class Scale:
    """A value is `slope` × the stored number + `intercept`.

    Attributes:
        bits: 8 or 16.
    """

    bits: int
    slope: float
    intercept: float

    @classmethod
    def of(cls, schema: ImageSchema) -> Scale:
        """Values as they are where the range allows it; else in the schema's steps, counted from its lowest value.

        Where the steps are finer than 65,535 to the range (or none are known), they are widened to that.
        """
        bits = 8 if schema.bits <= 8 else 16
        top = 2**bits - 1
        if schema.step >= 1 and schema.step % 1 == 0 and schema.low % 1 == 0 and schema.low >= 0 and schema.high <= top:
            return cls(bits, 1.0, 0.0)
        span = schema.high - schema.low
        slope = schema.step if schema.step and span / schema.step <= top else span / top
        return cls(bits, slope, schema.low)

    @property
    def plain(self) -> bool:
        """Whether the stored numbers are the values."""
        return self.slope == 1 and self.intercept == 0

    def store(self, pixels: NDArray[np.float32], schema: ImageSchema) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """Whole numbers for values of any shape; what lies outside the schema's range is cut off first."""
        inside = np.clip(pixels.astype(np.float64), schema.low, schema.high)
        whole = np.clip(np.round((inside - self.intercept) / self.slope), 0, 2**self.bits - 1)
        return whole.astype(np.uint8) if self.bits == 8 else whole.astype(np.uint16)
