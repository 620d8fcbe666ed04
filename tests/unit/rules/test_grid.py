"""Whole steps of a column: there and back, and the nearest step on the right side of another column's value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.rules.grid import Grid, resolution
from semblance.schema import Column


def moment(text: str, column: Column) -> float:
    us = np.datetime64(text, "us").astype("int64")
    return float(us / (86_400e6 if column.kind == "date" else 1e6))


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        (Column("x", "date", date_format="%d/%m/%y"), "D"),
        (Column("x", "date"), "D"),
        (Column("x", "date", date_format="%-m/%Y"), "M"),
        (Column("x", "date", date_format="%2b %Y"), "M"),
        (Column("x", "date", date_format="%Y"), "Y"),
        (Column("x", "datetime", date_format="%Y-%m-%dT%H:%M:00Z"), "m"),
        (Column("x", "datetime", date_format="%-I:%M:%S %p"), "s"),
        (Column("x", "datetime", date_format="%Y%m%d %Hh"), "h"),
        (Column("x", "datetime", date_format="%H:%M:%S.%3f"), "us"),
        (Column("x", "datetime", storage="timestamp[s]"), "s"),
        (Column("x", "datetime", high=1e10), "ms"),
    ],
)
def test_the_format_says_what_a_time_can_hold(column: Column, unit: str) -> None:
    assert resolution(column) == unit


@settings(max_examples=150, deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(0, 6), st.booleans())
def test_the_smallest_number_not_below_another(whole: int, theirs: int, mine: int, strict: bool) -> None:
    other, grid = Grid.of(Column("a", "number", decimals=theirs)), Grid.of(Column("b", "number", decimals=mine))
    value = np.round(np.array([whole / 10.0**theirs]), theirs)
    steps = grid.not_below(other, value, strict=strict)
    here, before = grid.value(steps), grid.value(steps - 1)
    assert here > value if strict else here >= value
    assert before <= value if strict else before < value
    assert grid.count(here) == steps


@pytest.mark.parametrize(
    ("theirs", "mine", "value", "strict", "found"),
    [
        ("%Y-%m-%d %H:%M", "%Y-%m-%d", "2020-02-29T23:59", False, "2020-02-29"),
        ("%Y-%m-%d %H:%M", "%Y-%m-%d", "2020-02-29T23:59", True, "2020-03-01"),
        ("%Y-%m-%d", "%Y-%m-%d %H:%M", "2020-02-29", False, "2020-02-29T00:00"),
        ("%Y-%m-%d", "%Y-%m-%d %H:%M", "2020-02-29", True, "2020-03-01T00:00"),
        ("%Y-%m-%d", "%Y-%m", "1969-12-31", False, "1969-12-01"),
        ("%Y-%m", "%Y-%m-%d", "1969-12-01", True, "1970-01-01"),
        ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "2020-01-01T10:00:30", False, "2020-01-01T10:00"),
    ],
)
def test_times_are_compared_at_the_coarser_unit(theirs: str, mine: str, value: str, strict: bool, found: str) -> None:
    def column(form: str) -> Column:
        return Column("x", "datetime" if "%H" in form else "date", date_format=form)

    other, grid = Grid.of(column(theirs)), Grid.of(column(mine))
    steps = grid.not_below(other, np.array([moment(value, other.column), np.nan]), strict=strict)
    assert grid.value(steps)[0] == moment(found, grid.column)
    assert np.isnan(steps[1])


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("theirs", "mine"),
    [("%Y-%m-%d", "%Y-%m"), ("%Y-%m", "%Y-%m-%d"), ("%Y-%m-%d", "%Y-%m-%d %H:%M"), ("%Y-%m-%d %H:%M", "%Y-%m-%d")],
)
def test_the_last_time_that_leaves_room(theirs: str, mine: str, strict: bool) -> None:
    def grid_of(form: str) -> Grid:
        return Grid.of(Column("x", "datetime" if "%H" in form else "date", date_format=form))

    later, grid = grid_of(theirs), grid_of(mine)
    end = later.count(np.array([moment("2021-03-14T15:09", later.column)]))
    last = grid.not_above(later, float(end[0]), strict=strict)
    fits = later.not_below(grid, grid.value(np.array([last, last + 1])), strict=strict) <= end
    assert fits.tolist() == [True, False]


@settings(max_examples=100, deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_the_last_number_that_leaves_room(end: int, theirs: int, mine: int, strict: bool) -> None:
    later, grid = Grid.of(Column("b", "number", decimals=theirs)), Grid.of(Column("a", "number", decimals=mine))
    last = grid.not_above(later, float(end), strict=strict)
    fits = later.not_below(grid, grid.value(np.array([last, last + 1])), strict=strict) <= end
    assert fits.tolist() == [True, False]


def test_bounds_are_taken_inwards_to_what_can_be_written() -> None:
    assert Grid.of(Column("x", "number", decimals=1, low=0.05, high=0.29)).range == (1, 2)
    assert Grid.of(Column("x", "integer", low=-0.5, high=3.7)).range == (0, 3)
    assert Grid.of(Column("x", "number", decimals=1)).range == (-np.inf, np.inf)
    day = Column("x", "date", date_format="%Y-%m", low=1.0, high=60.0)  # 2 January to 2 March 1970
    assert Grid.of(day).range == (1, 2)
