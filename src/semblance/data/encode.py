"""Tables into matrices: for distances (`Space`), for tree learners (`Features`), for counting (`Bins`).

Each encoding is fitted on the tables named and then applied to any. Fitted on train and holdout pooled, it carries no
mark of who was trained on, so a test that permutes those labels stays exact. Only modelled columns are encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.schema import Column

MISSING = "\x00missing"
"""Stands for a missing label; no text file can hold it."""

_HALF = np.float32(np.sqrt(0.5))


def comparable(real: Dataset, fake: Dataset) -> tuple[Column, ...]:
    """Modelled columns that both tables hold on the same footing (numbers or labels), in the real table's order."""
    return tuple(c for c in real.schema.modelled if c.name in fake.schema and fake.schema[c.name].numeric == c.numeric)


def labels(data: Dataset, name: str) -> NDArray[Any]:
    """A label column as text, `MISSING` where there is none: (n_rows,) of str."""
    values = data.frame[name].to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = MISSING
    return values


def numbers(data: Dataset, name: str) -> NDArray[np.float64]:
    """A numeric column on its scale, NaN where missing or not finite: (n_rows,)."""
    scaled = data.scale(name)
    return np.where(np.isfinite(scaled), scaled, np.nan)


def row_keys(data: Dataset, columns: Sequence[Column]) -> NDArray[np.uint64]:
    """Equal for rows that agree in every one of `columns`, missing values included: (n_rows,).

    Numbers agree when they are the same to six decimals.
    """
    parts: dict[str, Any] = {}
    for i, column in enumerate(columns):
        # Adding 0 makes −0 and 0 the same.
        parts[str(i)] = np.round(numbers(data, column.name), 6) + 0.0 if column.numeric else labels(data, column.name)
    if not parts:
        return np.zeros(data.n_rows, dtype=np.uint64)
    keys = pd.util.hash_pandas_object(pd.DataFrame(parts), index=False)
    return np.asarray(keys, dtype=np.uint64)


def _pooled_labels(tables: Sequence[Dataset], name: str) -> list[str]:
    """Labels of all tables, commonest first, ties in alphabetical order."""
    found, counts = np.unique(np.concatenate([labels(t, name) for t in tables]).astype(str), return_counts=True)
    return [str(v) for v in found[np.argsort(-counts, kind="stable")]]


def _pooled_numbers(tables: Sequence[Dataset], name: str) -> NDArray[np.float64]:
    pooled = np.concatenate([numbers(t, name) for t in tables])
    return np.sort(pooled[~np.isnan(pooled)])


# ---------------------------------------------------------------- distances


