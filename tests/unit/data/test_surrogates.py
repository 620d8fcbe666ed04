"""Surrogates are fresh, different, of the same form, and the same for the same seeds."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.data.dataset import Dataset
from semblance.data.describe.identifier_content import resident_id
from semblance.data.surrogates import fill
from semblance.errors import SchemaError
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

N = 50


def table(column: Column, values: list[Any] | None = None, n: int = N) -> Dataset:
    cells = [None] * n if values is None else values
    dtype = np.float64 if column.numeric and column.kind in ("integer", "number") else object
    frame = pd.DataFrame({column.name: pd.Series(cells, dtype=dtype)})
    return Dataset(frame, Schema((column,)), "synthetic")


def made(form: str, n: int = N, seed: int = 1, avoid: Dataset | None = None) -> list[str]:
    column = Column("key", "code", role="identifier", handling="surrogate", form=form)
    return list(fill(table(column, n=n), Seeds(seed), avoid=avoid).frame["key"])


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("email", r"[a-z]+\d{4}@example\.org"),
        ("url", r"https://example\.org/[a-z]+\d{4}"),
        ("name", r"Syn[a-z]+ [A-Z][a-z]+"),
        ("name-zh", r"合成[\u4e00-\u9fff]+"),
        ("address", r"\d+ Synthetic [A-Z][a-z]+ Street"),
        ("address-zh", r"合成市.+路\d+号"),
        ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("ipv4", r"198\.18\.\d+\.\d+"),
        ("ipv6", r"2001:db8(:[0-9a-f]{4}){6}"),
        ("pattern:\\M\\R\\N#####", r"MRN\d{5}"),
        ("pattern:AA-##a", r"[A-Z]{2}-\d\d[a-z]"),
        ("pattern:xxxxxxxx", r"[0-9a-f]{8}"),
        ("", r"S\d{9}"),
    ],
)
def test_forms(form: str, shape: str) -> None:
    values = made(form)
    assert all(re.fullmatch(shape, value) for value in values)
    assert len(set(values)) == N
    assert values == made(form)
    assert values != made(form, seed=2)


def test_resident_numbers_check_but_belong_to_no_region() -> None:
    values = made("resident")
    assert all(resident_id(value) and value.startswith("99") for value in values)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.sampled_from(["pattern:##", "pattern:A#", "pattern:\\A\\B", "ipv4", "name-zh"]))
def test_all_differ_and_none_is_real_even_where_the_pattern_is_too_short(n: int, form: str) -> None:
    column = Column("key", "code", role="identifier", handling="surrogate", form=form)
    real = table(column, made(form, n=9, seed=3), n=9)
    values = made(form, n=n, avoid=real)
    assert len(set(values)) == n
    assert not set(values) & set(real.frame["key"])


def test_numeric_keys_stay_numbers_beyond_the_real_ones() -> None:
    column = Column("key", "integer", role="subject", handling="surrogate")
    real = table(column, [1.0, 5_000_000.0], n=2)
    values = fill(table(column), Seeds(1), avoid=real).frame["key"]
    assert values.dtype == np.float64
    assert values.nunique() == N
    assert values.min() > 5_000_000


def test_a_fake_that_knows_its_patients_keeps_them_together() -> None:
    column = Column("patient", "code", role="subject", handling="surrogate", form="pattern:######")
    fake = table(column, ["a", "b", "a", "c", "b"], n=5)
    values = fill(fake, Seeds(1), avoid=fake).frame["patient"]
    assert values[0] == values[2]
    assert values[1] == values[4]
    assert values.nunique() == 3
    assert not set(values) & {"a", "b", "c"}


def test_birth_days_lie_in_the_bounds() -> None:
    column = Column("dob", "date", role="identifier", handling="surrogate", form="birthdate", low=-7305.0, high=10.0)
    frame = pd.DataFrame({"dob": pd.Series(np.full(N, np.datetime64("NaT", "us")))})
    data = fill(Dataset(frame, Schema((column,)), "synthetic"), Seeds(1))
    days = data.scale("dob")
    assert ((days >= -7305) & (days <= 10)).all()
    assert len(np.unique(days)) > 30


def test_blank_is_empty_and_drop_is_gone() -> None:
    schema = Schema(
        (
            Column("note", "text", handling="blank"),
            Column("secret", "text", handling="drop"),
            Column("x", "number"),
        )
    )
    frame = pd.DataFrame({"note": ["hello", "you"], "secret": ["a", "b"], "x": [1.0, 2.0]})
    data = fill(Dataset(frame, schema, "synthetic"), Seeds(1))
    assert data.schema.names == ("note", "x")
    assert data.frame["note"].isna().all()
    assert data.frame["x"].tolist() == [1.0, 2.0]


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(SchemaError, match="form"):
        made("iban")
