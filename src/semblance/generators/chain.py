"""The conditional chain: each column learned given the columns before it, by boosted trees over cells.

A column becomes ordered cells (``data/cells.py``) and a cell becomes a few yes/no questions
(``conditionals/bisection.py``). All questions at one depth of one column share a gradient-boosted classifier (LightGBM)
that sees the cells of the earlier columns and which question is asked. Each starts from the plain log-odds of the
answer, so the marginals are right before anything is learned; the trees add only what the other columns tell.

The autoregressive factorisation is that of NADE (Larochelle and Murray, 2011) and of sequential synthesis
(Reiter, 2005, with trees); gradient boosting is Friedman (2001) in the histogram form of Ke et al. (2017).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.conditionals.imputation import PARTICLES
from semblance.conditionals.joint import Joint
from semblance.conditionals.learning import learn_links
from semblance.conditionals.lessons import Choice
from semblance.conditionals.link import Link
from semblance.conditionals.trees import Capacity
from semblance.contracts import Account, Filled, Generator, Model, Run
from semblance.data.boosting import patient_folds
from semblance.data.cells import MIN_PATIENTS, Cells, make_cells
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import FitError, InputError
from semblance.schema import Column, Schema

FILE = "chain.json"
TREES = "trees"
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Chain:
    """The default generator for tables.

    How many trees a column gets, and on which columns they lean, is found on a fifth of the patients that may be
    learned from (never the holdout), whom the search does not see; then the trees are grown from all of them.

    Attributes:
        max_cells: Spikes, and quantile cells, per numeric column, at most.
        min_patients: Patients behind every label, every spike and every knot of a cell.
        trees: Boosting rounds for each depth of questions, at most.
        patience: Rounds without a gain for unseen patients before the search for their number stops.
        reach: Rounds kept, as a multiple of what serves unseen patients best. More is more like the training
            patients and remembers more of them; less is blander and safer.
        parents: A column is learned from the fewest earlier columns that hold this share of what the trees gained
            in the search.
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
    trees: int = 400
    patience: int = 20
    reach: float = 1.5
    parents: float = 0.95
    leaves: int = 16
    learning_rate: float = 0.1
    min_leaf: int = 20
    smoothing: float = 100.0
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
        return self._learn(train, run, {})

    def again(self, model: Model) -> Generator:
        """This chain for other patients, without the search: as many trees, on the same parents, as in `model`."""
        if not isinstance(model, ChainModel):
            return self
        return ChainAgain(self, model.order, tuple(Choice.of(link) for link in model.links))

    def _learn(self, train: Dataset, run: Run, choices: Mapping[int, Choice]) -> ChainModel:
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
        capacity = Capacity(
            trees=self.trees,
            patience=self.patience,
            reach=self.reach,
            parents=self.parents,
            leaves=self.leaves,
            learning_rate=self.learning_rate,
            min_leaf=self.min_leaf,
            smoothing=self.smoothing,
            min_rows=self.min_rows,
            bins=2 * self.max_cells + 2,  # room for every cell of a parent to be told apart
            min_patients=self.min_patients,
        )
        learned = learn_links(codes, cells, folds, subjects=subjects, capacity=capacity, run=run, choices=choices)
        return ChainModel(train.schema, tuple(c.name for c in columns), tuple(cells), learned.links, learned.notes)

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
            links = tuple(Link.load(folder / TREES, i, link) for i, link in enumerate(data["links"]))
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{folder} does not hold a complete chain model; fit it again or copy the whole folder."
            ) from error
        return ChainModel(schema, order, cells, links)


