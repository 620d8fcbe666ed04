"""Cells: what was common stays itself, what was rare is blurred, nothing leaves its bounds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.data.cells import Cells, make_cells
from semblance.schema import Column


def cells_of(values: list[float] | np.ndarray, column: Column, **options: int) -> Cells:
    series = pd.Series(np.asarray(values, dtype=float))
    return make_cells(series, column, subjects=np.arange(len(series)), **options)


NUMBER = Column("x", "number", decimals=2, low=0.0, high=100.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 100), st.sampled_from([0.0, 5.0, 100.0])), min_size=1, max_size=400),
    st.integers(2, 64),
)
def test_every_value_has_a_cell_and_every_cell_gives_a_legal_value(values: list[float | None], most: int) -> None:
    series = pd.Series(values, dtype=float)
    cells = make_cells(series, NUMBER, subjects=np.arange(len(series)), max_cells=most)
    codes = cells.encode(series)
    assert codes.max() < max(cells.n, 1)
    if not cells.n_values:  # too few values to say anything without repeating one of them
        assert series.notna().sum() < 11
        assert cells.decode(np.zeros(5, dtype=np.int32), np.random.default_rng(0)).isna().all()
        return
    assert codes.min() >= 0
    drawn = cells.decode(codes, np.random.default_rng(0))
    assert (drawn.isna() == series.isna()).all()
    present = drawn.dropna()
    assert present.between(0, 100).all()
    assert (present.round(2) == present).all()


def test_a_shared_value_stays_one_value() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.9, 0.0, rng.uniform(1, 99, 5000))
    cells = cells_of(values, NUMBER)
    drawn = cells.decode(cells.encode(pd.Series(values)), rng)
    assert ((drawn == 0.0) == (values == 0.0)).all()


def test_a_value_of_few_patients_is_no_spike_even_over_many_visits() -> None:
    values = np.concatenate([np.full(500, 42.0), np.random.default_rng(0).uniform(0, 100, 500)])
    one_patient = np.concatenate([np.zeros(500, dtype=np.int64), np.arange(1, 501)])
    cells = make_cells(pd.Series(values), NUMBER, subjects=one_patient)
    assert 42.0 not in cells.spikes
    many = make_cells(pd.Series(values), NUMBER, subjects=np.arange(1000))
    assert 42.0 in many.spikes


def test_no_knot_is_a_patients_own_value_and_the_extremes_are_not_reached() -> None:
    values = np.random.default_rng(1).lognormal(2, 1, 3000)
    column = Column("x", "number", decimals=6, low=0.0, high=1000.0)
    cells = cells_of(values, column)
    knots = np.concatenate(cells.knots)
    assert not np.isin(knots, values).any()
    drawn = cells.decode(cells.encode(pd.Series(values)), np.random.default_rng(2))
    assert not np.isin(drawn, values).any()
    assert drawn.max() != values.max()


def test_values_drawn_from_cells_follow_the_source() -> None:
    values = np.random.default_rng(1).gamma(2.0, 10.0, 20_000).clip(0, 100)
    cells = cells_of(values, NUMBER)
    drawn = cells.decode(cells.encode(pd.Series(values)), np.random.default_rng(2))
    grid = np.quantile(values, np.linspace(0.01, 0.99, 50))
    gap = np.abs(np.searchsorted(np.sort(values), grid) - np.searchsorted(np.sort(drawn), grid)).max() / len(values)
    assert gap < 0.005


def test_labels_are_ordered_by_frequency_and_ordinals_by_meaning() -> None:
    values = pd.Series(["b"] * 15 + ["a"] * 13 + ["c"] * 22 + [None], dtype=object)
    nominal = make_cells(values, Column("l", "category"), subjects=np.arange(51))
    assert nominal.labels == ("c", "b", "a")
    assert nominal.n == 4
    ordered = make_cells(values, Column("l", "ordinal", categories=("a", "b", "c")), subjects=np.arange(51))
    assert ordered.labels == ("a", "b", "c")
    assert list(ordered.decode(ordered.encode(values), np.random.default_rng(0)).dropna()) == list(values.dropna())


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_dates_are_drawn_as_dates(kind: str) -> None:
    days = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(400), unit="D")).astype("datetime64[us]")
    days[3] = pd.NaT
    cells = make_cells(days, Column("d", kind), subjects=np.arange(400))  # type: ignore[arg-type]
    drawn = cells.decode(cells.encode(days), np.random.default_rng(0))
    assert drawn.dtype == "datetime64[us]"
    assert list(np.flatnonzero(drawn.isna())) == [3]
    if kind == "date":
        assert (drawn.dropna().dt.normalize() == drawn.dropna()).all()


def test_nothing_but_missing() -> None:
    series = pd.Series([np.nan] * 30)
    cells = make_cells(series, NUMBER, subjects=np.arange(30))
    assert cells.n == 1
    assert cells.decode(cells.encode(series), np.random.default_rng(0)).isna().all()


def test_round_trip_through_plain_data() -> None:
    values = pd.Series(np.random.default_rng(0).normal(50, 10, 500).clip(0, 100))
    cells = make_cells(values, NUMBER, subjects=np.arange(500))
    again = Cells.from_dict(cells.to_dict(), NUMBER)
    assert (again.encode(values) == cells.encode(values)).all()
    one, two = (c.decode(cells.encode(values), np.random.default_rng(5)) for c in (cells, again))
    assert one.equals(two)


def test_a_label_of_few_patients_can_never_be_drawn() -> None:
    values = pd.Series(["often"] * 200 + ["rare"] * 10 + ["one man, many visits"] * 50, dtype=object)
    subjects = np.concatenate([np.arange(210), np.full(50, 999)])
    cells = make_cells(values, Column("l", "category"), subjects=subjects)
    assert cells.labels == ("often",)
    assert cells.n_rare == 2
    assert set(cells.encode(values[values != "often"])) == {-1}
    nothing = make_cells(pd.Series(["a", "b"] * 5, dtype=object), Column("l", "category"), subjects=np.arange(10))
    assert nothing.decode(np.zeros(4, dtype=np.int32), np.random.default_rng(0)).isna().all()


def test_a_coarse_scale_keeps_its_shape() -> None:
    """Nearly every value is shared by many; the cells must not all go to them and leave one for the rest."""
    values = np.random.default_rng(0).normal(50, 12, 9000).clip(0, 100).round(1)
    column = Column("x", "number", decimals=1, low=0, high=100)
    cells = cells_of(values, column)
    assert len(cells.quantile_cells) > 64
    drawn = cells.decode(cells.encode(pd.Series(values)), np.random.default_rng(1))
    assert np.corrcoef(drawn, values)[0, 1] > 0.999


def test_rounding_does_not_cross_a_bound_that_cannot_be_written() -> None:
    column = Column("x", "number", decimals=1, low=0.24, high=2.76)
    values = pd.Series(np.random.default_rng(0).uniform(0.24, 2.76, 4000))  # finer than the schema says
    cells = make_cells(values, column, subjects=np.arange(len(values)))
    drawn = cells.decode(cells.encode(values), np.random.default_rng(1))
    assert (drawn.min(), drawn.max()) == (0.3, 2.7)


def test_a_number_that_one_patient_has_is_not_drawn() -> None:
    values = pd.Series([np.nan] * 200 + [42.17])
    cells = make_cells(values, NUMBER, subjects=np.arange(201))
    assert cells.n_values == 0
    assert cells.encode(values)[-1] == -1
    assert "42" not in str(cells.to_dict())


def test_a_rare_step_of_a_scale_joins_the_nearest_common_one() -> None:
    column = Column("grade", "ordinal", categories=("0", "1", "2", "3", "4", "5"))
    values = pd.Series(["0"] * 30 + ["1"] * 3 + ["3"] * 30 + ["4"] * 2 + ["5"] * 2 + ["?"], dtype=object)
    cells = make_cells(values, column, subjects=np.arange(len(values)))
    assert cells.labels == ("0", "3")
    steps = pd.Series(["0", "1", "2", "3", "4", "5", "?", None], dtype=object)
    assert list(cells.encode(steps)) == [0, 0, 1, 1, 1, 1, -1, -1]
