from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.audits.validity import Validity
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.language.rule import Derived, MissingUnless, Order
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("id", "code", role="subject", handling="surrogate"),
    Column("age", "integer", low=18, high=90),
    Column("lab", "number", low=0.1, high=0.3, decimals=1),
    Column("stage", "ordinal", categories=("I", "II", "III")),
    Column("seen", "date", low=18_000, high=19_000),
    Column("note", "text", handling="blank"),
)


def table(n: int, first: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"p{first + i}" for i in range(n)],
            "age": np.linspace(18, 90, n).round(),
            "lab": pd.Series([0.1, 0.3] * (n // 2)).mask(np.arange(n) == 1),
            "stage": ["I", "III"] * (n // 2),
            "seen": pd.Series(pd.to_datetime(["2020-01-01"] * n)).astype("datetime64[us]"),
            "note": pd.Series([None] * n, dtype=object),
        }
    )


def judge(frame: pd.DataFrame, columns: tuple[Column, ...] = COLUMNS, **schema: object) -> dict[str, Finding]:
    real = Schema(COLUMNS, **schema)  # type: ignore[arg-type]
    comparison = Comparison(
        Dataset(table(10), real), Dataset(table(10, 10), real), Dataset(frame, Schema(columns), "synthetic")
    )
    found = Validity().judge(comparison, Run(Seeds(), Ledger(), Local(1)))
    return {f.name: f for f in found}


def test_rows_like_the_source_break_nothing() -> None:
    found = judge(table(20, 100))
    assert found["validity.rows.share"].value == 1
    assert found["validity.rows.share"].detail["columns"] == []
    assert found["validity.columns.match"].value == 1


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("age", 17.0, "below its bound"),
        ("age", 91.0, "above its bound"),
        ("age", 40.5, "not a whole number"),
        ("age", np.inf, "infinite"),
        ("age", np.nan, "missing, though never missing in the source"),
        ("lab", 0.31, "above its bound"),
        ("stage", "IV", "not an allowed category"),
        ("stage", 3, "not of its type"),
        ("seen", pd.Timestamp("2031-01-01"), "above its bound"),
        ("note", "he said", "not blank"),
        ("id", "p101", "repeated key"),
    ],
)
def test_each_fault_is_found_and_counted(column: str, value: object, problem: str) -> None:
    frame = table(20, 100)
    frame[column] = frame[column].astype(object)
    frame.loc[0, column] = value
    if column in ("age", "lab"):
        frame[column] = frame[column].astype(float)
    if column == "seen":
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    found = judge(frame)["validity.rows.share"]
    rows = 2 if column == "id" else 1
    assert {"name": column, "problem": problem, "rows_counts": rows} in found.detail["columns"]
    assert found.value == pytest.approx(1 - rows / 20)


def test_a_bound_holds_to_the_last_digit_and_no_further() -> None:
    frame = table(20, 100)
    frame["lab"] = 0.1 + 0.2  # which floating point makes a little more than 0.3
    assert judge(frame)["validity.rows.share"].value == 1


def test_a_row_with_two_faults_counts_once() -> None:
    frame = table(20, 100)
    frame.loc[0, ["age", "stage"]] = [5.0, "V"]
    assert judge(frame)["validity.rows.share"].value == pytest.approx(0.95)


def test_missing_is_allowed_where_the_source_was_missing() -> None:
    frame = table(20, 100)
    frame["lab"] = np.nan
    assert judge(frame)["validity.rows.share"].value == 1


def test_numbers_written_as_text_are_no_numbers() -> None:
    frame = table(20, 100)
    frame["age"] = "40"
    assert judge(frame)["validity.rows.share"].value == 0


def test_surrogates_not_yet_written_are_no_fault() -> None:
    frame = table(20, 100)
    frame["id"] = None
    assert judge(frame)["validity.rows.share"].value == 1


def test_columns_out_of_order_or_missing() -> None:
    names = ["age", "id", "lab", "stage", "seen", "note"]
    moved = judge(table(20)[names], tuple(Schema(COLUMNS)[n] for n in names))
    assert moved["validity.columns.match"].value == pytest.approx(4 / 6)
    fewer = judge(table(20)[names[2:]], tuple(Schema(COLUMNS)[n] for n in names[2:]))
    assert fewer["validity.columns.match"].value == 0


def test_rows_that_break_a_rule_are_counted() -> None:
    assert "validity.rules.share" not in judge(table(20, 100))
    rules = (Order(("lab", "age"), (False,)), MissingUnless("lab", 'stage == "I"'))
    findings = judge(table(20, 100), rules=rules)
    found, rows = findings["validity.rules.share"], findings["validity.rows.share"]
    assert rows.value == found.value
    assert rows.detail["columns"] == [
        {"name": 'lab missing unless stage == "I"', "problem": "rule broken", "rows_counts": 9}
    ]
    assert found.value == pytest.approx(0.55)  # the one of the ten whose lab is missing obeys
    assert [(r["name"], r["rows_counts"], r["applies_counts"]) for r in found.detail["rules"]] == [
        ("lab <= age", 0, 19),
        ('lab missing unless stage == "I"', 9, 10),
    ]


def test_rules_are_not_passed_over_where_a_column_cannot_be_judged() -> None:
    frame = table(20, 100)
    frame["age"] = "40"
    rule = judge(frame, rules=(Order(("lab", "age"), (False,)),))["validity.rules.share"]
    assert rule.status == "skipped"


def test_the_bounds_of_a_computed_column_are_the_formula() -> None:
    frame = table(20, 100)
    frame["age"] = frame["lab"] * 1000  # up to 300, far above the inferred bound of 90
    frame.loc[1, "age"] = 40.0
    found = judge(frame, rules=(Derived("age", "lab * 1000"),))["validity.rows.share"]
    assert found.detail["columns"] == [{"name": "age = lab * 1000", "problem": "rule broken", "rows_counts": 1}]