@dataclass(frozen=True, slots=True)
class ChainAgain:
    """A chain for which another model has found out how much to learn; see ``Repeatable`` in ``contracts.py``.

    Attributes:
        recipe: All that is not searched for. order: Columns of the other model, and what was chosen for each.
    """

    name: ClassVar[str] = Chain.name
    about: ClassVar[str] = Chain.about

    recipe: Chain
    order: tuple[str, ...]
    choices: tuple[Choice, ...]

    @property
    def min_patients(self) -> int:
        return self.recipe.min_patients

    def refuses(self, schema: Schema) -> str | None:
        return self.recipe.refuses(schema)

    def fit(self, train: Dataset, run: Run) -> ChainModel:
        """Learn from training rows, as `Chain.fit` does; a column that the other model lacks is searched for."""
        place = {column.name: i for i, column in enumerate(train.schema.modelled)}
        choices = {
            place[name]: Choice(chosen.trees, tuple(sorted(self._earlier(chosen.parents, place, place[name]))))
            for name, chosen in zip(self.order, self.choices, strict=True)
            if name in place
        }
        return self.recipe._learn(train, run, choices)

    def _earlier(self, parents: Sequence[int], place: Mapping[str, int], position: int) -> list[int]:
        """Where the parents stand here; left out where they do not come before the column."""
        found = [place.get(self.order[i], position) for i in parents]
        return [i for i in found if i < position]

    @staticmethod
    def load(folder: Path, schema: Schema) -> ChainModel:
        return Chain.load(folder, schema)


@dataclass(frozen=True, eq=False)
class ChainModel:
    """A fitted chain; `notes` says, where it was just fitted, what a reader must know about how."""

    schema: Schema
    order: tuple[str, ...]
    cells: tuple[Cells, ...]
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()

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

    def sample_given(self, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
        """Draw `n` rows that all meet the conditions, by sequential Monte Carlo (``conditionals/particles.py``).

        Args:
            given: Such as "sex=F", "age>=65", "ward in icu|surgery", "lactate is missing", "lactate is present". A
                comparison holds for the value as written, and never for a missing one.

        Returns:
            The rows, and what they are worth: under rare conditions, less than their number says.

        Raises:
            InputError: a condition is not understood, or no value that the model can draw meets it.
        """
        return self._joint.sample_given(n, given, run)

    def impute(
        self, data: Dataset, run: Run, *, columns: Sequence[str] = (), particles: int = PARTICLES
    ) -> tuple[Dataset, Filled]:
        """Fill missing cells with draws given all that is known of their row (``conditionals/imputation.py``).

        A filled cell holds what the value might have been had it been recorded; that cells of other columns are
        missing counts as known, unless they are filled as well. Each seed gives another plausible copy.

        Args:
            data: Rows of the model's own schema. columns: Fill these only; all learned columns by default.
            particles: Candidates for each row; more are slower and closer to the model.

        Returns:
            A copy in which every value that was there is the same, with origin "augmented" if it was "real", and what
            the filled cells are worth. A column that the model only ever saw empty stays as it is.

        Raises:
            InputError: the model did not learn a column of that name.
        """
        return self._joint.impute(data, run, columns=columns, particles=particles)

    def log_prob(self, data: Dataset, *, density: bool = False, workers: int = 1) -> NDArray[np.float64]:
        """Natural log of the probability that the model draws each row's cells: (n_rows,).

        A cell is a label, a spike, "missing", or a quantile cell, that is, a stretch of a numeric scale; over all
        combinations of cells the probabilities sum to 1. -inf for a row with a value that has no cell: a label too
        rare to be drawn, or a gap where the model saw none.

        Args:
            density: Add, for each value in a quantile cell, the natural log of its density there, per unit of the
                column's scale (its own unit, days, or seconds): the logarithm of a density over the quantile cells'
                values, and of a probability over all else. -inf then also for numbers the model never draws.
        """
        return self._joint.log_prob(data, density=density, workers=workers)

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels of a column that are drawn. Raises InputError where it is not learned or holds no labels."""
        return self._joint.labels_of(column)

    @property
    def _joint(self) -> Joint:
        return Joint(self.schema, self.order, self.cells, self.links)

    def save(self, folder: Path) -> None:
        """Write ``chain.json`` and one text file a classifier under ``trees/``."""
        trees = folder / TREES
        trees.mkdir()
        data = {
            "order": self.order,
            "cells": [c.to_dict() for c in self.cells],
            "links": [link.save(trees, position) for position, link in enumerate(self.links)],
        }
        (folder / FILE).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
