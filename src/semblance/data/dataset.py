"""A table of patients together with what it means. Its repr shows shapes, never values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.errors import SchemaError
from semblance.schema import Column, Schema

Origin = Literal["real", "augmented", "synthetic"]


def to_scale(values: pd.Series[Any], column: Column) -> NDArray[np.float64]:
    """Values of a numeric column as floats, NaN where missing: (n,).

    Numbers stay as they are; a date becomes days, a datetime seconds, since 1970-01-01.
    """
    if column.kind in ("date", "datetime"):
        moments = values.to_numpy(dtype="datetime64[us]")
        scaled = moments.astype("int64").astype(np.float64) / (86_400e6 if column.kind == "date" else 1e6)
        scaled[np.isnat(moments)] = np.nan
        return scaled
    return values.to_numpy(dtype=np.float64)


def from_scale(scaled: NDArray[np.float64], column: Column) -> pd.Series[Any]:
    """The inverse of `to_scale`, rounded to what the column can hold."""
    if column.kind in ("date", "datetime"):
        unit = 86_400e6 if column.kind == "date" else 1e6
        missing = np.isnan(scaled)
        whole = np.round(np.where(missing, 0.0, scaled)) if column.kind == "date" else np.where(missing, 0.0, scaled)
        moments = np.round(whole * unit).astype("int64").astype("datetime64[us]")
        moments[missing] = np.datetime64("NaT")
        return pd.Series(moments, name=column.name)
    return pd.Series(np.round(scaled, column.decimals), name=column.name, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of one table, typed by a Schema.

    Attributes:
        frame: (n_rows, n_columns); exactly the Schema's columns in order, index 0…n-1. float64 for number and integer
            (NaN missing), datetime64[us] for date and datetime (NaT), object for labels and text (str or None).
        origin: "real", "augmented" or "synthetic"; the gate treats augmented as real.
    """

    frame: pd.DataFrame
    schema: Schema
    origin: Origin = "real"

    def __post_init__(self) -> None:
        if tuple(self.frame.columns) != self.schema.names:
            raise SchemaError("the table's columns are not those of its schema, in the same order.")

    def __repr__(self) -> str:
        return f"Dataset({self.origin}: {self.n_rows} rows × {len(self.schema)} columns, {self.n_subjects} patients)"

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def n_rows(self) -> int:
        return len(self.frame)

    @property
    def n_subjects(self) -> int:
        """Number of patients; the number of rows when no column names the patient."""
        return self.n_rows if self.schema.subject is None else int(self.subjects.max(initial=-1)) + 1

    @property
    def subjects(self) -> NDArray[np.int64]:
        """Patient number of each row, 0…n_subjects-1 in order of first appearance: (n_rows,).

        A row whose subject is missing counts as a patient of its own.
        """
        if self.schema.subject is None:
            return np.arange(self.n_rows, dtype=np.int64)
        values = self.frame[self.schema.subject]
        codes = pd.factorize(values)[0].astype(np.int64)
        alone = codes < 0
        codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
        return codes

    def scale(self, name: str) -> NDArray[np.float64]:
        """A numeric column on its numeric scale: (n_rows,), NaN where missing."""
        return to_scale(self.frame[name], self.schema[name])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Dataset:
        """The rows at these positions (or where a mask is true), renumbered from 0."""
        return replace(self, frame=self.frame.loc[rows].reset_index(drop=True))

    def take_subjects(self, chosen: NDArray[np.int64]) -> Dataset:
        """All rows of the chosen patients (numbers as in `subjects`), in the table's order."""
        return self.take(np.isin(self.subjects, chosen))


def from_columns(drawn: dict[str, pd.Series[Any]], schema: Schema, n: int) -> Dataset:
    """A synthetic Dataset of `n` rows from the columns a generator drew; the schema's other columns are missing."""
    return Dataset(pd.DataFrame({c.name: drawn.get(c.name, _missing(c, n)) for c in schema}), schema, "synthetic")


def _missing(column: Column, n: int) -> pd.Series[Any]:
    if column.kind in ("date", "datetime"):
        return pd.Series(np.full(n, np.datetime64("NaT"), dtype="datetime64[us]"))
    if column.numeric:
        return pd.Series(np.full(n, np.nan))
    return pd.Series([None] * n, dtype=object)
