"""The autoencoder's parts: what the two terms are, what is smooth, what unknown cells do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semblance.nets.layout import Layout
from semblance.nets.vae import WAVES, Autoencoder, Decoder, Encoder, Learner, Shape, encode, measure, two_terms

SHAPE = Shape(latent=3, width=16, depth=1)
LONG = 60


def auto(sizes: tuple[int, ...] = (2, 3), stretches: tuple[int, ...] = (0, 0), seed: int = 0) -> Autoencoder:
    layout = Layout(sizes)
    shares = torch.cat([torch.full((size,), 1 / size) for size in sizes])
    where = [np.arange(n, dtype=np.int32) for n in stretches]
    parts = Encoder(layout, torch.zeros(layout.width), SHAPE), Decoder(layout, shares, where, SHAPE)
    return Autoencoder(*parts, torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_distortion_is_the_cells_and_rate_the_divergence_from_the_prior() -> None:
    """Against the closed forms, by numbers drawn: KL by Monte Carlo of the log ratio, distortion from the softmax."""
    net = auto()
    codes = torch.tensor([[1, 2]])
    mean, log_variance = net.encoder(codes)
    normal = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    drawn = normal.sample((200_000,))
    ratio = normal.log_prob(drawn) - torch.distributions.Normal(0, 1).log_prob(drawn)
    noise = torch.zeros(1, 3)
    distortion, rate = two_terms(net, codes, noise)
    assert float(rate) == pytest.approx(float(ratio.sum(dim=2).mean()), abs=0.02)
    chances = net.decoder.layout.log_softmax(net.decoder(mean))[0]
    assert float(distortion) == pytest.approx(-float(chances[1] + chances[2 + 2]), rel=1e-5)


@torch.no_grad()
def test_an_unknown_cell_costs_nothing_and_adds_nothing() -> None:
    net = auto()
    known, unknown = torch.tensor([[1, 2]]), torch.tensor([[1, -1]])
    noise = torch.zeros(1, 3)
    mean, _ = net.encoder(unknown)
    chances = net.decoder.layout.log_softmax(net.decoder(mean))[0]
    distortion, _ = two_terms(net, unknown, noise)
    assert float(distortion) == pytest.approx(-float(chances[1]), rel=1e-5)
    assert not torch.equal(net.encoder(known)[0], mean)


@torch.no_grad()
def test_it_begins_at_the_shares_of_the_training_table() -> None:
    layout = Layout((2, 3))
    shares = torch.tensor([0.9, 0.1, 0.2, 0.3, 0.5])
    decoder = Decoder(layout, shares, [np.empty(0, np.int32)] * 2, SHAPE)
    with torch.no_grad():
        decoder.leave.weight.zero_()
    assert torch.allclose(layout.log_softmax(decoder(torch.randn(4, 3))).exp(), shares.expand(4, 5), atol=1e-6)


def test_many_quantile_cells_are_a_smooth_curve_and_the_missing_cell_stands_beside_it() -> None:
    net = auto((LONG + 1,), (LONG,))
    assert net.decoder.leave.out_features == WAVES + 1
    with torch.no_grad():
        net.decoder.leave.weight.normal_(generator=torch.Generator().manual_seed(1))
        curve = net.decoder(torch.randn(1, 3, generator=torch.Generator().manual_seed(2)))[0] - net.decoder.bias
    turns = torch.fft.rfft(torch.cat([curve[:LONG], curve[:LONG].flip(0)])).abs()
    assert float(turns[WAVES + 1 :].max()) < 1e-3 * float(turns.max())
    assert float(curve[LONG]) != 0


def test_codes_tell_rows_apart_and_a_larger_beta_has_them_tell_less() -> None:
    """Four kinds of rows: what tells them apart is log 4 nats, and independent columns would cost log 16."""
    kind = np.random.default_rng(0).integers(0, 4, 128)
    codes = np.column_stack([kind % 2, kind // 2, kind]).astype(np.int32)
    terms = {}
    for beta in (0.1, 10.0):
        learner = Learner(auto((2, 2, 4), (0, 0, 0)), codes, beta=beta, learning_rate=0.02)
        noise = torch.Generator().manual_seed(0)
        for step in range(80):
            learner.step(torch.arange(128), noise, step / 80)
        terms[beta] = measure(learner.average, codes, torch.Generator().manual_seed(1))
        assert encode(learner.average, codes)[0].shape == (128, 3)
    distortion, rate = terms[0.1]
    assert distortion < 0.5 < math.log(16)
    assert rate > math.log(4) - 0.3
    assert terms[10.0][1] < 0.1
    assert terms[10.0][0] > 1.5


def test_a_restored_learner_goes_on_as_if_nothing_had_happened() -> None:
    codes = np.random.default_rng(0).integers(-1, 2, (64, 2)).astype(np.int32)

    def steps(learner: Learner, which: range) -> None:
        for step in which:
            learner.step(torch.arange(64), torch.Generator().manual_seed(step), step / 10)

    whole = Learner(auto(), codes, beta=0.5, learning_rate=0.01)
    steps(whole, range(10))
    first = Learner(auto(), codes, beta=0.5, learning_rate=0.01)
    steps(first, range(4))
    kept = {name: value.clone() for name, value in first.state().items()}
    second = Learner(auto(seed=5), codes, beta=0.5, learning_rate=0.01)
    second.restore(kept)
    steps(second, range(4, 10))
    ends = whole.state(), second.state()
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
