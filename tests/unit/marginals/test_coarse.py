from __future__ import annotations

import numpy as np
import pytest

from semblance.marginals.coarse import Levels, Merge, find_levels, merged, repeated
from semblance.marginals.estimate import Measurement, fit


def test_wide_cells_hold_the_sum_of_their_narrow_ones() -> None:
    values = np.arange(24.0).reshape(4, 6)
    rows, columns = Merge.of(np.array([1, 0, 1, 0], dtype=np.int32)), Merge.of(np.repeat([0, 1], 3).astype(np.int32))
    wide = merged(values, (rows, columns))
    assert wide.shape == (2, 2)
    assert wide[0, 0] == values[[1, 3], :3].sum()
    assert wide.sum() == values.sum()
    assert np.array_equal(
        merged(values, (None, columns)), np.column_stack([values[:, :3].sum(1), values[:, 3:].sum(1)])
    )
    assert np.array_equal(merged(values, ()), values)


def test_repeating_is_what_merging_is_turned_round() -> None:
    rng = np.random.default_rng(0)
    fine, wide = rng.normal(size=(5, 7)), rng.normal(size=(2, 3))
    merges = (Merge.of(np.array([0, 1, 1, 0, 1], np.int32)), Merge.of(np.array([2, 0, 0, 1, 2, 1, 2], np.int32)))
    assert np.vdot(merged(fine, merges), wide) == pytest.approx(np.vdot(fine, repeated(wide, merges)))


def test_numbers_are_merged_with_their_neighbours_and_labels_with_the_rare() -> None:
    number = np.array([*[10.0] * 32, 40.0, 5.0])  # missing and unknown are the last two
    label = np.array([1.0, 50.0, 3.0, 40.0, 2.0, 30.0])
    levels = find_levels([number, label], [32, 0])
    groups = levels.columns[2][0].groups  # at most 4
    assert (np.diff(groups[:32]) >= 0).all()
    assert len(set(groups[:32])) == 2
    assert len({*groups[32:], *groups[:32]}) == 4
    rare = levels.columns[2][1].groups
    assert len({rare[i] for i in (1, 3, 5)}) == 3
    assert len({rare[i] for i in (0, 2, 4)}) == 1
    assert levels.columns[0][1] is None


def test_a_level_that_changes_nothing_is_not_asked_for() -> None:
    levels = find_levels([np.ones(40), np.ones(3), np.ones(10)], [0, 0, 0])
    assert levels.different((0, 1)) == [0, 1, 2, 3]
    assert levels.different((1, 2)) == [0, 2, 3]
    assert levels.different((0,)) == [0]
    assert Levels((4, 4)).different((0, 1)) == [0]
    assert [levels.cells((0, 2), level) for level in range(4)] == [400, 160, 64, 16]


def test_a_coarse_marginal_is_fitted_and_the_shape_inside_a_wide_cell_is_kept() -> None:
    half = Merge.of(np.array([0, 0, 1, 1], dtype=np.int32))
    shares = np.array([400.0, 100.0, 300.0, 200.0])
    measured = [Measurement((0,), shares, 1.0), Measurement((1,), shares, 1.0)]
    measured.append(Measurement((0, 1), np.array([[450.0, 50.0], [50.0, 450.0]]), 1.0, 1, (half, half)))
    found = 1000 * fit(measured, (4, 4), steps=2000, tolerance=0.0).marginal((0, 1))
    assert merged(found, (half, half)) == pytest.approx(measured[-1].counts, abs=1.0)
    assert found.sum(axis=1) == pytest.approx(shares, abs=1.0)
    assert found[:2, :2] == pytest.approx(np.outer([0.8, 0.2], [0.8, 0.2]) * 450, abs=1.5)
