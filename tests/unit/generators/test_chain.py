"""The chain learns what columns tell about each other, and says nothing it should not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.conditionals.lessons import Choice
from semblance.conditionals.trees import Lesson, search
from semblance.contracts import Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import FitError, InputError
from semblance.generators.chain import Chain, ChainModel
from semblance.generators.independent import Independent
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds


def run_with(seed: int = 0, *, workers: int = 1) -> Run:
    return Run(Seeds(seed), Ledger(), Local(workers=workers))


def planted(n: int = 3000, seed: int = 0) -> Dataset:
    """Two coins, their exclusive or, a number that follows it, and a value missing when the first coin is tails."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, n), rng.integers(0, 2, n)
    x = rng.normal(50 + 20 * (a ^ b), 5, n).clip(0, 100).round(1)
    lab = np.where(a == 1, rng.normal(5, 1, n).round(2), np.nan)
    text = {0: "no", 1: "yes"}
    frame = pd.DataFrame(
        {
            "a": pd.Series([text[i] for i in a], dtype=object),
            "b": pd.Series([text[i] for i in b], dtype=object),
            "xor": pd.Series([text[i] for i in a ^ b], dtype=object),
            "x": x,
            "lab": lab,
        }
    )
    labels = ("no", "yes")
    columns = (
        Column("a", "boolean", categories=labels),
        Column("b", "boolean", categories=labels),
        Column("xor", "boolean", categories=labels),
        Column("x", "number", decimals=1, low=0, high=100),
        Column("lab", "number", decimals=2, low=0, high=12),
    )
    return Dataset(frame, Schema(columns))


def test_it_finds_an_exclusive_or_a_shift_and_a_reason_for_missing() -> None:
    fake = Chain().fit(planted(), run_with()).sample(4000, run_with(1)).frame
    agrees = (fake["xor"] == "yes") == (fake["a"] != fake["b"])
    assert agrees.mean() > 0.97
    shift = fake.loc[fake["xor"] == "yes", "x"].mean() - fake.loc[fake["xor"] == "no", "x"].mean()
    assert shift == pytest.approx(20, abs=1.5)
    assert (fake["lab"].isna() == (fake["a"] == "no")).mean() > 0.97


def test_the_independent_control_finds_none_of_it() -> None:
    fake = Independent().fit(planted(), run_with()).sample(4000, run_with(1)).frame
    assert ((fake["xor"] == "yes") == (fake["a"] != fake["b"])).mean() == pytest.approx(0.5, abs=0.05)
    assert (fake["a"] == "yes").mean() == pytest.approx((planted().frame["a"] == "yes").mean(), abs=0.03)


def test_workers_and_order_do_not_change_an_answer() -> None:
    data = planted(800)
    one = Chain().fit(data, run_with(workers=1)).sample(500, run_with(2, workers=1)).frame
    two = Chain().fit(data, run_with(workers=2)).sample(500, run_with(2, workers=2)).frame
    pd.testing.assert_frame_equal(one, two)


