"""The curve of brightness that two pools suggest: rising or falling, told by what lies where, or by neighbourhoods."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semblance.imaging.curves import find_curve, layout

Unit = NDArray[np.float32]


def heads(n: int, *, seed: int, falls: bool, moved: float = 1.0) -> Unit:
    """Ovals with a spot, `moved` pixels from the middle: -1 outside, (n, 1, 24, 24)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:24, :24] - 11.5
    made = np.full((n, 1, 24, 24), -1.0, np.float32)
    for image in made[:, 0]:
        y, x = moved * rng.standard_normal(2)
        body = (rows / 10) ** 2 + (columns / 8) ** 2 < 1
        spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 18)
        value = 0.6 - 1.5 * spot + 0.15 * rng.standard_normal(spot.shape)
        image[body] = np.clip(-value if falls else value, -0.99, 0.99)[body]
    return made


@pytest.mark.parametrize("falls", [False, True])
def test_mean_images_tell_whether_bright_becomes_dark(falls: bool) -> None:
    first, second = heads(30, seed=1, falls=False), heads(30, seed=2, falls=falls)
    told = layout(first, second, np.random.default_rng(0))
    assert told is not None
    assert (told < -0.8) if falls else (told > 0.8)
    assert find_curve(first, second, np.random.default_rng(0)).falls is falls
    assert find_curve(first, second, np.random.default_rng(0), falls=not falls).falls is not falls


def test_images_without_a_layout_of_their_own_do_not_decide_by_it() -> None:
    """Of 100 pairs of pools of noise that is smooth, and so has mean images that go together by chance, none may."""
    decided = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        coarse = rng.uniform(-0.9, 0.9, (40, 1, 4, 4)).astype(np.float32)
        images = coarse.repeat(6, axis=2).repeat(6, axis=3)
        decided += layout(images[:20], images[20:], rng) is not None
    assert decided <= 5


def test_a_curve_leaves_background_where_it_is() -> None:
    first, second = heads(10, seed=1, falls=False), heads(10, seed=2, falls=True)
    turned = find_curve(first, second, np.random.default_rng(0)).apply(first)
    assert (turned[first == -1] == -1).all()
    inside = first > -0.9
    assert np.corrcoef(turned[inside], first[inside])[0, 1] < -0.8
