"""What an earlier cell says about each question, counted: a number the trees can use at once.

A column of hundreds of codes asks hundreds of questions, and a parent of hundreds of codes answers them in hundreds of
ways. Trees that see the parent's cell only as a number need many cuts to single out one code at one question. So they
also see a *leaning*: the log-odds of going right among training rows with that earlier cell, minus the plain log-odds.

Counts are shrunk towards the cell's family (the block of a code), and that towards the plain log-odds. While a
classifier is trained, each row sees leanings counted without its own fold of patients, so that nobody is predicted from
their own record (out-of-fold target statistics, after Micci-Barreca 2001). A cell, or a family, leans only where at
least `min_patients` patients stand behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.bisection import Bisection
from semblance.data.cells import Cells

Ints = NDArray[np.int32]
Table = NDArray[np.float32]  # (n_questions, n_cells + 1); the last column is for a value without a cell

MANY = 40
"""Label cells from which a column is one of many codes."""
SHRINK = 20.0
"""Rows that a family weighs against a cell's own, and the plain log-odds against a family's."""


def worth_counting(position: int, cells: list[Cells]) -> list[int]:
    """The earlier columns whose leanings help: those of many labels, and all where the column itself has many."""

    def many(made: Cells) -> bool:
        return not made.column.numeric and made.n >= MANY

    return [i for i in range(position) if cells[i].n > 2 and (many(cells[position]) or many(cells[i]))]


@dataclass(frozen=True, eq=False)
class Leanings:
    """Leanings of one column's questions on some earlier columns.

    Attributes:
        tables: Position of the earlier column → its table.
    """

    tables: Mapping[int, Table]

    def of(self, before: NDArray[np.float32], asked: Ints) -> list[NDArray[np.float32]]:
        """One feature for each table: the leaning of row i at question `asked[i]`. (n,) each."""
        return [table[asked, before[:, i].astype(np.int32)] for i, table in self.tables.items()]

    def save(self, path: Path) -> None:
        """Write the tables as one .npz file, which holds numbers only."""
        named: dict[str, Any] = {str(i): table for i, table in self.tables.items()}
        np.savez_compressed(path, **named)

    @classmethod
    def load(cls, path: Path) -> Leanings:
        with np.load(path, allow_pickle=False) as saved:
            return cls({int(i): saved[i] for i in saved.files})


@dataclass(frozen=True, eq=False)
class Counted:
    """Turns of the training rows at every question, by cell of one earlier column and fold.

    Attributes:
        turns: (n_folds, 2, n_questions, n_cells + 1); patients: (n_questions, n_cells + 1), each once.
        family: Family of each cell. (n_cells + 1,)
    """

    turns: NDArray[np.float64]
    patients: NDArray[np.int64]
    family: Ints
    prior: NDArray[np.float64]
    min_patients: int

    def table(self, *, without: int | None = None) -> Table:
        """Leanings from all folds, or from all but one."""
        left, right = self.turns.sum(axis=0) - (0 if without is None else self.turns[without])
        member = np.eye(int(self.family.max()) + 1)[self.family]  # (n_cells + 1, n_families)
        plain = 1.0 / (1.0 + np.exp(-self.prior))[:, None]
        crowd = (self.patients @ member >= self.min_patients)[:, self.family]
        kin_left, kin_right = ((side @ member)[:, self.family] * crowd for side in (left, right))
        family = (kin_right + SHRINK * plain) / (kin_left + kin_right + SHRINK)
        enough = self.patients >= self.min_patients
        odds = (right * enough + SHRINK * family) / (left * enough + SHRINK * (1.0 - family))
        leaning: Table = np.round(np.log(odds) - self.prior[:, None], 3).astype(np.float32)
        return leaning


def count_turns(
    earlier: Ints,
    made: Cells,
    questions: Bisection,
    nodes: Ints,
    turns: NDArray[np.int8],
    *,
    folds: NDArray[np.int64],
    subjects: NDArray[np.int64],
    min_patients: int,
) -> Counted:
    """Count one earlier column.

    Args:
        earlier: Its cell in each row, -1 where it has none. (n_rows,)
        nodes, turns: Questions each row comes to, and where it goes. (n_rows, n_levels)
        folds, subjects: Fold and patient of each row. (n_rows,)
    """
    width = made.n + 1
    counted = np.zeros((int(folds.max(initial=0)) + 1, 2, len(questions), width))
    patients = np.zeros((len(questions), width), dtype=np.int64)
    known = earlier % width  # -1 is the last column
    alone = len(np.unique(subjects)) == len(subjects)
    for level in range(nodes.shape[1]):
        rows = np.flatnonzero(nodes[:, level] >= 0)
        node, cell = nodes[rows, level], known[rows]
        np.add.at(counted, (folds[rows], turns[rows, level].astype(np.intp), node, cell), 1.0)
        once = np.arange(len(rows)) if alone else _first_of_each(subjects[rows], node.astype(np.int64) * width + cell)
        np.add.at(patients, (node[once], cell[once]), 1)
    family = np.append(made.families, made.families.max(initial=-1) + 1).astype(np.int32)
    return Counted(counted, patients, family, questions.prior, min_patients)


def _first_of_each(subjects: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.unique(np.column_stack([subjects, place]), axis=0, return_index=True)[1]
