"""The games a generator and a critic can play, each as two losses, and what keeps the critic smooth.

`real` and `fake` are the critic's scores of real and of generated rows, (n,) each, one pair of rows beside the other. A
score is a logit in the games of likelihood and has no unit in Wasserstein's. Both players minimise their loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Game:
    """One way to train the two against each other.

    Attributes:
        critic, generator: What each minimises.
        smooth: How the critic is kept from being too steep: by the square of its gradient at real and generated rows
            ("zero"), by how far the gradient's length between them is from 1 ("one"), or by clipping weights ("clip").
        weight: Usual weight of the penalty; for "clip", the largest size of a weight.
        critic_steps: Usual updates of the critic for one of the generator.
        momentum: Whether Adam is used (Kingma and Ba 2015); RMSprop otherwise, as Wasserstein's first game asks.
    """

    critic: Loss
    generator: Loss
    smooth: Literal["zero", "one", "clip"]
    weight: float
    critic_steps: int = 1
    momentum: bool = True


def told_apart(real: Tensor, fake: Tensor) -> Tensor:
    """Cross-entropy of a critic that says which rows are real: -log D(real) - log(1 - D(fake)), D = sigmoid(score)."""
    return (softplus(-real) + softplus(fake)).mean()


def minimax(real: Tensor, fake: Tensor) -> Tensor:
    """What the critic gains on generated rows, log(1 - D(fake)) (Goodfellow et al. 2014, equation 1).

    Its gradient vanishes where the critic is sure.
    """
    return -softplus(fake).mean()


def non_saturating(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(fake): the same fixed point, with a gradient where the critic is sure (Goodfellow et al. 2014, sec. 3)."""
    return softplus(-fake).mean()


def earth_mover(real: Tensor, fake: Tensor) -> Tensor:
    """Minus the difference of mean scores: the dual form of the earth mover's distance (Arjovsky et al. 2017)."""
    return fake.mean() - real.mean()


def climb(real: Tensor, fake: Tensor) -> Tensor:
    """Raise the critic's mean score of generated rows (Arjovsky et al. 2017)."""
    return -fake.mean()


def least_squares(real: Tensor, fake: Tensor) -> Tensor:
    """Half the squared distance of real scores from 1 and of generated ones from 0 (Mao et al. 2017, equation 9)."""
    return 0.5 * ((real - 1).square() + fake.square()).mean()


def least_squares_turned(real: Tensor, fake: Tensor) -> Tensor:
    """Half the squared distance of generated rows' scores from 1 (Mao et al. 2017, equation 9)."""
    return 0.5 * (fake - 1).square().mean()


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Real scores up to 1, generated ones down to -1, and no further (Lim and Ye 2017; Miyato et al. 2018)."""
    return (relu(1 - real) + relu(1 + fake)).mean()


def relativistic(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(real - fake): the real row of a pair scores higher (Jolicoeur-Martineau 2019)."""
    return softplus(fake - real).mean()


def relativistic_turned(real: Tensor, fake: Tensor) -> Tensor:
    """-log sigmoid(fake - real): the generated row of a pair scores higher."""
    return softplus(real - fake).mean()


GAMES: dict[str, Game] = {
    "minimax": Game(told_apart, minimax, "zero", 0.2),
    "non-saturating": Game(told_apart, non_saturating, "zero", 0.2),
    "wgan": Game(earth_mover, climb, "clip", 0.01, critic_steps=5, momentum=False),
    "wgan-gp": Game(earth_mover, climb, "one", 10.0, critic_steps=5),
    "lsgan": Game(least_squares, least_squares_turned, "zero", 0.2),
    "hinge": Game(hinge, climb, "zero", 0.2),
    "relativistic": Game(relativistic, relativistic_turned, "zero", 0.2),
}


def steepness(score: Tensor, entering: Tensor, gram: Tensor) -> Tensor:
    """Squared length of each score's gradient by the row it scores: (n,).

    The row enters the critic through a linear map with `entering` = row · map, so the gradient by the row is that by
    `entering`, turned back by the map; its length needs the map's Gram matrix alone.

    Args:
        score: (n,). entering: (n, width). gram: map transposed · map: (width, width).
    """
    (slope,) = torch.autograd.grad(score.sum(), entering, create_graph=True)
    return ((slope @ gram) * slope).sum(dim=1)


def zero_centred(real: Tensor, fake: Tensor) -> Tensor:
    """R1 and R2: half the mean squared gradient at real and at generated rows (Mescheder et al. 2018).

    Both together make the relativistic game converge locally (Huang et al. 2024).

    Args:
        real, fake: `steepness` there, (n,).
    """
    return 0.5 * (real.mean() + fake.mean())


def one_centred(between: Tensor) -> Tensor:
    """How far gradients between real and generated rows are from length 1 (Gulrajani et al. 2017, equation 3).

    Args:
        between: `steepness` there, (n,).
    """
    return ((between + 1e-12).sqrt() - 1).square().mean()
