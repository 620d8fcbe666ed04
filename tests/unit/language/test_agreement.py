"""Rules that cannot all hold are refused when the schema is made, in one sentence."""

from __future__ import annotations

import pytest

from semblance.errors import SchemaError
from semblance.language.agreement import decoding_order
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.schema import Column, Schema

COLUMNS = (
    Column("total", "number", low=0, high=30, bounds="declared"),
    Column("a", "number", low=0, high=10),
    Column("b", "number", low=0, high=20),
    Column("c", "number", low=50, high=60),
    Column("d", "number"),
    Column("begin", "date", low=18_000, high=19_000),
    Column("end", "datetime", low=18_000 * 86_400, high=19_000 * 86_400),
    Column("sex", "category"),
    Column("ward", "code"),
    Column("bed", "code"),
    Column("note", "text", handling="blank"),
    Column("patient", "code", role="subject", handling="surrogate"),
)


def schema(*rules: Rule) -> Schema:
    return Schema(COLUMNS, rules=rules)


def order(*names: str) -> Order:
    return Order(names, (False,) * (len(names) - 1))


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ((order("a", "x"),), "rule 1: there is no column 'x'"),
        ((order("a", "b"), MissingUnless("x", "a > 1")), "rule 2: there is no column 'x'"),
        ((MissingUnless("a", "x > 1"),), "no column 'x'"),
        ((order("a", "sex"),), "holds labels"),
        ((order("a", "begin"),), "cannot mix numbers and dates"),
        ((order("c", "a"),), "no row can obey"),
        ((MissingUnless("note", "a > 1"),), "never learned"),
        ((MissingUnless("sex", 'patient == "1"'),), "never learned"),
        ((Anchor("a", ("begin",)),), "is no date"),
        ((Combination(("sex", "a")),), "is a number"),
        ((MissingUnless("a", "a > 1"),), "its own condition"),
        ((MissingUnless("a", "1 > 0"),), "asks for no column"),
        ((Derived("sex", "a + b"),), "only a number or a date"),
        ((Derived("d", "d + 1"),), "from itself"),
        ((Derived("d", "1 + 1"),), "names no column"),
        ((order("a", "b"), order("b", "a")), "round in a circle through a, b"),
        ((Derived("d", "a"), Derived("a", "d")), "round in a circle"),
        ((MissingUnless("a", "present(b)"), MissingUnless("b", "present(a)")), "round in a circle"),
        ((Derived("d", "a + b"), Derived("d", "a + 2 * b")), "two rules decide column 'd'"),
        ((Combination(("sex", "ward")), Combination(("ward", "bed"))), "two rules decide column 'ward'"),
        ((order("begin", "end"), Anchor("begin", ("end",))), "two rules decide column 'end'"),
        ((order("a", "d"), Derived("d", "a + b")), "two rules decide column 'd'"),
        ((order("d", "b"), Derived("d", "a + 1")), "cannot be moved"),
        ((Combination(("sex", "ward")), MissingUnless("ward", "a > 1")), "'a' is none"),
        ((Derived("total", "a + 2 * b"),), "from 0 to 50"),
        ((Derived("total", "a + d"),), "cannot be promised"),
    ],
)
def test_refuses(rules: tuple[Rule, ...], says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        schema(*rules)


def test_a_name_that_cannot_be_written_is_refused() -> None:
    columns = (Column("a`b", "number"), Column('say "c"', "number"))
    with pytest.raises(SchemaError, match="backtick"):
        Schema(columns, rules=(order("a`b", 'say "c"'),))


@pytest.mark.parametrize(
    "rules",
    [
        (Derived("total", "a + b"),),
        (Derived("d", "a + 2 * b"),),  # no declared bounds to promise
        (order("a", "d"), order("b", "d"), order("a", "b")),
        (Anchor("begin", ("end",)), MissingUnless("begin", 'sex == "F"')),
        (order("begin", "end"), Derived("d", "end - begin"), MissingUnless("d", "a > 1")),
        (Combination(("sex", "ward")), MissingUnless("ward", 'sex == "F"')),
        (MissingUnless("a", 'sex == "F"'), MissingUnless("a", "b > 2")),
    ],
    ids=str,
)
def test_accepts(rules: tuple[Rule, ...]) -> None:
    assert schema(*rules).rules == rules


def test_each_column_is_made_after_those_it_needs_and_otherwise_in_its_place() -> None:
    made = Schema(COLUMNS[1:], rules=(Derived("a", "d + 1"), order("c", "d"), MissingUnless("b", "present(bed)")))
    found = decoding_order(made.rules, {c.name: c for c in made})
    assert found == ("c", "d", "a", "begin", "end", "sex", "ward", "bed", "b", "note", "patient")
