"""Real rows that break a rule: told with counts, set aside, or too many to believe the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.data.dataset import Dataset
from semblance.errors import SchemaError
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.learn import learn_rules
from semblance.schema import Column, Schema

N = 300


def table(*rules: Rule, **changes: object) -> Dataset:
    """Rows that obey all rules used below, but for `changes`."""
    i = np.arange(N)
    frame = pd.DataFrame(
        {
            "a": i % 50.0,
            "b": i % 50.0 + i % 7,
            "total": 2 * (i % 50.0) + i % 7,
            "sex": pd.Series(np.where(i % 2 == 0, "F", "M"), dtype=object),
            "ward": pd.Series(np.where(i % 2 == 0, "1", "2"), dtype=object),
        }
    ).assign(**changes)
    columns = (
        Column("a", "integer", low=0, high=60),
        Column("b", "integer", low=0, high=60),
        Column("total", "integer", low=0, high=150),
        Column("sex", "category", categories=("F", "M")),
        Column("ward", "code", categories=("1", "2", "3")),
    )
    return Dataset(frame, Schema(columns, rules=rules))


ORDER = Order(("a", "b"), (False,))


def test_nothing_to_tell_where_every_row_obeys() -> None:
    data = table(ORDER, Derived("total", "a + b"), Combination(("sex", "ward")))
    learned = learn_rules(data)
    assert learned.notes == ()
    assert learned.rows.n_rows == N
    assert learned.rules.inner.names == ("a", "b above a", "sex + ward")


@pytest.mark.parametrize(("broken", "told"), [(3, "fewer than 11 of 300 rows"), (40, "40 of 300 rows")])
def test_rows_that_break_an_order_are_counted_and_set_aside(broken: int, told: str) -> None:
    data = table(ORDER)
    frame = data.frame.copy()
    frame.loc[: broken - 1, ["a", "b"]] = [9.0, 8.0]
    learned = learn_rules(replace(data, frame=frame))
    assert learned.rows.n_rows == N - broken
    (note,) = learned.notes
    assert note.startswith(f"The rule a <= b is broken by {told} to which it applies; they were set aside")


def test_a_rule_that_most_rows_break_is_not_believed() -> None:
    with pytest.raises(SchemaError, match=r"the rule b <= a is broken by 257 of 300 rows"):
        learn_rules(table(Order(("b", "a"), (False,))))


def test_values_that_should_be_missing_and_sums_that_do_not_add_up_are_not_learned() -> None:
    men = np.arange(N) % 2 == 1
    b = table().frame["b"].mask(men & (np.arange(N) >= 30))
    total = (table().frame["a"] + b).add(np.arange(N) >= 280)
    data = table(MissingUnless("b", 'sex == "F"'), Derived("total", "a + b"), b=b, total=total)
    learned = learn_rules(data)
    assert [note.split(" to which it applies; ") for note in learned.notes] == [
        [
            'The rule b missing unless sex == "F" is broken by 15 of 150 rows',
            "the value that should be missing is not learned from them.",
        ],
        [
            "The rule total = a + b is broken by fewer than 11 of 165 rows",
            "their own values are not learned, and the synthetic column is computed in every row.",
        ],
    ]
    assert learned.rows.n_rows == N
    inner = learned.rules.encode(learned.rows)
    assert inner.schema.names == ("a", "sex", "b", "ward")
    assert inner.frame["b"].isna().tolist() == men.tolist()


def test_rare_combinations_are_told_and_never_kept() -> None:
    ward = table().frame["ward"].copy()
    ward[0] = "3"
    ward[2:30:2] = None
    data = table(Combination(("sex", "ward")), ward=ward)
    learned = learn_rules(data)
    assert "fewer than 11 of 300 rows hold such a one" in learned.notes[0]
    assert set(learned.rules.facts.tables["sex", "ward"].values()) == {("F", "1"), ("M", "2"), ("F", None)}
    assert "3" not in str(learned.rules.facts)
    with pytest.raises(SchemaError, match="no combination of sex, ward is shared by 200 patients"):
        learn_rules(data, min_patients=200)


def test_patients_and_not_rows_stand_behind_a_combination() -> None:
    data = table(Combination(("sex", "ward")))
    patient = pd.Series(np.where(np.arange(N) % 2 == 0, "one", np.arange(N).astype(str)), dtype=object)
    schema = replace(
        data.schema, columns=(*data.schema, Column("patient", "code", role="subject", handling="surrogate"))
    )
    learned = learn_rules(Dataset(data.frame.assign(patient=patient), schema))
    assert set(learned.rules.facts.tables["sex", "ward"].values()) == {("M", "2")}


def test_a_condition_among_the_members_rules_out_combinations() -> None:
    ward = table().frame["ward"].copy()
    ward[1:60:2] = None
    data = table(Combination(("sex", "ward")), MissingUnless("ward", 'sex == "M"'), ward=ward.where(ward != "1", None))
    learned = learn_rules(data)
    assert set(learned.rules.facts.tables["sex", "ward"].values()) == {("F", None), ("M", None), ("M", "2")}


def test_gaps_are_noted_where_rules_leave_a_choice() -> None:
    b, total = table().frame["b"].copy(), table().frame["total"].copy()
    total[b.isna() | (np.arange(N) < 50)] = np.nan
    facts = learn_rules(table(ORDER, Derived("total", "a + b"), total=total)).rules.facts
    assert facts.own_gaps == {"total"}
    assert facts.gaps == frozenset()
    b[100:] = np.nan
    total[:] = np.where(b.isna(), np.nan, table().frame["a"] + b)
    facts = learn_rules(table(ORDER, Derived("total", "a + b"), total=total, b=b)).rules.facts
    assert facts.own_gaps == frozenset()
    assert facts.gaps == {"b"}


def test_counting_starts_below_every_value_but_at_no_patients_own() -> None:
    b = table().frame["b"] + 1000.37
    data = table(ORDER, b=b)
    columns = tuple(
        replace(c, kind="number", decimals=2, low=None, high=None) if c.name == "b" else c for c in data.schema
    )
    facts = learn_rules(Dataset(data.frame, Schema(columns, rules=(ORDER,)))).rules.facts
    assert facts.alone["b"] <= b.min() * 100
    assert facts.alone["b"] != b.min() * 100


def test_anchors_need_nothing_obeyed() -> None:
    days = pd.Series(np.datetime64("2020-01-01", "us") + (np.arange(N) % 300).astype("timedelta64[D]"))
    columns = (Column("begin", "date"), Column("seen", "date"))
    frame = pd.DataFrame({"begin": days, "seen": days - pd.Timedelta(20, "D")}).astype("datetime64[us]")
    data = Dataset(frame, Schema(columns, rules=(Anchor("begin", ("seen",)),)))
    learned = learn_rules(data)
    inner = learned.rules.encode(learned.rows)
    assert inner.schema.names == ("begin", "seen from begin")
    assert (inner.frame["seen from begin"] == -20).all()
    pd.testing.assert_frame_equal(learned.rules.decode(inner).frame, frame)
