"""Distances between clouds of points: known answers, and no bias where none is promised."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.imaging.frechet import frechet, frechet_at_infinity, kernel, kernel_distance


def test_frechet_of_a_shift_and_of_a_stretch() -> None:
    a = np.random.default_rng(0).normal(size=(500, 3))
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, a + np.array([3, 0, 0])) == pytest.approx(9)
    centred = a - a.mean(axis=0)
    # Of N(0, C) and N(0, 4 C) it is tr(C + 4 C - 2 · 2 C) = tr C.
    assert frechet(centred, 2 * centred) == pytest.approx(np.trace(np.cov(a.T)))


def test_endless_many_points_have_less_bias() -> None:
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(size=(200, 10)), rng.normal(size=(200, 10))) for _ in range(10)]
    plain = np.mean([frechet(a, b) for a, b in pairs])
    endless = np.mean([frechet_at_infinity(a, b, rng) for a, b in pairs])
    assert plain > 0.2
    assert abs(endless) < plain / 4


def test_kernel_distance_has_no_bias_and_sees_a_shift() -> None:
    rng = np.random.default_rng(2)

    def distance(shift: float) -> float:
        both = np.concatenate([rng.normal(size=(60, 4)), rng.normal(size=(40, 4)) + shift])
        return kernel_distance(kernel(both, both), np.arange(100) < 60)

    null = np.array([distance(0.0) for _ in range(300)])
    assert abs(null.mean()) < 3 * null.std() / np.sqrt(len(null))
    assert distance(1.0) > null.max()
