"""Guesses by hand: the nearest row, the best single answer, a learner."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.audits.inference.guess import Options, constant, copied, learned
from semblance.audits.inference.secrets import Secret
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.schema import Column, Schema

AGE, SEX = Column("age", "number"), Column("sex", "category")
LAB, ILL = Column("lab", "number"), Column("ill", "category")
COLUMNS = (AGE, SEX, LAB, ILL)


def table(rows: list[tuple[float, str, float, str | None]]) -> Dataset:
    frame = pd.DataFrame(rows, columns=[c.name for c in COLUMNS])
    return Dataset(frame.astype({"sex": object, "ill": object}), Schema(COLUMNS))


FAKE = table(
    [
        (40, "f", -7.0, "flu"),
        (40, "f", -5.0, "flu"),
        (40, "f", 3.0, "gout"),
        (60, "m", np.nan, None),
        (80, "m", 0.0, "gout"),
    ]
)
ASKED = table([(40, "f", 0, "x"), (62, "m", 0, "x"), (79, "m", 0, "x")])


def look(secret: Secret) -> tuple[list[object], list[float]]:
    space = Space.fit([FAKE, ASKED], (AGE, SEX))
    guess, distance = copied(secret, (AGE, SEX), FAKE, (ASKED, ASKED), space)
    assert guess[:3].tolist() == pytest.approx(guess[3:].tolist(), nan_ok=True)  # the second table, the same patients
    return guess[:3].tolist(), distance[:3].tolist()


def test_the_nearest_row_tells_a_label_its_commonest_where_rows_agree_and_missing_too() -> None:
    guess, distance = look(Secret(ILL, 0.0, ""))
    assert guess == ["flu", "\x00missing", "gout"]
    assert distance[0] == 0 < distance[1]


def test_the_nearest_row_tells_a_number_the_median_where_rows_agree() -> None:
    guess, _ = look(Secret(LAB, 0.5, ""))
    assert guess == pytest.approx([-5.0, np.nan, 0.0], nan_ok=True)


def test_of_cells_equally_near_the_larger_one_answers() -> None:
    fake = table([(40, "f", 0, "rare"), (60, "f", 0, "often"), (60, "f", 0, "often")])
    asked = table([(50, "f", 0, "x")])
    space = Space.fit([table([(40, "f", 0, "x"), (60, "f", 0, "x")])], (AGE, SEX))
    guess, _ = copied(Secret(ILL, 0.0, ""), (AGE, SEX), fake, (asked,), space)
    assert guess.tolist() == ["often"]


def test_a_million_ties_cost_no_memory() -> None:
    """One key with two values: every patient ties with half of the table."""
    rng = np.random.default_rng(0)
    many = table([(0, s, x, "flu") for s, x in zip(rng.choice(["f", "m"], 3_000), rng.normal(size=3_000), strict=True)])
    guess, _ = copied(Secret(LAB, 0.5, ""), (SEX,), many, (many,), Space.fit([many], (SEX,)))
    assert len(np.unique(guess)) == 2


def test_the_best_single_guess() -> None:
    rows = table([(0, "f", x, i) for x, i in [(-9.0, "a"), (-9.4, "b"), (-9.2, "b"), (5.0, "b")]])
    assert constant(Secret(ILL, 0.0, ""), rows, (ASKED, FAKE)).tolist() == ["b"] * 8
    guess = constant(Secret(LAB, 5.0, ""), rows, (ASKED,))
    assert abs(guess[0] + 9.2) <= 5


def test_a_learner_answers_where_most_hits_are() -> None:
    """Of a number it says the middle of the densest window of the likeliest bin, of zeros zero, of gaps missing."""
    rng = np.random.default_rng(1)
    age = rng.integers(0, 3, 900).astype(float)
    lab = np.where(age == 0, 0.0, np.where(age == 1, -40 + rng.normal(size=900), np.nan))
    rows = table([(a, "f", x, "x") for a, x in zip(age, lab, strict=True)])
    secret = Secret(LAB, 1.0, "")
    exam = table([(0, "f", 9, "x"), (1, "f", 9, "x"), (2, "f", 9, "x")])
    guess = learned(secret, (AGE,), rows, (exam,), seed=0)
    assert guess[0] == 0
    assert abs(guess[1] + 40) < 3
    assert np.isnan(guess[2])


def test_a_learner_learns_labels_and_says_the_same_of_all_where_there_is_one() -> None:
    rng = np.random.default_rng(2)
    sex = rng.choice(["f", "m"], 400)
    rows = table([(a, s, 0, "flu" if s == "f" else "gout") for a, s in zip(rng.normal(size=400), sex, strict=True)])
    exam = table([(0, "m", 0, "x"), (0, "f", 0, "x")])
    assert learned(Secret(ILL, 0.0, ""), (AGE, SEX), rows, (exam,), seed=0).tolist() == ["gout", "flu"]
    assert learned(Secret(LAB, 0.0, ""), (AGE, SEX), rows, (exam,), seed=0).tolist() == [0, 0]


def test_labels_too_rare_for_a_class_are_never_guessed() -> None:
    rows = table([(0, "f", 0, f"c{k}") for k in range(60)])
    options = Options.of(Secret(ILL, 0.0, ""), rows)
    assert options.answer[-1] is None
    assert options.worth[-1] == 0
