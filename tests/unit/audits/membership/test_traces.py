"""What a synthetic table gives away about a record."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.audits.membership.traces import COPY, PAIRS, Reader, _sets
from semblance.data.dataset import Dataset
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (Column("x", "number"), Column("y", "number"), Column("z", "category"))


def table(n: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"x": rng.normal(size=n), "y": rng.normal(size=n), "z": rng.choice(["a", "b", "c"], n).astype(object)}
    )
    return Dataset(frame, Schema(COLUMNS))


def reader(real: Dataset) -> Reader:
    return Reader.of((real,), COLUMNS, Seeds(0), real=(real,))


def test_a_copied_record_leaves_every_trace() -> None:
    real, fake = table(60, 1), table(400, 2)
    frame = fake.frame.copy()
    frame.iloc[:40] = real.frame.iloc[[7] * 40].to_numpy()
    before, after = (reader(real)(Dataset(f.astype(fake.frame.dtypes), fake.schema), 400) for f in (fake.frame, frame))
    assert ((after - before).argmax(axis=0) == 7).all()
    assert before[:, COPY].sum() == 0
    assert after[:, COPY].sum() == 1


def test_shares_of_rows_are_counted_in_two_and_three_columns() -> None:
    real = table(50, 1)
    pairs, triples = reader(real).counting
    assert pairs.sets == ((0, 1), (0, 2), (1, 2))
    assert triples.sets == ((0, 1, 2),)
    assert triples(table(0, 2), 50) == pytest.approx(0.0)
    assert (triples(real, 50) >= np.log(2) - 1e-9).all()  # everybody finds at least themselves
    assert (triples(real, 100) >= np.log(3) - 1e-9).all()  # and twice in a table of twice the rows


def test_traces_are_told_against_all_targets() -> None:
    assert reader(table(60, 1))(table(300, 2), 300)[:, :COPY].mean(axis=0) == pytest.approx(0, abs=1e-9)


def test_sets_of_columns_are_different_and_no_more_than_asked_for() -> None:
    drawn = _sets(47, 2, PAIRS, Seeds(0)("sets"))
    assert len(drawn) == len(set(drawn)) == PAIRS
    assert _sets(1, 3, 10, Seeds(0)("sets")) == ((0,),)
