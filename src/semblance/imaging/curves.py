"""The simplest way from one kind of image to another: every brightness becomes another brightness.

Of two pools that are no pairs, the curve that makes the histogram of one that of the other can rise or fall: a bone is
bright in two kinds of X-ray, and water is dark in one sequence of an MRI and bright in the next. Which of the two it is
cannot be read from histograms. Where scans of a kind agree about what lies where, as heads do that lie in the scanner
the same way, the mean images of the two kinds tell: what is bright at a place in one is dark there in the other. Where
they do not, small neighbourhoods are turned both ways and compared with the other kind's by the sliced Wasserstein
distance (Rabin et al. 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.imaging.body import body_of, core_of

Floats = NDArray[np.float64]
Unit = NDArray[np.float32]

SHARED, FEWEST_PLACES = 0.9, 50
"""A place counts where so many of the images of each kind show something; places that there must be."""
AGREE, CLEAR = 0.5, 0.3
"""Correlation of the mean images of two halves of a kind from which on it has a layout; of the two kinds, to decide."""
KNOTS = 65
SIDE = 5
"""Of a neighbourhood, in pixels."""
PATCHES = 4000
DIRECTIONS = 64
MOST = 200_000
"""Pixels that a histogram is made of, at most."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Brightness for brightness, -1 to 1.

    Attributes:
        places: What evenly spaced values become: (KNOTS,). falls: Whether bright becomes dark.
        distance: Of neighbourhoods turned so to those of the other kind; `other`: of those turned the opposite way.
    """

    places: Unit
    falls: bool
    distance: float
    other: float

    def apply(self, images: Unit) -> Unit:
        """(n, channels, h, w) -> the same shape; what is around the body stays as it is."""
        return bent(images, self.places, body_of(images))


STRAIGHT = Curve(np.linspace(-1, 1, KNOTS, dtype=np.float32), False, 0.0, 0.0)
"""Changes nothing."""


def find_curve(first: Unit, second: Unit, rng: np.random.Generator, *, falls: bool | None = None) -> Curve:
    """From the first kind to the second, rising or falling, whichever makes the kinds more alike.

    Args:
        first, second: (n, channels, h, w) each, -1 to 1. falls: Whether bright becomes dark, where that is known.
    """
    body, other = body_of(first), body_of(second)
    aims = neighbourhoods(second, core_of(other), rng)
    values = [images[np.broadcast_to(core_of(b), images.shape)] for images, b in ((first, body), (second, other))]
    ways = {down: match(*values, falls=down, rng=rng) for down in (False, True)}
    made = {}
    for down, places in ways.items():
        turned = neighbourhoods(bent(first, places, body), core_of(body), rng)
        made[down] = sliced_distance(turned, aims, rng)
    if falls is None:
        told = layout(first, second, rng)
        falls = made[True] < made[False] if told is None else told < 0
    return Curve(ways[falls], falls, made[falls], made[not falls])


def layout(first: Unit, second: Unit, rng: np.random.Generator) -> float | None:
    """How the mean images of two kinds go together, place by place: a correlation; None where it is not clear.

    It is clear where both kinds have a layout of their own: random halves of their images have like means.
    """
    shown = [np.broadcast_to(body_of(images), images.shape) for images in (first, second)]
    common = np.logical_and(*((mask.mean(axis=0) >= SHARED) for mask in shown))
    if common.sum() < FEWEST_PLACES or min(len(first), len(second)) < 2:
        return None
    means = [_mean(images, mask)[common] for images, mask in zip((first, second), shown, strict=True)]
    for images, mask in zip((first, second), shown, strict=True):
        order = rng.permutation(len(images))
        halves = [_mean(images[rows], mask[rows])[common] for rows in np.array_split(order, 2)]
        if _correlation(*halves) < AGREE:
            return None
    found = _correlation(*means)
    return found if abs(found) >= CLEAR else None


def _mean(images: Unit, shown: NDArray[np.bool_]) -> Floats:
    """The mean of what is shown at each place: (channels, h, w)."""
    total = np.where(shown, images, 0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(shown.sum(axis=0), 1))


def _correlation(one: Floats, other: Floats) -> float:
    if min(one.std(), other.std()) < 1e-6:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def bent(images: Unit, places: Unit, body: NDArray[np.bool_]) -> Unit:
    """The curve inside the body: images (n, channels, h, w), body (n, 1, h, w)."""
    return np.where(body, np.interp(images, np.linspace(-1, 1, KNOTS), places), images).astype(np.float32)


def match(first: Unit, second: Unit, *, falls: bool, rng: np.random.Generator) -> Unit:
    """Places of evenly spaced values, so that the histogram of values of one kind becomes the other's: (KNOTS,)."""
    shares = np.linspace(0, 1, 513)
    found = [np.quantile(some(values, rng), shares) for values in (first, second)]
    ranks = np.interp(np.linspace(-1, 1, KNOTS), found[0], shares)
    return np.interp(1 - ranks if falls else ranks, shares, found[1]).astype(np.float32)


def some(values: Unit, rng: np.random.Generator) -> Floats:
    """No more values than are needed: (n,)."""
    if not values.size:
        return np.array([-1.0, 1.0])
    return np.asarray(rng.choice(values, MOST) if values.size > MOST else values, dtype=np.float64)


def neighbourhoods(images: Unit, body: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Random squares of pixels of the body, of the images and of the images at half the size: (n, values)."""
    found = []
    for scale, inside in ((images, body), (halved(images), halved(body.astype(np.float32)) > 0.5)):
        n, _, height, width = scale.shape
        if min(height, width) <= SIDE:
            continue
        number, y, x = (rng.integers(0, top, 4 * PATCHES) for top in (n, height - SIDE + 1, width - SIDE + 1))
        held = inside[number, 0, y + SIDE // 2, x + SIDE // 2]
        rows, columns = np.arange(SIDE)[:, None], np.arange(SIDE)
        squares = scale[number[:, None, None], :, y[:, None, None] + rows, x[:, None, None] + columns]
        found.append(squares[held if held.any() else slice(None)][:PATCHES].reshape(-1, SIDE * SIDE * scale.shape[1]))
    return np.concatenate(found).astype(np.float64)


def halved(images: Unit) -> Unit:
    """The mean of 2 × 2 pixels; an odd last row or column is dropped."""
    height, width = images.shape[2] // 2 * 2, images.shape[3] // 2 * 2
    n, channels = images.shape[:2]
    squares = images[:, :, :height, :width].reshape(n, channels, height // 2, 2, width // 2, 2)
    return np.asarray(squares.mean(axis=(3, 5)), dtype=np.float32)


def sliced_distance(first: Floats, second: Floats, rng: np.random.Generator) -> float:
    """The mean over random directions of how far sorted projections are from each other: (n, k), (m, k)."""
    directions = rng.standard_normal((first.shape[1], DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    shares = np.linspace(0, 1, 257)
    a, b = (np.quantile(points @ directions, shares, axis=0) for points in (first, second))
    return float(np.abs(a - b).mean())
