"""Collapse is seen where it was planted, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semblance.data.modes import measure_modes

N = 4000


def clusters(rng: np.random.Generator, n: int, kinds: NDArray[np.int64]) -> NDArray[np.int32]:
    """Rows of six columns of ten cells, each near one of ten kinds."""
    kind = rng.choice(kinds, n)
    own = rng.random((n, 6)) < 0.8
    return np.where(own, (kind[:, None] + np.arange(6)) % 10, rng.integers(0, 10, (n, 6))).astype(np.int32)


@pytest.mark.parametrize("seed", range(20))
def test_a_fresh_real_sample_is_never_accused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = measure_modes(clusters(rng, N, np.arange(10)), clusters(rng, N, np.arange(10)), rng)
    assert found.modes > 150
    assert found.ratio > 0.98
    assert not found.single


@pytest.mark.parametrize("kept", [2, 5, 8])
def test_kinds_left_out_are_missed_in_proportion(kept: int) -> None:
    rng = np.random.default_rng(kept)
    found = measure_modes(clusters(rng, N, np.arange(10)), clusters(rng, N, np.arange(kept)), rng)
    assert found.ratio < 0.35 + 0.65 * kept / 10


def test_one_row_again_and_again_shows_next_to_nothing() -> None:
    rng = np.random.default_rng(1)
    found = measure_modes(clusters(rng, N, np.arange(10)), np.tile(np.arange(6, dtype=np.int32), (N, 1)), rng)
    assert found.ratio < 0.1
    assert found.single == tuple(range(6))


def test_columns_that_have_come_apart_lose_the_rare_pairs() -> None:
    """The right marginals are not enough: kinds of patients are pairs."""
    rng = np.random.default_rng(2)
    real = rng.integers(0, 20, (N, 1)).astype(np.int32).repeat(2, axis=1)
    apart = np.column_stack([rng.permutation(real[:, 0]), real[:, 1]])
    assert measure_modes(real, apart, rng).ratio < 0.7
    assert measure_modes(real, real[rng.permutation(N)], rng).ratio == pytest.approx(1.0)


def test_a_constant_column_and_unknown_cells_are_no_collapse() -> None:
    rng = np.random.default_rng(3)
    real = clusters(rng, N, np.arange(10))
    real[:, 0] = 0
    real[rng.random(N) < 0.3, 1] = -1
    fake = clusters(rng, N, np.arange(10))
    fake[:, 0] = 0
    found = measure_modes(real, fake, rng)
    assert not found.single
    assert found.ratio > 0.99


def test_a_table_too_small_to_have_modes_is_not_accused() -> None:
    few = np.arange(30, dtype=np.int32)[:, None]
    assert measure_modes(few, few, np.random.default_rng(0)).ratio == 1.0
