"""The maps of generator and critic, which follow from the images' size; and labels as vectors, which both are told."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

COARSE = 8
"""Sides of the coarsest map, at most."""
NARROW = 16
"""Channels of a map, at least."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The maps of both nets, which follow from the images' size.

    Attributes:
        channels, height, width: Of the images. fold: Side of the squares of pixels that one place of the finest map
            stands for, a power of 2.
        widths: Channels of each map, the finest first; each is half as high and as wide as the one before.
    """

    channels: int
    height: int
    width: int
    fold: int
    widths: tuple[int, ...]

    @property
    def maps(self) -> tuple[tuple[int, int], ...]:
        """Height and width of each map, the finest first; together they hold the image or a little more."""
        step = self.fold * 2 ** (len(self.widths) - 1)
        high, wide = (-(-side // step) for side in (self.height, self.width))
        return tuple((high * 2**level, wide * 2**level) for level in reversed(range(len(self.widths))))


def frame_of(shape: tuple[int, int, int], *, width: int, fold: int = 0) -> Frame:
    """Maps for images of (channels, height, width): halved until they are at most `COARSE` places high or wide.

    Args:
        width: Channels of the coarsest map; each finer one has half as many. fold: 0 for what suits the size.
    """
    channels, high, wide = shape
    side = min(high, wide)
    fold = fold or (1 if side <= 20 else 2 if side <= 128 else 4)
    levels = 1
    while side / (fold * 2 ** (levels - 1)) > COARSE:
        levels += 1
    widths = tuple(max(NARROW, width // 2**level) for level in reversed(range(levels)))
    return Frame(channels, high, wide, fold, widths)


class Labels(nn.Module):
    """Labels, each by its number, as the sum of one vector for each; -1, unknown, adds nothing."""

    def __init__(self, sizes: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(size, width) for size in sizes])
        self.width = width

    def forward(self, labels: Tensor) -> Tensor:
        """(n, conditions) of numbers -> (n, width)."""
        found = torch.zeros(len(labels), self.width, device=labels.device)
        for column, table in zip(labels.T, self.tables, strict=True):
            found = found + table(column.clamp(min=0)) * (column >= 0)[:, None]
        return found
