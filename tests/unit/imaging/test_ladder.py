"""A space must notice what was done to real images, or it has no say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from semblance.imaging.spaces.ladder import climb
from semblance.imaging.spaces.looks import RAW, Looks, shrink

Pixels = NDArray[np.float32]


def blobs(n: int, *, seed: int) -> Pixels:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(n, 1, 28, 28)), (0, 0, 1.5, 1.5))
    bounded: Pixels = np.clip(field / (3 * field.std()), -1, 1).astype(np.float32)
    return bounded


@pytest.mark.parametrize("name", list(RAW))
def test_a_space_that_sees_climbs(name: str) -> None:
    raw, even = RAW[name]
    train, held = blobs(250, seed=0), blobs(200, seed=1)
    held[::2] += 0.3  # a class of its own, and in training as well
    train[::2] += 0.3
    other = blobs(250, seed=5)
    other[::2] += 0.3
    space = Looks.learn(raw, other, components=12, even=even)
    ladder = climb(space, space.of(train), held, np.arange(200) % 2, np.random.default_rng(0))
    assert set(ladder.rungs) == {"blur", "noise", "duplicates", "lost class"}
    assert ladder.failed == ()


def test_a_space_that_sees_the_mean_alone_fails() -> None:
    def mean(images: Pixels) -> NDArray[np.float64]:
        return np.repeat(images.mean(axis=(1, 2, 3), dtype=np.float64)[:, None], 3, axis=1)

    train = blobs(250, seed=0)
    space = Looks.learn(mean, train, components=1, even=False)
    ladder = climb(space, space.of(train), blobs(200, seed=1), None, np.random.default_rng(0))
    assert "blur" in ladder.failed
    assert "lost class" not in ladder.rungs


def test_large_images_become_small_ones() -> None:
    image = np.arange(2 * 70 * 64, dtype=np.float32).reshape(1, 2, 70, 64)
    small = shrink(image)
    assert small.shape == (1, 2, 23, 21)
    assert small[0, 0, 0, 0] == pytest.approx(image[0, 0, :3, :3].mean())
