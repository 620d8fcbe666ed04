"""Conditions on a row: `sex == "F" and age >= 12`, parsed by allow-list and decided for all rows at once.

Three answers, as in SQL (Kleene's logic): a comparison with a missing value is neither true nor false. A condition
holds in a row where it is true.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.errors import SchemaError
from semblance.language.formula import Described, Formula, formula_of
from semblance.language.source import column_named, read_expression

Mask = NDArray[np.bool_]
Answer = tuple[Mask, Mask]  # where it is true, where it is false; elsewhere unknown
Values = Mapping[str, NDArray[Any]]
"""Numeric columns as floats on a formula's scale, NaN missing; label columns as objects, None missing."""

COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
TURNED: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.Gt(),
    ast.LtE: ast.GtE(),
    ast.Gt: ast.Lt(),
    ast.GtE: ast.LtE(),
    ast.Eq: ast.Eq(),
    ast.NotEq: ast.NotEq(),
}
EPOCH = datetime(1970, 1, 1)  # naive: local times are kept as they stand
HOW = 'write it as in sex == "F" and age >= 12, stage in ("I", "II"), present(x), missing(x), not (…)'


@dataclass(frozen=True, slots=True)
class Condition:
    """A question about a row, read from `text`."""

    text: str
    columns: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    """What it compares label columns with: (column, label) pairs."""
    decide: Callable[[Values, int], Answer]

    def holds(self, values: Values, n: int) -> Mask:
        """Where it is true: (n,)."""
        return self.decide(values, n)[0]


def parse_condition(text: str, columns: Mapping[str, Described]) -> Condition:
    """Read a condition.

    Raises:
        SchemaError: it is no condition, names a column that does not exist, or compares a label with a number.
    """
    tree, stand_ins = read_expression(text)
    reader = _Reader(stand_ins, columns)
    decide = reader.read(tree)
    return Condition(text, tuple(reader.used), tuple(reader.labels), decide)


class _Reader:
    """Turns a syntax tree into a function from values to answers, noting what it uses."""

    def __init__(self, stand_ins: Mapping[str, str], columns: Mapping[str, Described]) -> None:
        self.stand_ins, self.columns = stand_ins, columns
        self.used: dict[str, None] = {}
        self.labels: dict[tuple[str, str], None] = {}

    def read(self, node: ast.expr) -> Callable[[Values, int], Answer]:
        match node:
            case ast.BoolOp(op=op, values=parts):
                read = [self.read(part) for part in parts]
                join = _both if isinstance(op, ast.And) else _either
                return lambda values, n: join([part(values, n) for part in read])
            case ast.UnaryOp(op=ast.Not(), operand=part):
                inside = self.read(part)
                return lambda values, n: _turn(inside(values, n))
            case ast.Call(func=ast.Name(id="present" | "missing" as word), args=[ast.Name() as name], keywords=[]):
                return self._presence(self._column(name), word)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [left, *rights]
                links = [self._compare(a, op, b) for a, op, b in zip(sides, ops, rights, strict=False)]
                return lambda values, n: _both([link(values, n) for link in links])
        raise SchemaError(f"a condition cannot hold that; {HOW}.")

    def _column(self, node: ast.Name) -> str:
        name = column_named(node, self.stand_ins, self.columns)
        self.used[name] = None
        return name

    def _presence(self, name: str, word: str) -> Callable[[Values, int], Answer]:
        def decide(values: Values, n: int) -> Answer:
            gone = _gone(values[name])
            return (~gone, gone) if word == "present" else (gone, ~gone)

        return decide

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Callable[[Values, int], Answer]:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
                raise SchemaError(f"`in` takes a list in brackets; {HOW}.")
            any_of = [self._compare(left, ast.Eq(), option) for option in right.elts]
            if isinstance(op, ast.NotIn):
                return lambda values, n: _turn(_either([one(values, n) for one in any_of]))
            return lambda values, n: _either([one(values, n) for one in any_of])
        if type(op) not in COMPARE:
            raise SchemaError(f"`is` is not known; {HOW}.")
        if isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
            left, op, right = right, TURNED[type(op)], left
        if isinstance(left, ast.Name) and not self.columns[self._column(left)].numeric:
            return self._compare_label(self._column(left), op, right)
        if isinstance(right, ast.Name) and not self.columns[self._column(right)].numeric:
            return self._compare_label(self._column(right), TURNED[type(op)], left)
        return self._compare_numbers(left, op, right)

    def _compare_label(self, name: str, op: ast.cmpop, other: ast.expr) -> Callable[[Values, int], Answer]:
        column = self.columns[name]
        if not isinstance(other, ast.Constant) or not isinstance(other.value, str):
            raise SchemaError(f'column {name!r} holds labels; compare it with a text in quotes, as in {name} == "yes".')
        label, compare = other.value, COMPARE[type(op)]
        if column.categories and label not in column.categories:
            raise SchemaError(f"column {name!r} has no category {label!r}; use one that its `categories` list.")
        self.labels[name, label] = None
        if isinstance(op, ast.Eq | ast.NotEq):

            def same(values: Values, n: int) -> Answer:
                equal, gone = values[name] == label, _gone(values[name])
                return (equal & ~gone, ~equal & ~gone) if isinstance(op, ast.Eq) else (~equal & ~gone, equal & ~gone)

            return same
        if column.kind != "ordinal" or not column.categories:
            raise SchemaError(f"column {name!r} has no order; compare it by ==, != or in, or make it an ordinal.")
        grade = {known: place for place, known in enumerate(column.categories)}

        def graded(values: Values, n: int) -> Answer:
            places = np.array([grade.get(value, np.nan) for value in values[name]], dtype=np.float64)
            with np.errstate(invalid="ignore"):
                true = compare(places, grade[label])
            return true, ~true & ~np.isnan(places)

        return graded

    def _compare_numbers(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Callable[[Values, int], Answer]:
        one, other = self._side(left, right), self._side(right, left)
        compare = COMPARE[type(op)]

        def decide(values: Values, n: int) -> Answer:
            a, b = one.compute(values, n), other.compute(values, n)
            known = ~np.isnan(a) & ~np.isnan(b)
            true = np.asarray(compare(a, b), dtype=bool) & known
            return true, ~true & known

        return decide

    def _side(self, node: ast.expr, across: ast.expr) -> Formula:
        """One side of a comparison; a text is a day where a date stands across."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            day = self._side(across, node) if not isinstance(across, ast.Constant) else None
            if day is None or not any(self.columns[c].kind in ("date", "datetime") for c in day.columns):
                raise SchemaError("a number is compared with a text; leave out the quotes.")
            try:
                moment = datetime.fromisoformat(node.value).replace(tzinfo=None)
            except ValueError:
                raise SchemaError('a day in a condition is written as in admitted >= "2020-01-31".') from None
            return Formula(number=(moment - EPOCH).total_seconds() / 86_400)
        formula = formula_of(node, self.stand_ins, self.columns)
        self.used.update(dict.fromkeys(formula.columns))
        return formula


def _gone(values: NDArray[Any]) -> Mask:
    return np.asarray(pd.isna(values))


def _turn(answer: Answer) -> Answer:
    return answer[1], answer[0]


def _both(answers: list[Answer]) -> Answer:
    true = np.logical_and.reduce([answer[0] for answer in answers])
    return true, np.logical_or.reduce([answer[1] for answer in answers])


def _either(answers: list[Answer]) -> Answer:
    true = np.logical_or.reduce([answer[0] for answer in answers])
    return true, np.logical_and.reduce([answer[1] for answer in answers])
