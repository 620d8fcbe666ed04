"""Images moved, turned and stretched a little, as another patient might have lain: more to learn from, same anatomy."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from semblance.nets.images.mirror import mirrored

TURN, STRETCH, MOVE = math.radians(10), 0.1, 0.06
"""Standard deviations at strength 1: of the angle, of the logarithm of the size each way, of the place (1 = a side)."""


def jitter(images: Tensor, noise: torch.Generator, *, strength: float, mirror: str) -> Tensor:
    """Each image by its own small affine map; what comes in from outside is black.

    Each pixel is the nearest of the old ones, none is a mixture of several: mixtures of a bright edge and the
    background, and noise that is smoother than a scanner's, would be learned as if they were anatomy.

    Args:
        images: (n, channels, h, w), -1 to 1. strength: 0 to leave them where they are.
        mirror: How images may be turned over (``image_schema.MIRRORS``).
    """
    images = mirrored(images, mirror, noise)
    if strength <= 0:
        return images
    drawn = strength * torch.randn(len(images), 5, generator=noise).clamp(-2, 2)
    angle, stretch, move = TURN * drawn[:, 0], (STRETCH * drawn[:, 1:3]).exp(), 2 * MOVE * drawn[:, 3:]
    height, width = images.shape[2:]
    c, s = angle.cos(), angle.sin()
    row_x = torch.stack([c * stretch[:, 0], -s * stretch[:, 1] * height / width, move[:, 0]], dim=1)
    row_y = torch.stack([s * stretch[:, 0] * width / height, c * stretch[:, 1], move[:, 1]], dim=1)
    grid = functional.affine_grid(torch.stack([row_x, row_y], dim=1), [*images.shape], align_corners=False)
    moved: Tensor = functional.grid_sample(images + 1, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return moved - 1