@dataclass(frozen=True)
class Space:
    """Mixed rows as points; squared distance = Σ (difference of ranks)² + number of labels that differ.

    A number becomes its rank in (0, 1) among the reference values. Missing lies at rank ½ and half a unit off to the
    side, so missing and missing are at distance 0. Labels beyond the `common` commonest share a few hashed places.

    Attributes:
        width: Number of dimensions.
    """

    columns: tuple[Column, ...]
    ranks: dict[str, NDArray[np.float64]]
    places: dict[str, tuple[list[str], int]]
    width: int

    @classmethod
    def fit(cls, tables: Sequence[Dataset], columns: Sequence[Column], *, common: int = 48, hashed: int = 16) -> Space:
        """Learn ranks and label places from `tables` pooled."""
        ranks: dict[str, NDArray[np.float64]] = {}
        places: dict[str, tuple[list[str], int]] = {}
        width = 0
        for column in columns:
            if column.numeric:
                ranks[column.name] = _pooled_numbers(tables, column.name)
                width += 2
            else:
                levels = _pooled_labels(tables, column.name)
                spare = hashed if len(levels) > common else 1
                places[column.name] = (levels[:common], spare)
                width += min(len(levels), common) + spare
        return cls(tuple(columns), ranks, places, width)

    def __call__(self, data: Dataset) -> NDArray[np.float32]:
        """Points: (n_rows, width)."""
        points = np.zeros((data.n_rows, self.width), dtype=np.float32)
        at = 0
        for column in self.columns:
            if column.numeric:
                values, reference = numbers(data, column.name), self.ranks[column.name]
                below = np.searchsorted(reference, values, "left") + np.searchsorted(reference, values, "right")
                missing = np.isnan(values)
                points[:, at] = np.where(missing, 0.5, below / max(1, 2 * len(reference)))
                points[:, at + 1] = np.where(missing, 0.5, 0.0)
                at += 2
            else:
                levels, spare = self.places[column.name]
                values = labels(data, column.name)
                place = pd.Index(levels, dtype=object).get_indexer(pd.Index(values, dtype=object))
                rare = place < 0
                if rare.any():
                    place[rare] = len(levels) + (pd.util.hash_array(values[rare]) % np.uint64(spare)).astype(np.int64)
                points[np.arange(data.n_rows), at + place] = _HALF
                at += len(levels) + spare
        return points

    def by_column(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of a weight per dimension over the dimensions of each column: (width,) -> (n_columns,)."""
        sizes = [2 if c.numeric else len(self.places[c.name][0]) + self.places[c.name][1] for c in self.columns]
        return np.array([part.sum() for part in np.split(weight, np.cumsum(sizes)[:-1])])


# ---------------------------------------------------------------- tree learners


@dataclass(frozen=True)
class Features:
    """Numbers as they are, labels as shared codes: what gradient boosting wants.

    Attributes:
        categorical: Positions of the label columns.
    """

    columns: tuple[Column, ...]
    codes: dict[str, pd.Index[Any]]

    @classmethod
    def fit(cls, tables: Sequence[Dataset], columns: Sequence[Column]) -> Features:
        """Learn the codes, commonest label first, from `tables` pooled. Missing is a label of its own."""
        codes = {c.name: pd.Index(_pooled_labels(tables, c.name), dtype=object) for c in columns if not c.numeric}
        return cls(tuple(columns), codes)

    @property
    def categorical(self) -> list[int]:
        return [i for i, c in enumerate(self.columns) if not c.numeric]

    def __call__(self, data: Dataset) -> NDArray[np.float64]:
        """(n_rows, n_columns); NaN for a missing number and for a label never seen in fitting."""
        matrix = np.empty((data.n_rows, len(self.columns)))
        for i, column in enumerate(self.columns):
            if column.numeric:
                matrix[:, i] = numbers(data, column.name)
            else:
                code = self.codes[column.name].get_indexer(pd.Index(labels(data, column.name), dtype=object))
                matrix[:, i] = np.where(code < 0, np.nan, code)
        return matrix


# ---------------------------------------------------------------- counting


@dataclass(frozen=True)
class Bins:
    """Every column cut into few bins: quantiles for numbers, the commonest labels and the rest for labels.

    Missing is the last bin of a number and a label like any other among labels.

    Attributes:
        sizes: Bins per column.
    """

    columns: tuple[Column, ...]
    edges: dict[str, NDArray[np.float64]]
    levels: dict[str, pd.Index[Any]]

    @classmethod
    def fit(cls, tables: Sequence[Dataset], columns: Sequence[Column], *, bins: int, common: int) -> Bins:
        edges: dict[str, NDArray[np.float64]] = {}
        levels: dict[str, pd.Index[Any]] = {}
        for column in columns:
            if column.numeric:
                values = _pooled_numbers(tables, column.name)
                cuts = np.linspace(0, 1, bins + 1)[1:-1]
                edges[column.name] = np.unique(np.quantile(values, cuts)) if len(values) else np.empty(0)
            else:
                levels[column.name] = pd.Index(_pooled_labels(tables, column.name)[:common], dtype=object)
        return cls(tuple(columns), edges, levels)

    @property
    def sizes(self) -> NDArray[np.int64]:
        return np.array(
            [len(self.edges[c.name]) + 2 if c.numeric else len(self.levels[c.name]) + 1 for c in self.columns],
            dtype=np.int64,
        )

    def __call__(self, data: Dataset) -> NDArray[np.int64]:
        """Bin numbers: (n_rows, n_columns)."""
        matrix = np.empty((data.n_rows, len(self.columns)), dtype=np.int64, order="F")
        for i, column in enumerate(self.columns):
            if column.numeric:
                values, edges = numbers(data, column.name), self.edges[column.name]
                # A value on an edge falls to the left, which keeps a spike in a bin of its own.
                matrix[:, i] = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, "left"))
            else:
                levels = self.levels[column.name]
                code = levels.get_indexer(pd.Index(labels(data, column.name), dtype=object))
                matrix[:, i] = np.where(code < 0, len(levels), code)
        return matrix
