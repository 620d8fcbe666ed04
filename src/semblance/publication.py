"""What of a synthetic table goes into a release folder: the rows, and a schema that tells no more than they do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from semblance.data.dataset import Dataset
from semblance.destination import write_table
from semblance.schema import Schema


def as_drawn(fake: Dataset) -> Schema:
    """The schema a recipient may see: only labels that were drawn or that a rule names, by name, since frequency would
    point at the rare.
    """
    schema = fake.schema
    named = schema.labels_in_rules
    for column in schema.modelled:
        if not column.numeric:
            drawn = {*fake.frame[column.name].dropna(), *named.get(column.name, ())}
            kept = [c for c in column.categories if c in drawn]
            if column.code_system and column.kind != "ordinal":  # rare codes come from the published list
                kept = list(drawn)
            schema = schema.with_column(
                replace(column, categories=tuple(kept if column.kind == "ordinal" else sorted(kept)))
            )
    return schema


def write_synthetic(fake: Dataset, folder: Path) -> str:
    """Write the synthetic table of a release in the format of its source; returns the file's name."""
    name = "synthetic.parquet" if fake.schema.dialect.get("format") == "parquet" else "synthetic.csv"
    return write_table(fake, folder / name).name
