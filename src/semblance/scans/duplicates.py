"""Images that are in the set twice: pixel for pixel, or altered a little (brighter, noisier, compressed, shifted).

Two examinations of one patient look alike as well; what is sought here is one *image* under two names. How alike images
are by chance depends on the set, so that nearness is a ratio: the distance of an image to its nearest over that to its
tenth nearest (after Lowe 2004, who told matches from chance by the ratio to the second). Independent images seldom come
far below 1; an altered copy lies near 0.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from semblance.scans.thumbnails import standardise

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LIMIT = 0.35
"""Ratio below which two images count as near-duplicates. On chest radiographs of 28 pixels 38 to 40 of 40 copies that
were brightened, compressed, noisy (3 %) or shifted by 7 % lie below it, and none of 4,690 independent images."""
SIDE = 28
"""Pixels along the sides of the pictures that are compared."""
RANK = 10
"""The neighbour that nearness is measured against."""
PROMISING = 0.8
"""Ratio in the coarse search below which a pair is looked at closely."""
SLIDE = 2
"""By how many pixels (7 % of the side) one picture is slid over the other."""
COARSE_BLUR, FINE_BLUR = 1.6, 0.7
_ROWS = 1024  # of a matrix of likenesses held at once


@dataclass(frozen=True, slots=True)
class Pair:
    """Images `first` < `second`, by position; `ratio` is 0 for identical pixels, below `LIMIT` for near-duplicates."""

    first: int
    second: int
    ratio: float


def find_exact(pixels: Floats) -> Ints:
    """For each image the position of the first one with the same pixels; its own where there is none before: (n,)."""
    seen: dict[bytes, int] = {}
    firsts = (seen.setdefault(hashlib.sha256(image.tobytes()).digest(), row) for row, image in enumerate(pixels))
    return np.fromiter(firsts, dtype=np.int64, count=len(pixels))


def find_near(pictures: Floats) -> list[Pair]:
    """Near-duplicates among images of which no two are the same; nearest first.

    Time grows with the square of their number (10,000: some 20 seconds of one core), memory with the number. What is
    not found: copies turned by more than 2°, mirrored, or cropped by more than 5 %; altered copies of one image that
    are ten or more.

    Args:
        pictures: (n, SIDE, SIDE), as `thumbnails.shrink` makes them.
    """
    if len(pictures) < RANK + 2:
        return []
    near, ratio = _coarse(pictures)
    blurred = np.asarray(ndimage.gaussian_filter(pictures, (0, FINE_BLUR, FINE_BLUR)), dtype=np.float32)
    mean = standardise(_inside(blurred)).mean(axis=0)
    found: dict[tuple[int, int], float] = {}
    for row in np.flatnonzero(ratio < PROMISING).tolist():
        distances = _slid(blurred[row], blurred[near[row]], mean)
        best = int(distances.argmin())
        value = float(distances[best] / max(float(distances.max()), 1e-6))
        if value < LIMIT:
            other = int(near[row, best])
            pair = (min(row, other), max(row, other))
            found[pair] = min(value, found.get(pair, 1.0))
    return sorted((Pair(*pair, value) for pair, value in found.items()), key=lambda pair: (pair.ratio, pair.first))


def _coarse(pictures: Floats) -> tuple[Ints, Floats]:
    """The ten nearest of each image, and the ratio of the nearest to the tenth: (n, RANK), (n,).

    Each is compared as it is and slid in four ways; those slid the other way are found from the other image.
    """
    ways = ((0, 0), (SLIDE, 0), (0, SLIDE), (SLIDE, SLIDE), (SLIDE, -SLIDE))
    versions = [_coarse_features(pictures, way) for way in ways]
    mean = versions[0].mean(axis=0)
    versions = [_unit(version - mean) for version in versions]
    n = len(pictures)
    near, ratio = np.empty((n, RANK), dtype=np.int64), np.empty(n, dtype=np.float32)
    for start in range(0, n, _ROWS):
        rows = np.arange(start, min(start + _ROWS, n))
        alike = versions[0][rows] @ versions[0].T
        for version in versions[1:]:
            np.maximum(alike, version[rows] @ versions[0].T, out=alike)
        alike[np.arange(len(rows)), rows] = -2
        chosen = np.argpartition(-alike, RANK, axis=1)[:, :RANK]
        values = np.take_along_axis(alike, chosen, axis=1)
        near[rows] = chosen
        distances = np.sqrt(np.maximum(2 - 2 * values, 0))
        ratio[rows] = distances.min(axis=1) / np.maximum(distances.max(axis=1), 1e-6)
    return near, ratio


def _coarse_features(pictures: Floats, way: tuple[int, int]) -> Floats:
    slid = ndimage.shift(pictures, (0, *way), order=1, mode="nearest") if any(way) else pictures
    return standardise(np.asarray(ndimage.gaussian_filter(slid, (0, COARSE_BLUR, COARSE_BLUR))[:, ::2, ::2]))


def _unit(vectors: Floats) -> Floats:
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return scaled


def _inside(pictures: Floats, down: int = 0, right: int = 0) -> Floats:
    """What remains of pictures slid by up to SLIDE pixels."""
    rows, columns = (slice(SLIDE + by, SIDE - SLIDE + by) for by in (down, right))
    return pictures[..., rows, columns]


def _slid(picture: Floats, others: Floats, mean: Floats) -> Floats:
    """Distance of a picture to each other one at the best of all slides: (k,)."""
    own = _unit(standardise(_inside(picture)[None]) - mean)[0]
    best = np.full(len(others), -2.0, dtype=np.float32)
    for down in range(-SLIDE, SLIDE + 1):
        for right in range(-SLIDE, SLIDE + 1):
            np.maximum(best, _unit(standardise(_inside(others, down, right)) - mean) @ own, out=best)
    distances: Floats = np.sqrt(np.maximum(2 - 2 * best, 0))
    return distances
