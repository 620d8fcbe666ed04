"""Copies of real images, changed as a careless or a sly copyist would: what a detector of copies must find.

Strengths are those of images of 28 pixels, and grow with the image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Pixels = NDArray[np.float32]
Change = Callable[[Pixels, np.random.Generator], Pixels]
"""Images, (n, c, h, w), -1 to 1, each changed once."""


def repeat(images: Pixels, rng: np.random.Generator) -> Pixels:
    """As they are."""
    return images.copy()


def noise(images: Pixels, rng: np.random.Generator, *, share: float = 0.05) -> Pixels:
    """Normal noise with a standard deviation of this share of the whole range."""
    return _bounded(images + rng.normal(0, 2 * share, images.shape))


def flip(images: Pixels, rng: np.random.Generator) -> Pixels:
    """Left and right exchanged."""
    return np.ascontiguousarray(images[:, :, :, ::-1])


def shift(images: Pixels, rng: np.random.Generator, *, most: float = 3 / 28) -> Pixels:
    """Moved by up to this share of the height and width, the edge repeated."""
    return _cropped(images, np.ones(len(images)), rng.uniform(-most, most, (len(images), 2)))


def gamma(images: Pixels, rng: np.random.Generator, *, most: float = 0.4) -> Pixels:
    """Brightness to a power between exp(-most) and exp(most)."""
    power = np.exp(rng.uniform(-most, most, (len(images), 1, 1, 1)))
    return _bounded(((np.clip(images, -1, 1) + 1) / 2) ** power * 2 - 1)


def crop(images: Pixels, rng: np.random.Generator, *, least: float = 0.8) -> Pixels:
    """A part anywhere, of this share of the area or more, enlarged to the whole."""
    side = np.sqrt(rng.uniform(least, 1, len(images)))
    return _cropped(images, side, rng.uniform(-0.5, 0.5, (len(images), 2)) * (1 - side)[:, None])


def together(images: Pixels, rng: np.random.Generator) -> Pixels:
    """Cropped to nine tenths or more, mirrored, with another gamma, and a little noise, one after the other."""
    return noise(gamma(flip(crop(images, rng, least=0.9), rng), rng), rng, share=0.03)


CHANGES: Mapping[str, Change] = {
    "same": repeat,
    "noise": noise,
    "flip": flip,
    "shift": shift,
    "gamma": gamma,
    "crop": crop,
    "together": together,
}


def _bounded(images: NDArray[np.float64] | Pixels) -> Pixels:
    return np.clip(images, -1, 1).astype(np.float32)


def _cropped(images: Pixels, side: NDArray[np.float64], away: NDArray[np.float64]) -> Pixels:
    """The part of each image of this side, whose middle lies so far from the image's: shares of height and width."""
    changed = np.empty_like(images)
    high, wide = images.shape[2:]
    for i, image in enumerate(images):
        down = (0.5 + away[i, 0] + ((np.arange(high) + 0.5) / high - 0.5) * side[i]) * high - 0.5
        right = (0.5 + away[i, 1] + ((np.arange(wide) + 0.5) / wide - 0.5) * side[i]) * wide - 0.5
        places = np.meshgrid(down, right, indexing="ij")
        for channel in range(len(image)):
            changed[i, channel] = ndimage.map_coordinates(image[channel], places, order=1, mode="nearest")
    return changed
