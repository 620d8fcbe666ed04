"""Which rows break a rule? Read straight off a table, whoever made it.

This file knows nothing of how rules are honoured, so that it can judge it.

A rule *applies* to the rows about which it says something; it can be broken only there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.grid import COARSEST_FIRST, resolution
from semblance.rules.values import as_values, in_days

Mask = NDArray[np.bool_]
DAYS_IN = {
    "Y": 366.0,
    "M": 31.0,
    "D": 1.0,
    "h": 1 / 24,
    "m": 1 / 1440,
    "s": 1 / 86_400,
    "ms": 1 / 86_400e3,
    "us": 1 / 86_400e6,
}


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Rows to which a rule applies, and those of them that break it: two masks (n_rows,)."""

    applies: Mask
    broken: Mask


def inspect(data: Dataset, rule: Rule, *, real: Sequence[Dataset] = ()) -> Verdict:
    """Look at every row of `data`.

    Args:
        real: Tables of real patients, whose combinations are the ones that may occur; for a `Combination` only.

    Privacy: the masks speak of single rows of `data`.
    """
    match rule:
        case Order():
            return _order(data, rule)
        case Anchor():  # says how to learn, not what may occur
            nothing = np.zeros(data.n_rows, dtype=bool)
            return Verdict(nothing, nothing)
        case Combination():
            return _combination(data, rule, real)
        case MissingUnless():
            return _missing_unless(data, rule)
        case Derived():
            return _derived(data, rule)


def _order(data: Dataset, rule: Order) -> Verdict:
    applies, broken = np.zeros(data.n_rows, dtype=bool), np.zeros(data.n_rows, dtype=bool)
    for smaller, larger, strict in rule.pairs:
        one, other = data.schema[smaller], data.schema[larger]
        a: NDArray[Any]
        b: NDArray[Any]
        if one.kind in ("date", "datetime"):
            unit = min(resolution(one), resolution(other), key=COARSEST_FIRST.index)
            a, b = (data.frame[name].to_numpy(dtype=f"datetime64[{unit}]") for name in (smaller, larger))
            both = ~np.isnat(a) & ~np.isnat(b)
        else:
            a, b = (data.frame[name].to_numpy(dtype=np.float64) for name in (smaller, larger))
            both = ~np.isnan(a) & ~np.isnan(b)
        applies |= both
        broken |= both & ~(a < b if strict else a <= b)
    return Verdict(applies, broken)


def _combination(data: Dataset, rule: Combination, real: Sequence[Dataset]) -> Verdict:
    def combined(table: Dataset) -> pd.Index[Any]:
        members = [table.frame[name].where(table.frame[name].notna(), None) for name in rule.columns]
        return pd.Index(list(zip(*members, strict=True)), tupleize_cols=False)

    known = {row for table in real for row in combined(table).unique()}
    found = combined(data)
    codes, distinct = pd.factorize(found)
    strange = np.array([row not in known for row in distinct], dtype=bool)
    applies = data.frame[list(rule.columns)].notna().any(axis=1).to_numpy()
    return Verdict(applies, applies & strange[codes] if len(distinct) else applies)


def _missing_unless(data: Dataset, rule: MissingUnless) -> Verdict:
    condition = rule.parse({c.name: c for c in data.schema})
    values = as_values(lambda name: data.frame[name], data.schema, condition.columns)
    applies = ~condition.holds(values, data.n_rows)
    return Verdict(applies, applies & data.frame[rule.column].notna().to_numpy())


def _derived(data: Dataset, rule: Derived) -> Verdict:
    column = data.schema[rule.column]
    formula = rule.parse({c.name: c for c in data.schema})
    expected = formula.compute(as_values(lambda name: data.frame[name], data.schema, formula.columns), data.n_rows)
    stated = data.scale(rule.column)
    applies = ~np.isnan(stated)
    if rule.tolerance is not None:
        tolerance = rule.tolerance
    elif column.kind in ("number", "integer"):
        tolerance = 0.5 * 10.0**-column.decimals
    else:
        tolerance = DAYS_IN[resolution(column)]
    with np.errstate(invalid="ignore"):
        away = np.abs(in_days(stated, column) - expected)
        slack = 1e-9 * np.maximum(1.0, np.abs(expected))  # a hair's breadth is floating point, not a breach
        right = away <= tolerance + slack
    return Verdict(applies, applies & ~right)
