"""Patients are split, never rows; the holdout stays shut until it is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.data.dataset import Dataset
from semblance.data.split import split, split_alone
from semblance.errors import InputError
from semblance.schema import Column, Schema
from semblance.seeds import Seeds


def visits(patients: int, per_patient: int, *, rare: int = 0) -> Dataset:
    subject = np.repeat(np.arange(patients), per_patient)
    outcome = np.where(subject < rare, "yes", "no")
    frame = pd.DataFrame({"who": [f"p{i}" for i in subject], "x": np.arange(len(subject), dtype=float), "y": outcome})
    columns = (Column("who", "code", role="subject"), Column("x", "integer"), Column("y", "category", role="target"))
    return Dataset(frame.astype({"who": object, "y": object}), Schema(columns))


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 120), st.integers(1, 4), st.floats(0.05, 0.95), st.integers(0, 10_000))
def test_no_patient_straddles_and_no_row_is_lost(patients: int, per_patient: int, share: float, seed: int) -> None:
    data = visits(patients, per_patient)
    vault = split(data, Seeds(seed), holdout=share)
    held = vault.open_holdout()
    assert not set(vault.train.frame["who"]) & set(held.frame["who"])
    assert sorted([*vault.train.frame["x"], *held.frame["x"]]) == sorted(data.frame["x"])
    assert held.n_subjects + vault.train.n_subjects == patients


def test_a_rare_class_is_on_both_sides() -> None:
    vault = split(visits(1000, 1, rare=40), Seeds(1))
    held = vault.open_holdout()
    assert 8 <= (held.frame["y"] == "yes").sum() <= 16
    assert held.n_subjects == pytest.approx(300, abs=15)


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    data = visits(200, 1)
    first, again, other = (split(data, Seeds(s)).train.frame for s in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_each_opening_of_the_holdout_is_recorded() -> None:
    vault = split(visits(50, 1), Seeds(0))
    assert vault.describe()["holdout_opened_for"] == []
    vault.open_holdout("audit")
    assert vault.describe()["holdout_opened_for"] == ["audit"]
    assert "p1" not in repr(vault)


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(InputError, match=r"too few patients \(19\)"):
        split(visits(19, 3), Seeds(0))


def test_missing_targets_and_subjects_do_not_break_it() -> None:
    data = visits(60, 1)
    data.frame.loc[:9, "y"] = None
    data.frame.loc[20:29, "who"] = None
    vault = split(data, Seeds(0))
    assert vault.train.n_rows + vault.open_holdout().n_rows == 60


def test_alone_one_patient_more_moves_nobody_else() -> None:
    """What a promise about one patient needs; the usual cut does not have it, which shows that this can fail."""
    whole = visits(300, 2)
    without = whole.take(np.flatnonzero((whole.frame["who"] != "p7").to_numpy()))
    cut = [set(split_alone(d, Seeds(1)).train.frame["who"]) for d in (whole, without)]
    assert cut[0] - {"p7"} == cut[1] - {"p7"}
    usual = [set(split(d, Seeds(1)).train.frame["who"]) for d in (whole, without)]
    assert len(usual[0] ^ usual[1]) > 20


def test_alone_the_order_of_rows_does_not_matter_and_the_share_is_kept() -> None:
    whole = visits(2000, 2)
    mixed = whole.take(np.random.default_rng(0).permutation(whole.n_rows))
    one, other = split_alone(whole, Seeds(3)), split_alone(mixed, Seeds(3))
    assert set(one.train.frame["who"]) == set(other.train.frame["who"])
    assert not set(one.train.frame["who"]) & set(one.open_holdout().frame["who"])
    assert 0.26 < 1 - one.train.n_subjects / 2000 < 0.34
    assert set(split_alone(whole, Seeds(4)).train.frame["who"]) != set(one.train.frame["who"])
