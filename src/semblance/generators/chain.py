"""The conditional chain: each column learned given the columns before it, by boosted trees over cells.

A column becomes ordered cells (``data/cells.py``) and a cell becomes a few yes/no questions
(``data/bisection.py``). All questions at one depth of one column share a gradient-boosted classifier (LightGBM)
that sees the cells of the earlier columns and which question is asked. Each starts from the plain log-odds of the
answer, so the marginals are right before anything is learned; the trees add only what the other columns tell.

The autoregressive factorisation is that of NADE (Larochelle and Murray, 2011) and of sequential synthesis
(Reiter, 2005, with trees); gradient boosting is Friedman (2001) in the histogram form of Ke et al. (2017).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from semblance.contracts import Run
from semblance.data.bisection import Bisection, bisect
from semblance.data.boosting import boost_while_it_helps, lightgbm, patient_folds
from semblance.data.cells import MIN_PATIENTS, Cells, make_cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import FitError, InputError
from semblance.schema import Column, Schema

FILE = "chain.json"
TREES = "trees"
FOLDS = 5
Codes = NDArray[np.float32]  # (n_rows, n_columns) cells; float32 because that is what the trees read


@dataclass(frozen=True, slots=True)
class Chain:
    """The default generator for tables.

    How many trees each depth of questions gets is decided by patients the trees do not see, so that likeness is
    not bought with memory: a fifth of those who may be learned from (never the holdout), another fifth each time.

    Attributes:
        max_cells: Spikes, and quantile cells, per numeric column, at most.
        min_patients: Patients behind every label, every spike and every knot of a cell.
        trees: Boosting rounds for each depth of questions, at most.
        patience: Rounds without a gain for unseen patients before boosting stops.
        leaves: Leaves per tree.
        learning_rate: Shrinkage of each tree.
        min_leaf: Training rows in a leaf, at least.
        smoothing: Pull of a leaf towards its parent, in rows.
        min_rows: Questions put to fewer training rows keep their plain log-odds.
    """

    name: ClassVar[str] = "chain"
    about: ClassVar[str] = "boosted trees, one column after another: the default for tables"

    max_cells: int = 256
    min_patients: int = MIN_PATIENTS
    trees: int = 200
    patience: int = 20
    leaves: int = 16
    learning_rate: float = 0.1
    min_leaf: int = 50
    smoothing: float = 50.0
    min_rows: int = 100

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (value == 0 and field.name != "smoothing"):
                raise InputError(f"parameter {field.name!r} of generator 'chain' must be above 0.")
        if self.leaves < 2 or self.max_cells < 4:
            raise InputError("generator 'chain' needs at least 2 leaves and 4 cells.")

    def refuses(self, schema: Schema) -> str | None:
        return None if schema.modelled else "every column is an identifier, free text, or left out."

    def fit(self, train: Dataset, run: Run) -> ChainModel:
        """Learn the chain from training rows. Without differential privacy: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from.
            MissingExtra: the OpenMP library that LightGBM needs is not installed.
        """
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        subjects, columns = train.subjects, train.schema.modelled

        def cells_of(column: Column) -> Cells:
            return make_cells(
                train.frame[column.name],
                column,
                subjects=subjects,
                max_cells=self.max_cells,
                min_patients=self.min_patients,
            )

        cells = run.engine.map(cells_of, columns)
        codes = np.empty((train.n_rows, len(columns)), dtype=np.float32, order="F")
        for position, (column, made) in enumerate(zip(columns, cells, strict=True)):
            codes[:, position] = made.encode(train.frame[column.name])
        folds = patient_folds(subjects, FOLDS, run.seeds("fit/chain/folds"))
        learned = count()  # columns may finish in any order; next() on a counter is safe between threads

        def link_of(position: int) -> Link:
            made = self._link(position, codes, cells, folds, run)
            run.progress("learning columns", next(learned) + 1, len(columns))
            return made

        links = run.engine.map(link_of, range(len(columns)))
        return ChainModel(train.schema, tuple(c.name for c in columns), tuple(cells), tuple(links))

    def _link(self, position: int, codes: Codes, cells: list[Cells], folds: NDArray[np.int64], run: Run) -> Link:
        """Learn one column from the columns before it."""
        everyone, mine = codes[:, position].astype(np.int32), cells[position]
        common = np.flatnonzero(everyone >= 0)  # a row whose label is too rare to be drawn teaches nothing here
        target = everyone[common]
        questions = bisect(np.bincount(target, minlength=mine.n), last_apart=mine.has_missing)
        nodes, turns = questions.paths(mine.n)
        unordered = [i for i in range(position) if not cells[i].ordered and cells[i].n > 2]
        boosters = []
        for level in range(questions.n_levels):
            here = np.flatnonzero(nodes[target, level] >= 0)
            rows = common[here]
            if position == 0 or len(rows) < self.min_rows:
                boosters.append("")
                continue
            asked = nodes[target[here], level]
            boosters.append(
                boost_while_it_helps(
                    _features(codes[rows, :position], questions, asked),
                    turns[target[here], level],
                    start=questions.prior[asked],
                    unseen=folds[rows] == (position + level) % FOLDS,
                    categorical=unordered,
                    seed=run.seeds.integer(f"fit/chain/{position}/{level}"),
                    trees=self.trees,
                    leaves=self.leaves,
                    rate=self.learning_rate,
                    smallest_leaf=self.min_leaf,
                    patience=self.patience,
                    smoothing=self.smoothing,
                    bins=2 * self.max_cells + 2,  # room for every cell of a parent to be told apart
                )
            )
        return Link(questions, tuple(boosters))

    @staticmethod
    def load(folder: Path, schema: Schema) -> ChainModel:
        """Read a saved chain: JSON and LightGBM's text models, neither of which runs code.

        Raises:
            InputError: the folder does not hold a chain, or a file of it is damaged.
        """
        try:
            data = json.loads((folder / FILE).read_text(encoding="utf-8"))
            order = tuple(data["order"])
            cells = tuple(Cells.from_dict(c, schema[name]) for name, c in zip(order, data["cells"], strict=True))
            links = tuple(_load_link(folder / TREES, i, link) for i, link in enumerate(data["links"]))
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{folder} does not hold a complete chain model; fit it again or copy the whole folder."
            ) from error
        return ChainModel(schema, order, cells, links)


@dataclass(frozen=True, eq=False)
class Link:
    """One column of the chain: its questions, and a classifier for each depth ("" = plain log-odds)."""

    questions: Bisection
    boosters: tuple[str, ...]

    def draw(self, before: Codes, rng: np.random.Generator, *, workers: int) -> NDArray[np.int32]:
        """A cell for each row given the cells drawn before it: (n,)."""
        n = len(before)
        questions = self.questions
        cells = np.zeros(n, dtype=np.int32)
        node = np.full(n, 0 if len(questions) else -1, dtype=np.int32)
        for model in self.boosters:
            rows = np.flatnonzero(node >= 0)
            if not len(rows):
                break
            asked = node[rows]
            odds = questions.prior[asked].copy()
            if model:
                features = _features(before[rows], questions, asked)
                booster = lightgbm().Booster(model_str=model)
                odds += booster.predict(features, raw_score=True, num_threads=workers)
            right = rng.random(n)[rows] < expit(odds)
            cells[rows] = np.where(right, questions.cut[asked], questions.low[asked])
            node[rows] = np.where(right, questions.right[asked], questions.left[asked])
        return cells


def _features(before: Codes, questions: Bisection, asked: NDArray[np.int32]) -> Codes:
    """What a classifier sees: the earlier cells and where the question cuts: (n, n_before + 1)."""
    return np.column_stack([before, questions.cut[asked]]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ChainModel:
    """A fitted chain."""

    schema: Schema
    order: tuple[str, ...]
    cells: tuple[Cells, ...]
    links: tuple[Link, ...]

    def __repr__(self) -> str:
        return f"ChainModel({len(self.order)} columns)"

    @property
    def keeps_real_values(self) -> bool:
        """True where some labels were too rare to be drawn: the schema saved beside the model still lists them."""
        return any(c.n_rare for c in self.cells)

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows. Reads no real data."""
        codes = np.zeros((n, len(self.order)), dtype=np.float32)
        drawn: dict[str, pd.Series[Any]] = {}
        for position, (name, cells, link) in enumerate(zip(self.order, self.cells, self.links, strict=True)):
            run.progress("drawing columns", position, len(self.order))
            rng = run.seeds(f"sample/chain/{name}")
            drawn_cells = link.draw(codes[:, :position], rng, workers=run.engine.workers)
            codes[:, position] = drawn_cells
            drawn[name] = cells.decode(drawn_cells, rng)
        run.progress("drawing columns", len(self.order), len(self.order))
        return from_columns(drawn, self.schema, n)

    def save(self, folder: Path) -> None:
        """Write ``chain.json`` and one text file a classifier under ``trees/``."""
        data = {
            "order": self.order,
            "cells": [c.to_dict() for c in self.cells],
            "links": [
                {"questions": link.questions.to_dict(), "learned": [bool(b) for b in link.boosters]}
                for link in self.links
            ],
        }
        (folder / FILE).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        (folder / TREES).mkdir()
        for position, link in enumerate(self.links):
            for level, booster in enumerate(link.boosters):
                if booster:
                    (folder / TREES / _tree_file(position, level)).write_text(booster, encoding="utf-8")


def _tree_file(position: int, level: int) -> str:
    return f"{position:04d}-{level:02d}.txt"


def _load_link(folder: Path, position: int, saved: dict[str, Any]) -> Link:
    boosters = tuple(
        (folder / _tree_file(position, level)).read_text(encoding="utf-8") if learned else ""
        for level, learned in enumerate(saved["learned"])
    )
    return Link(Bisection.from_dict(saved["questions"]), boosters)
