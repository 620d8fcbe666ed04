"""Parquet: types in, the same types out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from semblance.data.dataset import Dataset
from semblance.data.frames import from_table
from semblance.data.raw import Raw
from semblance.data.typed import to_arrow
from semblance.errors import FormatError

ORIGIN_KEY = b"semblance.origin"
"""Key of the file's metadata that says "synthetic" (or "real", "augmented"), so that a file tells what it is."""


@dataclass(frozen=True, slots=True)
class Parquet:
    """Apache Parquet, one file."""

    name: ClassVar[str] = "parquet"
    about: ClassVar[str] = "Apache Parquet, with the types of its columns"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def read(self, path: Path) -> Raw:
        """Columns with their Arrow types.

        Raises:
            FormatError: when the file is not Parquet or is cut short, or has no rows.
            Unsupported: when a column holds lists, structs or other types no table of patients needs.
            OSError: when the file cannot be opened.
        """
        content = path.read_bytes()
        try:
            file = pq.ParquetFile(pa.BufferReader(content))
            table = file.read()
            compression = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "SNAPPY"
        except (pa.ArrowException, OSError, IndexError):
            raise FormatError(f"{path.name} is not a whole Parquet file; copy it again from its source.") from None
        dialect = {"format": "parquet", "compression": str(compression).lower()}
        return from_table(table, dialect=dialect, fingerprint=hashlib.sha256(content).hexdigest(), where=path.name)

    def write(self, data: Dataset, path: Path) -> None:
        """Each column cast back to the type it had in the source; the origin goes into the file's metadata."""
        self.write_blocks([data], path)

    def write_blocks(self, blocks: Iterable[Dataset], path: Path) -> None:
        """`write` tables of one schema below each other, each a group of rows; only one at a time is held."""
        with ExitStack() as files:
            file = None
            for data in blocks:
                table = _table(data)
                if file is None:
                    file = files.enter_context(pq.ParquetWriter(path, table.schema, compression=_compression(data)))
                file.write_table(table)


def _table(data: Dataset) -> Any:
    arrays = [to_arrow(data.frame[column.name], column) for column in data.schema]
    fields = [pa.field(c.name, a.type) for c, a in zip(data.schema, arrays, strict=True)]
    return pa.table(arrays, schema=pa.schema(fields, metadata={ORIGIN_KEY: data.origin.encode()}))


def _compression(data: Dataset) -> str:
    wanted = data.schema.dialect.get("compression", "") if data.schema.dialect.get("format") == "parquet" else ""
    if wanted == "uncompressed":
        return "none"
    return wanted if wanted in ("snappy", "gzip", "zstd", "brotli", "lz4") else "snappy"
