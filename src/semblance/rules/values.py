"""Columns as formulas and conditions see them (``language``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import to_scale
from semblance.schema import Column, Schema

SECONDS = 86_400.0


def as_values(
    column_of: Callable[[str], pd.Series[Any]], schema: Schema, names: Iterable[str]
) -> dict[str, NDArray[Any]]:
    """Numbers as floats, dates and moments as days since 1970-01-01, labels as objects: {name: (n,)}."""
    return {name: _values(column_of(name), schema[name]) for name in names}


def _values(series: pd.Series[Any], column: Column) -> NDArray[Any]:
    if not column.numeric:
        return series.to_numpy(dtype=object)
    return in_days(to_scale(series, column), column)


def in_days(scaled: NDArray[np.float64], column: Column) -> NDArray[np.float64]:
    """A column's scale as formulas see it."""
    return scaled / SECONDS if column.kind == "datetime" else scaled


def from_days(computed: NDArray[np.float64], column: Column) -> NDArray[np.float64]:
    """What a formula computed, on the column's scale."""
    return computed * SECONDS if column.kind == "datetime" else computed
