"""Where in the image a label is written: every patch probed by itself, and what happens when one is swapped.

The largest area of all patches is held against the largest of all patches under each relabelling, so that the more
places are looked at, the more is asked of each (Westfall and Young 1993; Nichols and Holmes 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance.shifting.probe import BATCH, Asked, Learner, areas_of, targets_of
from semblance.stats import clopper_pearson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.05
GRID = 8
"""Patches a side."""
RING = 2
"""Pixels around a patch from which its own pixels are foretold."""
STEPS = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """Where patches lie: first row and the one after the last of each, and the same of columns: (k, 2) each."""

    down: Ints
    right: Ints

    @classmethod
    def over(cls, height: int, width: int, *, overlap: bool = False) -> Grid:
        """Patches of an eighth of each side; with `overlap` others half-way between them, too."""
        return cls(_cut(height, overlap), _cut(width, overlap))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.down), len(self.right)

    def place(self, row: int, column: int, *, ring: int = 0) -> tuple[slice, slice]:
        """A patch, and so many pixels around it."""
        (top, bottom), (left, right) = self.down[row].tolist(), self.right[column].tolist()
        return slice(max(0, top - ring), bottom + ring), slice(max(0, left - ring), right + ring)

    def apart(self, place: tuple[int, int]) -> list[tuple[int, int]]:
        """Patches that share no pixel with this one, nor with the pixels next to it."""
        rows, columns = self.place(*place, ring=1)
        return [
            (i, j)
            for i, j in np.ndindex(*self.shape)
            if self.down[i, 1] <= rows.start
            or self.down[i, 0] >= rows.stop
            or self.right[j, 1] <= columns.start
            or self.right[j, 0] >= columns.stop
        ]


def _cut(size: int, overlap: bool) -> Ints:
    parts = min(GRID, size // 3)
    long = -(-size // parts)
    first = np.linspace(0, size - long, 2 * parts - 1 if overlap else parts).round().astype(np.int64)
    return np.stack([first, first + long], axis=1)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found.

    Attributes:
        grid: The patches. area: Of each: (rows, columns).
        most: Of each relabelling the largest area of all patches: (times,).
    """

    grid: Grid
    area: Floats
    most: Floats

    @property
    def where(self) -> tuple[int, int]:
        """The patch that tells most."""
        row, column = np.unravel_index(int(np.argmax(self.area)), self.area.shape)
        return int(row), int(column)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Every patch that tells more than the most telling one of 95 % of the relabellings; the most telling first."""
        limit = float(np.quantile(self.most, 1 - LEVEL, method="higher"))
        order = np.argsort(-self.area, axis=None, kind="stable")
        found = [np.unravel_index(int(i), self.area.shape) for i in order if self.area.flat[i] > limit]
        return [(int(row), int(column)) for row, column in found]

    @property
    def reached(self) -> int:
        """Relabellings with a patch that tells as much."""
        return int((self.most >= self.area.max() - 1e-12).sum())

    @property
    def p(self) -> float:
        """Family-wise: of a patch anywhere telling so much by chance."""
        return (1 + self.reached) / (1 + len(self.most))

    @property
    def p_interval(self) -> tuple[float, float]:
        """Of the p value's own Monte Carlo error."""
        return clopper_pearson(self.reached, len(self.most))


def scan(grey: Floats, asked: Asked, times: int, rng: np.random.Generator, *, alone: bool = False) -> Scan:
    """Probe every patch of (n, h, w).

    Args:
        times: Relabellings.
        alone: Probe what a patch holds that its surroundings do not foretell: anatomy runs on from one patch into the
            next, what was written into an image does not.
    """
    grid = Grid.over(*grey.shape[1:], overlap=alone)
    area = np.zeros(grid.shape)
    most = np.zeros(times)
    batches = [asked.relabelled(min(BATCH, times - start), rng) for start in range(0, times, BATCH)]
    for place in np.ndindex(*grid.shape):
        seen = unforetold(grey, grid, place) if alone else pixels_of(grey, grid, place)
        learner = Learner.of(seen, asked.fold)
        area[place] = areas_of(learner, asked.codes[:, None])[0]
        found = [areas_of(learner, batch) for batch in batches]
        if found:
            most = np.maximum(most, np.concatenate(found))
    return Scan(grid, area, most)


def pixels_of(grey: Floats, grid: Grid, place: tuple[int, int]) -> Floats:
    """The pixels of a patch: (n, d)."""
    return grey[(slice(None), *grid.place(*place))].reshape(len(grey), -1)


