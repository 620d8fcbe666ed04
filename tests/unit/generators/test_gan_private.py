"""Generator and critic where epsilon is promised. (Canaries and neighbouring tables: tests/truth.)"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from semblance.conditionals.latent import LatentModel
from semblance.contracts import Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import BudgetExceeded, InputError
from semblance.generators.gan import GAN
from semblance.nets.layout import Layout
from semblance.nets.private.gan import OneHotCritic
from semblance.privacy.ledger import Allowance, Ledger
from semblance.privacy.linter import unlinted
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

FAST = GAN(width=32, latent=8, epochs=20, sampled=0.2, max_cells=8, learning_rate=0.01, reach=0.3)


def begin() -> Run:
    return Run(Seeds(1), Ledger("cohort", Allowance(3.0, 1e-6)), Local(workers=1))


def patients(n: int = 3000) -> Dataset:
    """The stage tells who dies."""
    rng = np.random.default_rng(4)
    stage = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    dead = rng.random(n) < np.array([0.05, 0.3, 0.9])[stage]
    named = {
        "age": rng.integers(18, 96, n).astype(float),
        "stage": np.array(["I", "II", "III"], dtype=object)[stage],
        "dead": np.where(dead, "yes", "no").astype(object),
    }
    columns = (
        Column("age", "integer", low=0, high=120, bounds="declared"),
        Column("stage", "ordinal", categories=("I", "II", "III"), bounds="declared"),
        Column("dead", "boolean", categories=("no", "yes"), role="target", bounds="declared"),
    )
    return Dataset(pd.DataFrame(named), Schema(columns))


@pytest.fixture(scope="module")
def learned() -> tuple[Dataset, Run, LatentModel, Dataset]:
    data, run = patients(), begin()
    model = FAST.fit(data, run)
    return data, run, model, model.sample(3000, run)


def test_the_critic_is_charged_once_and_the_generator_never(learned) -> None:
    data, run, model, _ = learned
    assert [c.purpose for c in run.ledger.charges] == ["marginals/cells", "gan/columns", "gan/training"]
    assert 2.95 < run.ledger.epsilon <= 3.0
    assert "100 x (Poisson sample of 0.2 of the patients" in run.ledger.charges[-1].mechanism
    assert model.rows != data.n_rows
    assert not model.training, "no curve of real rows"
    with pytest.raises(BudgetExceeded):
        FAST.fit(data, run)


def test_what_belongs_together_shows(learned) -> None:
    data, _, _, fake = learned
    shares = [t.frame["stage"].value_counts(normalize=True) for t in (data, fake)]
    assert shares[0].sub(shares[1]).abs().max() < 0.06
    rates = fake.frame["dead"].eq("yes").groupby(fake.frame["stage"]).mean()
    assert rates["III"] - rates["I"] > 0.2


def test_a_saved_model_draws_the_same(learned, tmp_path: Path) -> None:
    _, run, model, fake = learned
    model.save(tmp_path)
    pd.testing.assert_frame_equal(GAN.load(tmp_path, model.schema).sample(3000, run).frame, fake.frame)


def test_the_linter_believes_it() -> None:
    assert unlinted(GAN()) == ()


def test_a_game_that_needs_real_rows_is_refused() -> None:
    run = begin()
    with pytest.raises(InputError, match="wgan-gp"):
        GAN(loss="wgan-gp").fit(patients(50), run)
    assert not run.ledger.charges


def test_a_row_s_score_is_its_own() -> None:
    layout = Layout([3, 2])
    critic = OneHotCritic(layout, torch.zeros(5), width=8, depth=1, generator=torch.Generator().manual_seed(1))
    rows = layout.one_hot(torch.tensor([[0, 1], [2, -1], [1, 0]]))
    torch.testing.assert_close(critic(rows)[1:2], critic(rows[1:2]))
