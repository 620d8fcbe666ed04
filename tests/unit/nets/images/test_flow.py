"""Flow matching: what is computed is what a Gaussian would do, and what is learned is what the images would."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from semblance.nets.images.blocks import begin
from semblance.nets.images.flow import Matching, Tuning, Velocity, nearest
from semblance.nets.images.flow_net import Frame, paint
from semblance.nets.images.unet import Shape

SIZE = (1, 4, 4)
SHAPE = Shape(fold=2, widths=(32,), attention=False)
FRAME = Frame(*SIZE, (2,), SHAPE, 16, 0.0, 1.0, "adams", 12, 0.0, "float32")
TUNING = Tuning(
    learning_rate=0.004,
    ema=0.98,
    drop=0.5,
    spread=1.0,
    centre=0.0,
    pairing=False,
    mirror="none",
    precision="float32",
)


def _noise(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _two_kinds(n: int) -> tuple[Tensor, Tensor]:
    """Images that are dark or bright, each by its label, and noise of a fifth otherwise: a mixture of two Gaussians."""
    labels = torch.arange(n) % 2
    return (2.0 * labels - 1)[:, None, None, None] + 0.2 * torch.randn(n, *SIZE, generator=_noise()), labels[:, None]


def _velocity_of_two_kinds(point: Tensor, time: float) -> Tensor:
    """E[x - n | x_t], by Bayes: each kind's own Gaussian answer, weighed by how likely the point is under it."""
    spread = time**2 * 0.2**2 + (1 - time) ** 2
    means, chances = [], []
    for kind in (-1.0, 1.0):
        away = point - time * kind
        chances.append(-away.square().sum(dim=(1, 2, 3)) / (2 * spread))
        means.append(kind + time * 0.2**2 / spread * away)
    weight = torch.softmax(torch.stack(chances), dim=0)[:, :, None, None, None]
    return ((weight * torch.stack(means)).sum(dim=0) - point) / (1 - time)


def _begun(seed: int = 1) -> Matching:
    images, labels = _two_kinds(512)
    return Matching(Velocity(SIZE, (2,), shape=SHAPE, told=16), images, labels, tuning=TUNING, start=_noise(seed))


def _taught(matching: Matching, steps: range, of: int, batch: int = 64) -> Matching:
    for step in steps:
        matching.step(torch.randperm(512, generator=_noise(step))[:batch], _noise(1000 + step), step / of)
    return matching


@pytest.fixture(scope="module")
def learned() -> Velocity:
    net = Velocity(SIZE, (2,), shape=SHAPE, told=16)
    net.load_state_dict(_taught(_begun(), range(500), of=500).average)
    return net


def test_before_it_learns_it_does_what_a_gaussian_would() -> None:
    images, labels = _two_kinds(400)
    net = Velocity(SIZE, (2,), shape=SHAPE, told=16)
    begin(net, _noise())
    net.spectrum.learn(images, torch.full((len(images), 1), -1))
    spectrum = net.spectrum
    point, time = torch.randn(5, *SIZE, generator=_noise(3)), torch.linspace(0.05, 0.95, 5)
    t = time[:, None, None, None]
    variance, average = spectrum.strength[:1] ** 2, spectrum.mean[:1]
    away = spectrum.waves(point - t * average)
    mean = average + spectrum.pixels(t * variance / (t**2 * variance + (1 - t) ** 2) * away)
    with torch.no_grad():
        assert torch.allclose(net(point, time, labels[:5]), (mean - point) / (1 - t), atol=1e-4)


@pytest.mark.parametrize("solver", ["euler", "heun", "adams"])
def test_before_it_learns_it_draws_that_gaussian_whatever_the_steps(solver: str) -> None:
    images, _ = _two_kinds(400)
    net = Velocity(SIZE, (2,), shape=SHAPE, told=16)
    begin(net, _noise())
    net.spectrum.learn(images, torch.full((len(images), 1), -1))
    frame = Frame(*SIZE, (2,), SHAPE, 16, 0.0, 1.0, solver, 2, 0.0, "float32")
    with torch.no_grad():
        drawn = paint(net, torch.full((3000, 1), -1), _noise(5), frame=frame)
    waves = net.spectrum.waves(drawn - net.spectrum.mean[:1]) / net.spectrum.strength[:1]
    assert (waves.std(dim=0) - 1).abs().max() < 0.07
    assert waves.mean(dim=0).abs().max() < 0.09


