"""Which columns are attacked, and what counts as a right guess."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.audits.inference.secrets import Secret, best_window, choose, hardness, tolerance
from semblance.data.dataset import Dataset
from semblance.schema import Column, Schema


def dataset(columns: tuple[Column, ...], **values: object) -> Dataset:
    return Dataset(pd.DataFrame(values), Schema(columns))


def test_a_number_is_right_within_a_distance_whatever_its_sign() -> None:
    secret = Secret(Column("x", "number"), 2.0, "")
    guess = np.array([-500.0, -500.0, 0.0, 0.0, -1.0, 3.0, 3.0])
    truth = np.array([-501.5, 500.0, 0.0, 1.9, 1.1, 5.0, 5.1])
    assert secret.right(guess, truth).tolist() == [True, False, True, True, False, True, False]


def test_missing_is_an_answer() -> None:
    number, label = Secret(Column("x", "number"), 2.0, ""), Secret(Column("c", "category"), 0.0, "")
    gap = np.nan
    assert number.right(np.array([gap, gap, 1.0]), np.array([gap, 1.0, gap])).tolist() == [True, False, False]
    columns = (Column("c", "category"),)
    values = label.values(dataset(columns, c=pd.Series(["a", None, None], dtype=object)))
    assert label.right(values, values[[0, 1, 0]]).tolist() == [True, True, False]


def test_without_tolerance_decimals_still_meet() -> None:
    secret = Secret(Column("x", "number"), 0.0, "")
    assert secret.right(np.array([0.1 + 0.2]), np.array([0.3])).all()


def test_tolerance_is_a_twentieth_of_the_interquartile_range_in_the_columns_units() -> None:
    number, day, label = Column("x", "number"), Column("d", "date"), Column("c", "category")
    days = pd.Series(pd.Timestamp("1960-01-01") + pd.to_timedelta(np.arange(101) * 8, unit="D")).astype(
        "datetime64[us]"
    )
    table = dataset((number, day, label), x=np.arange(-50.0, 51.0), d=days, c=["a"] * 101)
    assert tolerance(number, [table]) == pytest.approx(0.05 * 50)
    assert tolerance(day, [table]) == pytest.approx(0.05 * 50 * 8)  # days, before 1970 too
    assert tolerance(label, [table]) == 0
    spike = dataset((number,), x=np.r_[np.zeros(90), np.arange(10.0)])
    assert tolerance(number, [spike]) == 0
    assert tolerance(number, [dataset((number,), x=np.full(3, np.nan))]) == 0


def test_the_best_single_guess_sits_where_most_values_are() -> None:
    assert best_window(np.array([-3.0, -2.5, -2.4, 8.0, 9.0]), 0.5) == (pytest.approx(-2.7), 3)
    assert best_window(np.array([0.0, 0.0, 1.0]), 0.0) == (0.0, 2)
    table = dataset((Column("x", "number"),), x=[1.0, np.nan, np.nan, 5.0])
    assert hardness(Secret(Column("x", "number"), 0.0, ""), [table]) == 0.5  # "missing" is right for half


def chosen(*columns: Column) -> list[tuple[str, str]]:
    rng = np.random.default_rng(0)
    made = {
        c.name: rng.normal(size=200) if c.numeric else rng.choice(["a", "b", "c"][: 2 + len(c.name) % 2], 200)
        for c in columns
    }
    return [(s.name, s.chosen) for s in choose(columns, [dataset(columns, **made)])]


def test_sensitive_columns_come_first_then_the_target_then_what_is_hard_to_guess() -> None:
    found = chosen(
        Column("age", "number", role="quasi-identifier"),
        Column("lab", "number"),
        Column("hiv", "category", role="sensitive"),
        Column("died", "category", role="target"),
        Column("a", "category"),
        Column("bb", "category"),
        Column("lab2", "number"),
    )
    assert found[:2] == [("hiv", "its role is sensitive"), ("died", "it is the target")]
    assert found[2][0] in ("a", "bb")
    assert found[3][0] in ("lab", "lab2")
    assert len(found) == 5
    assert "age" not in dict(found)


def test_all_sensitive_columns_are_attacked_up_to_a_number() -> None:
    many = [Column(f"s{i}", "number", role="sensitive") for i in range(12)]
    assert len(chosen(*many)) == 8
    assert [why for _, why in chosen(*many[:6], Column("y", "category", role="target"))] == [
        "its role is sensitive"
    ] * 6


def test_where_all_columns_are_known_to_strangers_the_hardest_is_attacked() -> None:
    both = (Column("a", "number", role="quasi-identifier"), Column("b", "category", role="quasi-identifier"))
    assert [name for name, _ in chosen(*both)] == ["a"]


def test_a_constant_column_holds_no_secret() -> None:
    columns = (Column("x", "number", role="sensitive"), Column("y", "number"))
    table = dataset(columns, x=np.full(50, 4.0), y=np.arange(50.0))
    assert [s.name for s in choose(columns, [table])] == ["y"]
