"""Recipes that read patients without a charge, each in one of the ways that are usual, and one that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.generators.marginals import Marginals
from semblance.privacy import mechanisms
from semblance.privacy.events import DiscreteGaussian
from semblance.privacy.linter import unlinted

SIGMA = 20.0


class Charging:
    """Counts of declared labels, charged and noisy: the one that is right."""

    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        found = []
        for column in train.schema.modelled:
            counts = np.array([(train.frame[column.name] == label).sum() for label in column.categories])
            found.append(mechanisms.noisy(counts, SIGMA))
        return Learned(train.schema, tuple(found))


@dataclass
class Learned:
    schema: Any
    counts: Any
    notes: tuple[str, ...] = ()


class Uncharged(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        return Learned(train.schema, mechanisms.noisy(train.frame["age"].value_counts(), SIGMA))


class ChargingTooLate(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        noisy = mechanisms.noisy(train.frame["age"].value_counts().to_numpy(), SIGMA)
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        return Learned(train.schema, noisy)


class ChargingSometimes(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        if run.quick:
            run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        return Learned(train.schema, mechanisms.noisy(np.ones(3) * train.frame["age"].sum(), SIGMA))


class Categories(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        labels = sorted(train.frame["ward"].dropna().unique())
        counts = np.array([(train.frame["ward"] == label).sum() for label in labels])
        return Learned(labels, mechanisms.noisy(counts, SIGMA))


class Scaler(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        values = train.frame["age"].to_numpy()
        low, high = values.min(), values.max()
        counts, _ = np.histogram((values - low) / (high - low), bins=8, range=(0, 1))
        return Learned((low, high), mechanisms.noisy(counts, SIGMA))


class GapFlag(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        has_gaps = bool(train.frame["age"].isna().any())
        return Learned(has_gaps, mechanisms.noisy(train.frame["age"].count(), SIGMA))


class EarlyStopping(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("steps", DiscreteGaussian(SIGMA))
        state, best = np.zeros(3), np.inf
        for _ in range(100):
            state = state + mechanisms.noisy(train.frame["age"].to_numpy()[:3], SIGMA)
            loss = float(np.abs(train.frame["age"].mean() - state.mean()))
            if loss > best:
                break
            best = min(best, 1.0)
        return Learned(train.schema, state)


class ModelChoice(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("two", DiscreteGaussian(SIGMA))
        first, second = (mechanisms.noisy(train.frame["age"].to_numpy(), SIGMA) for _ in range(2))
        return Learned(train.schema, first if score(train, first) > score(train, second) else second)


class ToldNumber(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        counts = mechanisms.noisy(train.frame["age"].to_numpy(), SIGMA)
        return Learned(train.schema, counts, notes=(f"Learned from {len(train.frame)} rows.",))


class SeededNoise(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        rng = run.seeds("noise")
        counts = train.frame["age"].value_counts().to_numpy()
        return Learned(train.schema, counts + rng.normal(0, SIGMA, len(counts)))


class ThroughAnotherFunction(Charging):
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("counts", DiscreteGaussian(SIGMA))
        return self._made(train.frame["age"])

    def _made(self, values: Any) -> Any:
        kept = []
        for value in values:
            if run_away(value):
                kept.append(value)  # noqa: PERF401
        return Learned(None, kept)


def run_away(value: Any) -> bool:
    return bool(value > 3)


def score(train: Any, noisy: Any) -> float:
    return -float(np.abs(train.frame["age"].to_numpy() - noisy).sum())


@pytest.mark.parametrize("recipe", [Charging(), Marginals(), Marginals(method="mst")])
def test_a_recipe_that_charges_what_it_does_is_let_through(recipe: Any) -> None:
    assert unlinted(recipe) == ()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Uncharged, "before anything is charged"),
        (ChargingTooLate, "before anything is charged"),
        (ChargingSometimes, "before anything is charged"),
        (Categories, "through no mechanism"),
        (Scaler, "through no mechanism"),
        (GapFlag, "through no mechanism"),
        (EarlyStopping, "through no mechanism"),
        (ModelChoice, "through no mechanism"),
        (ToldNumber, "through no mechanism"),
        (SeededNoise, "through no mechanism"),
        (ThroughAnotherFunction, "through no mechanism"),
    ],
)
def test_each_uncharged_touch_is_found(kind: type, said: str) -> None:
    found = unlinted(kind())
    assert any(said in leak.what for leak in found), found
    assert all(str(leak).startswith("test_linter.py:") for leak in found)


@pytest.mark.parametrize("recipe", [Chain(), Independent()])
def test_recipes_that_promise_nothing_are_not_let_through(recipe: Any) -> None:
    assert any("charges nothing" in leak.what for leak in unlinted(recipe))


def test_a_recipe_whose_source_is_not_there_is_not_believed() -> None:
    made = type("Made", (), {"fit": lambda self, train, run: None})
    assert unlinted(made())
