"""What one column learns from the columns before it: how much, from whom, and then for good.

First a search, judged by patients it does not learn from: how many trees serve them best, and which earlier columns the
trees lean on. Then the trees are grown again, from all patients, as many and on those columns only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.allotment import Allotment
from semblance.conditionals.bisection import Bisection, bisect
from semblance.conditionals.leanings import Counted, Leanings, Table, count_turns, worth_counting
from semblance.conditionals.link import Codes, Link, features_of
from semblance.conditionals.trees import Capacity, Lesson, grow, search
from semblance.data.cells import Cells
from semblance.seeds import Seeds

Ints = NDArray[np.int32]
Rows = NDArray[np.intp]

SEARCHED, GROWN = 40_000, 250_000
"""Rows of a longer table from which the search learns, and from which the trees are grown: more cost time in proportion
and change little. The plain log-odds, and so the marginals, are those of all rows."""
SEARCH = 0.4
"""Share of a limited time that the search may take."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a search found: how much a column may learn, and from whom.

    Attributes:
        trees: For each depth of questions; a depth beyond the last gets none.
        parents: Positions of the earlier columns that are leaned on.
    """

    trees: tuple[int, ...]
    parents: tuple[int, ...]

    @classmethod
    def of(cls, link: Link) -> Choice:
        """What was chosen for a link that has been learned."""
        return cls(tuple(booster.count("\nTree=") for booster in link.boosters), link.parents)


@dataclass(frozen=True, eq=False)
class Lessons:
    """The questions put to the training rows of one column, and where each row went.

    Attributes:
        position: Of the column. codes: Cells of all its rows that have one. (n_rows, n_columns)
        folds: Fold of each row's patient. (n_rows,)
        nodes, turns: Question of each row at each depth, -1 for none; which way it went. (n_rows, n_levels)
        leanings: Earlier column → its leanings counted without each fold. (n_folds, n_questions, n_cells + 1) each
        unordered: Earlier columns whose cells are in no order.
    """

    position: int
    codes: Codes
    folds: NDArray[np.int64]
    questions: Bisection
    nodes: Ints
    turns: NDArray[np.int8]
    leanings: dict[int, NDArray[np.float32]]
    unordered: frozenset[int]
    seeds: Seeds

    def at(self, level: int, rows: Rows, parents: Sequence[int]) -> tuple[Lesson, Rows]:
        """What is asked at one depth of these rows, seen through these parents; and which of the rows those are."""
        here = rows[self.nodes[rows, level] >= 0]
        asked = self.nodes[here, level]
        before = self.codes[here, : self.position]
        leanings = [
            table[self.folds[here], asked, before[:, i].astype(np.int32)]
            for i, table in self.leanings.items()
            if i in parents
        ]
        lesson = Lesson(
            features=features_of(before[:, list(parents)], self.questions, asked, leanings),
            answers=self.turns[here, level],
            start=self.questions.prior[asked],
            categorical=[at for at, i in enumerate(parents) if i in self.unordered],
            seed=self.seeds.integer(f"fit/chain/{self.position}/{level}"),
        )
        return lesson, here

    def some(self, most: int) -> Rows:
        """All rows, or this many of them by lot where there are more."""
        n = len(self.codes)
        if n <= most:
            return np.arange(n)
        return np.sort(self.seeds(f"fit/chain/{self.position}/rows").permutation(n)[:most])

    def depths(self, rows: Rows, at_least: int) -> dict[int, int]:
        """Depth → how many of these rows are asked anything there, where they are that many."""
        asked = (self.nodes[rows] >= 0).sum(axis=0)
        return {level: int(n) for level, n in enumerate(asked) if n >= at_least}


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
    choice: Choice | None = None,
) -> Link:
    """Learn one column from the columns before it.

    Args:
        position: Of the column. codes: Cells of all rows, -1 where a value has none. (n_rows, n_columns)
        folds: Fold of each row's patient; which fold judges changes with column and depth. (n_rows,)
        time: What it may take, shared among the depths by how many rows are asked there; None for no limit.
        choice: How many trees and which parents, where that is known; None searches for them.
    """
    known = np.flatnonzero(codes[:, position] >= 0)  # a row whose label is too rare to be drawn teaches nothing here
    target = codes[known, position].astype(np.int32)
    questions = bisect(np.bincount(target, minlength=cells[position].n), last_apart=cells[position].has_missing)
    if not position:
        return Link(questions, ("",) * questions.n_levels)
    nodes, turns = (by_cell[target] for by_cell in questions.paths(cells[position].n))
    mine, whose = codes[known], {"folds": folds[known], "subjects": subjects[known]}

    def count(i: int) -> Counted:
        few = capacity.min_patients
        return count_turns(mine[:, i].astype(np.int32), cells[i], questions, nodes, turns, **whose, min_patients=few)

    counted = {i: count(i) for i in worth_counting(position, cells) if choice is None or i in choice.parents}
    lessons = Lessons(
        position=position,
        codes=mine,
        folds=folds[known],
        questions=questions,
        nodes=nodes,
        turns=turns,
        leanings={i: np.stack([c.table(without=f) for f in range(folds.max() + 1)]) for i, c in counted.items()},
        unordered=frozenset(i for i in range(position) if not cells[i].ordered and cells[i].n > 2),
        seeds=seeds,
    )
    time = time or Allotment(np.inf)
    chosen = choice or _search(lessons, capacity, time)
    boosters = _grow(lessons, chosen, capacity, time)
    tables: dict[int, Table] = {i: c.table() for i, c in counted.items() if i in chosen.parents}
    return Link(questions, boosters, chosen.parents, Leanings(tables))


def _search(lessons: Lessons, capacity: Capacity, time: Allotment) -> Choice:
    """How many trees, and which parents: the same for all depths.

    One depth alone has too few questions to say how many trees are best, and depths that stop at nothing would leave
    weak links out of every row. Parents on which the trees hardly lean are left out: with many candidates for every
    split, the best of them is often one that fits these patients by chance.
    """
    everyone = range(lessons.position)
    some = lessons.some(SEARCHED)
    losses, gains = np.zeros(capacity.trees + 1), np.zeros(lessons.position)
    depths = lessons.depths(some, capacity.min_rows)
    for done, level in enumerate(depths):
        lesson, rows = lessons.at(level, some, everyone)
        unseen = lessons.folds[rows] == (lessons.position + level) % (lessons.folds.max() + 1)
        spent = time.part(SEARCH / (len(depths) - SEARCH * done))  # of what is left: equal parts of SEARCH in all
        after, gain = search(lesson, unseen, capacity=capacity, spent=spent)
        losses += after
        gains += gain[: lessons.position]
        gains[list(lessons.leanings)] += gain[lessons.position + 1 :]
    trees = min(capacity.trees, round(capacity.reach * int(losses.argmin())))
    return Choice((trees,) * lessons.questions.n_levels, _leaned_on(gains, capacity.parents))


def _leaned_on(gains: NDArray[np.float64], share: float) -> tuple[int, ...]:
    """The fewest columns that hold this share of all gains, in order."""
    order = np.argsort(-gains, kind="stable")
    held = np.cumsum(gains[order])
    enough = int(np.searchsorted(held, share * held[-1])) + 1
    return tuple(sorted(int(i) for i in order[:enough] if gains[i] > 0))


def _grow(lessons: Lessons, choice: Choice, capacity: Capacity, time: Allotment) -> tuple[str, ...]:
    """The classifier of each depth."""
    some = lessons.some(GROWN)
    boosters = [""] * lessons.questions.n_levels
    depths = lessons.depths(some, capacity.min_rows)
    waiting = sum(depths.values())
    for level, asked in depths.items():
        trees = choice.trees[level] if level < len(choice.trees) else 0
        lesson, _ = lessons.at(level, some, choice.parents)
        boosters[level] = grow(lesson, trees, capacity=capacity, spent=time.part(asked / waiting))
        waiting -= asked
    return tuple(boosters)
