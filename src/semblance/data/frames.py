"""Typed tables at the door: pandas, polars and Arrow frames, and Parquet, all become a Raw through Arrow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from semblance.data.raw import Raw
from semblance.data.typed import storage_of
from semblance.errors import FormatError, InputError, Unsupported


def is_frame(source: object) -> bool:
    """True for anything that hands over an Arrow table: pandas, polars, pyarrow, DuckDB, …"""
    return isinstance(source, pd.DataFrame | pa.Table) or hasattr(source, "__arrow_c_stream__")


def from_frame(source: Any) -> Raw:
    """A frame as a Raw of format "frame"; its fingerprint covers the cells, not the memory they lie in.

    Raises:
        InputError: when the frame is empty, two columns share a name, or a column mixes types Arrow cannot hold.
    """
    if isinstance(source, pd.DataFrame):
        names = [str(name) for name in source.columns]
        table = _from_pandas(source.set_axis(names, axis=1).reset_index(drop=True))
    else:
        table = source if isinstance(source, pa.Table) else pa.table(source)
    digest = hashlib.sha256(str(table.schema.remove_metadata()).encode())
    for column in table.columns:
        for value in column.combine_chunks().buffers() if isinstance(column, pa.Array) else _buffers(column):
            digest.update(value)
    return from_table(table, dialect={"format": "frame"}, fingerprint=digest.hexdigest(), where="the frame")


def _from_pandas(frame: pd.DataFrame) -> Any:
    arrays = []
    _refuse_names(list(map(str, frame.columns)), "the frame")
    for name in frame.columns:
        series = frame[name]
        try:
            arrays.append(pa.array(series, from_pandas=True))
        except (pa.ArrowException, TypeError, OverflowError):
            raise InputError(
                f"column {str(name)!r} mixes types that no file column can hold; turn it into text or into numbers."
            ) from None
    return pa.table(arrays, names=list(map(str, frame.columns)))


def _buffers(column: Any) -> list[bytes]:
    """The cells of a column in one spelling, whatever chunks and offsets they arrived in."""
    chunk = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    batch = pa.record_batch([chunk], names=["_"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(pa.concat_batches([batch.slice(0, 0), batch]) if len(chunk) else batch)
    return [sink.getvalue().to_pybytes()]


def from_table(table: Any, *, dialect: Mapping[str, str], fingerprint: str, where: str) -> Raw:
    """An Arrow table as a Raw. Raises FormatError or Unsupported with the column's name."""
    names = [str(name) for name in table.column_names]
    _refuse_names(names, where)
    if not names:
        raise FormatError(f"{where} has no columns; check that the export finished.")
    if not table.num_rows:
        raise FormatError(f"{where} has columns but no rows; check that the export finished.")
    storage = {}
    for name, kind in zip(names, table.schema.types, strict=True):
        try:
            storage[name] = storage_of(kind)
        except Unsupported as error:
            raise Unsupported(f"column {name!r} of {where} {error}") from None
    frame = pd.DataFrame({name: pd.array(_chunks(table.column(i)), dtype=pd.ArrowDtype(table.schema.types[i]))
                          for i, name in enumerate(names)})  # fmt: skip
    return Raw(frame=frame, dialect=dict(dialect), storage=storage, fingerprint=fingerprint)


def _chunks(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _refuse_names(names: list[str], where: str) -> None:
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in seen:
            raise FormatError(
                f"columns {seen[name]} and {position} of {where} are both called {name!r}; give each its own name."
            )
        seen[name] = position
