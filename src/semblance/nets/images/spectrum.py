"""What is known of images before any net looks: their mean, and how strong each of their waves is.

The waves of the discrete cosine transform are nearly independent of each other in images that look alike wherever one
looks, and their strengths span a thousandfold. Told in units of them, every wave is as easy to learn as any other.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FAINTEST = 1e-3
"""Of the images' standard deviation: a weaker wave is taken to be as strong."""


class Spectrum(nn.Module):
    """The mean image and the strength of each wave, and the angle that each wave has come at a time of a flow.

    On the way x_t = (1 - t) n + t x a wave of strength s is noise at t = 0 and image at t = 1. Divided by the standard
    deviation that it has on the way, sqrt((1 - t)² + t² s²), it turns by the angle atan2(t s, 1 - t) from the one to
    the other: strong waves early, faint ones late. If images were a Gaussian with these strengths, that would be all.

    Attributes:
        mean: (1, c, h, w). strength: Standard deviation of each wave: (1, c, h, w).
    """

    mean: Tensor
    strength: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, channels: int, height: int, width: int) -> None:
        """Of noise of variance 1, to be filled by `learn` or `load_state_dict`."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, height, width))
        self.register_buffer("strength", torch.ones(1, channels, height, width))
        self.register_buffer("rows", cosines(height), persistent=False)
        self.register_buffer("columns", cosines(width), persistent=False)

    def learn(self, images: Tensor) -> None:
        """From images: (n, c, h, w). Privacy: their mean and the variances of their waves stay in the model."""
        self.mean.copy_(images.mean(dim=0, keepdim=True))
        total = torch.zeros_like(self.strength)
        for part in torch.split(images, 512):
            total += self.waves(part - self.mean).square().sum(dim=0, keepdim=True)
        self.strength.copy_((total / len(images)).sqrt().clamp(min=FAINTEST))

    def waves(self, image: Tensor) -> Tensor:
        """Pixels -> waves: (n, c, h, w), an orthogonal transform."""
        with torch.autocast(image.device.type, enabled=False):  # faint waves are lost in bfloat16
            return self.rows @ image.float() @ self.columns.T

    def pixels(self, waves: Tensor) -> Tensor:
        """The inverse of `waves`."""
        with torch.autocast(waves.device.type, enabled=False):
            return self.rows.T @ waves.float() @ self.columns

    def spread(self, time: Tensor) -> Tensor:
        """Standard deviation of each wave on the way: (n, 1, 1, 1) -> (n, c, h, w)."""
        return ((1 - time) ** 2 + (time * self.strength) ** 2).sqrt()

    def angle(self, time: Tensor) -> Tensor:
        """How far each wave has turned from noise to image, 0 to pi / 2: (n, 1, 1, 1) -> (n, c, h, w)."""
        return torch.atan2(time * self.strength, 1 - time)


def cosines(n: int) -> Tensor:
    """The waves of n pixels, one a row, each of length 1: the discrete cosine transform of type II. (n, n)"""
    frequency, place = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)
    waves = (math.pi * (place + 0.5) * frequency / n).cos() * math.sqrt(2 / n)
    waves[0] /= math.sqrt(2)
    return waves.float()
