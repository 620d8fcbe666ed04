"""The schema as TOML: exact both ways, and a sentence with a place for every slip."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.errors import SchemaError
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.schema import HANDLINGS, KINDS, Column, Schema
from semblance.schema_toml import dumps, loads

TEXT = st.text(max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    low, high = sorted([draw(FINITE), draw(FINITE)])
    return Column(
        name,
        draw(st.sampled_from(KINDS)),  # type: ignore[arg-type]
        role=draw(st.sampled_from(["feature", "identifier", "quasi-identifier", "sensitive"])),  # type: ignore[arg-type]
        handling=draw(st.sampled_from(HANDLINGS)),  # type: ignore[arg-type]
        unit=draw(TEXT),
        low=draw(st.sampled_from([None, low])),
        high=draw(st.sampled_from([None, high])),
        bounds=draw(st.sampled_from(["declared", "inferred"])) if low else "inferred",  # type: ignore[arg-type]
        categories=tuple(draw(st.lists(TEXT, max_size=4, unique=True))),
        decimals=draw(st.integers(0, 17)),
        min_decimals=draw(st.integers(0, 17)),
        decimal_mark=draw(st.sampled_from([".", ","])),
        date_format=draw(TEXT),
        missing=tuple(draw(st.lists(TEXT, max_size=3))),
        missing_reason=draw(TEXT),
        code_system=draw(TEXT),
        form=draw(TEXT),
        storage=draw(TEXT),
        why=draw(TEXT),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    names = draw(st.lists(TEXT, min_size=1, max_size=4, unique=True))
    dialect = draw(st.dictionaries(TEXT, TEXT, max_size=3))
    return Schema(tuple(draw(columns(name)) for name in names), draw(TEXT), dialect)


@settings(max_examples=150, deadline=None)
@given(schemas())
def test_what_is_written_is_read_back_exactly(schema: Schema) -> None:
    assert loads(dumps(schema), where="s.toml") == schema


def test_dates_are_dates_and_only_what_matters_is_written() -> None:
    schema = Schema(
        (Column("seen", "date", low=7305.0, high=18262.0), Column("num.co", "ordinal", categories=("0", "1")))
    )
    text = dumps(schema)
    assert "low = 1990-01-01" in text
    assert "high = 2020-01-01" in text
    body = text.split("[[column]]", 1)[1]
    assert not re.search("decimals|unit|form|storage|missing", body.split("# Rules")[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[column]]\nname = "x"\nkind = "number\n', "line 3"),
        ("", "no columns"),
        ('[[column]]\nkind = "number"\n', "column 1: `name`"),
        ('[[column]]\nname = "x"\n', "`kind` is missing"),
        ('[[column]]\nname = "x"\nkind = "float"\n', "use one of number"),
        ('[[column]]\nname = "x"\nkind = "number"\nlow = "5"\n', "`low` must be a number"),
        ('[[column]]\nname = "x"\nkind = "number"\nlow = 5\nhigh = 4\n', "swap"),
        ('[[column]]\nname = "x"\nkind = "number"\nlower = 5\n', "'lower' is not known"),
        ('[[column]]\nname = "x"\nkind = "category"\ncategories = [1, 2]\n', "list of texts"),
        ('[[column]]\nname = "x"\nkind = "category"\ncategories = ["a", "a"]\n', "twice"),
        ('[[column]]\nname = "x"\nkind = "number"\ndecimals = true\n', "whole number"),
        ('[[column]]\nname = "x"\nkind = "number"\nrole = "patient"\n', "use one of feature"),
        ('[[column]]\nname = "x"\nkind = "text"\n[[column]]\nname = "x"\nkind = "text"\n', "share a name"),
        ('[[columns]]\nname = "x"\nkind = "text"\n', "'columns' is not known"),
        ('[[column]]\nname = "x"\nkind = "text"\n[dialect]\ndelimiter = 5\n', "dialect"),
        ('column = 5\n', "no columns"),
    ],
)  # fmt: skip
def test_every_slip_has_a_place_and_a_cure(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(says)) as caught:
        loads(text, where="mine.toml")
    assert str(caught.value).startswith("mine.toml")


RULED = Schema(
    (
        Column("admitted", "date"),
        Column("left", "date"),
        Column("age", "integer"),
        Column("total", "number", decimals=1),
        Column("sex", "category"),
        Column("ward/bed", "code"),
    )
)


@pytest.mark.parametrize(
    "rule",
    [
        Order(("admitted", "left"), (True,)),
        Order(("total", "age"), (False,)),
        Anchor("admitted", ("left",)),
        Combination(("sex", "ward/bed")),
        MissingUnless("ward/bed", 'sex == "F" and age >= 12'),
        MissingUnless("sex", "`ward/bed` in ('1\\x7f', \"2\") or not present(total)"),
        Derived("total", "age * 2"),
        Derived("left", "admitted + 30", tolerance=1.5),
    ],
    ids=str,
)
def test_every_rule_is_written_and_read_back(rule: Rule) -> None:
    schema = replace(RULED, rules=(rule,))
    assert loads(dumps(schema), where="mine.toml") == schema


COLUMNS = "".join(f'[[column]]\nname = "{name}"\nkind = "number"\n' for name in "abc")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[rules]]\nif = "x"\n', "rule 1: a rule has exactly one of the keys order"),
        ('[[rules]]\norder = "a <= b"\nderived = "c"\n', "exactly one"),
        ('[[rules]]\norder = "a <= b"\ncolumns = ["c"]\n', "'columns' is not known"),
        ('[[rules]]\norder = "a"\n', "an order is written as"),
        ('[[rules]]\norder = "a <= b > c"\n', "one direction"),
        ('[[rules]]\norder = "a <= b <= a"\n', "names a column twice"),
        ('[[rules]]\norder = "a <= z"\n', "there is no column 'z'"),
        ('[[rules]]\norder = 5\n', "`order` is missing or no text"),
        ('[[rules]]\nanchor = "a"\n', "`columns` must be a list"),
        ('[[rules]]\nmissing = "a"\n', "`unless` is missing"),
        ('[[rules]]\nderived = "a"\nfrom = "b + "\n', "cannot be read"),
        ('[[rules]]\nderived = "a"\nfrom = "b"\ntolerance = "1"\n', "`tolerance` must be a number"),
        ('[[rules]]\nderived = "a"\nfrom = "b"\ntolerance = -1\n', "not negative"),
        ('[rules]\norder = "a <= b"\n', "[[rules]] block"),
    ],
)  # fmt: skip
def test_every_slip_in_a_rule_has_a_place_and_a_cure(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(says)) as caught:
        loads(COLUMNS + text, where="mine.toml")
    assert str(caught.value).startswith("mine.toml")


def test_an_order_may_be_written_from_large_to_small() -> None:
    schema = loads(COLUMNS + '[[rules]]\norder = "c > `b` >= a"\n', where="mine.toml")
    assert schema.rules == (Order(("a", "b", "c"), (False, True)),)
