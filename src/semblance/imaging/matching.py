"""Whose copy is an image? Real ones are laid over it, moved, mirrored, enlarged, until one fits better than all others.

First every image that is asked about is compared with each real one through some hundred windows, in few dimensions;
then the best few patients are laid over more and more exactly. What counts is how much nearer the nearest patient is
than the next: an image that is near to everybody, as a smooth one is, is nobody's copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.imaging.spaces.random_filters import SEEDS, RandomFilters
from semblance.imaging.spaces.windows import SIDE, cut, smooth, view

Pixels = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MARGIN = 3 / 28
"""What is left out at each edge of the image that is asked about, so that it may be moved by as much."""
STEP = 1 / 28
SIZES = (1.0, 0.93, 0.865, 0.8)
"""Of the side of the real image that a copy may show, at least the last."""
COMPONENTS, CANDIDATES, LEVELS = 64, 10, 4
SPACES = ("pixels", "random")
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class Matches:
    """The best patients for each image that was asked about, the best first.

    Attributes:
        image: Position of the patient's image that fits: (n, k). Of the album's images.
        distance: By space, root mean squared difference of the windows laid over each other: (n, k), sorted in each.
    """

    image: Ints
    distance: dict[str, Floats]

    def ratio(self, space: str) -> Floats:
        """Distance of the nearest patient over that of the next: (n,). 0 is a copy, near 1 a stranger."""
        near = self.distance[space]
        return np.asarray((near[:, 0] + 1e-6) / (near[:, 1] + 1e-6))


@dataclass(frozen=True, eq=False)
class Album:
    """Real images as one looks through them for the source of a copy. Repeats of the same pixels are there once.

    Attributes:
        smoothed: (n, height, width). patients: (n,), ascending. kept: Where each was among the images learned from.
        boxes: (b, 3). mean, axes: Of the windows' first principal components. points: (b, n, k).
    """

    smoothed: Pixels
    patients: Ints
    kept: Ints
    boxes: Floats
    mean: Pixels
    axes: Pixels
    points: Pixels

    @classmethod
    def of(cls, images: Images) -> Album:
        """PRIVACY: holds the real images, and is for the time of an audit only."""
        unit = images.unit()
        _, first = np.unique(unit.reshape(len(unit), -1), axis=0, return_index=True)
        kept = first[np.argsort(images.patients[first], kind="stable")]
        smoothed = smooth(unit[kept])
        boxes = _boxes()
        sample = np.concatenate([cut(smoothed[::5], (box[0], box[1], box[2])) for box in boxes[::7]])
        mean = sample.mean(axis=0)
        _, axes = np.linalg.eigh((sample - mean).T @ (sample - mean))
        axes = axes[:, ::-1][:, :COMPONENTS]
        points = np.stack([(cut(smoothed, (box[0], box[1], box[2])) - mean) @ axes for box in boxes])
        return cls(smoothed, images.patients[kept], kept.astype(np.int64), boxes, mean, axes, points)

    @property
    def n_patients(self) -> int:
        return len(np.unique(self.patients))

    def match(self, unit: Pixels) -> Matches:
        """Find the patients whose images fit best.

        Args:
            unit: Images, (n, channels, height, width), -1 to 1.

        Raises:
            ValueError: there are fewer than two patients.
        """
        if self.n_patients < 2:
            raise ValueError("an album needs two patients")
        found = [self._block(unit[start : start + _BLOCK]) for start in range(0, len(unit), _BLOCK)]
        distance = {space: np.concatenate([f.distance[space] for f in found]) for space in SPACES}
        return Matches(np.concatenate([f.image for f in found]), distance)

    def _block(self, unit: Pixels) -> Matches:
        blurred = smooth(unit)
        middle = (0.5, 0.5, 1 - 2 * MARGIN)
        cores = np.stack([cut(blurred, middle), cut(np.ascontiguousarray(blurred[:, :, ::-1]), middle)])
        rows, at = self._coarse(cores)
        n, k = rows.shape
        own = np.repeat(np.arange(n), k)
        query = cores[at.ravel() // len(self.boxes), own]
        windows = self._lay_over(rows.ravel(), self.boxes[at.ravel() % len(self.boxes)], query)
        apart = np.sqrt(((windows - query) ** 2).mean(axis=1)).reshape(n, k).astype(np.float64)
        looks = _apart_in_filters(windows, query).reshape(n, k)
        order = np.argsort(apart, axis=1, kind="stable")
        distance = {"pixels": np.take_along_axis(apart, order, 1), "random": np.sort(looks, axis=1)}
        return Matches(np.take_along_axis(rows, order, 1), distance)

    def _coarse(self, cores: Pixels) -> tuple[Ints, Ints]:
        """The best image of each of the best patients, and through which window, mirrored ones after: (n, k) each."""
        n = cores.shape[1]
        near = np.full((n, len(self.smoothed)), np.inf, dtype=np.float32)
        at = np.zeros(near.shape, dtype=np.int64)
        for mirrored, core in enumerate(cores):
            query = (core - self.mean) @ self.axes
            long = (query**2).sum(axis=1)[:, None]
            for number, points in enumerate(self.points):
                apart = long + (points**2).sum(axis=1)[None, :] - 2 * query @ points.T
                better = apart < near
                near[better] = apart[better]
                at[better] = number + mirrored * len(self.boxes)
        starts = np.flatnonzero(np.r_[True, np.diff(self.patients) != 0])
        best = np.minimum.reduceat(near, starts, axis=1)
        k = min(CANDIDATES, len(starts))
        chosen = np.argpartition(best, k - 1, axis=1)[:, :k]
        ends = np.r_[starts[1:], len(self.patients)]
        rows = np.empty((n, k), dtype=np.int64)
        for i in range(n):
            for j, patient in enumerate(chosen[i]):
                rows[i, j] = starts[patient] + near[i, starts[patient] : ends[patient]].argmin()
        return rows, np.take_along_axis(at, rows, 1)

    def _lay_over(self, rows: Ints, boxes: Floats, query: Pixels) -> Pixels:
        """Each image's window moved and resized, in ever smaller steps, until it fits its query best: (m, SIDE²)."""
        images, boxes = self.smoothed[rows], boxes.copy()
        windows = view(images, boxes)
        least = ((windows - query) ** 2).mean(axis=1)
        step = np.array([STEP / 2, STEP / 2, 0.035])
        for _ in range(LEVELS):
            for turn in range(12):
                tried = boxes.copy()
                tried[:, turn // 2 % 3] += step[turn // 2 % 3] * (1 - 2 * (turn % 2))
                seen = view(images, tried)
                apart = ((seen - query) ** 2).mean(axis=1)
                better = apart < least
                least[better], boxes[better], windows[better] = apart[better], tried[better], seen[better]
            step = step / 2
        return windows


def _apart_in_filters(a: Pixels, b: Pixels) -> Floats:
    """Mean over the seeds of the distance of random features: (m, SIDE²) twice -> (m,)."""
    total = np.zeros(len(a))
    for seed in SEEDS:
        filters = RandomFilters.draw(seed)
        one, other = (filters.of(windows.reshape(-1, 1, SIDE, SIDE)) for windows in (a, b))
        total += np.linalg.norm(one.astype(np.float64) - other, axis=1)
    return total / len(SEEDS)


def _boxes() -> Floats:
    """Windows of a real image that a copy's middle may show."""
    reach = np.arange(-round(MARGIN / STEP), round(MARGIN / STEP) + 1) * STEP
    side = 1 - 2 * MARGIN
    return np.array([(0.5 + down, 0.5 + right, side * size) for size in SIZES for down in reach for right in reach])
