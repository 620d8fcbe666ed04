"""Augmentation that gradients pass through, of what the critic sees: real and made images alike (Zhao et al. 2020).

A critic of few images learns them by heart. Seen through changes that keep the anatomy it cannot, and as long as each
change is left out now and then, the generator does not learn to make changed images (Karras et al. 2020, section 2).
How often a change is made is set as training goes: more often when the critic holds training images above ones that it
never learned from.

Nothing is ever flipped or turned here: where that keeps an image possible, the schema says so and the real images are
shown both ways (`mirror`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

SHIFT, SCALE, TURN = 0.1, 0.1, math.pi / 36
"""Largest shift, as a share of the side; standard deviation of the logarithm of the size; largest turn, 5 degrees."""
LIGHT, CONTRAST = 0.2, 0.2
"""Standard deviations of the shift of all values (of a range of 2), and of the logarithm of their spread."""
HOLE = 0.4
"""Side of the square that is hidden, as a share of the image's."""
MOST = 0.8
"""Beyond this probability changes begin to leak into what is made (Karras et al. 2020, figure 4)."""


def augment(images: Tensor, strength: float, noise: torch.Generator) -> Tensor:
    """Change each image, (n, c, h, w), in ways that keep its anatomy, each way with probability `strength`."""
    if strength <= 0:
        return images
    for change in CHANGES:
        images = change(images, strength, noise)
    return images


def move(images: Tensor, strength: float, noise: torch.Generator) -> Tensor:
    """Shift, scale and turn a little; what comes in from outside repeats the edge."""
    n = len(images)
    on = (torch.rand(n, 3, generator=noise) < strength).float()
    shift = (2 * torch.rand(n, 2, generator=noise) - 1) * 2 * SHIFT * on[:, :1]
    size = (SCALE * torch.randn(n, generator=noise) * on[:, 1]).clamp(-0.25, 0.25).exp()
    turn = (2 * torch.rand(n, generator=noise) - 1) * TURN * on[:, 2]
    high, wide = images.shape[2:]
    cos, sin = size * turn.cos(), size * turn.sin()
    way = torch.stack(
        [
            torch.stack([cos, -sin * high / wide, shift[:, 0]], dim=1),
            torch.stack([sin * wide / high, cos, shift[:, 1]], dim=1),
        ],
        dim=1,
    ).to(images.device)
    places = functional.affine_grid(way, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, places, mode="bilinear", padding_mode="border", align_corners=False)
    still = (on.sum(dim=1) == 0).to(images.device)  # these stay as they are to the last digit
    return torch.where(still[:, None, None, None], images, moved)


def shade(images: Tensor, strength: float, noise: torch.Generator) -> Tensor:
    """Change brightness and contrast of the whole image."""
    n = len(images)
    on = (torch.rand(n, 2, generator=noise) < strength).float()
    light = (LIGHT * torch.randn(n, generator=noise) * on[:, 0]).to(images.device)[:, None, None, None]
    factor = (CONTRAST * torch.randn(n, generator=noise) * on[:, 1]).exp().to(images.device)[:, None, None, None]
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return images * factor + (mean * (1 - factor) + light)


def hide(images: Tensor, strength: float, noise: torch.Generator) -> Tensor:
    """Hide a square, some of which may lie outside, behind the middle grey (DeVries and Taylor 2017)."""
    n, _, high, wide = images.shape
    on = (torch.rand(n, generator=noise) < strength).to(images.device)
    where = torch.rand(n, 2, generator=noise).to(images.device)
    down = torch.arange(high, device=images.device)[None] - where[:, :1] * high
    right = torch.arange(wide, device=images.device)[None] - where[:, 1:] * wide
    within = (down.abs() < HOLE * high / 2)[:, :, None] & (right.abs() < HOLE * wide / 2)[:, None, :]
    return images.masked_fill((within & on[:, None, None])[:, None], 0.0)


CHANGES: tuple[Callable[[Tensor, float, torch.Generator], Tensor], ...] = (move, shade, hide)


class Dial:
    """Sets the strength of augmentation by how far the critic has learned training images by heart.

    The measure is where validation images score between made ones (1: by heart) and training ones (0: not at all):
    r = (training - validation) / (training - made), Karras et al. 2020, equation 1. It needs no certain scale of scores
    and so works with every game.

    Attributes:
        strength: Probability of each change. r: The measure, averaged. Both are part of a training's state.
    """

    AIM = 0.3
    """r above this turns the strength up, below it down."""
    PAST = 0.9
    """Weight of the past in the average of scores."""

    def __init__(self, strength: float, *, speed: float) -> None:
        """speed: How much the strength changes at a look."""
        self.strength, self.speed = strength, speed
        self.scores = torch.zeros(3, dtype=torch.float64)  # training, validation, made
        self.looks = 0

    @property
    def r(self) -> float:
        """0 where nothing was seen, or where training images score no higher than made ones."""
        train, held, made = self.scores.tolist()
        return (train - held) / (train - made) if train - made > 1e-9 else 0.0

    def turn(self, train: float, held: float, made: float) -> None:
        """Take in mean scores, and turn the strength one step up or down."""
        past = min(self.PAST, self.looks / (self.looks + 1))
        self.scores = past * self.scores + (1 - past) * torch.tensor([train, held, made], dtype=torch.float64)
        self.looks += 1
        step = self.speed if self.r > self.AIM else -self.speed
        self.strength = min(MOST, max(0.0, self.strength + step))

    def state(self) -> dict[str, Tensor]:
        """All of it."""
        return {
            "strength": torch.tensor(self.strength, dtype=torch.float64),
            "scores": self.scores.clone(),
            "looks": torch.tensor(self.looks),
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.strength, self.looks = float(state["strength"]), int(state["looks"])
        self.scores = state["scores"].cpu().clone()