def test_learning_again_is_learning_without_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same patients give the same model, others one of the same size, and nobody searches."""
    model = Chain().fit(planted(800), run_with())
    monkeypatch.setattr("semblance.conditionals.lessons.search", _never)
    twice = Chain().again(model).fit(planted(800), run_with())
    assert isinstance(twice, ChainModel)
    pd.testing.assert_frame_equal(twice.sample(500, run_with(2)).frame, model.sample(500, run_with(2)).frame)
    others = Chain().again(model).fit(planted(800, seed=9), run_with())
    assert isinstance(others, ChainModel)
    assert [Choice.of(a).parents for a in others.links] == [Choice.of(b).parents for b in model.links]
    assert [link.boosters for link in others.links] != [link.boosters for link in model.links]


def _never(*_: object, **__: object) -> None:
    raise AssertionError("a search, although all is known")


def test_a_column_that_the_other_model_lacks_is_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    data, searched = planted(800), []
    columns = tuple(c for c in data.schema if c.name != "xor")
    model = Chain().fit(Dataset(data.frame.drop(columns="xor"), Schema(columns)), run_with())
    recipe = Chain().again(model)

    def note(lesson: Lesson, *rest: Any, **more: Any) -> Any:
        searched.append(lesson.features.shape[1])
        return search(lesson, *rest, **more)

    monkeypatch.setattr("semblance.conditionals.lessons.search", note)
    again = recipe.fit(data, run_with())
    assert isinstance(again, ChainModel)
    assert again.order == ("a", "b", "xor", "x", "lab")
    assert searched == [3]  # two columns come before it, and the question asked
    assert again.links[4].parents == tuple(i if i < 2 else i + 1 for i in model.links[3].parents)  # one place further


def test_only_a_chain_can_say_how_to_learn_a_chain_again() -> None:
    floor = Independent().fit(planted(200), run_with())
    assert Chain().again(floor) == Chain()


def test_another_seed_draws_other_patients() -> None:
    model = Chain().fit(planted(800), run_with())
    assert not model.sample(500, run_with(1)).frame.equals(model.sample(500, run_with(2)).frame)


def test_a_saved_chain_draws_the_same_rows_and_holds_only_data(tmp_path: Path) -> None:
    model = Chain().fit(planted(800), run_with())
    model.save(tmp_path)
    again = Chain.load(tmp_path, model.schema)
    pd.testing.assert_frame_equal(model.sample(300, run_with(5)).frame, again.sample(300, run_with(5)).frame)
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} == {".json", ".txt"}
    json.loads((tmp_path / "chain.json").read_text())


def test_a_damaged_model_is_one_sentence(tmp_path: Path) -> None:
    model = Chain().fit(planted(300), run_with())
    model.save(tmp_path)
    next((tmp_path / "trees").iterdir()).unlink()
    with pytest.raises(InputError, match="complete chain model"):
        Chain.load(tmp_path, model.schema)


def test_nothing_to_learn_from() -> None:
    schema = Schema((Column("id", "code", role="identifier", handling="surrogate"),))
    with pytest.raises(FitError, match="every column is an identifier"):
        Chain().fit(Dataset(pd.DataFrame({"id": ["a"] * 30}, dtype=object), schema), run_with())
    with pytest.raises(FitError, match="no training rows"):
        Chain().fit(planted(0), run_with())


def test_progress_is_reported_to_the_end() -> None:
    seen: list[tuple[str, int, int]] = []
    run = Run(Seeds(0), Ledger(), Local(workers=1), lambda *step: seen.append(step))
    Chain(trees=2).fit(planted(200), run).sample(10, run)
    assert seen[-1] == ("drawing columns", 5, 5)
    learning = [(done, total) for stage, done, total in seen if stage == "learning columns"]
    assert [done for done, _ in learning] == sorted({done for done, _ in learning})
    assert (learning[0][0], len(learning)) == (0, 6)
    assert learning[-1][0] == learning[-1][1]


@pytest.mark.parametrize("wrong", [{"trees": 0}, {"leaves": 1}, {"max_cells": 2}, {"learning_rate": -0.1}])
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="generator 'chain'"):
        Chain(**wrong)  # type: ignore[arg-type]


def test_a_rare_label_teaches_and_yields_nothing() -> None:
    data = planted(800)
    data.frame.loc[:6, "xor"] = "seven patients only"
    schema = data.schema.with_column(Column("xor", "category", categories=("no", "yes", "seven patients only")))
    model = Chain().fit(Dataset(data.frame, schema), run_with())
    assert set(model.sample(5000, run_with(1)).frame["xor"]) == {"no", "yes"}
    assert model.keeps_real_values  # the schema saved beside it still lists the label
    assert not Chain(trees=2).fit(planted(800), run_with()).keeps_real_values


def test_reprs_show_no_values() -> None:
    model = Chain(trees=2).fit(planted(200), run_with())
    assert repr(model) == "ChainModel(5 columns)"
