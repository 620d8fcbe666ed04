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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.bisection import Bisection, bisect
from semblance.data.cells import Cells, make_cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import FitError, InputError, MissingExtra
from semblance.schema import Column, Schema

FILE = "chain.json"
TREES = "trees"
Floats = NDArray[np.float64]
Codes = NDArray[np.float32]  # (n_rows, n_columns) cells; float32 because that is what the trees read


@dataclass(frozen=True, slots=True)
class Chain:
    """The default generator for tables.

    Attributes:
        max_cells: Cells per numeric column, at most.
        min_patients: Patients behind every spike and every knot.
        trees: Boosting rounds for each question depth.
        leaves: Leaves per tree.
        learning_rate: Shrinkage of each tree.
        min_leaf: Training rows in a leaf, at least.
        min_rows: A question asked of fewer training rows keeps its plain log-odds.
    """

    name: ClassVar[str] = "chain"
    about: ClassVar[str] = "boosted trees, one column after another: the default for tables"

    max_cells: int = 256
    min_patients: int = 11
    trees: int = 60
    leaves: int = 16
    learning_rate: float = 0.1
    min_leaf: int = 20
    min_rows: int = 100
    smooth: float = 0.0
    l2: float = 0.0
    feature_fraction: float = 1.0
    bagging: float = 1.0
    categorical: bool = True
    patience: int = 0
    order: str = "file"
    extra: bool = False

    def refuses(self, schema: Schema) -> str | None:
        return None if schema.modelled else "no column of the schema is to be modelled; set handling = 'model' on one."

    def fit(self, train: Dataset, run: Run) -> ChainModel:
        """Learn the chain from training rows. Without differential privacy: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from.
            MissingExtra: the OpenMP library that LightGBM needs is not installed.
        """
        reason = self.refuses(train.schema)
        if reason or not train.n_rows:
            raise FitError(reason or "there are no training rows; check the source.")
        _lightgbm()
        subjects = train.subjects
        modelled = train.schema.modelled

        def cells_of(column: Column) -> Cells:
            return make_cells(
                train.frame[column.name],
                column,
                subjects=subjects,
                max_cells=self.max_cells,
                min_patients=self.min_patients,
            )

        cells = {c.name: made for c, made in zip(modelled, run.engine.map(cells_of, modelled), strict=True)}
        order = _order(modelled, cells, self.order)
        codes = np.column_stack([cells[name].encode(train.frame[name]) for name in order]).astype(np.float32)
        done = [0]

        def link(position: int) -> Link:
            made = self._fit_link(position, codes, cells[order[position]], [cells[n] for n in order], subjects, run)
            done[0] += 1
            run.progress("learning columns", done[0], len(order))
            return made

        links = run.engine.map(link, range(len(order)))
        return ChainModel(train.schema, tuple(order), tuple(cells[name] for name in order), tuple(links))

    def _fit_link(self, position: int, codes: Codes, cells: Cells, all_cells: list[Cells], subjects, run: Run) -> Link:
        """The classifiers of one column given the earlier ones."""
        target = codes[:, position].astype(np.int32)
        questions = bisect(np.bincount(target, minlength=cells.n), last_apart=cells.has_missing)
        nodes, turns = questions.paths(cells.n)
        boosters: list[str] = []
        labels = [
            i
            for i in range(position)
            if self.categorical
            and not all_cells[i].column.numeric
            and all_cells[i].column.kind != "ordinal"
            and 2 < all_cells[i].n
        ]
        for level in range(questions.n_levels):
            node = nodes[target, level]
            rows = np.flatnonzero(node >= 0)
            if len(rows) < self.min_rows:
                boosters.append("")
                continue
            asked = node[rows]
            features = np.column_stack([codes[rows, :position], questions.cut[asked]]).astype(np.float32)
            if position == 0:
                boosters.append("")
                continue
            seed = run.seeds.integer(f"fit/chain/{position}/{level}")
            boosters.append(
                self._boost(features, turns[target[rows], level], questions.prior[asked], labels, subjects[rows], seed)
            )
        return Link(questions, tuple(boosters))

    def _boost(self, features: Codes, answers, prior: Floats, labels: list[int], subjects, seed: int) -> str:
        lgb = _lightgbm()
        params: dict[str, Any] = {
            "objective": "binary",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_leaf,
            "path_smooth": self.smooth,
            "lambda_l2": self.l2,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging,
            "bagging_freq": 1 if self.bagging < 1 else 0,
            "extra_trees": self.extra,
            "max_bin": 511,
            "min_data_in_bin": 1,
            "cat_smooth": 10,
            "boost_from_average": False,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "seed": seed,
            "verbosity": -1,
        }
        if self.patience:
            held = (subjects * 2654435761 % 2**32) % 5 == 0
            tr = lgb.Dataset(
                features[~held],
                answers[~held],
                init_score=prior[~held],
                categorical_feature=labels,
                params=params,
                free_raw_data=True,
            )
            va = lgb.Dataset(features[held], answers[held], init_score=prior[held], reference=tr)
            b = lgb.train(
                params, tr, self.trees, valid_sets=[va], callbacks=[lgb.early_stopping(self.patience, verbose=False)]
            )
            best = b.best_iteration
            if best == 0:
                return ""
            data = lgb.Dataset(features, answers, init_score=prior, categorical_feature=labels, params=params)
            return lgb.train(params, data, best).model_to_string()
        data = lgb.Dataset(features, answers, init_score=prior, categorical_feature=labels, params=params)
        return lgb.train(params, data, self.trees).model_to_string()

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

    def draw(self, before: Codes, n: int, rng: np.random.Generator, workers=1) -> NDArray[np.int32]:
        """A cell for each row given the cells drawn before it: (n,)."""
        lgb = _lightgbm()
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
                features = np.column_stack([before[rows], questions.cut[asked]]).astype(np.float32)
                odds += lgb.Booster(model_str=model).predict(features, raw_score=True, num_threads=workers)
            right = rng.random(n)[rows] < 1.0 / (1.0 + np.exp(-odds))
            cells[rows] = np.where(right, questions.cut[asked], questions.low[asked])
            node[rows] = np.where(right, questions.right[asked], questions.left[asked])
        return cells


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
        """True while labels held by fewer patients than `min_patients` are kept."""
        return any(c.n_rare for c in self.cells)

    def sample(self, n: int, run: Run) -> Dataset:
        """Draw `n` rows. Reads no real data."""
        codes = np.zeros((n, len(self.order)), dtype=np.float32)
        drawn = {}
        for position, (name, cells, link) in enumerate(zip(self.order, self.cells, self.links, strict=True)):
            run.progress("drawing columns", position, len(self.order))
            rng = run.seeds(f"sample/chain/{name}")
            drawn_cells = link.draw(codes[:, :position], n, rng, run.engine.workers)
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


def _order(modelled, cells, how) -> list[str]:
    names = [c.name for c in modelled]
    if how == "file":
        return names
    if how == "labels":
        return sorted(names, key=lambda n: (cells[n].column.numeric, cells[n].n, n))
    if how == "small":
        return sorted(names, key=lambda n: (cells[n].n, n))
    raise ValueError


def _lightgbm() -> Any:
    """LightGBM, or one sentence on the system library it needs."""
    try:
        import lightgbm
    except OSError as error:
        raise MissingExtra(
            "LightGBM needs the OpenMP library libgomp, which this machine lacks; install it with "
            "'apt-get install libgomp1' (Debian, Ubuntu), 'dnf install libgomp' (Fedora) or 'brew install libomp' (macOS)."
        ) from error
    return lightgbm
