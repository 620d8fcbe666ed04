"""Conditional questions to a model with rules: answered where the inner table holds the answer, refused elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semblance as sb
from semblance.data.dataset import Dataset
from semblance.errors import InputError, Unsupported
from semblance.language.rule import Combination, Derived, MissingUnless, Order
from semblance.rules.broken import inspect
from semblance.rules.model import RuledModel
from semblance.schema import Column, Schema

N = 600
RULES = (
    Order(("first", "second"), (False,)),
    Combination(("sex", "organ")),
    MissingUnless("weeks", 'sex == "F"'),
    Derived("both", "first + second"),
)
COLUMNS = (
    Column("first", "integer", low=0, high=20),
    Column("second", "integer", low=0, high=40),
    Column("sex", "category", categories=("F", "M")),
    Column("organ", "category", categories=("ovary", "prostate", "li|ver"), missing=("",)),
    Column("weeks", "integer", low=0, high=40, missing=("",)),
    Column("both", "integer", low=0, high=60),
    Column("dose", "number", decimals=1, low=0, high=10, missing=("",)),
)


@pytest.fixture(scope="module")
def patients() -> Dataset:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 20, N).astype(float)
    second = first + rng.integers(0, 20, N)
    sex = rng.choice(["F", "M"], N)
    organ = np.where(rng.random(N) < 0.4, "li|ver", np.where(sex == "F", "ovary", "prostate")).astype(object)
    organ[rng.random(N) < 0.1] = None
    weeks = np.where(sex == "F", rng.integers(0, 40, N), np.nan)
    dose = np.where(rng.random(N) < 0.2, np.nan, np.round(first / 2 + rng.random(N) / 2, 1))
    values = (first, second, sex.astype(object), organ, weeks, first + second, dose)
    names = [c.name for c in COLUMNS]
    return Dataset(pd.DataFrame(dict(zip(names, values, strict=True))), Schema(COLUMNS, rules=RULES))


@pytest.fixture(scope="module")
def model(patients: Dataset) -> RuledModel:
    fitted = sb.fit(patients, sb.begin(), generator=sb.Chain(trees=10, min_leaf=20))
    assert isinstance(fitted, RuledModel)
    return fitted


@pytest.mark.parametrize(
    "given",
    [["first>=12"], ["dose<3.05", "first>2"], ["sex=F"], ["organ=li|ver", "sex=M"], ["organ is missing"], ["sex!=M"]],
)
def test_rows_meet_conditions_and_obey_rules(model: RuledModel, patients: Dataset, given: list[str]) -> None:
    frame = sb.sample(model, sb.begin(), n=150, given=given).frame
    for condition, holds in {
        "first>=12": frame["first"] >= 12,
        "dose<3.05": frame["dose"] <= 3,
        "sex=F": frame["sex"] == "F",
        "sex!=M": frame["sex"] == "F",
        "organ=li|ver": frame["organ"] == "li|ver",
        "organ is missing": frame["organ"].isna(),
    }.items():
        if condition in given:
            assert holds.all(), condition
    fake = Dataset(frame, patients.schema, "synthetic")
    assert not any(inspect(fake, rule, real=[patients]).broken.any() for rule in RULES)


def test_a_column_of_a_combination_can_be_balanced(model: RuledModel) -> None:
    made = sb.sample(model, sb.begin(), n=90, balance="organ=ovary:1,prostate:1,li|ver:1").frame
    assert set(made["organ"].value_counts()) == {30}
    assert set(made.loc[made["organ"] == "ovary", "sex"]) == {"F"}


@pytest.mark.parametrize("given", ["second>=12", "both>=3", "weeks=4"])
def test_what_a_rule_decides_is_refused_by_the_rules_name(model: RuledModel, given: str) -> None:
    rule = next(str(r) for r in RULES if given[:4] in str(r))
    with pytest.raises(Unsupported) as caught:
        sb.sample(model, sb.begin(), n=5, given=[given])
    assert rule in str(caught.value)


def test_impossible_together_is_an_input_error(model: RuledModel) -> None:
    with pytest.raises(InputError, match="no combination"):
        sb.sample(model, sb.begin(), n=5, given=["sex=M", "organ=ovary"])


def test_gaps_are_filled_where_no_rule_stands_in_the_way(model: RuledModel, patients: Dataset) -> None:
    filled = sb.impute(model, patients, sb.begin(), columns=["dose"]).frame
    assert filled["dose"].notna().all()
    pd.testing.assert_frame_equal(filled.drop(columns="dose"), patients.frame.drop(columns="dose"))
    known = patients.frame["dose"].notna()
    assert filled.loc[known, "dose"].equals(patients.frame.loc[known, "dose"])
    for columns in (["weeks"], []):
        with pytest.raises(Unsupported, match="rule"):
            sb.impute(model, patients, sb.begin(), columns=columns)


def test_a_row_that_breaks_a_rule_has_no_probability(model: RuledModel, patients: Dataset) -> None:
    assert np.isfinite(model.log_prob(patients)).mean() > 0.95
    wrong = patients.take(np.arange(5))
    wrong.frame.loc[0, "second"] = wrong.frame.loc[0, "first"] - 1
    wrong.frame.loc[1, ["sex", "organ"]] = ["M", "ovary"]
    wrong.frame.loc[2, "both"] += 3
    assert (model.log_prob(wrong)[:3] == -np.inf).all()


def test_a_model_that_cannot_condition_cannot_with_rules_either(patients: Dataset) -> None:
    model = sb.fit(patients, sb.begin(), generator="independent")
    with pytest.raises(Unsupported, match="'chain'"):
        sb.sample(model, sb.begin(), n=5, given=["sex=F"])
