"""Private training broken on purpose: each way in which DP-SGD is usually broken is found by an audit or the linter.

Canaries are patients whose gradients point in directions of their own, far longer than the length they are clipped to;
half of them are in. What a training lets out, its noisy sums, then holds a clean run of the mechanism for each of them,
and the best guess about each bounds epsilon from below (``attacks/many_runs.py``). What is broken is one line of the
code that trains the recipes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from semblance.attacks.many_runs import audit
from semblance.attacks.sampling import poisson_p
from semblance.audits.canaries import CanaryAudit
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.generators.gan import GAN
from semblance.generators.vae import VAE
from semblance.nets.private import ghost, samples
from semblance.nets.private.ghost import Ghost
from semblance.nets.private.samples import Samples
from semblance.nets.private.steps import NoisyGradients, give, learn
from semblance.pipeline.making import forge_of
from semblance.privacy import batches, randomness, vectors
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.batches import Batch, Batches
from semblance.privacy.ledger import Allowance, Ledger
from semblance.privacy.linter import unlinted
from semblance.privacy.sampled import Sampled
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

CANARIES, REPEATS, REACH, LOUD = 400, 120, 0.5, 10.0
DELTA, SURE = 0.1, 0.9999  # at so large a delta so few runs tell epsilon closely
TRAINING = Sampled(rate=0.5, noise_multiplier=1.0, steps=3)
CLAIMED = epsilon_of(TRAINING.event, DELTA).epsilon


class Game:
    """Canaries in `rows` rows each, and what one training lets out about each of them."""

    def __init__(
        self, *, rows: int = 1, way: type = Ghost, subjects: Callable[[int], np.ndarray] | None = None
    ) -> None:
        self._rows, self._way = rows, way
        who = np.arange(CANARIES // 2).repeat(rows)
        self._subjects = who if subjects is None else subjects(len(who))

    def __call__(self) -> np.ndarray:
        """Noisy sums over what a gradient is clipped to, a column for each canary, of whom the first half is in."""
        net = nn.Linear(CANARIES, 1, bias=False)

        def losses(at: Tensor) -> Tensor:
            own = torch.div(at, self._rows, rounding_mode="floor")
            return LOUD * net(nn.functional.one_hot(own, CANARIES).float())[:, 0]

        drawn = Batches(self._subjects, TRAINING.rate)
        noisy = NoisyGradients(net, losses, drawn, training=TRAINING, reach=REACH)
        noisy._clipped.close()
        noisy._clipped = self._way(net, losses)
        return np.array([noisy.sum() for _ in range(TRAINING.steps)]) / REACH

    def proved(self) -> float:
        """The epsilon that guesses about all canaries of some trainings refute."""
        told = np.concatenate([tell(self()) for _ in range(REPEATS)], axis=None).reshape(REPEATS, CANARIES)
        half = CANARIES // 2
        return audit(told[:, :half].ravel(), told[:, half:].ravel(), DELTA, confidence=SURE).epsilon


def tell(sums: np.ndarray) -> np.ndarray:
    """How much likelier each canary is in, by the logarithm: (steps, canaries) -> (canaries,)."""
    q, s = TRAINING.rate, TRAINING.noise_multiplier
    odds = np.logaddexp(np.log1p(-q), np.log(q) + np.clip((2 * sums - 1) / (2 * s**2), -500, 500))
    return np.asarray(odds.sum(axis=0))


@pytest.mark.parametrize("way", [Ghost, Samples])
@pytest.mark.parametrize("rows", [1, 5])
def test_training_as_it_is_keeps_its_promise(way: type, rows: int) -> None:
    proved = Game(way=way, rows=rows).proved()
    assert 0.5 * CLAIMED < proved <= CLAIMED, "and the audit would notice much less than what is broken below"


def test_half_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "WIDER", vectors.WIDER / 2)
    assert Game().proved() > CLAIMED


def test_noise_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "noisy_sum", lambda total, noise, reach: total)
    assert Game().proved() > CLAIMED


def test_a_fifth_less_noise_is_noticed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "WIDER", vectors.WIDER * 0.8)
    assert Game().proved() > CLAIMED


@pytest.mark.parametrize(("way", "room"), [(Ghost, ghost), (Samples, samples)])
def test_clipping_off(way: type, room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "factors", lambda squares, reach: torch.ones_like(squares))
    assert Game(way=way).proved() > CLAIMED


def test_row_instead_of_patient() -> None:
    """Nobody said whose the rows are: each is clipped by itself, and drawn by itself."""
    assert Game(rows=5, subjects=np.arange).proved() > CLAIMED


def test_a_patient_added_up_after_clipping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose the rows are is known to the batch, and forgotten where they are clipped."""

    def by_row(self: Batches) -> Batch:
        batch = honest(self)
        return Batch(batch.rows, np.arange(len(batch.rows)), len(batch.rows))

    honest = Batches.draw
    monkeypatch.setattr(Batches, "draw", by_row)
    assert Game(rows=5).proved() > CLAIMED


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────

LONG = Sampled(rate=0.05, noise_multiplier=1.0, steps=200)


