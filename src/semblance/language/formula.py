"""Arithmetic over columns: `weight / (height / 100) ** 2`, parsed by allow-list and computed for all rows at once.

A date is its number of days since 1970-01-01, a moment the same with a fraction. A formula with a missing input, or
with no value (a division by zero, the root of a negative number), is missing.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semblance.errors import SchemaError
from semblance.language.source import column_named, read_expression

Floats = NDArray[np.float64]
Interval = tuple[float, float]
ANYTHING: Interval = (-math.inf, math.inf)


class Described(Protocol):
    """What a rule must know of a column; ``schema.Column`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def bounds(self) -> str: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def decimals(self) -> int: ...
    @property
    def numeric(self) -> bool: ...
    @property
    def modelled(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Formula:
    """A number, a column, or an operation on formulas: the three are told apart by which field is set."""

    operation: str = ""
    parts: tuple[Formula, ...] = ()
    column: str = ""
    number: float = math.nan

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it reads, each once, in order of appearance."""
        mine = (self.column,) if self.column else ()
        return tuple(dict.fromkeys((*mine, *(name for part in self.parts for name in part.columns))))

    def compute(self, values: Mapping[str, Floats], n: int) -> Floats:
        """Its value in each row: (n,), NaN where it has none. `values` are on the scale of the module's docstring."""
        with np.errstate(all="ignore"):
            found = self._compute(values, n)
        return np.where(np.isfinite(found), found, np.nan)

    def _compute(self, values: Mapping[str, Floats], n: int) -> Floats:
        if self.column:
            return values[self.column]
        if not self.parts:
            return np.full(n, self.number)
        computed = OPERATIONS[self.operation](*(part._compute(values, n) for part in self.parts))
        return np.asarray(computed, dtype=np.float64)

    def enclose(self, bounds: Mapping[str, Interval]) -> Interval:
        """An interval that holds every value it can take while its columns keep their bounds (interval arithmetic)."""
        if self.column:
            return bounds.get(self.column, ANYTHING)
        if not self.parts:
            return (self.number, self.number)
        with np.errstate(all="ignore"):
            low, high = _enclose(self.operation, [part.enclose(bounds) for part in self.parts])
        return ANYTHING if math.isnan(low) or math.isnan(high) else (low, high)


def _least(*parts: Floats) -> Floats:
    return np.asarray(np.minimum.reduce(parts))  # NaN wins: a missing part makes the whole missing


def _most(*parts: Floats) -> Floats:
    return np.asarray(np.maximum.reduce(parts))


def _round(value: Floats, places: Floats | None = None) -> Floats:
    if places is None:
        return np.round(value)
    power = 10.0 ** np.round(places)
    return np.asarray(np.round(value * power) / power)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "negative": np.negative,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "round": _round,
    "min": _least,
    "max": _most,
}
BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
ARGUMENTS = {
    "abs": (1, 1), "floor": (1, 1), "ceil": (1, 1), "sqrt": (1, 1), "log": (1, 1), "exp": (1, 1),
    "round": (1, 2), "min": (2, 20), "max": (2, 20),
}  # fmt: skip


def parse_formula(text: str, columns: Mapping[str, Described]) -> Formula:
    """Read a formula over numeric columns.

    Raises:
        SchemaError: it is not arithmetic, or names a column that does not exist or is no number or date.
    """
    tree, stand_ins = read_expression(text)
    return formula_of(tree, stand_ins, columns)


def formula_of(node: ast.expr, stand_ins: Mapping[str, str], columns: Mapping[str, Described]) -> Formula:
    """The formula that a piece of a syntax tree stands for; raises SchemaError as `parse_formula` does."""
    match node:
        case ast.Constant(value=bool() | str() | bytes() | complex() | None):
            raise SchemaError(
                "arithmetic takes numbers and columns; leave out texts, and write 1 and 0 for true/false."
            )
        case ast.Constant(value=int() | float() as number):
            try:
                return Formula(number=float(number))
            except OverflowError:
                raise SchemaError("a number in a rule is too large; use one that a computer can hold.") from None
        case ast.Name():
            name = column_named(node, stand_ins, columns)
            if not columns[name].numeric:
                raise SchemaError(f"column {name!r} holds labels, and arithmetic takes numbers and dates.")
            return Formula(column=name)
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return Formula("negative", (formula_of(part, stand_ins, columns),))
        case ast.UnaryOp(op=ast.UAdd(), operand=part):
            return formula_of(part, stand_ins, columns)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return Formula(BINARY[type(op)], tuple(formula_of(part, stand_ins, columns) for part in (left, right)))
        case ast.Call(func=ast.Name(id=function), args=parts, keywords=[]) if function in ARGUMENTS:
            fewest, most = ARGUMENTS[function]
            if not fewest <= len(parts) <= most:
                raise SchemaError(f"{function}() takes {fewest} to {most} arguments in a rule.")
            return Formula(function, tuple(formula_of(part, stand_ins, columns) for part in parts))
    raise SchemaError(f"a rule may use columns, numbers, + - * / **, brackets and {', '.join(ARGUMENTS)}.")


# ── bounds of a formula ──────────────────────────────────────────────────────────────────────────────────────────────


def _enclose(operation: str, parts: list[Interval]) -> Interval:
    if operation in ("min", "max"):
        pick = min if operation == "min" else max
        return pick(low for low, _ in parts), pick(high for _, high in parts)
    if operation == "negative":
        return -parts[0][1], -parts[0][0]
    if operation == "abs":
        low, high = parts[0]
        return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    if operation in ("sqrt", "log"):  # below 0 there is no value, so nothing to enclose
        parts = [(max(parts[0][0], 0.0), max(parts[0][1], 0.0))]
    if operation == "/" and parts[1][0] <= 0 <= parts[1][1]:
        return ANYTHING
    if operation == "**":
        return _enclose_power(*parts)
    if operation == "round" and len(parts) == 2 and parts[1][0] != parts[1][1]:
        return ANYTHING
    return _corners(operation, parts)


def _enclose_power(base: Interval, exponent: Interval) -> Interval:
    if base[0] > 0:
        return _corners("**", [base, exponent])
    if exponent[0] != exponent[1] or exponent[0] < 0 or not math.isfinite(exponent[0]):
        return ANYTHING
    if not exponent[0].is_integer():  # below 0 there is no value
        return _corners("**", [(max(base[0], 0.0), max(base[1], 0.0)), exponent])
    ends = _corners("**", [base, exponent])
    return (min(0.0, ends[0]), ends[1]) if base[0] <= 0 <= base[1] else ends


def _corners(operation: str, parts: list[Interval]) -> Interval:
    """Enough for an operation that is monotone in each part: the extremes lie at the corners."""
    found = []
    for corner in product(*parts):
        value = float(OPERATIONS[operation](*(np.float64(end) for end in corner)))
        if operation == "*" and math.isnan(value):  # 0 times infinity: the part that is 0 stays 0
            value = 0.0
        found.append(value)
    return (min(found), max(found)) if not any(map(math.isnan, found)) else ANYTHING
