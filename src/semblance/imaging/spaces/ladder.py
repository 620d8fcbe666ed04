"""What a space must notice before it may judge: real images that were spoilt on purpose, the more the worse.

A space whose distance does not grow with the damage has no say about synthetic images, whatever it would say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from semblance.imaging.frechet import frechet
from semblance.imaging.spaces.looks import Looks

Pixels = NDArray[np.float32]
Floats = NDArray[np.float64]

BLURS, NOISES = (0.03, 0.08), (0.05, 0.15)
"""Standard deviations, in shares of the height, and of the range from darkest to brightest."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Fréchet distances of held-out real images from training images, by what was done to the held-out ones.

    Attributes:
        floor: Nothing was done. rungs: By kind, in order of strength.
    """

    floor: float
    rungs: Mapping[str, tuple[float, ...]]

    @property
    def failed(self) -> tuple[str, ...]:
        """The kinds whose distances do not rise from the floor, step by step."""
        steps = {name: np.diff([self.floor, *found]) for name, found in self.rungs.items()}
        return tuple(name for name, rise in steps.items() if (rise <= 0).any())


def climb(
    space: Looks, real: Floats, held: Pixels, classes: NDArray[np.int64] | None, rng: np.random.Generator
) -> Ladder:
    """Spoil held-out images in four ways and see whether the space notices.

    Args:
        real: Training images in the space, (n, k). held: (m, channels, height, width), -1 to 1.
        classes: Of the held-out images, (m,); None, or one class only, leaves the rung of a lost class out.
    """
    m = len(held)

    def apart(images: Pixels) -> float:
        return frechet(real, space.of(images))

    high = held.shape[2]
    blurred = [ndimage.gaussian_filter(held, (0, 0, share * high, share * high)) for share in BLURS]
    grain = rng.normal(size=held.shape).astype(np.float32)
    noisy = [np.clip(held + 2 * share * grain, -1, 1) for share in NOISES]
    rungs = {"blur": tuple(map(apart, blurred)), "noise": tuple(map(apart, noisy))}
    rungs["duplicates"] = (apart(held[rng.permutation(m)[: m // 2][np.arange(m) % (m // 2)]]),)
    if classes is not None and len(np.unique(classes)) > 1:
        largest = int(np.bincount(classes).argmax())
        others = np.flatnonzero(classes != largest)
        rungs["lost class"] = (apart(held[others[np.arange(m) % len(others)]]),)
    return Ladder(apart(held), rungs)
