"""Rules honoured by construction: the table is learned in another form, from which every row obeys.

real table ─encode→ inner table ─any generator→ inner table′ ─decode→ synthetic table

In the inner table an ordered column is a difference, a combination is one column of labels, and a computed column is
not there at all. `Rules.decode` obeys every rule whatever its input holds, so a generator need know nothing of rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from semblance.data.dataset import Dataset
from semblance.errors import SchemaError
from semblance.language.agreement import decoding_order
from semblance.language.condition import Condition
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order
from semblance.rules.grid import Grid
from semblance.rules.steps import After, Anchored, Computed, Kept, Label, Made, Merged, Step
from semblance.rules.values import as_values
from semblance.schema import Column, Schema


@dataclass(frozen=True, slots=True)
class Facts:
    """What had to be learned from real rows, and nothing of one patient's own.

    Attributes:
        gaps: Ordered columns that are missing in some rows.
        own_gaps: Computed columns that are missing in some rows although their inputs are there.
        alone: Ordered and anchored column → whole steps from which it is counted where it stands alone.
        tables: For each combination, its labels that enough patients share → the labels of its columns.
    """

    gaps: frozenset[str]
    own_gaps: frozenset[str]
    alone: Mapping[str, float]
    tables: Mapping[tuple[str, ...], Mapping[str, tuple[str | None, ...]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {
            "gaps": sorted(self.gaps),
            "own_gaps": sorted(self.own_gaps),
            "alone": dict(self.alone),
            "tables": [
                {"columns": list(c), "labels": {k: list(v) for k, v in t.items()}} for c, t in self.tables.items()
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        tables = {tuple(t["columns"]): {k: tuple(v) for k, v in t["labels"].items()} for t in data["tables"]}
        return cls(frozenset(data["gaps"]), frozenset(data["own_gaps"]), dict(data["alone"]), tables)


@dataclass(frozen=True, eq=False)
class Rules:
    """A schema's rules, ready to encode and decode."""

    schema: Schema
    facts: Facts

    @cached_property
    def inner(self) -> Schema:
        """What generators learn: the same rows, other columns, no rules."""
        columns: list[Column] = []
        for name in self._order:
            if not self.schema[name].modelled:
                columns.append(self.schema[name])
            elif name in self._steps:
                columns.extend(self._steps[name].inner)
        return Schema(tuple(columns), self.schema.name)

    @cached_property
    def direct(self) -> frozenset[str]:
        """Columns that `decode` hands on as they are: the inner column of the same name holds the outer value."""
        kept = {name for name, step in self._steps.items() if isinstance(step, Kept | Label)}
        return frozenset(kept - self._conditions.keys())

    @property
    def merged(self) -> tuple[Merged, ...]:
        """Columns that are learned together as one."""
        return tuple(step for step in self._steps.values() if isinstance(step, Merged))

    def encode(self, real: Dataset) -> Dataset:
        """The inner table of real rows: (n_rows, n_inner).

        A value that stands where it should be missing is left out; rows that break an order should not come here.
        """
        values: dict[str, pd.Series[Any]] = {name: real.frame[name] for name in self.schema.names}
        for name in self._order:
            if name in self._conditions:
                values[name] = self._emptied(name, values, real.n_rows)
        encoded = {c.name: values[c.name] for c in self.schema if not c.modelled}
        for step in self._steps.values():
            encoded |= step.encode(values)
        frame = pd.DataFrame({name: encoded[name] for name in self.inner.names})
        return Dataset(frame, self.inner, real.origin)

    def decode(self, drawn: Dataset) -> Dataset:
        """The outer table of inner rows, in which every rule holds: (n_rows, n_columns)."""
        inner: Made = {name: drawn.frame[name] for name in self.inner.names}
        made: dict[str, pd.Series[Any]] = {c.name: inner[c.name] for c in self.schema if not c.modelled}
        for name in self._order:
            if name in self._steps:
                made |= self._steps[name].decode(inner, made)
            if name in self._conditions:
                made[name] = self._emptied(name, made, drawn.n_rows)
        frame = pd.DataFrame({name: made[name] for name in self.schema.names})
        return Dataset(frame, self.schema, drawn.origin)

    def _emptied(self, name: str, columns: Made, n: int) -> pd.Series[Any]:
        values = columns[name]
        for condition in self._conditions[name]:
            asked = as_values(columns.__getitem__, self.schema, condition.columns)
            empty = None if values.dtype == object else np.nan
            values = values.where(condition.holds(asked, n), empty)
        return values

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {c.name: c for c in self.schema}

    @cached_property
    def _order(self) -> tuple[str, ...]:
        return decoding_order(self.schema.rules, self._columns)

    @cached_property
    def _conditions(self) -> dict[str, list[Condition]]:
        """Conditions by the column that they empty; members of a combination are emptied by its table."""
        merged = {name for rule in self.schema.rules if isinstance(rule, Combination) for name in rule.columns}
        found: dict[str, list[Condition]] = {}
        for rule in self.schema.rules:
            if isinstance(rule, MissingUnless) and rule.column not in merged:
                found.setdefault(rule.column, []).append(rule.parse(self._columns))
        return found

    @cached_property
    def _steps(self) -> dict[str, Step]:
        """How each modelled column is made, in decoding order; a combination stands at its first member."""
        columns, rules = self._columns, self.schema.rules
        taken = set(columns)

        def fresh(name: str) -> str:
            while name in taken:
                name += "'"
            taken.add(name)
            return name

        ranges = reach(self.schema, self.facts.gaps)
        special: dict[str, Step] = {}
        smaller: dict[str, list[tuple[Column, bool]]] = {}
        for rule in rules:
            match rule:
                case Order():
                    for small, large, strict in rule.pairs:
                        smaller.setdefault(large, []).append((columns[small], strict))
                case Anchor():
                    for name in rule.columns:
                        inner_name = fresh(f"{name} from {rule.anchor}")
                        special[name] = Anchored(
                            columns[name], inner_name, columns[rule.anchor], *ranges[name], self.facts.alone[name]
                        )
                case Combination():
                    first = min(rule.columns, key=self._order.index)
                    members = tuple(columns[name] for name in rule.columns)
                    special[first] = Merged(members, fresh(" + ".join(rule.columns)), self.facts.tables[rule.columns])
                case Derived():
                    inner_name = fresh(f"{rule.column} given") if rule.column in self.facts.own_gaps else ""
                    special[rule.column] = Computed(columns[rule.column], rule.parse(columns), self.schema, inner_name)
                case MissingUnless():
                    pass
        for name, others in smaller.items():
            inner_name = fresh(f"{name} above {others[-1][0].name}")
            special[name] = After(columns[name], inner_name, tuple(others), *ranges[name], self.facts.alone[name])
        merged = {name for rule in rules if isinstance(rule, Combination) for name in rule.columns}
        steps = {}
        for name in self._order:
            if name in special:
                steps[name] = special[name]
            elif columns[name].modelled and name not in merged:
                steps[name] = Kept(columns[name], *ranges[name]) if name in ranges else Label(columns[name])
        return steps


def reach(schema: Schema, gaps: frozenset[str]) -> dict[str, tuple[float, float]]:
    """Whole steps between which each learned number or date may lie so that those ordered after it find a place.

    A column that may be missing leaves more room: where it finds no place, it is missing.

    Raises:
        SchemaError: there is no room at all.
    """
    grids = {c.name: Grid.of(c) for c in schema.modelled if c.numeric}
    ranges = {name: grid.range for name, grid in grids.items()}
    pairs = [pair for rule in schema.rules if isinstance(rule, Order) for pair in rule.pairs]
    order = decoding_order(schema.rules, {c.name: c for c in schema})
    for larger in reversed(order):
        for smaller, other, strict in pairs:
            if other == larger and larger not in gaps:
                first, last = ranges[smaller]
                most = grids[smaller].not_above(grids[larger], ranges[larger][1], strict=strict)
                ranges[smaller] = (first, min(last, most))
    for name, (first, last) in ranges.items():
        if first > last:
            raise SchemaError(
                f"column {name!r}: no value it can hold lies within its bounds and rules; widen the bounds."
            )
    return ranges
