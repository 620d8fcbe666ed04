"""The columns of a chain as one joint distribution: its log-probability, draws given conditions, missing cells filled.

All three follow from the links' answers; none looks at how they were learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from semblance.conditionals import imputation
from semblance.conditionals.evidence import log_density, present, read_evidence
from semblance.conditionals.link import Codes, Floats, Link
from semblance.conditionals.particles import draw_given
from semblance.conditionals.walk import log_chance
from semblance.contracts import Account, Filled, Run
from semblance.data.alphabet import Alphabet
from semblance.data.cells import Cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import InputError
from semblance.schema import Schema


@dataclass(frozen=True, eq=False)
class Joint:
    """Columns in the order in which they are drawn, with their cells and links."""

    schema: Schema
    order: tuple[str, ...]
    cells: tuple[Cells, ...]
    links: tuple[Link, ...]

    def encode(self, data: Dataset) -> Codes:
        """Cells of the modelled columns, in the chain's order, -1 where a value has none: (n_rows, n_columns)."""
        codes = np.empty((data.n_rows, len(self.order)), dtype=np.float32, order="F")
        for position, (name, cells) in enumerate(zip(self.order, self.cells, strict=True)):
            codes[:, position] = cells.encode(data.frame[name])
        return codes

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that can be drawn; see `ChainModel.labels_of`."""
        return Alphabet(self.schema, self.cells).labels_of(column)

    def log_prob(self, data: Dataset, *, density: bool, workers: int) -> Floats:
        """Natural log of the probability of each row's cells; see `ChainModel.log_prob`. (n_rows,)"""
        codes = self.encode(data)
        total = np.where((codes >= 0).all(axis=1), 0.0, -np.inf)
        for position, (name, cells, link) in enumerate(zip(self.order, self.cells, self.links, strict=True)):
            rows = np.flatnonzero(total > -np.inf)
            mine = codes[rows, position].astype(np.int32)
            total[rows] += log_chance(link, codes[rows, :position], mine, workers=workers)
            if density and cells.column.numeric:
                total[rows] += log_density(cells, mine, data.scale(name)[rows])
        return total

    def sample_given(self, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
        """Draw `n` rows that meet all conditions; see `ChainModel.sample_given`."""
        evidence = read_evidence(given, self.order, self.cells)
        if not evidence:
            raise InputError("no condition was given; write one such as age>=65, or sample without.")
        seeds = run.seeds.within("sample/given")
        codes, account = draw_given(
            self.links, evidence, n, seeds=seeds, workers=run.engine.workers, progress=run.progress
        )
        drawn: dict[str, pd.Series[Any]] = {}
        for position, (name, cells) in enumerate(zip(self.order, self.cells, strict=True)):
            alphabet = evidence.get(position, cells)
            drawn[name] = alphabet.decode(codes[:, position].astype(np.int32), seeds(f"values/{name}"))
        return from_columns(drawn, self.schema, n), account

    def impute(self, data: Dataset, run: Run, *, columns: Sequence[str], particles: int) -> tuple[Dataset, Filled]:
        """Fill missing cells; see `ChainModel.impute`."""
        for name in columns:
            if name not in self.order:
                raise InputError(f"column {name!r} cannot be filled: the model did not learn a column of that name.")
        codes = self.encode(data)
        unknown = np.zeros(codes.shape, dtype=bool)
        allowed = {}
        for position, (name, cells) in enumerate(zip(self.order, self.cells, strict=True)):
            if (not columns or name in columns) and (some := present(cells)) is not None:
                unknown[:, position] = data.frame[name].isna()
                allowed[position] = some
        seeds = run.seeds.within("impute")
        filled, effective = imputation.fill(
            self.links,
            allowed,
            codes,
            unknown,
            seeds=seeds,
            workers=run.engine.workers,
            particles=particles,
            progress=lambda done, total: run.progress("filling rows", done, total),
        )
        frame = data.frame.copy()
        for position, some in allowed.items():
            holes = np.flatnonzero(unknown[:, position])
            name = self.order[position]
            fresh = some.decode(filled[holes, position].astype(np.int32), seeds(f"values/{name}"))
            column = frame[name].to_numpy(copy=True)
            column[holes] = fresh.to_numpy()
            frame[name] = pd.Series(column, name=name, dtype=frame[name].dtype)
        origin = "augmented" if data.origin == "real" else data.origin
        touched = effective[effective > 0]
        account = Filled(
            rows=len(touched),
            cells=int(unknown.sum()),
            particles=particles,
            effective=float(np.median(touched)) if len(touched) else 0.0,
            thin=int((touched < 2).sum()),
        )
        return replace(data, frame=frame, origin=origin), account
