"""Every small set of columns, against counting by hand and by brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.disclosure_risk import lattice
from semblance.disclosure_risk.lattice import search
from semblance.disclosure_risk.patients import Patients
from semblance.schema import Column


def patients_of(codes: np.ndarray) -> Patients:
    columns = tuple(Column(f"c{j}", "category") for j in range(codes.shape[1]))
    return Patients(columns, codes, codes.max(axis=0, initial=-1) + 1, np.arange(len(codes)))


def share_alone(codes: np.ndarray) -> float:
    _, counts = np.unique(codes, axis=0, return_counts=True)
    return float((counts == 1).sum() / len(codes))


def test_a_table_counted_by_hand() -> None:
    #             sex  age
    codes = np.array([[0, 0], [0, 0], [0, 1], [1, 1], [1, 2]])
    found = search(patients_of(codes))
    assert found.shares == {(0,): 0.0, (0, 1): 0.6, (1,): 0.2}
    assert found.worst == (0, 1)
    assert found.gains(0) == [0.0, pytest.approx(0.4)]
    assert found.gains(1) == [pytest.approx(0.2), pytest.approx(0.6)]


@given(
    rows=st.lists(st.lists(st.integers(0, 6), min_size=6, max_size=6), min_size=1, max_size=40),
    twice=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_it_agrees_with_brute_force_whatever_the_order_of_rows(rows: list[list[int]], twice: bool) -> None:
    codes = np.array(rows * 2 if twice else rows)
    found = search(patients_of(codes))
    sets = [chosen for size in range(1, 5) for chosen in combinations(range(6), size)]
    assert set(found.shares) == set(sets)
    for chosen in sets:
        assert found.shares[chosen] == pytest.approx(share_alone(codes[:, chosen]))
    assert search(patients_of(codes[::-1])).shares == found.shares
    if twice:  # 2-anonymous by construction
        assert not any(found.shares.values())


def test_columns_are_left_out_only_beyond_the_limit_and_never_the_telling_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.integers(0, levels, 200) for levels in (2, 2, 90, 2, 2, 2, 70, 2)])
    assert search(patients_of(codes)).searched == tuple(range(8))
    monkeypatch.setattr(lattice, "WORK", 0)
    kept = search(patients_of(codes)).searched
    assert len(kept) == lattice.FEWEST_COLUMNS
    assert {2, 6} <= set(kept)
    assert lattice._most_telling(patients_of(codes), 2) == (2, 6)


def test_one_patient_is_alone() -> None:
    assert search(patients_of(np.zeros((1, 2), dtype=int))).shares == {(0,): 1.0, (0, 1): 1.0, (1,): 1.0}