@pytest.mark.slow
def test_it_learns_the_velocity_of_a_mixture_in_closed_form(learned: Velocity) -> None:
    images, _ = _two_kinds(300)
    untaught = Velocity(SIZE, (2,), shape=SHAPE, told=16)
    begin(untaught, _noise())
    untaught.spectrum.learn(images, torch.full((300, 1), -1))
    unknown = torch.full((300, 1), -1)
    for time in (0.4, 0.55, 0.7):
        point = torch.lerp(torch.randn(images.shape, generator=_noise(8)), images, time)
        truth = _velocity_of_two_kinds(point, time)
        with torch.no_grad():
            wrong, gaussian = (
                float((made(point, torch.full((300,), time), unknown) - truth).square().mean())
                for made in (learned, untaught)
            )
        assert wrong < 0.25 * gaussian, time


@pytest.mark.slow
def test_it_draws_both_kinds_and_the_one_it_is_told(learned: Velocity) -> None:
    labels = torch.arange(200)[:, None] % 2
    with torch.no_grad():
        told = paint(learned, labels, _noise(2), frame=FRAME).mean(dim=(1, 2, 3))
        free = paint(learned, torch.full((200, 1), -1), _noise(2), frame=FRAME).mean(dim=(1, 2, 3))
    assert (torch.sign(told) == 2 * labels[:, 0] - 1).float().mean() > 0.97
    assert 0.3 < (free > 0).float().mean() < 0.7
    assert (free.abs() - 1).abs().median() < 0.15


@pytest.mark.slow
def test_guidance_goes_beyond_what_labels_tell(learned: Velocity) -> None:
    """At a time when both kinds are possible, the way to the one that is told differs more from the way to either."""
    turned, time = torch.randn(50, *SIZE, generator=_noise(6)), torch.full((50,), 0.25)
    kind = torch.ones(50, 1, dtype=torch.long)
    with torch.no_grad():
        told, exaggerated = (learned.guided(turned, time, kind, None, by) for by in (0.0, 1.0))
        assert torch.equal(told, learned.turning(turned, time, kind))
        gaussian, t = learned.spectrum.of(kind), time[:, None, None, None]
        point = learned.spectrum.pixels(turned * gaussian.spread(t)) + t * gaussian.mean
        free, toward = learned(point, time, torch.full((50, 1), -1)), learned(point, time, kind)
        moved = learned.spectrum.pixels(gaussian.velocity(turned, exaggerated, t)) + gaussian.mean
    assert torch.allclose(moved, toward + (toward - free), atol=1e-3)
    assert (toward - free).abs().mean() > 0.05


def test_what_it_remembers_is_all_that_the_next_step_depends_on() -> None:
    whole, half = (_taught(_begun(), range(end), of=5, batch=8) for end in (5, 2))
    other = _begun(seed=99)
    other.restore({name: value.clone() for name, value in half.state().items()})
    other = _taught(other, range(2, 5), of=5, batch=8)
    assert whole.state().keys() == other.state().keys()
    for name, value in whole.state().items():
        assert torch.equal(other.state()[name], value), name


def test_an_images_loss_is_its_own() -> None:
    matching = _taught(_begun(), range(3), of=3, batch=8)
    losses = matching.losses(torch.arange(8), _noise(4))
    assert losses.shape == (8,)
    others = matching.losses(torch.tensor([0, 1, 2, 3, 4, 5, 6, 300]), _noise(4))
    assert torch.allclose(losses[:7], others[:7], rtol=1e-4)
    assert not torch.allclose(losses[7], others[7], rtol=1e-4)


def test_pairing_makes_ways_shorter_and_uses_each_noise_once() -> None:
    images, start = torch.randn(32, *SIZE, generator=_noise()), torch.randn(32, *SIZE, generator=_noise(1))
    paired = nearest(start, images)
    assert sorted(paired.tolist()) == list(range(32))
    ways = [(images - other).square().sum() for other in (start, start[paired])]
    assert ways[1] < ways[0]


def test_steps_get_smaller_each_time_that_training_goes_back() -> None:
    matching = _begun()
    moves, known = [], {name: value.clone() for name, value in matching.state().items()}
    for times in (0, 1):
        matching.restore({name: value.clone() for name, value in known.items()})
        matching.calm(times)
        before = matching.net.trunk.leave.weight.detach().clone()
        matching.step(torch.arange(64), _noise(4), 0.0)
        moves.append(float((matching.net.trunk.leave.weight - before).norm().detach()))
    assert np.isclose(moves[1] / moves[0], 0.5, rtol=0.02)