def taken_in_training(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Who was in each batch of a training: (steps, patients), recorded where the batches are drawn."""
    taken = np.zeros((LONG.steps, CANARIES), bool)
    net, seen = nn.Linear(2, 1), []
    draw = Batches.draw

    def watched(self: Batches) -> Batch:
        seen.append(draw(self))
        return seen[-1]

    monkeypatch.setattr(Batches, "draw", watched)
    ledger = Ledger(allowance=Allowance(50.0, 1e-6))
    ledger.spend("training", LONG.event)
    noisy = NoisyGradients(
        net,
        lambda at: net(torch.ones(len(at), 2))[:, 0],
        Batches(np.arange(CANARIES), LONG.rate),
        training=LONG,
        reach=1.0,
    )
    run = Run(Seeds(1), ledger, Local(1))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    assert learn(net, noisy, optimiser, training=LONG, patients=CANARIES, run=run, stage="learning") == LONG.steps
    for step, batch in enumerate(seen):
        taken[step, batch.rows] = True
    return taken


def test_batches_of_a_training_are_the_ones_that_are_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert poisson_p(taken_in_training(monkeypatch), LONG.rate) > 1e-5


def test_shuffled_batches_counted_as_poisson(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, left = np.random.default_rng(2), []

    def shuffled(self: Batches) -> Batch:
        if not left:
            left.extend(np.split(rng.permutation(CANARIES), round(1 / LONG.rate)))
        return Batch(left.pop(), np.arange(round(LONG.rate * CANARIES)), round(LONG.rate * CANARIES))

    monkeypatch.setattr(Batches, "draw", shuffled)
    assert poisson_p(taken_in_training(monkeypatch), LONG.rate) < 1e-6


def test_more_steps_than_were_charged() -> None:
    net = nn.Linear(1, 1)
    training = Sampled(0.5, 1.0, 2)
    noisy = NoisyGradients(
        net, lambda at: net(torch.ones(len(at), 1))[:, 0], Batches(np.arange(9), 0.5), training=training, reach=1.0
    )
    noisy.sum(), noisy.sum()
    with pytest.raises(ValueError, match="were charged are taken"):
        noisy.sum()
    ledger = Ledger(allowance=Allowance(9.0, 1e-6))
    with pytest.raises(ValueError, match="charge the training first"):
        learn(
            net, noisy, torch.optim.SGD(net.parameters(), lr=1.0), training=training, patients=9.0,
            run=Run(Seeds(1), ledger, Local(1)), stage="learning",
        )  # fmt: skip


def test_noise_from_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the operating system's bits two trainings differ; with a seed's they do not, and the noise can be undone."""
    assert not np.array_equal(Game()(), Game()())
    found = []
    for _ in range(2):
        stream = np.random.default_rng(0)
        for room in (randomness, vectors, batches):
            monkeypatch.setattr(room, "words", lambda n, s=stream: s.integers(0, 2**64, n, dtype=np.uint64))
        found.append(Game()())
    assert np.array_equal(found[0], found[1])


# ── what the linter sees ─────────────────────────────────────────────────────────────────────────────────────────────


class Honest:
    """The least of a private training."""

    def fit(self, train: Any, run: Any) -> Any:
        training = Sampled(0.1, 2.0, 50)
        run.ledger.spend("training", training.event)
        net = nn.Linear(3, 1)
        noisy = NoisyGradients(
            net, lambda at: net(train.frame[at]), Batches(train.subjects, 0.1), training=training, reach=1
        )
        optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
        learn(net, noisy, optimiser, training=training, patients=100.0, run=run, stage="learning")
        return net


class NoNoise:
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("training", Sampled(0.1, 2.0, 50).event)
        net = nn.Linear(3, 1)
        clipped, drawn = Ghost(net, lambda at: net(train.frame[at])), Batches(train.subjects, 0.1)
        for _ in range(50):
            give(net, clipped(drawn.draw(), 1.0))
        return net


class OrdinaryTraining:
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("training", Sampled(0.1, 2.0, 50).event)
        net = nn.Linear(3, 1)
        for _ in range(50):
            loss = net(torch.from_numpy(train.frame.to_numpy())).mean()
            loss.backward()
        return net


class StoppedByLoss:
    def fit(self, train: Any, run: Any) -> Any:
        training = Sampled(0.1, 2.0, 50)
        run.ledger.spend("training", training.event)
        net = nn.Linear(3, 1)
        noisy = NoisyGradients(
            net, lambda at: net(train.frame[at]), Batches(train.subjects, 0.1), training=training, reach=1
        )
        best, kept = 9.0, net
        for _ in range(50):
            give(net, noisy.sum())
            loss = float(net(torch.from_numpy(train.frame.to_numpy())).mean())
            if loss < best:
                best, kept = loss, net
        return kept


class LossTold:
    def fit(self, train: Any, run: Any) -> Any:
        run.ledger.spend("training", Sampled(0.1, 2.0, 50).event)
        net = nn.Linear(3, 1)
        return net, {"loss": float(net(torch.from_numpy(train.frame.to_numpy())).mean())}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (NoNoise, "give teaches a net by patients"),
        (OrdinaryTraining, "backward teaches a net by patients"),
        (StoppedByLoss, "through no mechanism"),
        (LossTold, "through no mechanism"),
    ],
)
def test_training_past_the_mechanism_is_found_in_the_source(kind: type, said: str) -> None:
    found = unlinted(kind())
    assert any(said in leak.what for leak in found), found


def test_an_honest_training_is_let_through() -> None:
    assert unlinted(Honest()) == ()


# ── the recipes whole ────────────────────────────────────────────────────────────────────────────────────────────────

NOBODY = Dataset(pd.DataFrame({"a": [1.0]}), Schema((Column("a", "number"),)))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [VAE(width=32, latent=6, epochs=8), GAN(width=32, latent=8, epochs=8)])
def test_canaries_do_not_refute_the_recipes(recipe: Any) -> None:
    run = Run(Seeds(3), Ledger(allowance=Allowance(1.0, 1e-5)), Local(1))
    comparison = Comparison(NOBODY, NOBODY, NOBODY, recipe=recipe, forge=forge_of(recipe))
    found = {f.name: f for f in CanaryAudit(count=300, few=40).judge(comparison, run)}
    assert found["canaries.excess"].status == "measured"
    assert found["canaries.excess"].value <= 0  # type: ignore[operator]
    assert found["canaries.repeats"].value == 0.0
