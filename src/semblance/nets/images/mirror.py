"""Images turned over, in the ways that their schema says leave an image one that could have been taken."""

from __future__ import annotations

import torch
from torch import Tensor

AXES: dict[str, tuple[int, ...]] = {"none": (), "left-right": (3,), "any": (2, 3)}


def mirrored(images: Tensor, mirror: str, noise: torch.Generator) -> Tensor:
    """Each image as likely as not flipped, left to right or both ways; for "any", square ones are turned, too.

    Args:
        images: (n, c, h, w). mirror: One of ``image_schema.MIRRORS``. noise: Lives on the processor.
    """
    for axis in AXES[mirror]:
        images = torch.where(_half(images, noise), images.flip(axis), images)
    if mirror == "any" and images.shape[2] == images.shape[3]:
        images = torch.where(_half(images, noise), images.transpose(2, 3), images)
    return images


def _half(images: Tensor, noise: torch.Generator) -> Tensor:
    """About half of the images: (n, 1, 1, 1)."""
    return (torch.rand(len(images), generator=noise) < 0.5).to(images.device)[:, None, None, None]
