"""Images as points, for distances between whole sets of them: what their pixels show, and what random filters see.

Both see no meaning. Each is the first principal components of the training images, so that few images suffice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from semblance.imaging.spaces.random_filters import SEEDS, RandomFilters

Pixels = NDArray[np.float32]
Floats = NDArray[np.float64]
Raw = Callable[[Pixels], Floats]
"""Images, (n, channels, height, width), -1 to 1 -> (n, features)."""

SIDE = 32
BLUR = 0.5
"""Of the small images, in pixels."""


@dataclass(frozen=True, eq=False)
class Looks:
    """The first principal components of some features, and how much of an image they leave over.

    Without the last, a space of few components is blind to noise: it lies beside all of them.

    Attributes:
        raw: Takes the features. mean, scale: (features,). axes: (features, k).
    """

    raw: Raw
    mean: Floats
    scale: Floats
    axes: Floats

    @classmethod
    def learn(cls, raw: Raw, images: Pixels, *, components: int, even: bool) -> Looks:
        """From real images. PRIVACY: mean and axes of them; for the time of an audit only.

        Args:
            even: Bring each feature to variance 1 first.
        """
        found = raw(images)
        mean, scale = found.mean(axis=0), np.ones(found.shape[1])
        if even:
            spread = found.std(axis=0)
            scale = np.where(spread > 1e-9, spread, np.inf)
        centred = (found - mean) / scale
        _, axes = np.linalg.eigh(centred.T @ centred)
        return cls(raw, mean, scale, axes[:, ::-1][:, :components])

    def of(self, images: Pixels) -> Floats:
        """(n, channels, height, width) -> (n, k + 1)."""
        centred = (self.raw(images) - self.mean) / self.scale
        points = centred @ self.axes
        left = np.maximum((centred**2).sum(axis=1) - (points**2).sum(axis=1), 0)
        return np.column_stack([points, np.sqrt(left)])


def pixels(images: Pixels) -> Floats:
    """Blurred pixels of at most 32 × 32, all channels."""
    small = shrink(images)
    return ndimage.gaussian_filter(small, (0, 0, BLUR, BLUR)).reshape(len(small), -1).astype(np.float64)


def random(images: Pixels) -> Floats:
    """Mean and spread over all places of what the random filters of three seeds see, in both layers."""
    small = shrink(images)
    parts = [RandomFilters.draw(seed, channels=small.shape[1]).spread(small) for seed in SEEDS]
    return np.concatenate(parts, axis=1).astype(np.float64)


RAW: dict[str, tuple[Raw, bool]] = {"pixels": (pixels, False), "random": (random, True)}
"""By name, and whether the features are to count evenly."""


def shrink(images: Pixels) -> Pixels:
    """At most 32 pixels high and wide, by means over what falls together."""
    factor = max(1, -(-max(images.shape[2:]) // SIDE))
    if factor == 1:
        return images
    n, channels, high, wide = images.shape
    cut = images[:, :, : high // factor * factor, : wide // factor * factor]
    parts = cut.reshape(n, channels, high // factor, factor, wide // factor, factor)
    return np.asarray(parts.mean(axis=(3, 5)), dtype=np.float32)
