"""Parquet keeps types both ways."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semblance.data.describe.infer import infer_schema
from semblance.data.parse import parse
from semblance.errors import FormatError, InputError, Unsupported
from semblance.formats.parquet import ORIGIN_KEY, Parquet

N = 40


def table() -> pa.Table:
    rows = range(N)
    none = lambda value, i: None if i % 7 == 3 else value  # noqa: E731
    moments = [datetime(2020, 1, 1 + i % 28, i % 24, 30, tzinfo=UTC) for i in rows]
    return pa.table(
        {
            "whole": pa.array([none(i * 3, i) for i in rows], pa.int16()),
            "small": pa.array([i / 10 for i in rows], pa.float32()),
            "real": pa.array([none(i / 8, i) for i in rows], pa.float64()),
            "money": pa.array([none(Decimal(i * 37) / 100, i) for i in rows], pa.decimal128(9, 2)),
            "flag": pa.array([none(i % 2 == 0, i) for i in rows], pa.bool_()),
            "day": pa.array([none(date(2020, 1, 1 + i % 28), i) for i in rows], pa.date32()),
            "moment": pa.array([none(m, i) for i, m in enumerate(moments)], pa.timestamp("ms", tz="Europe/Berlin")),
            "nano": pa.array([m.replace(tzinfo=None) for m in moments], pa.timestamp("ns")),
            "sex": pa.array([none("fm"[i % 2], i) for i in rows]).dictionary_encode(),
            "ward": pa.array([none(f"0{i % 4}", i) for i in rows], pa.large_string()),
        }
    )


def test_every_type_comes_back(tmp_path: Path) -> None:
    source = table()
    pq.write_table(source, tmp_path / "t.parquet")
    raw = Parquet().read(tmp_path / "t.parquet")
    schema = infer_schema(raw)
    data = parse(raw, schema)
    Parquet().write(data, tmp_path / "out.parquet")
    back = pq.read_table(tmp_path / "out.parquet")
    assert back.schema.types == source.schema.types
    for name in source.column_names:
        assert back[name].to_pylist() == source[name].to_pylist(), name
    kinds = {c.name: c.kind for c in schema}
    assert kinds == {
        "whole": "integer", "small": "number", "real": "number", "money": "number", "flag": "boolean", "day": "date",
        "moment": "datetime", "nano": "datetime", "sex": "category", "ward": "code",
    }  # fmt: skip
    assert back.schema.metadata[ORIGIN_KEY] == b"real"


def test_the_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "t.parquet")
    first = Parquet().read(tmp_path / "t.parquet").fingerprint
    pq.write_table(table().slice(1), tmp_path / "t.parquet")
    assert Parquet().read(tmp_path / "t.parquet").fingerprint != first


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + b"\x00" * 40 + b"PAR1"])
def test_what_is_not_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(FormatError, match="not a whole Parquet file"):
        Parquet().read(tmp_path / "t.parquet")


def test_nested_columns_and_empty_tables_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"visits": [[1, 2], [3]]}), tmp_path / "t.parquet")
    with pytest.raises(Unsupported, match="'visits'"):
        Parquet().read(tmp_path / "t.parquet")
    pq.write_table(table().slice(0, 0), tmp_path / "t.parquet")
    with pytest.raises(FormatError, match="no rows"):
        Parquet().read(tmp_path / "t.parquet")


def test_infinity_is_refused_with_its_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.5, 2.5, float("inf"), 3.5]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"'x' holds infinity in 1 rows \(first on row 3\)"):
        infer_schema(Parquet().read(tmp_path / "t.parquet"))
