"""Conditions: three-valued like SQL, checked against Python row by row, and nothing but questions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from semblance.errors import SchemaError
from semblance.language.condition import parse_condition
from semblance.schema import Column

COLUMNS = {
    c.name: c
    for c in (
        Column("sex", "category", categories=("F", "M")),
        Column("stage", "ordinal", categories=("I", "II", "III")),
        Column("age", "integer"),
        Column("onset", "integer"),
        Column("seen", "date"),
        Column("num.co", "integer"),
    )
}
DAY = 18_262.0  # 2020-01-01
ROWS: list[tuple[Any, ...]] = list(
    itertools.product(["F", "M", None], ["I", "II", "III", None], [11, 12, None], [5, None], [DAY - 1, DAY, None])
)
VALUES = {
    name: np.array(column, dtype=object if not COLUMNS[name].numeric else np.float64)
    for name, column in zip(("sex", "stage", "age", "onset", "seen"), zip(*ROWS, strict=True), strict=True)
}


@pytest.mark.parametrize(
    ("text", "python", "asks"),
    [
        ('sex == "F"', "sex == 'F'", "sex"),
        ("'F' != sex", "sex != 'F'", "sex"),
        ('sex == "F" and age >= 12', "sex == 'F' and age >= 12", "sex age"),
        ("5 < age - onset <= 6", "5 < age - onset <= 6", "age onset"),
        ('stage >= "II"', "stage in ('II', 'III')", "stage"),
        ('"II" > stage', "stage == 'I'", "stage"),
        ('stage in ("I", "III")', "stage in ('I', 'III')", "stage"),
        ("age not in [11, 13]", "age != 11", "age"),
        ('seen >= "2020-01-01"', f"seen >= {DAY}", "seen"),
        ('not (sex == "M" or stage == "I")', "not (sex == 'M' or stage == 'I')", "sex stage"),
    ],
)
def test_agrees_with_python_on_complete_rows_and_does_not_hold_on_missing_ones(
    text: str, python: str, asks: str
) -> None:
    condition = parse_condition(text, COLUMNS)
    assert set(condition.columns) == set(asks.split())
    found = condition.holds(VALUES, len(ROWS))
    for row, holds in zip(ROWS, found, strict=True):
        named = dict(zip(("sex", "stage", "age", "onset", "seen"), row, strict=True))
        complete = all(named[name] is not None for name in asks.split())
        if complete:
            assert holds == eval(python, {}, named), (text, row)
        elif " or " not in text:
            assert not holds, (text, row)


def test_three_answers() -> None:
    """`or` holds if one side does, whatever the other; `not` of unknown is unknown."""
    values = {"sex": np.array(["F", None, None], dtype=object), "age": np.array([np.nan, 20, np.nan])}

    def holds(text: str) -> list[bool]:
        return list(parse_condition(text, COLUMNS).holds(values, 3))

    assert holds('sex == "F" or age > 12') == [True, True, False]
    assert holds('not (sex == "F" and age > 12)') == [False, False, False]
    assert holds('not (sex == "M" and age > 12)') == [True, False, False]
    assert holds("present(sex)") == [True, False, False]
    assert holds("missing(age) and not present(sex)") == [False, False, True]
    assert parse_condition("present(`num.co`)", COLUMNS).columns == ("num.co",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("age", "a condition cannot hold that"),
        ("1", "a condition cannot hold that"),
        ("sex", "a condition cannot hold that"),
        ('sex == "X"', "no category 'X'"),
        ("sex == 1", "holds labels"),
        ("sex == stage", "holds labels"),
        ('sex < "M"', "has no order"),
        ('age == "12"', "leave out the quotes"),
        ('seen > "in 2020"', "written as in"),
        ("age is None", "`is` is not known"),
        ("age in onset", "a list in brackets"),
        ("age in ()", "a list in brackets"),
        ("height > 1", "no column 'height'"),
        ("present(height)", "no column 'height'"),
        ("print(age)", "a condition cannot hold that"),
        ("present(age, sex)", "a condition cannot hold that"),
        ("(age := 5) > 1", "a rule may use"),
        ("age > 1 and", "cannot be read"),
    ],
)
def test_refuses_what_is_no_condition(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        parse_condition(text, COLUMNS)
