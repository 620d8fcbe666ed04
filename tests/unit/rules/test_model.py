"""A model with rules: saved, loaded, and not in the way of tables without rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import model_folder, pipeline
from semblance.data.dataset import Dataset
from semblance.errors import FormatError
from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.language.rule import Combination, Derived, MissingUnless, Order
from semblance.rules.broken import inspect
from semblance.rules.model import FILE, RuledModel
from semblance.schema import Column, Schema

N = 400
RULES = (
    Order(("admitted", "seen", "left"), (False, True)),
    Combination(("site", "ward")),
    MissingUnless("score", 'site == "A" or stay > 3'),
    Derived("stay", "left - admitted"),
)


@pytest.fixture(scope="module")
def patients() -> Dataset:
    rng = np.random.default_rng(0)
    admitted = np.datetime64("2021-01-01", "us") + rng.integers(0, 300, N).astype("timedelta64[D]")
    seen = admitted + rng.integers(0, 3, N).astype("timedelta64[D]")
    left = seen + rng.integers(1, 5, N).astype("timedelta64[D]")
    stay = (left - admitted) / np.timedelta64(1, "D")
    site = rng.choice(["A", "B"], N)
    ward = np.where(site == "A", rng.choice(["1", "2"], N), rng.choice(["2", "3"], N))
    score = np.where((site == "A") | (stay > 3), rng.integers(0, 9, N), np.nan)
    frame = pd.DataFrame(
        {
            "patient": pd.Series([f"P{i}" for i in range(N)], dtype=object),
            "left": left,
            "admitted": admitted,
            "seen": pd.Series(seen).mask(rng.random(N) < 0.2),
            "site": pd.Series(site, dtype=object),
            "ward": pd.Series(ward, dtype=object),
            "score": score,
            "stay": stay,
            "note": pd.Series([None] * N, dtype=object),
        }
    )
    first, last = 18_600.0, 19_000.0
    columns = (
        Column("patient", "code", role="subject", handling="surrogate", form="pattern:P###"),
        Column("left", "date", low=first, high=last),
        Column("admitted", "date", low=first, high=last),
        Column("seen", "date", low=first, high=last, missing=("",)),
        Column("site", "category", categories=("A", "B"), role="target"),
        Column("ward", "code", categories=("1", "2", "3")),
        Column("score", "integer", low=0, high=9, missing=("",)),
        Column("stay", "integer", low=0, high=10),
        Column("note", "text", handling="drop"),
    )
    return Dataset(frame, Schema(columns, rules=RULES))


@pytest.mark.parametrize("recipe", [Chain(trees=3), Independent()], ids=lambda r: r.name)
def test_a_saved_model_reloads_with_its_rules_and_draws_the_same_bytes(
    patients: Dataset, recipe: Chain | Independent, tmp_path: Path
) -> None:
    run = pipeline.begin(seed=3)
    model = pipeline.fit(patients, run, generator=recipe)
    fake = pipeline.sample(model, run, n=500)
    for rule in RULES:
        assert not inspect(fake, rule, real=[patients]).broken.any(), str(rule)
    assert fake.frame["patient"].notna().all()
    assert "note" not in fake.schema
    for name in ("left", "admitted", "stay", "site", "ward"):  # never missing in reality
        assert fake.frame[name].notna().all(), name
    assert 0 < fake.frame["seen"].isna().mean() < 0.5
    model_folder.save(model, tmp_path / "model", recipe=recipe, facts={})
    again = model_folder.load(tmp_path / "model")
    assert isinstance(again, RuledModel)
    assert again.rules.direct == {"admitted"}
    pd.testing.assert_frame_equal(pipeline.sample(again, run, n=500).frame, fake.frame)
    assert json.loads((tmp_path / "model" / "fitted" / FILE).read_text())["gaps"] == ["seen"]


def test_a_damaged_file_of_rules_says_so(patients: Dataset, tmp_path: Path) -> None:
    model = pipeline.fit(patients, pipeline.begin(), generator="independent")
    model_folder.save(model, tmp_path / "model", recipe=Independent(), facts={})
    (tmp_path / "model" / "fitted" / FILE).write_text('{"gaps": []}')
    with pytest.raises(FormatError, match="fit the model again"):
        model_folder.load(tmp_path / "model")


def test_without_rules_nothing_changes(patients: Dataset) -> None:
    bare = Dataset(patients.frame, replace(patients.schema, rules=()))
    run = pipeline.begin(seed=3)
    model = pipeline.fit(bare, run, generator="independent")
    assert not isinstance(model, RuledModel)
    pd.testing.assert_frame_equal(model.sample(50, run).frame, Independent().fit(bare, run).sample(50, run).frame)


@pytest.mark.slow
def test_a_run_tells_of_broken_rules_and_releases_a_schema_that_can_be_read_again(
    patients: Dataset, tmp_path: Path
) -> None:
    frame = patients.frame.drop(columns=["note", "patient"])
    frame.loc[:20, "left"] = np.datetime64("2020-12-31", "us")
    frame["site"] = frame["site"].where(frame.index != 300, "C")
    rules = (*RULES[:2], MissingUnless("score", 'site in ("A", "C") or stay > 3'))
    columns = tuple(
        replace(c, categories=("A", "B", "C")) if c.name == "site" else c
        for c in patients.schema
        if c.name not in ("note", "patient")
    )
    schema = Schema(columns, rules=rules)
    outcome = pipeline.run(frame, out=tmp_path / "out", schema=schema, generator="independent", seed=1, quick=True)
    assert any(note.startswith("The rule admitted <= seen < left is broken by") for note in outcome.notes)
    obeyed = outcome.evidence.get("validity.rules.share")
    assert obeyed is not None
    assert obeyed.value == 1
    released = pipeline.load_schema(tmp_path / "out" / "schema.toml")
    assert released.rules == rules
    assert released["site"].categories == ("A", "B", "C")  # C was never drawn, but a rule names it
