"""A generator that leaks a known share of its patients: the sweep draws the trade and stops where the policy does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.contracts import Model, Run
from semblance.data.dataset import Dataset
from semblance.generators.independent import Independent
from semblance.release.gate import Policy
from semblance.schema import Schema

LEAKS = (0.0, 0.05, 0.6)

POLICY = Policy.loads(
    """
schema_version = "1"
name = "of the test"
version = "1"

[[rules]]
name = "Membership cannot be guessed by distance"
finding = "membership.distance.auc"
bound = "high"
op = "<="
limit = 0.60
reason = "r"
source = "s"
try = "t"
"""
)


@dataclass(frozen=True, slots=True)
class Leaky:
    """Independent columns, and a share of rows that are training patients word for word."""

    name: ClassVar[str] = "independent"
    about: ClassVar[str] = "for tests"
    leak: float = 0.0

    def refuses(self, schema: Schema) -> str | None:
        return None

    def fit(self, train: Dataset, run: Run) -> Model:
        return LeakyModel(Independent().fit(train, run), train, self.leak)

    @staticmethod
    def load(folder: Path, schema: Schema) -> Model:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class LeakyModel:
    inner: Model
    train: Dataset
    leak: float

    @property
    def schema(self) -> Schema:
        return self.inner.schema

    @property
    def keeps_real_values(self) -> bool:
        return True

    def sample(self, n: int, run: Run) -> Dataset:
        rng, fake = run.seeds("leak"), self.inner.sample(n, run)
        copied = rng.permutation(self.train.n_rows)[: round(self.leak * n)]
        rows = [self.train.frame.iloc[copied], fake.frame.iloc[len(copied) :]]
        return replace(fake, frame=pd.concat(rows, ignore_index=True))

    def save(self, folder: Path) -> None:
        raise NotImplementedError


@pytest.mark.slow
def test_a_leak_that_buys_utility_is_drawn_and_refused_beyond_the_limit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    risk = rng.normal(size=3000)
    labs = {f"lab{i}": np.round(50 + 6 * risk * (1 + i % 3) + 5 * rng.normal(size=3000), 2) for i in range(6)}
    table = pd.DataFrame({**labs, "died": np.where(risk + rng.normal(size=3000) > 0.5, "yes", "no")})
    asked: dict[str, Any] = {"generator": Leaky(), "knob": "leak", "values": LEAKS, "target": "died", "quick": True}
    made = pipeline.sweep(table, out=tmp_path / "f", policy=POLICY, **asked)
    curves = made.frontier["curves"]
    orders = {name: curve["order"]["verdict"] for name, curve in curves.items()}
    assert orders["membership.strongest.auc"] == "rises"
    assert orders["copies.exact.excess"] == "rises"
    assert orders["fidelity.c2st.auc"] == "falls"
    assert orders["inference.worst.advantage"] == "rises"
    useful = {p["value"]: p["estimate"] for p in curves["utility.tstr.auc"]["points"]}
    assert useful[0.0] + 0.1 < useful[0.05] < useful[0.6]
    met = [v["value"] for v in made.frontier["choice"]["values"] if v["met"]]
    assert met == [0.0, 0.05]
    assert made.chosen == 0.05  # a leak of .05 is useful, and within what this policy allows
    strongest = {p["value"]: p for p in curves["membership.strongest.auc"]["points"]}
    assert strongest[0.0]["low"] <= 0.5 + 0.02  # independent columns give nothing away
    assert strongest[0.6]["low"] > 0.7
    lines = {(p["utility"], p["privacy"]): p["line"] for p in made.frontier["pareto"]}
    assert lines["fidelity.c2st.auc", "membership.strongest.auc"] == list(LEAKS)  # every step costs, and buys
    refused = pipeline.sweep(table, out=tmp_path / "g", policy=POLICY, **{**asked, "values": (0.4, 0.8), "fits": 1})
    assert refused.chosen is None
