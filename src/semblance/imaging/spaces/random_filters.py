"""Fixed random convolutions as a space: what no training has shaped still tells images apart (Naeem et al. 2020).

Two layers of 3 × 3 filters drawn from a seed, each made orthogonal, with rectifiers between; what remains of a place
is kept, so that two images are near where the same thing lies at the same place. Numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

WIDTHS = (16, 32)
SEEDS = (11, 12, 13)
"""Of the drawn filters: not secret, and the same for everybody, so that values can be compared."""
BLOCK = 512
"""Images at a time, which bounds the memory."""


@dataclass(frozen=True, eq=False)
class RandomFilters:
    """Filters of one seed.

    Attributes:
        layers: (9 · in, out) of each layer.
    """

    layers: tuple[Pixels, ...]

    @classmethod
    def draw(cls, seed: int, *, channels: int = 1) -> RandomFilters:
        """The filters that everybody draws from this seed."""
        rng = np.random.Generator(np.random.PCG64(seed))
        layers, width = [], channels
        for wide in WIDTHS:
            drawn = rng.normal(size=(9 * width, wide))
            rows, columns = drawn.shape
            turned = np.linalg.qr(drawn if rows >= columns else drawn.T)[0]
            layers.append(((turned if rows >= columns else turned.T) * np.sqrt(2.0)).astype(np.float32))
            width = wide
        return cls(tuple(layers))

    def of(self, images: Pixels) -> Pixels:
        """Squares, (n, channels, side, side), side at least 16 -> (n, 512): a map of 4 × 4 places, of length 1."""
        found = [self._block(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
        return np.concatenate(found) if found else np.empty((0, 16 * WIDTHS[-1]), dtype=np.float32)

    def spread(self, images: Pixels) -> Pixels:
        """(n, channels, height, width) -> (n, 96): mean, and standard deviation, of each filter over all places."""
        found = [self._spread(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
        return np.concatenate(found) if found else np.empty((0, 2 * sum(WIDTHS)), dtype=np.float32)

    def _spread(self, images: Pixels) -> Pixels:
        h, told = np.moveaxis(images, 1, -1), []
        for layer in self.layers:
            h = np.maximum(_patches(h) @ layer, 0)
            told += [h.mean(axis=(1, 2)), h.std(axis=(1, 2))]
            h = halve(h)
        return np.concatenate(told, axis=1)

    def _block(self, images: Pixels) -> Pixels:
        h = np.moveaxis(images, 1, -1)
        for layer in self.layers:
            h = halve(np.maximum(_patches(h) @ layer, 0))
        side = h.shape[1] // 4
        places = h[:, : 4 * side, : 4 * side].reshape(len(h), 4, side, 4, side, -1).mean(axis=(2, 4))
        flat = places.reshape(len(h), -1)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        return np.asarray(flat / np.maximum(length, 1e-6), dtype=np.float32)


def halve(maps: Pixels) -> Pixels:
    """Means of two by two places: (n, h, w, c) -> (n, h // 2, w // 2, c)."""
    n, high, wide, channels = maps.shape
    even = maps[:, : high // 2 * 2, : wide // 2 * 2]
    return np.asarray(even.reshape(n, high // 2, 2, wide // 2, 2, channels).mean(axis=(2, 4)), dtype=np.float32)


def _patches(maps: Pixels) -> Pixels:
    """The 3 × 3 neighbours of each place, the edge repeated: (n, h, w, c) -> (n, h, w, 9 · c)."""
    wide = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    high, across = maps.shape[1:3]
    near = [wide[:, i : i + high, j : j + across] for i in range(3) for j in range(3)]
    return np.concatenate(near, axis=-1)
