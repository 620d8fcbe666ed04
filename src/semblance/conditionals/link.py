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
from numpy.typing import NDArray
from scipy.special import expit

from semblance.conditionals.allotment import Allotment
from semblance.conditionals.bisection import Bisection, bisect
from semblance.conditionals.leanings import Counted, Leanings, count_turns, worth_counting
from semblance.conditionals.trees import boost_while_it_helps
from semblance.data.boosting import lightgbm
from semblance.data.cells import Cells
from semblance.seeds import Seeds

Codes = NDArray[np.float32]  # (n_rows, n_columns) cells; float32 because that is what the trees read
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much the classifiers of a link may learn; see the parameters of ``generators/chain.py``."""

    trees: int
    patience: int
    leaves: int
    learning_rate: float
    min_leaf: int
    smoothing: float
    min_rows: int
    bins: int
    min_patients: int


@dataclass(frozen=True, eq=False)
class Link:
    """One column of the chain: its questions, and a classifier for each depth ("" = plain log-odds)."""

    questions: Bisection
    boosters: tuple[str, ...]
    leanings: Leanings = field(default_factory=lambda: Leanings({}))

    def odds(self, before: Codes, asked: Ints, *, workers: int) -> Floats:
        """Log-odds of going right at node `asked[i]` for row i, given the cells before it: (n,).

        All of `asked` must lie at one depth.
        """
        odds: Floats = self.questions.prior[asked].copy()
        level = int(self.questions.depth[asked[0]]) if len(asked) else -1
        if level >= 0 and self.boosters[level]:
            booster = self._booster(level)
            seen = _features(before, self.questions, asked, self.leanings.of(before, asked))
            odds += booster.predict(seen, raw_score=True, num_threads=workers)
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
        leans = bool(self.leanings.tables)
        return {"questions": self.questions.to_dict(), "learned": [bool(b) for b in self.boosters], "leans": leans}

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
        leanings = Leanings.load(folder / _leanings_file(position)) if saved.get("leans") else Leanings({})
        return cls(Bisection.from_dict(saved["questions"]), boosters, leanings)


def learn_link(
    position: int,
    codes: Codes,
    cells: list[Cells],
    folds: NDArray[np.int64],
    *,
    subjects: NDArray[np.int64],
    capacity: Capacity,
    seeds: Seeds,
    time: Allotment | None = None,
) -> Link:
    """Learn one column from the columns before it.

    Args:
        position: Of the column. codes: Cells of all rows, -1 where a value has none. (n_rows, n_columns)
        folds: Fold of each row's patient; which fold only says when to stop changes with column and depth. (n_rows,)
        time: What it may take, shared among the depths by how many rows are asked there; None for no limit.
    """
    everyone, mine = codes[:, position].astype(np.int32), cells[position]
    common = np.flatnonzero(everyone >= 0)  # a row whose label is too rare to be drawn teaches nothing here
    target = everyone[common]
    questions = bisect(np.bincount(target, minlength=mine.n), last_apart=mine.has_missing)
    nodes, turns = questions.paths(mine.n)
    who = {"folds": folds[common], "subjects": subjects[common]}

    def count(i: int) -> Counted:
        parent = codes[common, i].astype(np.int32)
        few = capacity.min_patients
        return count_turns(parent, cells[i], questions, nodes[target], turns[target], **who, min_patients=few)

    counted = {i: count(i) for i in worth_counting(position, cells)}
    unordered = [i for i in range(position) if not cells[i].ordered and cells[i].n > 2]
    n_folds = int(folds.max()) + 1
    of_others = {i: np.stack([c.table(without=fold) for fold in range(n_folds)]) for i, c in counted.items()}
    boosters = []
    time = time or Allotment(np.inf)
    to_ask = (nodes[target] >= 0).sum(axis=0)  # (n_levels,)
    for level in range(questions.n_levels):
        here = np.flatnonzero(nodes[target, level] >= 0)
        rows = common[here]
        if position == 0 or len(rows) < capacity.min_rows:
            boosters.append("")
            continue
        asked = nodes[target[here], level]
        leanings = [table[folds[rows], asked, codes[rows, i].astype(np.int32)] for i, table in of_others.items()]
        boosters.append(
            _boost(
                _features(codes[rows, :position], questions, asked, leanings),
                turns[target[here], level],
                start=questions.prior[asked],
                unseen=folds[rows] == (position + level) % n_folds,
                categorical=unordered,
                seed=seeds.integer(f"fit/chain/{position}/{level}"),
                capacity=capacity,
                spent=time.part(to_ask[level] / to_ask[level:].sum()),
            )
        )
    return Link(questions, tuple(boosters), Leanings({i: c.table() for i, c in counted.items()}))


def _boost(features: Codes, answers: Ints, *, capacity: Capacity, **how: Any) -> str:
    """`boost_while_it_helps` within a capacity."""
    return boost_while_it_helps(
        features,
        answers,
        trees=capacity.trees,
        leaves=capacity.leaves,
        rate=capacity.learning_rate,
        smallest_leaf=capacity.min_leaf,
        patience=capacity.patience,
        smoothing=capacity.smoothing,
        bins=capacity.bins,
        **how,
    )


def _features(before: Codes, questions: Bisection, asked: Ints, leanings: list[NDArray[np.float32]]) -> Codes:
    """What a classifier sees: the earlier cells, where the question cuts, leanings: (n, n_before + 1 + n_leanings)."""
    return np.column_stack([before, questions.cut[asked], *leanings]).astype(np.float32)


def _leanings_file(position: int) -> str:
    return f"{position:04d}.npz"


def _tree_file(position: int, level: int) -> str:
    return f"{position:04d}-{level:02d}.txt"
