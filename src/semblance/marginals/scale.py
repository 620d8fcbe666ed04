"""A numeric column's values as whole numbers on a grid that does not depend on any patient.

Between declared bounds the grid counts the column's smallest steps. Without them it is the order of binary floating
point: by sign, by power of two, and within a power by the leading digits, so that cutting the grid in halves finds
the size of the values first and details later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.schema import Column

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DEEPEST = 22
"""Halvings of a declared range, at most: finer steps are drawn inside the last."""
FIRST, LATER = 4, 2
"""Halvings of a declared range at the first look, and of what is worth another look at each later one."""
POWERS, DIGITS = 48, 10
"""Of a grid without bounds: powers of two of the smallest step, and binary digits within each."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """The grid of one column: positions 0 … 2**depth - 1, from the lowest value to the highest.

    Attributes:
        step: Smallest distance between two values that can be written.
        first: Steps of the lowest value, for a declared range; None for a grid without bounds.
        count: Steps of a declared range. depth: Halvings from the whole to one position.
    """

    step: float
    first: float | None
    count: float
    depth: int

    @classmethod
    def of(cls, column: Column) -> Ruler:
        """From what a person declared; inferred bounds are not looked at."""
        step = 10.0 ** -min(column.decimals, 12) if column.kind == "number" else 1.0
        if column.bounds != "declared" or column.low is None or column.high is None:
            return cls(step, None, 0.0, 1 + int(np.log2(POWERS * 2**DIGITS)) + 1)
        first = np.round(column.low / step)
        count = np.round(column.high / step) - first + 1
        return cls(step, float(first), float(count), min(DEEPEST, int(np.ceil(np.log2(max(count, 1.0))))))

    @property
    def looks(self) -> tuple[int, ...]:
        """Halvings at each look from the whole to one position: few looks, because each costs a marginal.

        Without bounds the first tells all powers of two apart.
        """
        first = min(self.depth, FIRST if self.first is not None else self.depth - DIGITS)
        left = self.depth - first
        return tuple(bits for bits in (first, *[LATER] * (left // LATER), left % LATER) if bits)

    def positions(self, scaled: Floats) -> Ints:
        """Where each value lies; values outside a declared range count as its ends. (n,)"""
        steps = np.round(scaled / self.step)
        if self.first is not None:
            inside = np.clip(steps - self.first, 0, self.count - 1)
            return np.floor(inside / self._width).astype(np.int64)
        size = np.clip(np.abs(steps), 0, 2.0**POWERS - 1)
        power = np.floor(np.log2(np.maximum(size, 1)))
        digits = np.floor((size / 2.0**power - 1) * 2**DIGITS)
        place = np.where(size < 1, 0, 1 + power * 2**DIGITS + np.clip(digits, 0, 2**DIGITS - 1)).astype(np.int64)
        middle = 2 ** (self.depth - 1)
        return np.asarray(np.where(steps < 0, middle - place, middle + place), dtype=np.int64)

    def ends(self, start: int, stop: int) -> tuple[float, float]:
        """The lowest and the highest value that lie on positions start … stop - 1, on the column's scale.

        The lowest lies above the highest where the positions hold no value at all: near zero a grid without bounds has
        more positions than values.
        """
        return self._lowest(start) * self.step, self._highest(stop - 1) * self.step

    @property
    def _width(self) -> float:
        return max(1.0, self.count / 2.0**self.depth)

    def _lowest(self, at: int) -> float:
        if self.first is not None:
            return self.first + min(math.ceil(at * self._width), self.count - 1)
        place = at - 2 ** (self.depth - 1)
        return float(self._size(place) if place >= 0 else -(self._size(-place + 1) - 1))

    def _highest(self, at: int) -> float:
        if self.first is not None:
            return self.first + min(math.ceil((at + 1) * self._width) - 1, self.count - 1)
        place = at - 2 ** (self.depth - 1)
        return float(self._size(place + 1) - 1 if place >= 0 else -self._size(-place))

    def _size(self, place: int) -> float:
        """Smallest number of steps at a place counted from zero."""
        if place <= 0:
            return 0.0
        power, digits = divmod(place - 1, 2**DIGITS)
        return float(np.ceil(2.0 ** min(power, POWERS) * (1 + digits / 2**DIGITS)))
