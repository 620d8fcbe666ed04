"""The values that a column can hold, as whole numbers of its smallest step.

A number steps by its last decimal place; a date or a moment by the smallest unit that its format writes: a column
written "%Y-%m" holds months, and a moment written "%H:%M" holds minutes. Rules between columns are exact on these
whole numbers, and what is exact there survives being written and read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.schema import Column

Floats = NDArray[np.float64]  # whole numbers, or values on a column's numeric scale; NaN where missing
COARSEST_FIRST = ("Y", "M", "D", "h", "m", "s", "ms", "us")
MICROSECONDS_WITHIN = 2.0**32
"""Seconds since 1970 (about 1834 to 2106) within which floating-point seconds are exact to the microsecond."""


def resolution(column: Column) -> str:
    """The smallest unit of time that a date or moment column can hold, as numpy names it.

    Microseconds are told apart within `MICROSECONDS_WITHIN` of 1970; a column that may lie beyond holds milliseconds.
    """
    form = re.sub(r"%[-\d]?", "%", column.date_format)
    if column.kind == "date":
        return "D" if not form or "%d" in form else "M" if re.search("%[mbB]", form) else "Y"
    stored = re.fullmatch(r"timestamp\[(s|ms|us|ns).*", column.storage)
    far = any(end is not None and abs(end) > MICROSECONDS_WITHIN for end in (column.low, column.high))
    finest = "ms" if far else "us"
    if not form:
        return "s" if stored and stored[1] == "s" else finest
    for directive, unit in (("%f", finest), ("%S", "s"), ("%M", "m"), ("%[HI]", "h")):
        if re.search(directive, form):
            return unit
    return "D"


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole-number view of one numeric column; `unit` is "" for plain numbers."""

    column: Column
    unit: str

    @classmethod
    def of(cls, column: Column) -> Grid:
        return cls(column, resolution(column) if column.kind in ("date", "datetime") else "")

    @property
    def power(self) -> float:
        """Steps in 1 for numbers: a power of ten, as far as floating point can count."""
        size = max([1.0, *(abs(end) for end in (self.column.low, self.column.high) if end is not None)])
        known = self.column.low is not None and self.column.high is not None
        digits = math.ceil(math.log10(size)) if known else max(6, math.ceil(math.log10(size)))
        return float(10.0 ** max(0, min(self.column.decimals, 15 - digits)))

    def count(self, scaled: Floats) -> Floats:
        """Whole steps of each value: numbers to the nearest, times to the unit they lie in. (n,)"""
        if not self.unit:
            return np.asarray(np.rint(scaled * self.power))
        return _where_finite(scaled, lambda known: _moments(known, self.column).astype(f"datetime64[{self.unit}]"))

    def value(self, steps: Floats) -> Floats:
        """Whole steps back on the column's scale. (n,)"""
        if not self.unit:
            return np.asarray(steps / self.power)
        size = 86_400e6 if self.column.kind == "date" else 1e6

        def scaled(known: Floats) -> Floats:
            moments = known.astype("int64").astype(f"datetime64[{self.unit}]").astype("datetime64[us]")
            return np.asarray(moments.astype("int64") / size)

        return _where_finite(steps, scaled)

    @property
    def range(self) -> tuple[float, float]:
        """Whole steps between which its bounds let it lie, both included.

        Infinite where a number has no bound; a time lies in the years 1 to 9999.
        """
        low, high = (np.array([end if end is not None else np.nan]) for end in (self.column.low, self.column.high))
        first, last = float(self.count(low)[0]), float(self.count(high)[0])
        if self.value(np.array([first]))[0] < low[0]:
            first += 1
        if self.value(np.array([last]))[0] > high[0]:
            last -= 1
        earliest, latest = self.calendar
        return (earliest if np.isnan(first) else first), (latest if np.isnan(last) else last)

    @property
    def calendar(self) -> tuple[float, float]:
        """The years that can be written, 1 to 9999 (fewer for microseconds); numbers have no such end."""
        if not self.unit:
            return -np.inf, np.inf
        if self.unit == "us":
            return -MICROSECONDS_WITHIN * 1e6, MICROSECONDS_WITHIN * 1e6
        ends = np.array(["0001-01-01T00", "9999-12-31T23"], dtype="datetime64[us]").astype(f"datetime64[{self.unit}]")
        first, last = ends.astype("int64").astype(np.float64)
        return float(first), float(last)

    def not_below(self, other: Grid, values: Floats, *, strict: bool) -> Floats:
        """The smallest whole step here that is not below (strict: above) `values` of `other`; NaN where missing. (n,)

        Times are compared at the coarser unit of the two.
        """
        if not self.unit:
            mine = np.floor(values * self.power) - 1  # floating point may be off by a hair: look at what is there
            for _ in range(3):
                there = self.value(mine) > values if strict else self.value(mine) >= values
                mine = np.where(there, mine, mine + 1)
            return np.asarray(np.where(np.isnan(values), np.nan, mine))
        coarse = min(self.unit, other.unit, key=COARSEST_FIRST.index)
        shared = convert(other.count(values), other.unit, coarse)
        return convert(shared + 1 if strict else shared, coarse, self.unit)

    def not_above(self, other: Grid, step: float, *, strict: bool) -> float:
        """The largest whole step here for which `other.not_below` is still at most `step`."""
        if not np.isfinite(step):
            return step
        if not self.unit:
            theirs = float(other.value(np.array([step]))[0])
            mine = math.ceil(theirs * self.power) + 1.0
            for _ in range(3):
                there = float(self.value(np.array([mine]))[0])
                mine -= float(there >= theirs if strict else there > theirs)
            return mine
        coarse = min(self.unit, other.unit, key=COARSEST_FIRST.index)
        shared = convert(np.array([step]), other.unit, coarse)
        return float(convert(shared if strict else shared + 1, coarse, self.unit)[0]) - 1


def convert(steps: Floats, unit: str, into: str) -> Floats:
    """Whole units of time as the whole units `into` they lie in (or begin with)."""
    return _where_finite(
        steps, lambda known: known.astype("int64").astype(f"datetime64[{unit}]").astype(f"datetime64[{into}]")
    )


def _moments(scaled: Floats, column: Column) -> NDArray[np.datetime64]:
    size = 86_400e6 if column.kind == "date" else 1e6
    return np.rint(scaled * size).astype("int64").astype("datetime64[us]")


def _where_finite(values: Floats, change: Callable[[Floats], NDArray[np.generic]]) -> Floats:
    """`change` of the finite values as floats; the others stay as they are."""
    finite = np.isfinite(values)
    changed = change(values[finite])
    found = values.astype(np.float64, copy=True)
    found[finite] = changed.astype("int64") if changed.dtype.kind == "M" else changed
    return found
