"""What is known of images before any net looks: their mean, and how strong each of their waves is.

The waves of the discrete cosine transform are nearly independent of each other in images that look alike wherever one
looks, and their strengths span a thousandfold. Told in units of them, every wave is as easy to learn as any other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

FAINTEST = 1e-3
"""Of the images' standard deviation: a weaker wave is taken to be as strong."""
FEWEST = 50
"""Images of a label that has a mean and strengths of its own: those of fewer would be theirs more than the label's."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Images of a mean whose waves are independent and of these strengths, and the way from noise to them.

    On the way x_t = (1 - t) n + t x a wave of strength s is noise at t = 0 and image at t = 1. Divided by the standard
    deviation that it has on the way, sqrt((1 - t)² + t² s²), it turns by the angle atan2(t s, 1 - t) from the one to
    the other: strong waves early, faint ones late. If images were such a Gaussian, that would be all.

    Attributes:
        mean: (n, c, h, w). strength: Standard deviation of each wave: (n, c, h, w).
    """

    mean: Tensor
    strength: Tensor

    def spread(self, time: Tensor) -> Tensor:
        """Standard deviation of each wave on the way: (n, 1, 1, 1) -> (n, c, h, w)."""
        return ((1 - time) ** 2 + (time * self.strength) ** 2).sqrt()

    def angle(self, time: Tensor) -> Tensor:
        """How far each wave has turned from noise to image, 0 to pi / 2: (n, 1, 1, 1) -> (n, c, h, w)."""
        return torch.atan2(time * self.strength, 1 - time)

    def velocity(self, turned: Tensor, turning: Tensor, time: Tensor) -> Tensor:
        """Velocity of each wave, from where it is in units of its spread and how fast it turns: all (n, c, h, w)."""
        return ((time * self.strength**2 - (1 - time)) * turned + self.strength * turning) / self.spread(time)

    def turning(self, turned: Tensor, velocity: Tensor, time: Tensor) -> Tensor:
        """The inverse of `velocity`."""
        still = (time * self.strength**2 - (1 - time)) * turned
        return (velocity * self.spread(time) - still) / self.strength


class Spectrum(nn.Module):
    """The mean image and the strength of each wave: of all images, and of those of each label of the first condition.

    Classes differ in faint waves too (what is sharp, what is hazy), which a net is slow to learn from labels alone.

    Attributes:
        mean, strength: (1 + labels, c, h, w), those of all images first.
    """

    mean: Tensor
    strength: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, channels: int, height: int, width: int, *, labels: int = 0) -> None:
        """Of noise of variance 1, to be filled by `learn` or `load_state_dict`."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(1 + labels, channels, height, width))
        self.register_buffer("strength", torch.ones(1 + labels, channels, height, width))
        self.register_buffer("rows", cosines(height), persistent=False)
        self.register_buffer("columns", cosines(width), persistent=False)

    def learn(self, images: Tensor, labels: Tensor) -> None:
        """From images, (n, c, h, w), and the numbers of their labels, -1 for unknown, (n, conditions).

        Privacy: the means of all images and of those of each frequent label, and the variances of their waves, stay in
        the model.
        """
        everyone = self._gaussian(images)
        for row in range(len(self.mean)):
            mine = images[labels[:, 0] == row - 1] if row else images
            found = self._gaussian(mine) if len(mine) >= FEWEST else everyone
            self.mean[row], self.strength[row] = found.mean[0], found.strength[0]

    def _gaussian(self, images: Tensor) -> Gaussian:
        mean = images.mean(dim=0, keepdim=True)
        total = torch.zeros_like(mean)
        for part in torch.split(images, 512):
            total += self.waves(part - mean).square().sum(dim=0, keepdim=True)
        return Gaussian(mean, (total / len(images)).sqrt().clamp(min=FAINTEST))

    def of(self, labels: Tensor) -> Gaussian:
        """What is known of images of these labels: (n, conditions), -1 for unknown."""
        rows = labels[:, 0] + 1 if len(self.mean) > 1 else labels.new_zeros(len(labels))
        return Gaussian(self.mean[rows], self.strength[rows])

    def waves(self, image: Tensor) -> Tensor:
        """Pixels -> waves: (n, c, h, w), an orthogonal transform."""
        with torch.autocast(image.device.type, enabled=False):  # faint waves are lost in bfloat16
            return self.rows @ image.float() @ self.columns.T

    def pixels(self, waves: Tensor) -> Tensor:
        """The inverse of `waves`."""
        with torch.autocast(waves.device.type, enabled=False):
            return self.rows.T @ waves.float() @ self.columns


def cosines(n: int) -> Tensor:
    """The waves of n pixels, one a row, each of length 1: the discrete cosine transform of type II. (n, n)"""
    frequency, place = torch.arange(n, dtype=torch.float64)[:, None], torch.arange(n, dtype=torch.float64)
    waves = (math.pi * (place + 0.5) * frequency / n).cos() * math.sqrt(2 / n)
    waves[0] /= math.sqrt(2)
    return waves.float()
