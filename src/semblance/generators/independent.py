"""The floor of every report: each column drawn on its own, all links between columns cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.cells import MIN_PATIENTS, Cells, make_cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import FitError
from semblance.schema import Schema

FILE = "independent.json"


@dataclass(frozen=True, slots=True)
class Independent:
    """Marginals only. A control, not a product: it should pass on single columns and fail on everything else."""

    name: ClassVar[str] = "independent"
    about: ClassVar[str] = "each column on its own: the floor other generators are measured from"

    max_cells: int = 256
    min_patients: int = MIN_PATIENTS

    def refuses(self, schema: Schema) -> str | None:
        return None if schema.modelled else "every column is an identifier, free text, or left out."

    def fit(self, train: Dataset, run: Run) -> IndependentModel:
        """Count each column's cells. Without differential privacy: no formal guarantee.

        Raises:
            FitError: nothing to learn from.
        """
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        subjects = train.subjects
        cells, shares = [], []
        for done, column in enumerate(train.schema.modelled, start=1):
            made = make_cells(
                train.frame[column.name],
                column,
                subjects=subjects,
                max_cells=self.max_cells,
                min_patients=self.min_patients,
            )
            cells.append(made)
            codes = made.encode(train.frame[column.name])
            counts = np.bincount(codes[codes >= 0], minlength=made.n)
            # Where every label is too rare to be drawn, no cell has been seen: the column comes out empty.
            shares.append(counts / counts.sum() if counts.any() else np.full(made.n, 1 / made.n))
            run.progress("learning columns", done, len(train.schema.modelled))
        return IndependentModel(train.schema, tuple(cells), tuple(shares))

    @staticmethod
    def load(folder: Path, schema: Schema) -> IndependentModel:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        cells = tuple(Cells.from_dict(c, column) for c, column in zip(data["cells"], schema.modelled, strict=True))
        return IndependentModel(schema, cells, tuple(np.array(s) for s in data["shares"]))


@dataclass(frozen=True, eq=False)
class IndependentModel:
    schema: Schema
    cells: tuple[Cells, ...]
    shares: tuple[NDArray[np.float64], ...]

    @property
    def keeps_real_values(self) -> bool:
        """True where some labels were too rare to be drawn: the schema saved beside the model still lists them."""
        return any(c.n_rare for c in self.cells)

    def __repr__(self) -> str:
        return f"IndependentModel({len(self.cells)} columns)"

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows. Reads no real data."""
        drawn = {}
        for column, cells, shares in zip(self.schema.modelled, self.cells, self.shares, strict=True):
            rng = run.seeds(f"sample/independent/{column.name}")
            codes = rng.choice(len(shares), size=n, p=shares).astype(np.int32)
            drawn[column.name] = cells.decode(codes, rng)
        return from_columns(drawn, self.schema, n)

    def save(self, folder: Path) -> None:
        data = {"cells": [c.to_dict() for c in self.cells], "shares": [s.tolist() for s in self.shares]}
        (folder / FILE).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
