"""Images that are in a set twice: found when they are, not found when they are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from semblance.scans.duplicates import LIMIT, SIDE, find_exact, find_near

Picture = NDArray[np.float64]
N, PLANTED = 150, 15


def anatomy(n: int, *, seed: int) -> NDArray[np.float32]:
    """Images that share a body and differ in smooth detail, as radiographs of many patients do: (n, SIDE, SIDE)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    body = 150 * np.exp(-2 * x**2 - y**2)
    detail = ndimage.gaussian_filter(rng.normal(size=(n, SIDE, SIDE)), (0, 2, 2)) * 150
    return np.clip(body + detail + 40, 0, 255).astype(np.float32)


def shifted(image: Picture, rng: np.random.Generator) -> Picture:
    return np.asarray(ndimage.shift(image, (0, 2), order=1, mode="nearest"))


CHANGES: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "brighter": lambda image, rng: image + 40,
    "less contrast": lambda image, rng: 0.6 * image + 50,
    "gamma": lambda image, rng: 255 * (np.clip(image, 0, 255) / 255) ** 1.3,
    "noisy": lambda image, rng: image + rng.normal(0, 6, image.shape),
    "shifted by 7 %": shifted,
    "shifted, brighter, noisy": lambda image, rng: shifted(image, rng) * 0.9 + 30 + rng.normal(0, 4, image.shape),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_altered_copies_are_found(change: str) -> None:
    images = anatomy(N, seed=1)
    rng = np.random.default_rng(2)
    rows = rng.choice(N, PLANTED, replace=False)
    copies = np.stack([CHANGES[change](images[row].astype(np.float64), rng) for row in rows])
    pairs = find_near(np.concatenate([images, np.clip(copies, 0, 255).astype(np.float32)]))
    found = {(pair.first, pair.second) for pair in pairs}
    planted = {(int(row), N + k) for k, row in enumerate(rows)}
    assert len(planted & found) >= 0.9 * PLANTED
    assert not found - planted
    assert all(0 <= pair.ratio < LIMIT for pair in pairs)


@pytest.mark.parametrize("seed", range(3))
def test_independent_images_are_not(seed: int) -> None:
    assert find_near(anatomy(N, seed=10 + seed)) == []


def test_a_pair_is_told_once_nearest_first() -> None:
    images = anatomy(50, seed=3)
    images[10] = images[3] + 1
    images[30] = images[4] + np.random.default_rng(0).normal(0, 5, (SIDE, SIDE))
    pairs = find_near(images)
    assert [(pair.first, pair.second) for pair in pairs] == [(3, 10), (4, 30)]


def test_exact_repeats_point_to_the_first() -> None:
    images = anatomy(6, seed=4)
    images[[2, 5]] = images[1]
    assert find_exact(images).tolist() == [0, 1, 1, 3, 4, 1]


def test_few_images_and_even_ones_are_no_trouble() -> None:
    assert find_near(anatomy(5, seed=0)) == []
    assert find_exact(anatomy(0, seed=0)).tolist() == []
    blank = np.zeros((20, SIDE, SIDE), dtype=np.float32)
    assert all(np.isfinite(pair.ratio) for pair in find_near(blank))
