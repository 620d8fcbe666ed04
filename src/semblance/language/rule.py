"""What may be declared about several columns at once: five kinds of rule, plain facts without any data.

How a rule is honoured in every synthetic row is the business of the room ``rules``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass

from semblance.errors import SchemaError
from semblance.language.condition import Condition, parse_condition
from semblance.language.formula import Described, Formula, parse_formula
from semblance.language.source import column_named, quoted, read_expression


@dataclass(frozen=True, slots=True)
class Order:
    """``admitted <= surgery < discharged``: of any two of these that are present, the earlier named is not larger.

    Between two columns `a` and `b`, a "<" anywhere from `a` to `b` makes the comparison strict. Dates and moments are
    compared at the coarser precision of the two, so a moment is not later than its own day.

    Attributes:
        columns: From the smallest to the largest, at least two.
        strict: Whether "<" (rather than "<=") stands between each column and the next. (n_columns - 1,)
    """

    columns: tuple[str, ...]
    strict: tuple[bool, ...]

    def __post_init__(self) -> None:
        _several(self.columns, "an order")
        if len(self.strict) != len(self.columns) - 1:
            raise ValueError("one sign stands between two columns")

    def __str__(self) -> str:
        signs = ["<" if strict else "<=" for strict in self.strict]
        return " ".join(
            [quoted(self.columns[0]), *(f"{s} {quoted(c)}" for s, c in zip(signs, self.columns[1:], strict=True))]
        )

    @property
    def pairs(self) -> tuple[tuple[str, str, bool], ...]:
        """Every (smaller, larger, strict)."""
        names = self.columns
        return tuple(
            (names[i], names[j], any(self.strict[i:j])) for j in range(1, len(names)) for i in range(j)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Anchor:
    """Dates learned as their distance from another date, `anchor`; the distance may be negative."""

    anchor: str
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        _several((self.anchor, *self.columns), "an anchor")

    def __str__(self) -> str:
        return f"{', '.join(map(quoted, self.columns))} counted from {quoted(self.anchor)}"


@dataclass(frozen=True, slots=True)
class Combination:
    """Label columns of which only combinations occur that real patients have; "missing" is a value like any other."""

    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        _several(self.columns, "a combination")

    def __str__(self) -> str:
        return f"combinations of {', '.join(map(quoted, self.columns))}"


@dataclass(frozen=True, slots=True)
class MissingUnless:
    """`column` is missing in every row in which `condition` is not true."""

    column: str
    condition: str

    def __str__(self) -> str:
        return f"{quoted(self.column)} missing unless {self.condition}"

    def parse(self, columns: Mapping[str, Described]) -> Condition:
        return parse_condition(self.condition, columns)


@dataclass(frozen=True, slots=True)
class Derived:
    """`column` is computed from others, rounded to its decimals, and missing when an input is missing.

    Attributes:
        tolerance: How far a real value may lie from the formula's; None is half a unit of the last decimal place.
    """

    column: str
    formula: str
    tolerance: float | None = None

    def __post_init__(self) -> None:
        if self.tolerance is not None and not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise SchemaError("`tolerance` must be a number that is not negative.")

    def __str__(self) -> str:
        return f"{quoted(self.column)} = {self.formula}"

    def parse(self, columns: Mapping[str, Described]) -> Formula:
        return parse_formula(self.formula, columns)


Rule = Order | Anchor | Combination | MissingUnless | Derived


def parse_order(text: str) -> Order:
    """Read ``a <= b < c``; ``c > b >= a`` is the same.

    Raises:
        SchemaError: it is something else.
    """
    cure = "an order is written as in admitted <= discharged, with <= or < between columns"
    tree, stand_ins = read_expression(text)
    if not isinstance(tree, ast.Compare):
        raise SchemaError(f"{cure}.")
    sides = [tree.left, *tree.comparators]
    rising = all(isinstance(op, ast.Lt | ast.LtE) for op in tree.ops)
    if not (rising or all(isinstance(op, ast.Gt | ast.GtE) for op in tree.ops)):
        raise SchemaError(f"{cure}, all in one direction.")
    names = []
    for side in sides:
        if not isinstance(side, ast.Name):
            raise SchemaError(f"{cure}; a column whose name is no plain word stands in backticks.")
        names.append(column_named(side, stand_ins, {stand_ins.get(side.id, side.id)}))
    strict = [isinstance(op, ast.Lt | ast.Gt) for op in tree.ops]
    return Order(tuple(names), tuple(strict)) if rising else Order(tuple(names[::-1]), tuple(strict[::-1]))


def _several(names: tuple[str, ...], what: str) -> None:
    if len(names) < 2:
        raise SchemaError(f"{what} needs at least two columns.")
    if len(set(names)) != len(names):
        raise SchemaError(f"{what} names a column twice; name each once.")
