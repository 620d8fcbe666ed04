"""How a column is learned and how it is made again: one step for each way in which rules decide a column.

Each step turns real columns into inner columns (`encode`) and inner columns into outer ones (`decode`). What `decode`
returns obeys the step's rule whatever the inner columns hold. Neither draws random numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import from_scale, to_scale
from semblance.language.formula import Formula
from semblance.rules.grid import Grid
from semblance.rules.values import as_values, from_days
from semblance.schema import Column, Schema

Made = Mapping[str, "pd.Series[Any]"]
Floats = NDArray[np.float64]


class Step(Protocol):
    """How some outer columns follow from some inner ones."""

    @property
    def inner(self) -> tuple[Column, ...]:
        """What is learned."""

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        """Inner columns from real ones."""

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        """Outer columns from inner ones and the outer columns made before."""


@dataclass(frozen=True, eq=False)
class Label:
    """A label column, learned as it stands."""

    column: Column

    @property
    def inner(self) -> tuple[Column, ...]:
        return (self.column,)

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        return {self.column.name: real[self.column.name]}

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        return {self.column.name: inner[self.column.name]}


@dataclass(frozen=True, eq=False)
class Kept:
    """A number or a time, learned as it stands between `first` and `last` whole steps."""

    column: Column
    first: float
    last: float

    @property
    def inner(self) -> tuple[Column, ...]:
        low, high = (None if np.isinf(end) else end for end in self._ends())
        return (replace(self.column, low=low, high=high),)

    def _ends(self) -> tuple[float, float]:
        low, high = Grid.of(self.column).value(np.array([self.first, self.last]))
        return float(low), float(high)

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        return {self.column.name: real[self.column.name]}

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        grid, (low, high) = Grid.of(self.column), self._ends()
        scaled = np.clip(to_scale(inner[self.column.name], self.column), low, high)
        if grid.unit:  # as it will be written, so that what is computed from it agrees with what is read
            scaled = grid.value(grid.count(scaled))
        return {self.column.name: from_scale(scaled, self.column)}


@dataclass(frozen=True, eq=False)
class After:
    """A column that lies at or above others: learned as how far above the largest of them.

    Where none of them is present, it is learned as how far above `alone` it lies.

    Attributes:
        smaller: (column, strict) for each column that it may not fall below.
        first, last: Whole steps between which its bounds let it lie.
        alone: Whole steps; at or below every value the column may take.
    """

    column: Column
    name: str
    smaller: tuple[tuple[Column, bool], ...]
    first: float
    last: float
    alone: float

    @property
    def inner(self) -> tuple[Column, ...]:
        return (difference(self.column, self.name, low=0.0),)

    def _floor(self, columns: Made) -> Floats:
        """The smallest whole step allowed in each row, NaN where no smaller column is present. (n,)"""
        grid = Grid.of(self.column)
        lowest = [
            grid.not_below(Grid.of(other), to_scale(columns[other.name], other), strict=strict)
            for other, strict in self.smaller
        ]
        return np.asarray(np.fmax.reduce(lowest))

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        grid = Grid.of(self.column)
        floor = self._floor(real)
        steps = grid.count(to_scale(real[self.column.name], self.column))
        above = np.maximum(steps - np.where(np.isnan(floor), self.alone, floor), 0.0)
        return {self.name: as_difference(above, grid, self.inner[0])}

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        grid = Grid.of(self.column)
        floor = self._floor(made)
        above = np.maximum(from_difference(inner[self.name], grid), 0.0)
        low = np.fmax(floor, self.first)
        steps = fold(np.where(np.isnan(floor), self.alone, floor) + above, low, np.full(len(low), self.last))
        return {self.column.name: from_scale(grid.value(steps), self.column)}


@dataclass(frozen=True, eq=False)
class Anchored:
    """A date learned as its distance from `anchor`, or from `alone` whole steps where the anchor is missing."""

    column: Column
    name: str
    anchor: Column
    first: float
    last: float
    alone: float

    @property
    def inner(self) -> tuple[Column, ...]:
        return (difference(self.column, self.name, low=None),)

    def _start(self, columns: Made) -> Floats:
        anchor = Grid.of(self.column).not_below(
            Grid.of(self.anchor), to_scale(columns[self.anchor.name], self.anchor), strict=False
        )
        return np.asarray(np.where(np.isnan(anchor), self.alone, anchor))

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        grid = Grid.of(self.column)
        steps = grid.count(to_scale(real[self.column.name], self.column))
        return {self.name: as_difference(steps - self._start(real), grid, self.inner[0])}

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        grid = Grid.of(self.column)
        steps = self._start(made) + from_difference(inner[self.name], grid)
        n = len(steps)
        steps = fold(steps, np.full(n, self.first), np.full(n, self.last))
        return {self.column.name: from_scale(grid.value(steps), self.column)}


@dataclass(frozen=True, eq=False)
class Merged:
    """Label columns learned as one; `table` maps each label of the one to the labels of the columns."""

    columns: tuple[Column, ...]
    name: str
    table: Mapping[str, tuple[str | None, ...]]

    @property
    def inner(self) -> tuple[Column, ...]:
        return (Column(self.name, "code", categories=tuple(self.table)),)

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        return {self.name: merge([real[c.name] for c in self.columns]).rename(self.name)}

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        found = pd.Index(list(self.table), dtype=object).get_indexer(pd.Index(inner[self.name], dtype=object))
        decoded = {}
        for place, column in enumerate(self.columns):
            labels = np.array([*(row[place] for row in self.table.values()), None], dtype=object)
            decoded[column.name] = pd.Series(labels[found], name=column.name, dtype=object)
        return decoded


@dataclass(frozen=True, eq=False)
class Computed:
    """A column that is not learned but computed; `name` is a yes/no column for gaps of its own, "" for none."""

    column: Column
    formula: Formula
    schema: Schema
    name: str = ""

    @property
    def inner(self) -> tuple[Column, ...]:
        return (Column(self.name, "boolean", categories=("yes", "no")),) if self.name else ()

    def _computed(self, columns: Made, n: int) -> Floats:
        values = as_values(columns.__getitem__, self.schema, self.formula.columns)
        computed = from_days(self.formula.compute(values, n), self.column)
        if self.column.kind in ("number", "integer"):
            return computed
        grid = Grid.of(self.column)
        first, last = grid.calendar
        with np.errstate(invalid="ignore"):
            writable = (computed >= grid.value(np.array([first]))) & (computed <= grid.value(np.array([last])))
        return grid.value(grid.count(np.where(writable, computed, np.nan)))

    def encode(self, real: Made) -> dict[str, pd.Series[Any]]:
        if not self.name:
            return {}
        values = real[self.column.name]
        asked = ~np.isnan(self._computed(real, len(values)))
        labels = np.full(len(values), None, dtype=object)
        labels[asked] = np.where(values[asked].notna(), "yes", "no")
        return {self.name: pd.Series(labels, name=self.name, dtype=object)}

    def decode(self, inner: Made, made: Made) -> dict[str, pd.Series[Any]]:
        computed = self._computed(made, len(made[self.formula.columns[0]]))
        if self.name:
            computed = np.where((inner[self.name] == "no").to_numpy(dtype=bool), np.nan, computed)
        return {self.column.name: from_scale(computed, self.column)}


# ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def difference(column: Column, name: str, *, low: float | None) -> Column:
    """The inner column that holds distances of `column`, in steps of its grid, or on its own scale for a number."""
    if column.kind in ("number", "integer"):
        return Column(name, column.kind, low=low, decimals=column.decimals)
    return Column(name, "integer", low=low)


def as_difference(steps: Floats, grid: Grid, inner: Column) -> pd.Series[Any]:
    return from_scale(steps if grid.unit else grid.value(steps), inner)


def from_difference(values: pd.Series[Any], grid: Grid) -> Floats:
    scaled = values.to_numpy(dtype=np.float64)
    return np.asarray(np.rint(scaled) if grid.unit else grid.count(scaled))


def fold(steps: Floats, low: Floats, high: Floats) -> Floats:
    """Whole steps brought between `low` and `high`: reflected at the bound they cross, so that none pile up there.

    NaN where missing, and where `low` lies above `high`: nothing can be there.
    """
    with np.errstate(invalid="ignore"):
        room = high - low + 1
        finite = np.isfinite(room) & (room > 0)
        over, under = steps - high, low - steps
        steps = np.where(finite & (over > 0), high - np.mod(over, np.where(finite, room, 1.0)), steps)
        steps = np.where(finite & (under > 0), low + np.mod(under, np.where(finite, room, 1.0)), steps)
        return np.asarray(np.where(low > high, np.nan, np.clip(steps, low, high)))


def merge(members: list[pd.Series[Any]]) -> pd.Series[Any]:
    """One label for each row's labels, as a JSON list; missing where all of them are."""
    rows = list(zip(*(member.where(member.notna(), None) for member in members), strict=True))
    codes, distinct = pd.factorize(pd.Index(rows, tupleize_cols=False))
    labels = [json.dumps(row, ensure_ascii=False) if any(v is not None for v in row) else None for row in distinct]
    return pd.Series(np.array(labels, dtype=object)[codes], dtype=object)
