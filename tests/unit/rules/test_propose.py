"""Proposals: what is always true of enough patients, nothing else, and never more than a comment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline, schema_toml
from semblance.language.rule import Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.propose import propose, propose_rules
from semblance.schema import Schema
from semblance.source import read_source

N = 600
Change = Callable[[pd.DataFrame], pd.DataFrame]


def table(change: Change = lambda frame: frame) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    begin = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 300, N), "D")
    end = begin + pd.to_timedelta(rng.integers(0, 9, N), "D")
    city = rng.integers(0, 5, N)
    smokes = rng.choice(["yes", "no", "ex"], N)
    frame = pd.DataFrame(
        {
            "end": end,
            "begin": begin,
            "called": pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 300, N), "D"),
            "left": rng.integers(0, 50, N),
            "right": rng.integers(0, 50, N),
            "city": np.array(["A", "B", "C", "D", "E"])[city],
            "area": np.array(["a", "b"])[city % 2],
            "code": [f"{c}{k}" for c, k in zip(city, rng.integers(0, 3, N), strict=True)],
            "smokes": smokes,
            "packs": np.where(smokes == "yes", rng.integers(1, 40, N), np.nan),
        }
    )
    frame["both"] = frame["left"] + frame["right"]
    frame = change(frame)
    return frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in ("begin", "end", "called")})


def found(frame: pd.DataFrame) -> set[Rule]:
    schema = pipeline.describe(frame)
    return set(propose(pipeline.read(frame, schema)))


ALL: set[Rule] = {
    Order(("begin", "end"), (False,)),
    Derived("both", "left + right"),
    Combination(("city", "code")),
    MissingUnless("packs", 'smokes == "yes"'),
}


def test_finds_what_was_planted_and_nothing_else() -> None:
    assert found(table()) == ALL


def last_row(**values: object) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[N - 1, list(values)] = list(values.values())
        return frame

    return change


@pytest.mark.parametrize(
    ("gone", "change"),
    [
        (Order(("begin", "end"), (False,)), last_row(end=pd.Timestamp("2020-12-31"))),
        (Derived("both", "left + right"), last_row(both=0, left=1)),
        (Combination(("city", "code")), last_row(city="A", code="41")),
        (MissingUnless("packs", 'smokes == "yes"'), last_row(smokes="no", packs=3.0)),
    ],
    ids=lambda v: str(v) if not callable(v) else "",
)
def test_one_row_that_breaks_it_is_enough(gone: Rule, change: Change) -> None:
    assert found(table(change)) == ALL - {gone}


def test_too_few_patients_prove_nothing() -> None:
    assert found(table().head(90)) == set()
    visits = table().assign(patient_id=[f"P{i % 80}" for i in range(N)])
    schema = pipeline.describe(visits, subject="patient_id")
    assert propose(pipeline.read(visits, schema)) == ()


def test_names_that_are_no_words() -> None:
    names = {"smokes": 'smokes? "now"', "packs": "packs/day", "left": "le`ft"}
    assert found(table().rename(columns=names)) == {
        *(ALL - {Derived("both", "left + right"), MissingUnless("packs", 'smokes == "yes"')}),
        MissingUnless("packs/day", '`smokes? "now"` == "yes"'),
    }


def test_unrelated_columns_give_no_proposals() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({f"n{i}": rng.integers(0, 100, 500) for i in range(8)})
    frame = frame.assign(**{f"l{i}": rng.choice(list("abcd"), 500) for i in range(8)})
    assert found(frame) == set()


def test_proposals_are_comments_in_the_schema_file(tmp_path: Path) -> None:
    frame = table()
    schema = pipeline.describe(frame)
    rules = propose_rules(read_source(frame), schema)
    assert set(rules) == ALL
    text = schema_toml.dumps(schema, proposals=rules)
    assert schema_toml.loads(text, where="s.toml") == schema
    head, proposed = text.split("# No row that was looked at")
    uncommented = "\n".join(line.removeprefix("#") for line in proposed.splitlines()[1:])
    assert set(schema_toml.loads(head + uncommented, where="s.toml").rules) == ALL
    assert propose_rules(read_source(frame.drop(columns="end")), schema) == ()


def test_a_schema_without_proposals_has_no_word_of_them() -> None:
    assert "No row" not in schema_toml.dumps(Schema(pipeline.describe(table()).columns))
