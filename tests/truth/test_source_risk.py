"""What is said of a population, asked of populations that are known whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.audits.source import Source
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

PEOPLE = 60_000


def everyone(levels: tuple[int, ...], steepness: float, rng: np.random.Generator) -> np.ndarray:
    """A population of independent labels, the r-th commonest held by a share that falls as r to the −steepness."""
    columns = []
    for many in levels:
        weight = 1 / np.arange(1, many + 1) ** steepness
        columns.append(rng.choice(many, PEOPLE, p=weight / weight.sum()))
    return np.column_stack(columns)


def asked(people: np.ndarray, fraction: float, rng: np.random.Generator) -> tuple[dict[str, Finding], dict[str, float]]:
    """What the audit says of a random part of the people, and what is true of that part."""
    _, whose, many = np.unique(people, axis=0, return_inverse=True, return_counts=True)
    rows = rng.permutation(PEOPLE)[: int(PEOPLE * fraction)]
    everywhere = many[whose]
    here = np.bincount(whose[rows], minlength=len(many))[whose]
    alone = rows[here[rows] == 1]
    truth = {
        "source.population_unique.share": float((everywhere[alone] == 1).sum() / len(rows)),
        "source.journalist.risk": float((1 / everywhere[alone]).mean()),
        "source.marketer.risk": float((1 / everywhere[rows]).mean()),
    }
    names = [f"c{j}" for j in range(people.shape[1])]
    schema = Schema(tuple(Column(name, "category", role="quasi-identifier") for name in names))
    table = Dataset(pd.DataFrame(people[rows].astype(str), columns=names), schema)
    nobody = table.take(np.arange(0))
    run = Run(Seeds(1), Ledger(), Local(1), quick=True)
    found = Source(population=PEOPLE).judge(Comparison(table, nobody, nobody), run)
    return {f.name: f for f in found}, truth


@pytest.mark.parametrize(
    ("levels", "steepness"), [((80, 40, 16, 16), 1.0), ((100, 100, 100), 1.5), ((70, 9, 16, 15, 7), 0.7)]
)
def test_from_one_in_ten_it_is_between_a_tenth_too_low_and_twice_the_truth(
    levels: tuple[int, ...], steepness: float
) -> None:
    rng = np.random.default_rng(len(levels))
    found, truth = asked(everyone(levels, steepness, rng), 0.1, rng)
    for name, value in truth.items():
        assert 0.9 * value <= found[name].value <= 2 * value, name


def test_where_all_classes_are_alike_in_size_it_is_far_too_high() -> None:
    """As the finding says of itself: nobody of 60,000 is alone in 9,600 classes of about six, or hardly anybody."""
    rng = np.random.default_rng(4)
    found, truth = asked(everyone((80, 10, 6, 2), 0.0, rng), 0.1, rng)
    name = "source.population_unique.share"
    assert truth[name] < 0.01
    assert found[name].value > 3 * truth[name]
    assert "far too high where all classes are alike in size" in found[name].method


def test_the_match_chance_that_needs_no_model_is_right_on_both() -> None:
    """Skinner and Elliot: among matches with people alone in the table, the share of right ones."""
    for levels, steepness in (((80, 40, 16, 16), 1.0), ((80, 10, 6, 2), 0.0)):
        rng = np.random.default_rng(6)
        people = everyone(levels, steepness, rng)
        found, _ = asked(people, 0.1, np.random.default_rng(7))
        rows = np.random.default_rng(7).permutation(PEOPLE)[: PEOPLE // 10]
        _, whose, many = np.unique(people, axis=0, return_inverse=True, return_counts=True)
        alone = np.bincount(whose[rows], minlength=len(many)) == 1
        truth = alone.sum() / many[alone].sum()
        (told,) = found["source.population_unique.share"].detail["sets"][0]["populations"]
        assert told["match"] == pytest.approx(truth, rel=0.1)
