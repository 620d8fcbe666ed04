"""Cells to values as a schema says, and values back to the cells of the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from semblance.data.dataset import Dataset, to_scale
from semblance.data.dates import read_moment, write_moment
from semblance.data.numbers import read_number, write_numbers
from semblance.data.raw import Raw
from semblance.data.typed import as_texts, family, moments, numbers
from semblance.errors import SchemaError
from semblance.schema import Column, Schema


def parse(raw: Raw, schema: Schema, *, strict: bool = True) -> Dataset:
    """The table as `schema` reads it, columns in the schema's order.

    With ``strict=False`` unknown categories and values beyond the bounds pass, so that an audit can count them; cells
    that cannot be read at all are refused either way.

    Raises:
        SchemaError: naming the column, how many cells offend and the line of the first; never a value.
    """
    _match_columns(raw, schema)
    frame = {column.name: _column(raw, column, strict=strict) for column in schema}
    return Dataset(pd.DataFrame(frame, columns=list(schema.names)), schema)


def _match_columns(raw: Raw, schema: Schema) -> None:
    there = [str(name) for name in raw.frame.columns]
    absent = [name for name in schema.names if name not in there]
    extra = [name for name in there if name not in schema]
    for names, what in ((absent, "lacks the column"), (extra, "has a column that the schema does not know:")):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            shown = ", ".join(repr(name) for name in names[:3])
            raise SchemaError(f"the table {what} {shown}{more}; describe the source again or edit the schema.")


def _column(raw: Raw, column: Column, *, strict: bool) -> pd.Series[Any]:
    series = raw.frame[column.name]
    storage = raw.storage.get(column.name, "")
    typed = family(storage)
    if typed in ("integer", "number", "boolean") and column.kind in ("integer", "number"):
        values = pd.Series(numbers(series, name=column.name), dtype=np.float64)
        values = values.mask(values.isin([float(m) for m in column.missing if _is_number(m, column)]))
    elif typed in ("date", "datetime") and column.kind in ("date", "datetime"):
        values = pd.Series(moments(series))
    else:
        return _from_texts(raw, column, as_texts(series, storage) if storage else series, strict=strict)
    codes, distinct = pd.factorize(values)
    _check_scale(raw, column, codes, pd.Series(distinct), strict=strict)
    return values.rename(column.name)


def _is_number(text: str, column: Column) -> bool:
    try:
        read_number(text, mark=column.decimal_mark)
    except ValueError:
        return False
    return True


def _from_texts(raw: Raw, column: Column, texts: pd.Series[Any], *, strict: bool) -> pd.Series[Any]:
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object))
    missing = set(column.missing)
    values: list[Any] = []
    unread = []
    for i, text in enumerate(distinct):
        try:
            values.append(None if text in missing else _value(text, column))
        except (ValueError, OverflowError):
            values.append(None)
            unread.append(i)
    if unread:
        told = {"number": "numbers", "integer": "whole numbers"}.get(column.kind, f"dates like {column.date_format}")
        _refuse(
            raw, column, np.isin(codes, unread), f"cannot be read as {told}", "mend them or list them under `missing`"
        )
    if column.kind in ("integer", "number"):
        known: pd.Series[Any] = pd.Series([np.nan if v is None else v for v in values], dtype=np.float64)
    elif column.kind in ("date", "datetime"):
        known = pd.Series([np.datetime64("NaT") if v is None else np.datetime64(v, "us") for v in values])
        known = known.astype("datetime64[us]")
    else:
        known = pd.Series(values, dtype=object)
    if column.numeric:
        _check_scale(raw, column, codes, known, strict=strict)
    elif strict and column.categories and column.modelled:
        listed = set(column.categories)
        unknown = [i for i, v in enumerate(values) if v is not None and v not in listed]
        if unknown:
            _refuse(
                raw,
                column,
                np.isin(codes, unknown),
                "with a category that the schema does not list",
                "add it to `categories`",
            )
    if not column.numeric:
        return pd.Series(np.array([*values, None], dtype=object)[codes], name=column.name)
    padded = known.reindex([*range(len(known)), -1])  # code -1, a null of a typed source, takes the last
    return padded.iloc[codes].reset_index(drop=True).rename(column.name)


def _value(text: str, column: Column) -> Any:
    if column.kind == "number":
        return read_number(text, mark=column.decimal_mark)
    if column.kind == "integer":
        value = read_number(text, mark=column.decimal_mark)
        if not value.is_integer():
            raise ValueError("not a whole number")
        return value
    if column.kind in ("date", "datetime"):
        return read_moment(text.strip(), column.date_format)
    return text


def _check_scale(raw: Raw, column: Column, codes: Any, known: pd.Series[Any], *, strict: bool) -> None:
    if not strict:
        return
    scale = to_scale(known, column)
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    beyond = np.flatnonzero((scale < low) | (scale > high))
    if len(beyond):
        _refuse(
            raw,
            column,
            np.isin(codes, beyond),
            "outside the bounds",
            "widen `low` and `high` or mend them",
        )


def _refuse(raw: Raw, column: Column, offending: Any, what: str, cure: str) -> None:
    rows = np.flatnonzero(offending)
    place = f"line {raw.lines[rows[0]]}" if raw.lines else f"row {rows[0] + 1}"
    cells = "cell" if len(rows) == 1 else "cells"
    raise SchemaError(f"column {column.name!r}: {len(rows)} {cells} (first on {place}) {what}; {cure}.")


def render(data: Dataset) -> pd.DataFrame:
    """Text cells (n_rows, n_columns), every value spelled as the source spells such values."""
    cells = {column.name: _texts(data.frame[column.name], column) for column in data.schema}
    return pd.DataFrame(cells, columns=list(data.schema.names), dtype=object)


def _texts(values: pd.Series[Any], column: Column) -> Sequence[str] | Any:
    missing = column.missing[0] if column.missing else ""
    if column.kind in ("integer", "number"):
        return write_numbers(
            values.to_numpy(dtype=np.float64),
            decimals=column.decimals,
            min_decimals=column.min_decimals,
            mark=column.decimal_mark,
            missing=missing,
        )
    if column.kind in ("date", "datetime"):
        form = column.date_format or ("%Y-%m-%d" if column.kind == "date" else "%Y-%m-%dT%H:%M:%S")
        codes, distinct = pd.factorize(values.to_numpy(dtype="datetime64[us]"))
        spelled = [write_moment(pd.Timestamp(v).to_pydatetime(), form) for v in distinct]
        return np.array([*spelled, missing], dtype=object)[codes]
    return values.astype(object).where(values.notna(), missing).to_numpy(dtype=object)
