"""Images in which one place holds what nothing around it foretells: how many more of them have the label?

A mark that is written into a third of the images of a label hardly moves an area under a curve; but where it is, it is
far louder than anything that anatomy does within a few pixels. So images are counted in which what is left of a patch,
less its forecast, is `LOUD` times its usual size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.shifting.patches import Grid, unforetold
from semblance.stats import Estimate, newcombe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOUD = 6.0
FLOOR = 1 / 255
"""Of the usual size, -1 to 1: half a grey level of eight bits. Where all is black, a speck is no mark."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Counts of loud images, patch by patch.

    Attributes:
        grid: The patches. loud: By label: (rows, columns, labels). n: Images of each label: (labels,).
    """

    grid: Grid
    loud: Ints
    n: Ints

    @property
    def excess(self) -> Floats:
        """Share of loud images of the label that has most, less that of the others together: (rows, columns)."""
        return np.asarray(self._differences().max(axis=2))

    @property
    def where(self) -> tuple[int, int]:
        """The patch where it is largest."""
        row, column = np.unravel_index(int(np.argmax(self.excess)), self.loud.shape[:2])
        return int(row), int(column)

    def label(self, place: tuple[int, int]) -> int:
        """The label with most loud images there."""
        return int(self._differences()[place].argmax())

    def estimate(self, place: tuple[int, int]) -> Estimate:
        """The excess with Newcombe's interval, Bonferroni over all patches and labels."""
        label, questions = self.label(place), self.loud.size
        hits, n = int(self.loud[place][label]), int(self.n[label])
        rest, others = int(self.loud[place].sum()) - hits, int(self.n.sum()) - n
        return newcombe(hits, n, rest, others, confidence=1 - 0.05 / questions)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where the excess is above 0 for certain; the largest first."""
        order = np.argsort(-self.excess, axis=None, kind="stable")
        found = [np.unravel_index(int(i), self.loud.shape[:2]) for i in order]
        return [(int(i), int(j)) for i, j in found if self.estimate((int(i), int(j))).low > 0]

    def _differences(self) -> Floats:
        rest = self.loud.sum(axis=2, keepdims=True) - self.loud
        return np.asarray(self.loud / self.n - rest / (self.n.sum() - self.n))


def count_odd(grey: Floats, codes: Ints) -> Odd:
    """Of images (n, h, w) with labels 0…k-1, one image a patient."""
    grid = Grid.over(*grey.shape[1:], overlap=True)
    n = np.bincount(codes)
    loud = np.zeros((*grid.shape, len(n)), dtype=np.int64)
    for place in np.ndindex(*grid.shape):
        off = np.abs(unforetold(grey, grid, place)).mean(axis=1)
        beyond = off > LOUD * max(float(np.median(off)), FLOOR)
        loud[place] = np.bincount(codes[beyond], minlength=len(n))
    return Odd(grid, loud, n)
