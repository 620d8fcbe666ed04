"""Arrow types at both ends: frames that come with types, and columns that go back to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from semblance.data.numbers import EXACT
from semblance.errors import FormatError, InputError, Unsupported
from semblance.schema import Column

LABELS = ("string", "large_string", "string_view")


def storage_of(kind: Any) -> str:
    """How an Arrow type is named in a schema; `arrow_type` reads it back.

    Raises:
        Unsupported: for lists, structs, times of day and other types that a column of a table of patients rarely has.
    """
    if pa.types.is_dictionary(kind):
        return f"dictionary<{storage_of(kind.value_type)}, {kind.index_type}, {'ordered' if kind.ordered else 'plain'}>"
    known = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_null(kind)
        or str(kind) in LABELS
    )
    if not known:
        raise Unsupported(f"holds the Arrow type {kind}; turn it into text, numbers, booleans or dates first.")
    return str(kind)


def arrow_type(storage: str) -> Any:
    """The Arrow type that `storage_of` named. Raises FormatError for an unknown name."""
    dictionary = re.fullmatch(r"dictionary<(.+), (u?int\d+), (ordered|plain)>", storage)
    if dictionary:
        value, index, ordered = dictionary.groups()
        return pa.dictionary(arrow_type(index), arrow_type(value), ordered=ordered == "ordered")
    stamp = re.fullmatch(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]", storage)
    if stamp:
        return pa.timestamp(stamp[1], tz=stamp[2])
    fixed = re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", storage)
    if fixed:
        return getattr(pa, f"decimal{fixed[1]}")(int(fixed[2]), int(fixed[3]))
    name = {"double": "float64", "float": "float32", "halffloat": "float16", "date32[day]": "date32"}.get(
        storage, storage
    )
    name = "date64" if name == "date64[ms]" else name
    try:
        return pa.type_for_alias(name)
    except ValueError:
        raise FormatError(
            f"the schema's storage {storage!r} is not an Arrow type; remove it or describe again."
        ) from None


def family(storage: str) -> str:
    """One of "label", "boolean", "integer", "number", "date", "datetime" or "nothing" of a storage name."""
    if storage.startswith("dictionary<"):
        return family(storage.removeprefix("dictionary<").split(",")[0]) if "string" not in storage else "label"
    if storage in LABELS or not storage:
        return "label"
    kind = arrow_type(storage)
    tests: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("boolean", pa.types.is_boolean),
        ("integer", pa.types.is_integer),
        ("date", pa.types.is_date),
        ("datetime", pa.types.is_timestamp),
        ("nothing", pa.types.is_null),
    )
    return next((name for name, test in tests if test(kind)), "number")


def as_arrow(series: pd.Series[Any]) -> Any:
    """The Arrow array behind a column of a typed frame, dictionaries decoded."""
    array = pa.array(series, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def as_texts(series: pd.Series[Any], storage: str) -> pd.Series[Any]:
    """Cells as text (None where missing): labels as they are, whole numbers without a point, true and false."""
    array = as_arrow(series)
    if family(storage) == "nothing":
        return pd.Series([None] * len(array), dtype=object)
    if family(storage) in ("date", "datetime"):
        values = moments(series)
        form = "%Y-%m-%d" if family(storage) == "date" else "%Y-%m-%dT%H:%M:%S.%f"
        spelled = pd.Series(values).dt.strftime(form).tolist()
        return pd.Series([None if e else t for t, e in zip(spelled, np.isnat(values), strict=True)], dtype=object)
    if pa.types.is_floating(array.type):
        values = array.to_numpy(zero_copy_only=False)
        return pd.Series([None if np.isnan(v) else _float_text(v) for v in values], dtype=object)
    return pd.Series(array.cast(pa.string()).to_pylist(), dtype=object)


def _float_text(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < EXACT
    return str(int(value)) if whole else format(Decimal(repr(float(value))), "f")


def numbers(series: pd.Series[Any], *, name: str) -> NDArray[np.float64]:
    """Values of a numeric or boolean column as floats, NaN where missing: (n,).

    Raises:
        InputError: when a value is infinite.
    """
    array = as_arrow(series)
    if pa.types.is_decimal(array.type) or pa.types.is_boolean(array.type) or pa.types.is_float16(array.type):
        array = array.cast(pa.float64() if not pa.types.is_boolean(array.type) else pa.int8())
    shortest = pa.types.is_float32(array.type)  # 0.1 kept in four bytes is 0.1, not 0.10000000149011612
    values: NDArray[np.float64] = array.to_pandas().to_numpy(dtype=np.float64, na_value=np.nan)
    if shortest:
        values = np.array([float(str(v)) for v in values.astype(np.float32)], dtype=np.float64)
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise InputError(
            f"column {name!r} holds infinity in {len(infinite)} rows (first on row {infinite[0] + 1}); "
            "replace it by a number or by nothing."
        )
    return values


def moments(series: pd.Series[Any]) -> NDArray[np.datetime64]:
    """Dates and timestamps as datetime64[us], in UTC where a zone is known, NaT where missing: (n,)."""
    array = as_arrow(series)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", tz=array.type.tz), safe=False).cast(pa.int64())
        return _from_micro(array)
    return _from_micro(array.cast(pa.timestamp("us")).cast(pa.int64()))


def _from_micro(array: Any) -> NDArray[np.datetime64]:
    empty = array.is_null().to_numpy(zero_copy_only=False)
    values: NDArray[np.datetime64] = array.fill_null(0).to_numpy(zero_copy_only=False).astype("datetime64[us]")
    values[empty] = np.datetime64("NaT")
    return values


def to_arrow(values: pd.Series[Any], column: Column) -> Any:
    """A column of a Dataset as an Arrow array of the source's type, or of the natural one for text sources.

    Raises:
        FormatError: when a value does not fit the type.
    """
    kind = arrow_type(column.storage) if column.storage else _natural(column)
    bare = kind.value_type if pa.types.is_dictionary(kind) else kind
    try:
        array = _plain_array(values, column, bare)
        return array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array
    except (pa.ArrowException, ValueError, OverflowError):
        wanted = column.storage or kind
        raise FormatError(
            f"column {column.name!r} cannot be stored as {wanted}; remove `storage` from its schema entry."
        ) from None


def _natural(column: Column) -> Any:
    if column.kind == "integer":
        return pa.int64()
    if column.kind == "number":
        return pa.float64()
    if column.kind == "date":
        return pa.date32()
    return pa.timestamp("us") if column.kind == "datetime" else pa.string()


def _plain_array(values: pd.Series[Any], column: Column, kind: Any) -> Any:
    empty = values.isna().to_numpy()
    if pa.types.is_null(kind):
        return pa.nulls(len(values))
    if column.kind in ("date", "datetime") and (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        micro = values.to_numpy(dtype="datetime64[us]").astype("int64")
        array = pa.array(micro, mask=empty).cast(pa.timestamp("us"))
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            return array.cast(pa.int64()).cast(pa.timestamp("us", tz=kind.tz)).cast(kind, safe=False)
        return array.cast(kind, safe=False)
    if column.numeric and column.kind in ("integer", "number"):
        floats = np.where(empty, 0.0, values.to_numpy(dtype=np.float64))
        if pa.types.is_integer(kind):
            return pa.array(np.round(floats).astype(np.int64), mask=empty).cast(kind)
        if pa.types.is_decimal(kind):
            exact = [None if e else Decimal(f"{v:.{kind.scale}f}") for v, e in zip(floats, empty, strict=True)]
            return pa.array(exact, type=kind)
        if pa.types.is_floating(kind):
            return pa.array(floats, mask=empty).cast(kind, safe=False)
    texts = pa.array([None if e else str(v) for v, e in zip(values, empty, strict=True)], type=pa.string())
    return texts.cast(kind)
