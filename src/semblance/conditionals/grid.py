"""The values that a numeric column can be written with, and intervals between them.

What counts is the value in the table: 64.6 years written as 65 meets ``age>=65``. So a condition is first moved to
values the column can hold, and then back to what is rounded to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semblance.data.dates import read_moment
from semblance.data.numbers import read_number
from semblance.errors import InputError
from semblance.schema import Column

Floats = NDArray[np.float64]
Interval = tuple[float, float]  # closed, on the numeric scale of ``data.dataset.to_scale``
Ends = TypeVar("Ends", float, Floats)

DAY = 86_400.0
MICRO = 1e6
ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Grid:
    """The values a numeric column can hold.

    Attributes:
        step: From one to the next, on the numeric scale (days for a date, seconds for a moment). Writing rounds a
            number or a date to the nearest, and cuts off what its format does not show of a moment.
    """

    column: Column
    step: float

    def snap(self, values: Floats) -> Floats:
        """Each value as it would be written."""
        if self.column.kind == "datetime":
            micro = round(self.step * MICRO)
            return np.asarray(np.floor(np.round(values * MICRO) / micro) * micro / MICRO)
        return np.round(values, self.column.decimals if self.column.kind != "date" else 0)

    def at_least(self, value: float, *, above: bool = False) -> float:
        """The smallest value of the grid that is not below (or, with `above`, is above) `value`."""
        near = self._nearest(value)
        if near < value or (above and near == value):
            near = self._nearest(near + self.step)
        # A grid finer than the float's own digits: the next float will do.
        return near if near > value or (near == value and not above) else float(np.nextafter(value, np.inf))

    def at_most(self, value: float, *, below: bool = False) -> float:
        """The largest value of the grid that is not above (or, with `below`, is below) `value`."""
        near = self._nearest(value)
        if near > value or (below and near == value):
            near = self._nearest(near - self.step)
        return near if near < value or (near == value and not below) else float(np.nextafter(value, -np.inf))

    def sources(self, low: Ends, high: Ends) -> tuple[Ends, Ends]:
        """The numbers that are written as a value from `low` to `high`, both on the grid."""
        if self.column.kind == "datetime":
            return low, high + self.step
        return low - self.step / 2, high + self.step / 2

    def _nearest(self, value: float) -> float:
        half = self.step / 2 if self.column.kind == "datetime" else 0.0
        return float(self.snap(np.array([value + half]))[0])


def grid_of(column: Column) -> Grid:
    """How finely the values of `column` are written."""
    if column.kind != "datetime":
        return Grid(column, 10.0**-column.decimals if column.kind == "number" else 1.0)
    fraction = re.search(r"%(\d?)f", column.date_format)
    if fraction:
        return Grid(column, 10.0 ** -int(fraction[1] or 6))
    if not column.date_format:  # typed at its source
        stored = re.match(r"timestamp\[(s|ms)", column.storage)
        return Grid(column, {"s": 1.0, "ms": 1e-3}[stored[1]] if stored else 1e-6)
    steps = (("%-?S", 1.0), ("%-?M", 60.0), ("%-?[HI]", 3600.0))
    return Grid(column, next((step for part, step in steps if re.search(part, column.date_format)), DAY))


def read_span(text: str, grid: Grid) -> Interval:
    """The value a person wrote, as first and last moment: a day for a moment's column, otherwise one number.

    Raises:
        InputError: it is not a value of this column's kind.
    """
    column = grid.column
    if column.kind in ("number", "integer"):
        for mark in dict.fromkeys((column.decimal_mark, ".")):
            try:
                value = read_number(text, mark=mark)
            except ValueError:
                continue
            return value, value
        raise InputError(f"condition on column {column.name!r}: {text!r} is not a number; write one.")
    moment, whole_day = _read_moment(text, column)
    seconds = (moment - datetime(1970, 1, 1)).total_seconds()
    if column.kind == "date":
        return float(np.floor(seconds / DAY)), float(np.floor(seconds / DAY))
    return seconds, seconds + DAY - grid.step if whole_day else seconds


def _read_moment(text: str, column: Column) -> tuple[datetime, bool]:
    own = column.date_format
    days = re.split(r"[ T]*%-?[HI]", own)[0]
    for form in dict.fromkeys(f for f in (own, days, *ISO) if f):
        try:
            return read_moment(text, form), not re.search("%-?[HI]", form)
        except ValueError:
            continue
    raise InputError(f"condition on column {column.name!r}: {text!r} is not a date; write one like 2015-01-31.")
