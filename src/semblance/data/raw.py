"""A table as its file holds it, before anyone says what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True, slots=True)
class Raw:
    """Cells and how they were written; ``data/describe/infer.py`` makes a Schema of it, ``data/parse.py`` a Dataset.

    Attributes:
        frame: (n_rows, n_columns). Text formats: every cell a str exactly as written (object dtype, no NaN).
            Typed formats: Arrow-backed or NumPy dtypes as the format gives them, missing as NA.
        dialect: What is needed to write the same format again: "format", "delimiter", "encoding", "quotechar",
            "line_end", "compression", …; for typed formats `storage` names each column's Arrow type.
        fingerprint: SHA-256 of the source's bytes.
        lines: For text formats, the line of the file on which each row starts, for error messages: (n_rows,).
    """

    frame: pd.DataFrame
    dialect: Mapping[str, str]
    storage: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    lines: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Raw({len(self.frame)} rows × {len(self.frame.columns)} columns)"
