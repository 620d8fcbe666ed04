"""Parquet: types in, the same types out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

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
        arrays = [to_arrow(data.frame[column.name], column) for column in data.schema]
        fields = [pa.field(c.name, a.type) for c, a in zip(data.schema, arrays, strict=True)]
        table = pa.table(arrays, schema=pa.schema(fields, metadata={ORIGIN_KEY: data.origin.encode()}))
        wanted = data.schema.dialect.get("compression", "") if data.schema.dialect.get("format") == "parquet" else ""
        compression = wanted if wanted in ("snappy", "gzip", "zstd", "brotli", "lz4") else "snappy"
        pq.write_table(table, path, compression="none" if wanted == "uncompressed" else compression)
