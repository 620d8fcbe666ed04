"""Which values count as darkest and brightest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.image_schema import Bound

TAIL = 0.001
"""Share of the pixels cut off at either end where the range is read from the images."""
LOOKED_AT = 2_000_000
"""Pixels that are enough to find these two values."""


@dataclass(frozen=True, slots=True)
class Span:
    """Attributes:
    low, high: Values. bounds: As in ImageSchema. why: In a sentence for a person.
    """

    low: float
    high: float
    bounds: Bound
    why: str


def find_span(pixels: NDArray[np.float32], *, bits: int, step: float, unit: str) -> Span:
    """The range of values, from what a file can hold where that is sure, else from the pixels.

    8 bits without a unit reach from 0 to 255, and floating point from 0 to 1 where no value lies outside. All else
    (HU, MR, 12 bits in 16) gets the values that leave out 0.1 % of the pixels at either end, so that one bright wire
    does not darken every image; what lies outside is cut off. Privacy: these two numbers come from the images;
    declare them where that matters.
    """
    flat = pixels.reshape(-1)
    seen = flat[:: max(1, -(-flat.size // LOOKED_AT))]
    least, most = float(seen.min()), float(seen.max())
    if bits <= 8 and not unit and float(flat.min()) >= 0 and float(flat.max()) <= 255:
        return Span(0.0, 255.0, "declared", "8 bits hold 0 to 255")
    if not step and not unit and float(flat.min()) >= 0 and most > 0.5 and float(flat.max()) <= 1:
        return Span(0.0, 1.0, "declared", "no value lies below 0 or above 1")
    low, high = (float(value) for value in np.quantile(seen, [TAIL, 1 - TAIL]))
    if step:
        low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    if not low < high:
        low, high = least, max(most, least + (step or 1.0))
    return Span(float(low), float(high), "inferred", f"they leave out {TAIL:.1%} of the pixels at either end")
