"""Columns that another one settles: found where they are and only there, without one patient's exception."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.data.dependents import Dependent, find_dependents

N = 3000
PATIENTS = np.arange(N)


def table(*columns: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return np.column_stack(columns).astype(np.int32)


def test_a_group_hangs_on_the_finer_column_and_one_name_on_another() -> None:
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 9, N)
    other = rng.permutation(9)[fine]  # the same in other words
    found = find_dependents(table(fine // 3, fine, other), (3, 9, 9), PATIENTS, min_patients=11)
    assert [(d.at, d.on) for d in found] == [(0, 1), (2, 1)]
    assert np.array_equal(found[0].chances.argmax(axis=1), np.arange(9) // 3)
    assert np.allclose(found[0].chances.sum(axis=1), 1)


@pytest.mark.parametrize("spoiled", [0.1, 0.5])
def test_a_column_that_is_only_likely_is_learned(spoiled: float) -> None:
    rng = np.random.default_rng(1)
    fine = rng.integers(0, 9, N)
    coarse = np.where(rng.random(N) < spoiled, rng.integers(0, 3, N), fine // 3)
    assert not find_dependents(table(fine, coarse), (9, 3), PATIENTS, min_patients=11)


def test_a_column_that_hardly_varies_hangs_on_nothing() -> None:
    rng = np.random.default_rng(2)
    rare = (np.arange(N) < 20).astype(int)
    assert not find_dependents(table(rng.integers(0, 9, N), rare), (9, 2), PATIENTS, min_patients=11)


@pytest.mark.parametrize(("patients", "kept"), [(4, False), (12, True)])
def test_an_exception_is_kept_only_where_enough_patients_share_it(patients: int, kept: bool) -> None:
    """By patients, not by rows: four with three rows each are four."""
    fine = np.arange(N) % 6
    coarse = fine // 2
    odd = np.flatnonzero(fine == 0)[:12]
    coarse[odd] = 2
    of = PATIENTS.copy()
    of[odd] = of[odd[np.arange(12) % patients]]
    (found,) = find_dependents(table(fine, coarse), (6, 3), of, min_patients=11)
    assert bool(found.chances[0, 2] > 0) is kept


def test_unknown_cells_are_not_held_against_it_and_cells_never_seen_have_chances() -> None:
    fine = np.arange(N) % 6
    codes = table(fine, fine // 2)
    codes[:5, 1] = -1
    (found,) = find_dependents(codes, (8, 3), PATIENTS, min_patients=11)
    assert np.allclose(found.chances.sum(axis=1), 1)
    assert found.chances.shape == (8, 3)


def test_it_is_the_same_after_writing_and_reading() -> None:
    told = Dependent(2, 0, np.array([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]))
    again = Dependent.from_dict(told.to_dict())
    assert (again.at, again.on) == (2, 0)
    assert np.array_equal(again.chances, told.chances)


def test_one_column_hangs_on_none() -> None:
    assert find_dependents(table(np.arange(N) % 3), (3,), PATIENTS, min_patients=11) == ()
