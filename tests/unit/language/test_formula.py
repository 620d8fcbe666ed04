"""Formulas: right numbers, missing where there is none, bounds that hold, and nothing but arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.errors import SchemaError
from semblance.language.formula import parse_formula
from semblance.schema import Column

COLUMNS = {
    c.name: c
    for c in (Column("a", "number"), Column("b", "number"), Column("num.co", "integer"), Column("sex", "category"))
}
WORDS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
    "floor": math.floor,
    "ceil": math.ceil,
}

leaves = st.sampled_from(["a", "b", "0", "2", "0.5", "3"])
formulas = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds("({} {} {})".format, parts, st.sampled_from(["+", "-", "*", "/", "**"]), parts),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), parts, parts),
        st.builds("{}({})".format, st.sampled_from(["abs", "floor", "ceil", "sqrt", "log", "exp", "-"]), parts),
    ),
    max_leaves=6,
)


def by_python(text: str, a: float, b: float) -> float:
    """What Python itself makes of it; NaN where it has no real value."""
    try:
        value = eval(text, {"__builtins__": {"min": min, "max": max, "abs": abs}}, {**WORDS, "a": a, "b": b})
        return float(value) if not isinstance(value, complex) and math.isfinite(value) else math.nan
    except (ArithmeticError, ValueError, TypeError):  # a complex number half-way
        return math.nan


@settings(max_examples=200, deadline=None)
@given(formulas, st.integers(-20, 20), st.integers(-20, 20))
def test_computes_what_python_computes_and_stays_inside_its_interval(text: str, a: int, b: int) -> None:
    a_, b_ = a / 2, b / 2
    formula = parse_formula(text, COLUMNS)
    found = formula.compute({"a": np.array([a_]), "b": np.array([b_])}, 1)[0]
    wanted = by_python(text, a_, b_)
    if not math.isnan(wanted):  # where Python gives up half-way (an infinity in between), we may still have a value
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    if not math.isnan(found):
        low, high = formula.enclose({"a": (-10.0, 10.0), "b": (-10.0, 10.0)})
        slack = 1e-9 * max(1.0, abs(found))
        assert low - slack <= found <= high + slack


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("a + b", 2, 30), ("a - b", -19, 9), ("a * b", 1, 200), ("a / b", 0.05, 10), ("a ** 2", 1, 100), ("-a", -10, -1),
     ("round(a / 3, 1)", 0.3, 3.3), ("max(a, b) - min(a, b)", -9, 19), ("b / (a - 5)", -math.inf, math.inf)],
)  # fmt: skip
def test_intervals_are_tight_where_a_column_comes_once(text: str, low: float, high: float) -> None:
    assert parse_formula(text, COLUMNS).enclose({"a": (1, 10), "b": (1, 20)}) == pytest.approx((low, high))


def test_missing_inputs_and_impossible_values_are_missing() -> None:
    formula = parse_formula("max(a, b) / `num.co`", COLUMNS)
    assert formula.columns == ("a", "b", "num.co")
    values = {"a": np.array([1, np.nan, 1, 4]), "b": np.array([2, 2, 2, 2.0]), "num.co": np.array([2, 2, 0, 2.0])}
    np.testing.assert_array_equal(formula.compute(values, 4), [1, np.nan, np.nan, 2])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a + c", "no column 'c'"),
        ("sex + 1", "holds labels"),
        ("num.co", "a rule may use"),
        ("a + 'x'", "leave out texts"),
        ("a + True", "leave out texts"),
        ("a if b else 1", "a rule may use"),
        ("__import__('os').system('true')", "a rule may use"),
        ("a.real", "a rule may use"),
        ("[a]", "a rule may use"),
        ("(lambda: a)()", "a rule may use"),
        ("open(a)", "a rule may use"),
        ("min(a)", "takes 2 to 20"),
        ("a +", "cannot be read"),
        ("a; b", "cannot be read"),
        ("", "cannot be read"),
        ("1" * 5000, "longer than"),
        ("-" * 200 + "a", "nested"),
        (f"a + 1{'0' * 400}", "too large"),
    ],
)
def test_refuses_what_is_not_arithmetic(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says):
        parse_formula(text, COLUMNS)
