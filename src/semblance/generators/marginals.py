"""Private tables from noisy marginals: the default where epsilon is promised.

Columns become cells that no patient chose alone (``marginals/domain.py``); the counts of some sets of columns are
measured with discrete Gaussian noise, chosen along a tree (MST) or one after the other where the model is most wrong
(AIM); a graph is fitted to them, and rows are drawn from it. Everything is charged before it is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.evidence import read_evidence
from semblance.contracts import Account, Filled, Run
from semblance.data.alphabet import Alphabet
from semblance.data.cells import MIN_PATIENTS, Cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import FitError, InputError, Unsupported
from semblance.marginals import aim, mst
from semblance.marginals.budget import Budget, plan
from semblance.marginals.coarse import find_levels
from semblance.marginals.compress import CLEAR, Compression, learn_compression
from semblance.marginals.curator import Curator, OpenCurator, PrivateCurator, charged
from semblance.marginals.domain import encode, find_cells
from semblance.marginals.draw import draw_rows
from semblance.marginals.estimate import Graph, Measurement
from semblance.marginals.ground import count_columns
from semblance.marginals.patients import cap_rows
from semblance.marginals.table import Attrs, Codes, Table
from semblance.schema import Schema
from semblance.seeds import Seeds

FILE, POTENTIALS = "marginals.json", "potentials.npz"
METHODS = ("aim", "mst")
OPEN_RHO = 20.0
"""Where nothing is promised, answers are exact, and this says how many are asked for."""


@dataclass(frozen=True, slots=True)
class Marginals:
    """A graph of columns, fitted to noisy counts.

    Attributes:
        method: "aim" measures what the model tells worst, round by round; "mst" measures a tree of pairs, and is
            faster and cruder.
        cells: Cells of a number, about.
        graph: Cells of the graph's largest groups of columns together, at most, for "aim": time and memory.
        min_patients: Patients behind every label, spike and knot where no epsilon is promised; noise does it otherwise.
    """

    name: ClassVar[str] = "marginals"
    about: ClassVar[str] = "noisy counts and a graph fitted to them (MST, AIM): the default with --epsilon"
    private: ClassVar[bool] = True  # charges all it touches: may be used where epsilon is promised

    method: str = "aim"
    cells: int = 32
    graph: int = 400_000
    min_patients: int = MIN_PATIENTS

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError("parameter 'method' of generator 'marginals' must be 'aim' or 'mst'.")
        if self.cells < 4 or self.graph < 1000 or self.min_patients < 1:
            raise InputError("generator 'marginals' needs at least 4 cells, a graph of 1000, and 1 patient.")

    def refuses(self, schema: Schema) -> str | None:
        return None if schema.modelled else "every column is an identifier, free text, or left out."

    def fit(self, train: Dataset, run: Run) -> MarginalsModel:
        """Learn from training rows.

        PRIVACY: uses up what is left of `run.ledger.allowance`, charged in parts before each is looked at: cells,
        one-way marginals, links. At most `allowance.cap` rows of each patient are used (1 where it says None). The
        number of rows that come out is the caller's choice and tells nothing. Without an allowance: exact counts, no
        formal guarantee.

        Raises:
            FitError: nothing to learn from.
            BudgetExceeded: nothing is left to spend; nothing was looked at.
        """
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        if run.ledger.allowance is None:
            return self._learn_openly(train, run)
        budget = plan(train.schema, run.ledger, method=self.method, cells=self.cells)
        return self._learn_privately(cap_rows(train, budget.most), budget, run)

    @staticmethod
    def load(folder: Path, schema: Schema) -> MarginalsModel:
        """Read back what `save` wrote: JSON and arrays, neither of which runs code.

        Raises:
            InputError: the folder does not hold such a model, or a file of it is damaged.
        """
        try:
            return _load(folder, schema)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{folder} does not hold a complete marginals model; fit it again or copy the whole folder."
            ) from error

    def _learn_privately(self, rows: Dataset, budget: Budget, run: Run) -> MarginalsModel:
        spend = run.ledger.spend
        run.progress("finding cells", 0, 3)
        cells = find_cells(rows, budget.search, spend)
        table = Table(*encode(rows, cells), budget.most)
        run.progress("measuring columns", 1, 3)
        ones = count_columns(table, cells, budget, spend, self.name)
        groups = learn_compression(ones, cells, widest=self.cells)
        run.progress("measuring links", 2, 3)
        curator = PrivateCurator(groups.shrink(table), charged(spend, "marginals/links", budget.links))
        graph = self._fit(curator, ones, groups, cells, budget.rest, budget.most, rows.schema, run)
        return MarginalsModel(rows.schema, cells, groups, graph)

    def _learn_openly(self, rows: Dataset, run: Run) -> MarginalsModel:
        alphabet = Alphabet.learn(rows, max_cells=self.cells, min_patients=self.min_patients)
        table = Table(*encode(rows, alphabet.cells))
        ones = OpenCurator(table).measure([(i,) for i in range(len(alphabet.cells))], self.min_patients / CLEAR)
        groups = learn_compression(ones, alphabet.cells, exact=True)
        curator = OpenCurator(groups.shrink(table))
        graph = self._fit(curator, ones, groups, alphabet.cells, OPEN_RHO, 1, rows.schema, run)
        return MarginalsModel(rows.schema, alphabet.cells, groups, graph)

    def _fit(
        self,
        curator: Curator,
        ones: Sequence[Measurement],
        groups: Compression,
        cells: Sequence[Cells],
        rho: float,
        most: int,
        schema: Schema,
        run: Run,
    ) -> Graph:
        rng = run.seeds("fit/marginals")
        grouped = [groups.measured(one) for one in ones]
        if self.method == "mst":
            return mst.mst(curator, grouped, rho=rho, most=most, rng=rng)
        names = [c.name for c in schema.modelled]
        target = names.index(schema.target) if schema.target in names else None
        asked = aim.workload(len(names), target)
        levels = find_levels([one.counts for one in grouped], groups.ordered(cells))
        told = aim.Plan(rho, most, max_cells=self.graph)
        return aim.aim(curator, grouped, asked, levels=levels, plan=told, rng=rng)


@dataclass(frozen=True, eq=False)
class MarginalsModel:
    """A fitted graph over groups of cells.

    Attributes:
        cells: Of each modelled column. groups: Which of them the graph does not tell apart. graph: What was fitted.
    """

    schema: Schema
    cells: tuple[Cells, ...]
    groups: Compression
    graph: Graph
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"MarginalsModel({len(self.cells)} columns, {len(self.graph.potentials)} marginals)"

    @property
    def rows(self) -> float:
        """Rows that were learned from, as far as noise lets know."""
        return self.graph.rows

    @property
    def keeps_real_values(self) -> bool:
        """True where some labels were too rare to be drawn: the schema saved beside the model still lists them."""
        return any(c.n_rare for c in self.cells)

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows. Reads no real data."""
        seeds = run.seeds.within("sample/marginals")
        return Alphabet(self.schema, self.cells).decode(self._draw(self.graph, self.groups, n, seeds), seeds)

    def sample_given(self, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
        """Draw `n` rows that all meet the conditions: exactly the model's rows among those that do.

        Args:
            given: Such as "sex=F", "age>=65", "ward in icu|surgery", "lactate is missing".

        Raises:
            InputError: a condition is not understood, or no row that the model can draw meets them all.
        """
        evidence = read_evidence(given, [c.column.name for c in self.cells], self.cells)
        if not evidence:
            raise InputError("no condition was given; write one such as age>=65, or sample without.")
        groups, weights = self.groups, {}
        for position, allowed in evidence.items():
            groups, weights[position] = groups.given(position, np.append(allowed.share, 0.0))
        graph, probability = self.graph.given(weights)
        if not probability:
            raise InputError("the model never draws rows that meet all conditions together; widen one of them.")
        seeds = run.seeds.within("sample/marginals/given")
        codes = self._draw(graph, groups, n, seeds)
        drawn = {}
        for position, cells in enumerate(self.cells):
            maker = evidence.get(position, cells)
            drawn[cells.column.name] = maker.decode(codes[:, position], seeds(f"values/{cells.column.name}"))
        return from_columns(drawn, self.schema, n), Account(n, n, float(n), 0, probability)

    def impute(self, data: Dataset, run: Run, *, columns: Sequence[str] = ()) -> tuple[Dataset, Filled]:
        """Not offered. Raises Unsupported."""
        raise Unsupported("generator 'marginals' cannot fill gaps; fit one with the generator 'chain', which can.")

    def log_prob(self, data: Dataset) -> NDArray[np.float64]:
        """Not offered. Raises Unsupported."""
        raise Unsupported(
            "generator 'marginals' cannot tell the probability of a row; fit one with 'chain', which can."
        )

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that can be drawn. Raises InputError where it is not learned or holds no labels."""
        return Alphabet(self.schema, self.cells).labels_of(column)

    def _draw(self, graph: Graph, groups: Compression, n: int, seeds: Seeds) -> Codes:
        """Cells of `n` rows: (n, n_columns)."""
        codes = groups.expand(draw_rows(graph, n, seeds("rows")), seeds("groups"))
        for position, cells in enumerate(self.cells):
            unknown = np.flatnonzero(codes[:, position] >= cells.n)
            if len(unknown):
                codes[unknown, position] = self._known(position, len(unknown), seeds(f"unknown/{cells.column.name}"))
        return codes

    def _known(self, position: int, n: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Values for rows whose label has no cell: drawn as the column's others; missing where there are none."""
        cells = self.cells[position]
        if not cells.n_values:
            return np.full(n, cells.n_values, dtype=np.int32)
        groups, shares = self.groups.groups[position], self.groups.shares[position]
        together = np.bincount(groups, weights=shares)[groups]
        chances = self.graph.marginal((position,))[groups] * np.divide(
            shares, together, out=np.zeros_like(shares), where=together > 0
        )
        known = chances[: cells.n_values]
        even = np.full(cells.n_values, 1 / cells.n_values)
        return rng.choice(cells.n_values, size=n, p=known / known.sum() if known.sum() > 0 else even).astype(np.int32)

    def save(self, folder: Path) -> None:
        """Write the cells, and the graph's potentials."""
        sets = sorted(self.graph.potentials)
        data = {
            "cells": [c.to_dict() for c in self.cells],
            "open": [c.column.low is None and c.column.high is None for c in self.cells],
            "groups": self.groups.to_dict(),
            "rows": self.graph.rows,
            "sets": [list(attrs) for attrs in sets],
        }
        (folder / FILE).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        arrays: dict[str, Any] = {f"p{i}": self.graph.potentials[attrs] for i, attrs in enumerate(sets)}
        np.savez_compressed(folder / POTENTIALS, **arrays)


def _load(folder: Path, schema: Schema) -> MarginalsModel:
    data = json.loads((folder / FILE).read_text(encoding="utf-8"))
    told = zip(data["cells"], data["open"], schema.modelled, strict=True)
    cells = tuple(
        Cells.from_dict(c, replace(column, low=None, high=None) if wide else column) for c, wide, column in told
    )
    groups = Compression.from_dict(data["groups"])
    sets: list[Attrs] = [tuple(attrs) for attrs in data["sets"]]
    with np.load(folder / POTENTIALS, allow_pickle=False) as arrays:
        potentials = {attrs: arrays[f"p{i}"] for i, attrs in enumerate(sets)}
    return MarginalsModel(schema, cells, groups, Graph.of(groups.sizes, float(data["rows"]), potentials))
