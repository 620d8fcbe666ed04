"""One column of a chain: its questions, and for each depth of them a classifier that sees the columns before.

A link only answers one thing: the log-odds of going right at a node, given the cells of the earlier columns.
Drawing, and all that is built on it, follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from semblance.conditionals.bisection import Bisection
from semblance.conditionals.leanings import Leanings
from semblance.data.boosting import lightgbm

Codes = NDArray[np.float32]  # (n_rows, n_columns) cells; float32 because that is what the trees read
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

MOSTLY_APART = 0.9
"""Share of different rows above which it does not pay to look for those alike."""


@dataclass(frozen=True, eq=False)
class Link:
    """One column of the chain: its questions, and a classifier for each depth ("" = plain log-odds).

    Attributes:
        parents: Positions of the earlier columns that the classifiers look at. (n_parents,)
    """

    questions: Bisection
    boosters: tuple[str, ...]
    parents: tuple[int, ...] = ()
    leanings: Leanings = field(default_factory=lambda: Leanings({}))

    def odds(self, before: Codes, asked: Ints, *, workers: int) -> Floats:
        """Log-odds of going right at node `asked[i]` for row i, given the cells before it: (n,).

        All of `asked` must lie at one depth.
        """
        odds: Floats = self.questions.prior[asked].copy()
        level = int(self.questions.depth[asked[0]]) if len(asked) else -1
        if level >= 0 and self.boosters[level]:
            first, group = alike(before[:, self.parents], asked)
            shown, at = before[first], asked[first]
            seen = features_of(shown[:, self.parents], self.questions, at, self.leanings.of(shown, at))
            odds += self._booster(level).predict(seen, raw_score=True, num_threads=workers)[group]
        return odds

    def _booster(self, level: int) -> Any:
        """The classifier of a depth, read from its text once; two threads at once would only read it twice."""
        if level not in self._read:
            self._read[level] = lightgbm().Booster(model_str=self.boosters[level])
        return self._read[level]

    @cached_property
    def _read(self) -> dict[int, Any]:
        return {}

    def draw(self, before: Codes, rng: np.random.Generator, *, workers: int) -> Ints:
        """A cell for each row given the cells drawn before it: (n,)."""
        n = len(before)
        questions = self.questions
        cells = np.zeros(n, dtype=np.int32)
        node = np.full(n, 0 if len(questions) else -1, dtype=np.int32)
        for _ in range(questions.n_levels):
            rows = np.flatnonzero(node >= 0)
            if not len(rows):
                break
            asked = node[rows]
            right = rng.random(n)[rows] < expit(self.odds(before[rows], asked, workers=workers))
            cells[rows] = np.where(right, questions.cut[asked], questions.low[asked])
            node[rows] = np.where(right, questions.right[asked], questions.left[asked])
        return cells

    def save(self, folder: Path, position: int) -> dict[str, Any]:
        """Write the classifiers as text files; returns the rest as plain data for a JSON file."""
        for level, booster in enumerate(self.boosters):
            if booster:
                (folder / _tree_file(position, level)).write_text(booster, encoding="utf-8")
        if self.leanings.tables:
            self.leanings.save(folder / _leanings_file(position))
        return {
            "questions": self.questions.to_dict(),
            "learned": [bool(b) for b in self.boosters],
            "parents": list(self.parents),
            "leans": bool(self.leanings.tables),
        }

    @classmethod
    def load(cls, folder: Path, position: int, saved: dict[str, Any]) -> Link:
        """Read back what `save` wrote.

        Raises:
            OSError, KeyError: a file or an entry is missing.
        """
        boosters = tuple(
            (folder / _tree_file(position, level)).read_text(encoding="utf-8") if learned else ""
            for level, learned in enumerate(saved["learned"])
        )
        leanings = Leanings.load(folder / _leanings_file(position)) if saved["leans"] else Leanings({})
        parents = tuple(int(i) for i in saved["parents"])
        return cls(Bisection.from_dict(saved["questions"]), boosters, parents, leanings)


def alike(parents: Codes, asked: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows that a classifier cannot tell apart need its answer only once, and few parents have few combinations.

    Returns:
        One row of each group, (n_groups,), and the group of each row, (n,). Every row is its own where there are too
        many combinations to number, or hardly two rows alike.
    """
    n = len(asked)
    everyone = np.arange(n)
    key, room = asked.astype(np.int64), int(asked.max(initial=0)) + 1
    for column in parents.T:
        width = int(column.max(initial=0)) + 2  # -1 is a value without a cell
        room *= width
        if room >= 2**62:
            return everyone, everyone
        key = key * width + column.astype(np.int64) + 1
    group, found = pd.factorize(key)
    if len(found) > MOSTLY_APART * n:
        return everyone, everyone
    first = np.empty(len(found), dtype=np.intp)
    first[group[::-1]] = everyone[::-1]
    return first, group


def features_of(parents: Codes, questions: Bisection, asked: Ints, leanings: list[NDArray[np.float32]]) -> Codes:
    """What a classifier sees: cells of parents, where the question cuts, leanings: (n, n_parents + 1 + n_leanings)."""
    cut = questions.cut[asked].astype(np.float32)  # or all would become float64, twice the memory
    return np.column_stack([parents, cut, *leanings])


def _leanings_file(position: int) -> str:
    return f"{position:04d}.npz"


def _tree_file(position: int, level: int) -> str:
    return f"{position:04d}-{level:02d}.txt"
