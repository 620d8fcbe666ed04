"""Collapse of every kind is seen, and variety is not taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semblance.imaging.collapse import FEWEST, compare_variety, measure_variety

RNG = np.random.default_rng(0)


def draws(n: int) -> NDArray[np.float32]:
    """Images of a few smooth patterns, mixed at random."""
    patterns = np.random.default_rng(9).normal(size=(6, 1, 8, 8))
    return np.tensordot(RNG.normal(size=(n, 6)), patterns, axes=1).astype(np.float32)


def test_fresh_images_vary_as_real_ones_do() -> None:
    assert compare_variety(draws(200), draws(200)) > 0.85


def test_one_image_over_and_over_has_no_variety() -> None:
    assert compare_variety(draws(100), np.repeat(draws(1), 100, axis=0)) < 1e-6


def test_a_few_images_over_and_over_are_found_by_their_nearest() -> None:
    few = np.repeat(draws(10), 10, axis=0) + RNG.normal(0, 0.01, (100, 1, 8, 8)).astype(np.float32)
    assert compare_variety(draws(100), few) < 0.1


def test_pale_variety_is_told_by_its_share() -> None:
    assert compare_variety(draws(200), 0.5 * draws(200)) == pytest.approx(0.5, abs=0.08)


def test_the_label_that_collapsed_is_named() -> None:
    images, labels = draws(120), np.repeat([[0], [1]], 60, axis=0)

    def draw(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        made = draws(len(rows))
        made[rows[:, 0] == 1] = made[0]
        return made

    found = measure_variety(images, labels, draw, RNG)
    assert found.at == (1,)
    assert found.least < 0.01


def test_labels_of_few_images_say_nothing() -> None:
    images, labels = draws(FEWEST - 1), np.zeros((FEWEST - 1, 1), dtype=np.int64)
    found = measure_variety(images, labels, lambda rows: np.zeros((len(rows), 1, 8, 8), np.float32), RNG)
    assert found.least == 1.0
