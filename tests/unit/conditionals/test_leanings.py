"""Leanings: what an earlier cell says about each question, counted from enough patients and never from one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from semblance.conditionals.bisection import Bisection, bisect
from semblance.conditionals.leanings import Counted, Leanings, count_turns, worth_counting
from semblance.data.cells import Cells, make_cells
from semblance.schema import Column


def labels(names: list[str], column: Column | None = None) -> Cells:
    values = pd.Series(names, dtype=object)
    return make_cells(values, column or Column("x", "category"), subjects=np.arange(len(names)))


def counted(
    earlier: np.ndarray, target: np.ndarray, made: Cells, *, subjects: np.ndarray | None = None
) -> tuple[Counted, Bisection]:
    questions = bisect(np.bincount(target))
    nodes, turns = questions.paths(int(target.max()) + 1)
    patients = np.arange(len(target)) if subjects is None else subjects
    return (
        count_turns(
            earlier.astype(np.int32),
            made,
            questions,
            nodes[target],
            turns[target],
            folds=patients % 5,
            subjects=patients,
            min_patients=11,
        ),
        questions,
    )


PARENT = labels(["a"] * 500 + ["b"] * 300 + ["c"] * 100 + ["d"] * 12)


def test_a_leaning_is_the_log_odds_of_that_cell_beside_the_plain_ones() -> None:
    rng = np.random.default_rng(0)
    earlier = rng.integers(0, 2, 20_000)
    target = (rng.random(20_000) < np.where(earlier == 0, 0.9, 0.3)).astype(np.int32)
    table, questions = counted(earlier, target, PARENT)
    leaning = table.table()[0, :2] + questions.prior[0]
    assert np.allclose(1 / (1 + np.exp(-leaning)), [0.9, 0.3], atol=0.02)
    assert not table.table()[:, 2:].any()  # cells that no row had, and "no cell", lean nowhere


def test_few_patients_do_not_lean_however_many_visits() -> None:
    earlier = np.repeat([0, 1], [400, 200])
    target = np.concatenate([np.tile([0, 1], 200), np.ones(200)]).astype(np.int32)
    one_each, _ = counted(earlier, target, PARENT)
    assert one_each.table()[0, 1] > 1
    subjects = np.concatenate([np.arange(400), 400 + np.arange(200) % 10])
    ten, _ = counted(earlier, target, PARENT, subjects=subjects)
    assert ten.table()[0, 1] == 0


def test_nobody_is_predicted_from_their_own_record() -> None:
    """Answers tossed like a coin: leanings without one's own fold must not know them, those with it do."""
    made = labels([f"{i:03}" for i in range(400) for _ in range(11)])
    earlier, folds, apart, own = np.repeat(np.arange(400), 12), np.arange(4800) % 5, [], []
    for seed in range(6):
        target = np.random.default_rng(seed).integers(0, 2, 4800).astype(np.int32)
        table, _ = counted(earlier, target, made)
        without = np.stack([table.table(without=fold) for fold in range(5)])
        apart.append(np.corrcoef(without[folds, 0, earlier], target)[0, 1])
        own.append(np.corrcoef(table.table()[0, earlier], target)[0, 1])
    assert abs(np.mean(apart)) < 0.03
    assert np.mean(own) > 0.2


def test_a_rare_code_leans_as_its_block_does() -> None:
    column = Column("diagnosis", "code", code_system="icd9cm")
    made = labels(["410"] * 300 + ["411"] * 300 + ["414"] * 12 + ["V57"] * 600, column)
    assert made.families.tolist() == [0, 0, 0, 1]
    earlier = np.repeat([0, 1, 2, 3], [300, 300, 10, 600])
    target = np.concatenate([np.arange(610) % 10 > 0, np.arange(600) % 10 == 0]).astype(np.int32)
    table = counted(earlier, target, made)[0].table()[0]
    assert np.abs(table[:3] - table[:3].mean()).max() < 0.15
    assert table[2] > 1.5
    assert table[3] < -1.5


def test_only_many_labels_are_worth_counting() -> None:
    few, many = PARENT, labels([str(i) for i in range(50) for _ in range(11)])
    number = make_cells(pd.Series(np.arange(500.0)), Column("n", "number"), subjects=np.arange(500))
    assert worth_counting(3, [few, number, few, few]) == []
    assert worth_counting(3, [many, number, few, few]) == [0]
    assert worth_counting(2, [few, number, many]) == [0, 1]


def test_leanings_come_back_from_their_file(tmp_path: Path) -> None:
    table = np.round(np.random.default_rng(0).normal(size=(7, 5)), 3).astype(np.float32)
    Leanings({3: table}).save(tmp_path / "0004.npz")
    (again,) = Leanings.load(tmp_path / "0004.npz").of(np.full((2, 4), 2.0, np.float32), np.array([1, 6], np.int32))
    assert again.tolist() == table[[1, 6], 2].tolist()
