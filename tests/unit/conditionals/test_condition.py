from __future__ import annotations

import pytest

from semblance.conditionals.condition import read_condition
from semblance.errors import InputError

COLUMNS = ["age", "age at visit", "a>b", "ward", "in", "is missing"]


@pytest.mark.parametrize(
    ("text", "column", "operator", "alternatives"),
    [
        ("age>=65", "age", ">=", ("65",)),
        ("age >= 65", "age", ">=", (" 65",)),
        ("  age<65", "age", "<", ("65",)),
        ("age==65", "age", "=", ("65",)),
        ("age at visit!=65", "age at visit", "!=", ("65",)),
        ("a>b>3", "a>b", ">", ("3",)),
        ("ward=a=b|c", "ward", "=", ("a=b|c",)),
        ("ward in icu|high care", "ward", "in", ("icu", "high care")),
        ("ward IN icu", "ward", "in", ("icu",)),
        ("in in 3|4", "in", "in", ("3", "4")),
        ("ward=", "ward", "=", ("",)),
        ("ward is missing", "ward", "=", ("",)),
        ("is missing is missing", "is missing", "=", ("",)),
        ("ward is present", "ward", "!=", ("",)),
    ],
)
def test_what_a_person_writes(text: str, column: str, operator: str, alternatives: tuple[str, ...]) -> None:
    made = read_condition(text, COLUMNS)
    assert (made.column, made.operator, made.alternatives) == (column, operator, alternatives)


@pytest.mark.parametrize("text", ["age", "age>=", "age > ", "ward in", "ward is empty", "age~3", "ward icu"])
def test_what_is_no_condition_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(InputError, match="COL>=VALUE"):
        read_condition(text, COLUMNS)


@pytest.mark.parametrize("text", ["", "height=3", "=3"])
def test_an_unknown_column_is_named_with_the_known_ones(text: str) -> None:
    with pytest.raises(InputError, match="age, age at visit"):
        read_condition(text, COLUMNS)
