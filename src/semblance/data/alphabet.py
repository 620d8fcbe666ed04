"""A whole table in cells: what a generator speaks that learns all columns together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.cells import MIN_PATIENTS, Cells, make_cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import InputError
from semblance.schema import Schema
from semblance.seeds import Seeds

Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Alphabet:
    """The cells of every modelled column, in the schema's order (``data/cells.py``).

    Attributes:
        schema: What the columns mean. cells: One for each of `schema.modelled`.
    """

    schema: Schema
    cells: tuple[Cells, ...]

    @classmethod
    def learn(cls, train: Dataset, *, max_cells: int = 256, min_patients: int = MIN_PATIENTS) -> Alphabet:
        """The cells of a training table. Without differential privacy; see `make_cells`."""
        subjects = train.subjects
        return cls(
            train.schema,
            tuple(
                make_cells(train.frame[c.name], c, subjects=subjects, max_cells=max_cells, min_patients=min_patients)
                for c in train.schema.modelled
            ),
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.column.name for c in self.cells)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Cells of each column, the missing one included."""
        return tuple(c.n for c in self.cells)

    @property
    def n_rare(self) -> int:
        """Labels of all columns that too few patients hold to be drawn."""
        return sum(c.n_rare for c in self.cells)

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that can be drawn. Raises InputError where it is not learned or holds no labels."""
        cells = self.cells[self.names.index(column)] if column in self.names else None
        pooled = cells.pools.nodes if cells and cells.pools else ()
        labels = tuple(label for i, label in enumerate(cells.labels) if not any(pooled[i : i + 1])) if cells else ()
        if not labels:
            raise InputError(f"column {column!r} has no labels that the model learned; name a column of labels.")
        return labels

    def encode(self, data: Dataset) -> Codes:
        """Cell of every value: (n_rows, n_columns). -1 for what has no cell: a rare label, or a gap never seen."""
        codes = np.empty((data.n_rows, len(self.cells)), dtype=np.int32)
        for position, cells in enumerate(self.cells):
            codes[:, position] = cells.encode(data.frame[cells.column.name])
        return codes

    def decode(self, codes: Codes, seeds: Seeds) -> Dataset:
        """A synthetic row for each row of cells, numbers drawn inside them."""
        drawn: dict[str, pd.Series[Any]] = {}
        for position, cells in enumerate(self.cells):
            name = cells.column.name
            drawn[name] = cells.decode(codes[:, position].astype(np.int32), seeds(f"values/{name}"))
        return from_columns(drawn, self.schema, len(codes))

    def to_list(self) -> list[dict[str, Any]]:
        """Plain data for a model file; the schema is kept beside it."""
        return [c.to_dict() for c in self.cells]

    @classmethod
    def from_list(cls, data: Sequence[dict[str, Any]], schema: Schema) -> Alphabet:
        """What `to_list` gave. Raises ValueError or KeyError where it is not of this schema."""
        return cls(
            schema, tuple(Cells.from_dict(cell, column) for cell, column in zip(data, schema.modelled, strict=True))
        )
