"""Each game against its closed form; each penalty against the gradient it stands for."""

from __future__ import annotations

import math

import pytest
import torch

from semblance.nets.critics import Critic
from semblance.nets.layout import Layout
from semblance.nets.losses import GAMES, one_centred, steepness, zero_centred

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 0.5])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean_of(f: object) -> float:
    pairs = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
    return sum(f(real, fake) for real, fake in pairs) / len(pairs)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("loss", "critic", "generator"),
    [
        (
            "minimax",
            lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)),
            lambda r, f: math.log(1 - sigmoid(f)),
        ),
        (
            "non-saturating",
            lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)),
            lambda r, f: -math.log(sigmoid(f)),
        ),
        ("wgan", lambda r, f: f - r, lambda r, f: -f),
        ("wgan-gp", lambda r, f: f - r, lambda r, f: -f),
        ("lsgan", lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda r, f: (f - 1) ** 2 / 2),
        ("hinge", lambda r, f: max(0.0, 1 - r) + max(0.0, 1 + f), lambda r, f: -f),
        ("relativistic", lambda r, f: -math.log(sigmoid(r - f)), lambda r, f: -math.log(sigmoid(f - r))),
    ],
)
def test_a_game_is_what_its_paper_says(loss: str, critic: object, generator: object) -> None:
    game = GAMES[loss]
    assert float(game.critic(REAL, FAKE)) == pytest.approx(mean_of(critic), rel=1e-5)
    assert float(game.generator(REAL, FAKE)) == pytest.approx(mean_of(generator), rel=1e-5)


def test_a_hinge_asks_no_more_than_one_of_either_side() -> None:
    game = GAMES["hinge"]
    assert float(game.critic(torch.tensor([1.0, 7.0]), torch.tensor([-1.0, -9.0]))) == 0
    assert float(game.critic(torch.tensor([0.0]), torch.tensor([0.0]))) == 2


def test_where_the_critic_is_sure_only_minimax_has_no_gradient() -> None:
    pulls = {}
    for name, game in GAMES.items():
        fake = torch.full((4,), -30.0, requires_grad=True)
        game.generator(torch.full((4,), 30.0), fake).backward()
        pulls[name] = float(fake.grad.abs().sum())
    assert pulls.pop("minimax") < 1e-9
    assert all(pull > 0.9 for pull in pulls.values())


def test_steepness_is_the_gradient_by_the_row_itself() -> None:
    """Taken the short way, through the Gram matrix, and the long way, through a wide one-hot row."""
    layout = Layout([3, 5, 2])
    generator = torch.Generator().manual_seed(1)
    critic = Critic(layout, torch.linspace(-1, 1, 10), width=8, depth=3, generator=generator)
    codes = torch.tensor([[0, 4, 1], [2, -1, 0], [1, 3, 1]])
    vectors = critic.vectors()
    entering = critic.enter(codes, vectors)
    short = steepness(critic(entering), entering, vectors.T @ vectors)
    wide = layout.one_hot(codes).requires_grad_(True)
    scores = critic(wide @ vectors)
    assert torch.allclose(scores, critic(entering), atol=1e-6)
    (slope,) = torch.autograd.grad(scores.sum(), wide)
    assert torch.allclose(short, slope.square().sum(dim=1), rtol=1e-4)


def test_penalties_are_smallest_where_they_say() -> None:
    assert float(zero_centred(torch.zeros(3), torch.zeros(3))) == 0
    assert float(zero_centred(torch.ones(3), 3 * torch.ones(3))) == 2.0
    assert float(one_centred(torch.ones(3))) == pytest.approx(0.0, abs=1e-9)
    assert float(one_centred(torch.full((3,), 4.0))) == pytest.approx(1.0)


def test_cells_that_are_alike_begin_alike_for_the_critic() -> None:
    layout = Layout([9])
    ranked = Critic(layout, torch.linspace(-1, 1, 9), width=64, depth=2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ranked.slope.mul_(10)
        vectors = ranked.vectors()
    near, far = (vectors[0] - vectors[1]).norm(), (vectors[0] - vectors[8]).norm()
    assert near < 0.5 * far
