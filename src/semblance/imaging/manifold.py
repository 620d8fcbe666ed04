"""Do synthetic images look like real ones (precision), and is every kind of real image among them (recall, coverage)?

Each set of images is taken for the union of balls around its images, each as large as the distance to its k-th nearest
neighbour in the set (Kynkäänniemi et al. 2019; Naeem et al. 2020). What is near depends on the space: here the first
principal components of the pixels, which need no net trained elsewhere and see no meaning, only looks. A value says
something only beside its floor: the same measure between two sets of real images, equally many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
_ROWS = 1024  # of a matrix of distances held at once


@dataclass(frozen=True, slots=True)
class PixelSpace:
    """The first principal components of the pixels of a set of images.

    Attributes:
        mean: (pixels,). axes: (pixels, k), orthonormal.
    """

    mean: Points
    axes: Points

    @classmethod
    def learn(cls, images: NDArray[np.float32], *, components: int = 48) -> PixelSpace:
        """From images, (n, channels, height, width); fewer components where there are fewer images or pixels."""
        flat = images.reshape(len(images), -1).astype(np.float64)
        mean = flat.mean(axis=0)
        _, axes = np.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
        return cls(mean, axes[:, ::-1][:, : min(components, len(flat) - 1)])

    def of(self, images: NDArray[np.float32]) -> Points:
        """(n, channels, height, width) -> (n, k)."""
        return (images.reshape(len(images), -1).astype(np.float64) - self.mean) @ self.axes


@dataclass(frozen=True, slots=True)
class Likeness:
    """How two sets of images overlap, each 0 to 1 but `density`, which may be above.

    Attributes:
        precision: Share of synthetic images within the real ones' balls. recall: Share of real images within the
            synthetic ones'. density: Real balls around each synthetic image, in k-ths. coverage: Share of real images
            whose own ball holds a synthetic image.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def likeness(real: Points, fake: Points, *, k: int = 5) -> Likeness:
    """Compare two sets of points, (n, d) and (m, d), both of more than `k`.

    Raises:
        ValueError: a set is too small to have a k-th neighbour.
    """
    if min(len(real), len(fake)) <= k:
        raise ValueError(f"each set needs more than {k} points")
    real_radius, fake_radius = radii(real, k=k), radii(fake, k=k)
    precise, balls = 0, 0
    recalled = np.zeros(len(real), dtype=bool)
    closest = np.full(len(real), np.inf)
    for start in range(0, len(fake), _ROWS):
        block = distances(fake[start : start + _ROWS], real)
        inside = block <= real_radius
        precise += int(inside.any(axis=1).sum())
        balls += int(inside.sum())
        recalled |= (block <= fake_radius[start : start + _ROWS, None]).any(axis=0)
        closest = np.minimum(closest, block.min(axis=0))
    m = len(fake)
    return Likeness(precise / m, float(recalled.mean()), balls / (k * m), float((closest <= real_radius).mean()))


def radii(points: Points, *, k: int) -> Points:
    """Distance of each point to its k-th nearest other: (n,)."""
    found = [
        np.partition(distances(points[start : start + _ROWS], points), k, axis=1)[:, k]  # the 0-th is the point itself
        for start in range(0, len(points), _ROWS)
    ]
    return np.concatenate(found)


def distances(a: Points, b: Points) -> Points:
    """Euclidean: (n, d), (m, d) -> (n, m)."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def nearest(queries: Points, points: Points) -> tuple[Points, NDArray[np.int64]]:
    """Distance to, and position of, each query's nearest point: (q,), (q,)."""
    near, at = [np.empty(0)], [np.empty(0, dtype=np.int64)]
    for start in range(0, len(queries), _ROWS):
        block = distances(queries[start : start + _ROWS], points)
        at.append(block.argmin(axis=1))
        near.append(block.min(axis=1))
    return np.concatenate(near), np.concatenate(at)
