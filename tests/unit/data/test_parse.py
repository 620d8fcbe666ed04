"""Cells to values and back, and a line number for whatever does not fit."""

from __future__ import annotations

import re
from dataclasses import replace
from operator import methodcaller

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.data import demo
from semblance.data.describe.infer import infer_schema
from semblance.data.parse import parse, render
from semblance.data.raw import Raw
from semblance.errors import SchemaError
from semblance.formats.csv import Csv
from semblance.schema import Column, Schema


def raw_of(**columns: list[str]) -> Raw:
    frame = pd.DataFrame(columns, dtype=object)
    return Raw(frame, {"format": "csv"}, lines=tuple(range(2, len(frame) + 2)))


def test_the_bundled_patients_come_back_cell_by_cell() -> None:
    raw = Csv().read(demo.patients())
    written = render(parse(raw, infer_schema(raw)))
    assert int((written.to_numpy() != raw.frame.to_numpy()).sum()) == 0


MILLISECONDS = methodcaller("isoformat", timespec="milliseconds")
CELLS = {
    "number": st.floats(-1e6, 1e6).map(lambda v: f"{v:.3f}"),
    "shortest": st.floats(-1e6, 1e6).map(repr).filter(lambda t: "e" not in t),
    "integer": st.integers(-(10**9), 10**9).map(str),
    "day": st.dates().filter(lambda d: 1800 <= d.year <= 2300).map(str),
    "moment": st.datetimes().filter(lambda d: 1800 <= d.year <= 2300).map(MILLISECONDS),
    "label": st.text(st.characters(categories=["L"]), min_size=1, max_size=3),
    "gap": st.just(""),
}  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_table_in_one_notation_comes_back(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4, unique=True))
    n = data.draw(st.integers(2, 30))
    raw = raw_of(**{name: data.draw(st.lists(CELLS[name], min_size=n, max_size=n)) for name in names})
    written = render(parse(raw, infer_schema(raw)))
    for name in names:
        for before, after in zip(raw.frame[name], written[name], strict=True):
            same = before == after or float(before) == float(after)  # -0.000 is written 0.000
            assert same


SCHEMA = Schema(
    (
        Column("age", "integer", low=18.0, high=90.0, bounds="declared"),
        Column("sex", "category", categories=("f", "m"), missing=("",)),
        Column("seen", "date", date_format="%Y-%m-%d", missing=("",)),
    )
)
GOOD = {"age": ["20", "30", "40"], "sex": ["f", "", "m"], "seen": ["2020-01-01", "2020-02-29", ""]}


def test_values_are_typed_as_the_dataset_promises() -> None:
    data = parse(raw_of(**GOOD), SCHEMA)
    assert data.frame["age"].dtype == np.float64
    assert data.frame["seen"].dtype == np.dtype("datetime64[us]")
    assert data.frame["sex"].tolist() == ["f", None, "m"]
    assert np.isnan(data.scale("seen")[2])


@pytest.mark.parametrize(
    ("name", "cells", "says"),
    [
        ("age", ["20", "17", "95"], "'age': 2 cells (first on line 3) outside the bounds"),
        ("age", ["20", "aged", "40"], "'age': 1 cell (first on line 3) cannot be read as whole numbers"),
        ("age", ["20", "30.5", "40"], "'age': 1 cell (first on line 3) cannot be read as whole numbers"),
        ("sex", ["f", "m", "secret"], "'sex': 1 cell (first on line 4) with a category"),
        ("seen", ["2020-01-01", "2020-02-30", ""], "'seen': 1 cell (first on line 3) cannot be read as dates"),
    ],
)
def test_what_does_not_fit_has_a_line_and_no_value(name: str, cells: list[str], says: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(says)) as caught:
        parse(raw_of(**{**GOOD, name: cells}), SCHEMA)
    for cell in ("17", "95", "aged", "30.5", "secret", "2020-02-30"):
        assert cell not in str(caught.value)


def test_a_lenient_reading_lets_an_audit_count() -> None:
    data = parse(raw_of(**{**GOOD, "age": ["20", "17", "95"], "sex": ["f", "m", "x"]}), SCHEMA, strict=False)
    assert data.frame["age"].tolist() == [20.0, 17.0, 95.0]
    assert data.frame["sex"].tolist() == ["f", "m", "x"]


def test_columns_must_be_those_of_the_schema() -> None:
    with pytest.raises(SchemaError, match="lacks the column 'sex'"):
        parse(raw_of(age=["20"], seen=[""]), SCHEMA)
    with pytest.raises(SchemaError, match="'extra'"):
        parse(raw_of(**GOOD, extra=["1", "2", "3"]), SCHEMA)
    turned = parse(raw_of(**dict(reversed(GOOD.items()))), SCHEMA)
    assert tuple(turned.frame.columns) == SCHEMA.names


def test_the_first_missing_spelling_is_written() -> None:
    schema = replace(SCHEMA, columns=(replace(SCHEMA["sex"], missing=("NA", "?")),))
    data = parse(raw_of(sex=["f", "?", "NA"]), schema)
    assert render(data)["sex"].tolist() == ["f", "NA", "NA"]