def unforetold(grey: Floats, grid: Grid, place: tuple[int, int]) -> Floats:
    """The pixels of a patch less what the ring of pixels around it says they are: (n, d). Needs no label."""
    ring, own = ring_around(grey, grid, place)
    return Forecast.learn(ring, own).left(ring, own)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A patch by the ring around it, as it is in the half of images where it is foretold best.

    Least trimmed squares (Rousseeuw and Van Driessen 2006): by all images, a mark in some of those with a label would
    be foretold for the others with that label.

    Attributes:
        ring, own: Means of the ring, (r,), and of the patch, (d,). ways: From one to the other: (r, d).
    """

    ring: Floats
    own: Floats
    ways: Floats

    @classmethod
    def learn(cls, ring: Floats, own: Floats) -> Forecast:
        """From (n, r) and (n, d)."""
        found = cls._of(ring, own)
        for _ in range(STEPS):
            off = np.abs(found.left(ring, own)).mean(axis=1)
            kept = off <= np.median(off)
            found = cls._of(ring[kept], own[kept])
        return found

    @classmethod
    def _of(cls, ring: Floats, own: Floats) -> Forecast:
        means = ring.mean(axis=0), own.mean(axis=0)
        around = ring - means[0]
        squares = around.T @ around
        ridge = 1e-3 * max(float(np.trace(squares)) / len(squares), 1e-9)
        ways = np.linalg.solve(squares + ridge * np.eye(len(squares)), around.T @ (own - means[1]))
        return cls(*means, ways)

    def left(self, ring: Floats, own: Floats) -> Floats:
        """What is not foretold: (n, d)."""
        return np.asarray(own - self.own - (ring - self.ring) @ self.ways)


def ring_around(grey: Floats, grid: Grid, place: tuple[int, int]) -> tuple[Floats, Floats]:
    """The ring of pixels around a patch, and its own: (n, r), (n, d)."""
    inside = np.zeros(grey.shape[1:], dtype=bool)
    inside[grid.place(*place)] = True
    around = np.zeros_like(inside)
    around[grid.place(*place, ring=RING)] = True
    return grey[:, around & ~inside], grey[:, inside]


@dataclass(frozen=True, slots=True)
class Swapped:
    """How often a verdict turned when a patch was exchanged with one of another label.

    Attributes:
        suspect: Share turned by the suspected patch. other: Share turned by a random patch farther
            off. only_suspect, only_other: Images turned by one and not by the other.
        n: Images.
    """

    suspect: float
    other: float
    only_suspect: int
    only_other: int
    n: int

    @property
    def p(self) -> float:
        """McNemar's, exact, one-sided: the suspected patch turns no more verdicts than the other."""
        apart = self.only_suspect + self.only_other
        return float(distributions.binom.sf(self.only_suspect - 1, apart, 0.5)) if apart else 1.0


def swap(grey: Floats, asked: Asked, grid: Grid, suspect: tuple[int, int], rng: np.random.Generator) -> Swapped:
    """Give each image the suspected patch of an image with another label; and, apart from that, a random patch.

    The verdicts are those of a linear classifier of the whole image which saw neither the image nor the donor.
    """
    others = grid.apart(suspect)
    n, codes = len(grey), asked.codes
    donor = np.empty(n, dtype=np.int64)
    for fold in np.unique(asked.fold):
        for label in np.unique(codes):
            to = np.flatnonzero((asked.fold == fold) & (codes == label))
            donor[to] = rng.choice(np.flatnonzero((asked.fold == fold) & (codes != label)), len(to))
    flat = grey.reshape(n, -1)
    learner, targets = Learner.of(flat, asked.fold), targets_of(codes[:, None])
    own = learner.scores(targets)[:, :, 0]
    limit = float(np.quantile(own[:, 0], (codes == 0).mean()))  # as many above it as have the second label
    chosen = rng.integers(len(others), size=n)
    turned = []
    for random in (False, True):
        mixed = grey.copy()
        for i in range(n):
            at = grid.place(*(others[chosen[i]] if random else suspect))
            mixed[(i, *at)] = grey[(donor[i], *at)]
        said = learner.scores(targets, instead=mixed.reshape(n, -1))[:, :, 0]
        turned.append(_verdicts(said, limit) != _verdicts(own, limit))
    one, other = turned
    return Swapped(float(one.mean()), float(other.mean()), int((one & ~other).sum()), int((other & ~one).sum()), n)


def _verdicts(scores: Floats, limit: float) -> Ints:
    """Of two labels by a limit, of more the largest score: (n, labels) -> (n,)."""
    return np.asarray(scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > limit).astype(np.int64))
