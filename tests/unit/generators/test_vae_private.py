"""The autoencoder where epsilon is promised. (Canaries and neighbouring tables: tests/truth.)"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.conditionals.latent import LatentModel
from semblance.contracts import Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import BudgetExceeded, InputError
from semblance.generators.vae import VAE
from semblance.privacy.ledger import Allowance, Ledger
from semblance.privacy.linter import unlinted
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

DELTA = 1e-6
FAST = VAE(width=32, latent=4, epochs=6, sampled=0.1, max_cells=8, learning_rate=0.01, beta=0.2)


def begin(epsilon: float = 3.0, cap: int | None = 1) -> Run:
    return Run(Seeds(1), Ledger("cohort", Allowance(epsilon, DELTA, cap=cap)), Local(workers=1))


def patients(n: int = 3000) -> Dataset:
    """Age tells the stage, and the stage tells who dies; nobody declared the codes, one patient has their own."""
    rng = np.random.default_rng(4)
    age = rng.integers(18, 96, n)
    stage = np.clip((age - 18) // 26, 0, 2)
    dead = rng.random(n) < np.array([0.05, 0.3, 0.9])[stage]
    code = rng.choice(["001", "010"], n).astype(object)
    code[0] = "one patient's own"
    dose = np.where(rng.random(n) < 0.3, np.nan, np.round(age / 10 + rng.normal(0, 1, n), 1))
    columns = (
        Column("age", "integer", low=0, high=120, bounds="declared"),
        Column("dose", "number", decimals=1, missing=("",)),
        Column("stage", "ordinal", categories=("I", "II", "III"), bounds="declared"),
        Column("dead", "boolean", categories=("no", "yes"), role="target", bounds="declared"),
        Column("code", "code"),
    )
    named = {
        "age": age.astype(float),
        "dose": dose,
        "stage": np.array(["I", "II", "III"], dtype=object)[stage],
        "dead": np.where(dead, "yes", "no").astype(object),
        "code": code,
    }
    return Dataset(pd.DataFrame(named), Schema(columns))


@pytest.fixture(scope="module")
def learned() -> tuple[Dataset, Run, LatentModel, Dataset]:
    data, run = patients(), begin()
    model = FAST.fit(data, run)
    return data, run, model, model.sample(3000, run)


def test_all_that_was_spent_is_entered_before_and_within_the_allowance(learned) -> None:
    data, run, model, _ = learned
    assert [c.purpose for c in run.ledger.charges] == ["marginals/cells", "vae/columns", "vae/place", "vae/training"]
    assert 2.95 < run.ledger.epsilon <= 3.0
    assert "60 x (Poisson sample of 0.1 of the patients (Gaussian noise" in run.ledger.charges[-1].mechanism
    assert model.rows is not None
    assert 0 < abs(model.rows - data.n_rows) < 300, "how many patients there are is noised like all else"


def test_what_comes_out_looks_like_patients_and_shows_none(learned) -> None:
    data, _, _, fake = learned
    assert set(fake.frame["code"].dropna()) == {"001", "010"}
    assert (
        fake.frame["stage"]
        .value_counts(normalize=True)
        .sub(data.frame["stage"].value_counts(normalize=True))
        .abs()
        .max()
        < 0.06
    )
    rates = fake.frame["dead"].eq("yes").groupby(fake.frame["stage"]).mean()
    assert rates["III"] - rates["I"] > 0.3
    assert fake.scale("age").min() >= 0
    assert fake.scale("age").max() <= 120


def test_no_loss_and_no_curve_of_patients_is_kept(learned) -> None:
    _, _, model, _ = learned
    assert not model.training
    assert set(model.facts) == {"rows", "steps"}


def test_a_second_fit_finds_nothing_left(learned) -> None:
    data, run, _, _ = learned
    before = run.ledger.charges
    with pytest.raises(BudgetExceeded):
        FAST.fit(data, run)
    assert run.ledger.charges == before


def test_a_saved_model_draws_the_same(learned, tmp_path: Path) -> None:
    _, run, model, fake = learned
    model.save(tmp_path)
    pd.testing.assert_frame_equal(VAE.load(tmp_path, model.schema).sample(3000, run).frame, fake.frame)


def test_noise_and_batches_do_not_come_from_the_seed(learned) -> None:
    data = learned[0]
    again = replace(FAST, epochs=1).fit(data, begin()), replace(FAST, epochs=1).fit(data, begin())
    assert not again[0].sample(500, begin()).frame.equals(again[1].sample(500, begin()).frame)


def test_the_linter_believes_it() -> None:
    assert unlinted(VAE()) == ()


@pytest.mark.parametrize("setting", [{"sampled": 0.0}, {"sampled": 0.9}, {"reach": 0.0}])
def test_settings_that_promise_nothing_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(setting))):
        VAE(**setting)  # type: ignore[arg-type]
