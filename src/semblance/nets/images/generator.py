"""The generator of images: noise and labels in, an image out.

Noise enters three ways: as the first coarse map, as what every block is told (FiLM, Perez et al. 2018), and as one
number for each place of every map, so that texture need not be wrung out of the coarse map (Karras et al. 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.images.blocks import Block, conv, linear
from semblance.nets.images.resample import double

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


class Forger(nn.Module):
    """Hidden rows and labels -> images.

    A hidden row is `latent` numbers for the whole image, then one for each place of every map, the coarsest first.
    """

    def __init__(self, frame: Frame, sizes: tuple[int, ...], *, latent: int, depth: int = 1) -> None:
        """Weights without information, to be filled by `blocks.begin` or `load_state_dict`.

        Args:
            sizes: Labels of each condition. depth: Blocks of each map.
        """
        super().__init__()
        self.frame, self.latent = frame, latent
        self.maps = tuple(reversed(frame.maps))
        self.hidden = latent + sum(high * wide for high, wide in self.maps)
        widths = tuple(reversed(frame.widths))
        told = widths[0]
        self.labels = Labels(sizes, told)
        self.enter = linear(latent, told)
        self.mix = linear(told, told, gain=2**0.5)
        high, wide = self.maps[0]
        self.first = widths[0] // 2
        self.start = linear(latent + told, self.first * high * wide)
        self.blocks = nn.ModuleList()
        self.grain = nn.ParameterList()  # how much each channel of a map heeds the noise of its places
        width = self.first
        for level in widths:
            self.grain.append(nn.Parameter(torch.full((width, 1, 1), 0.1)))
            for _ in range(depth):
                self.blocks.append(Block(width, level, told=told, norm=False))
                width = level
        self.unfold = nn.ModuleList()  # to pixels: smoothly, since squares of pixels on their own show their seams
        for _ in range(frame.fold.bit_length() - 1):
            self.unfold.append(conv(width, NARROW, gain=2**0.5))
            width = NARROW
        self.leave = conv(width, frame.channels, gain=0.5)

    def forward(self, hidden: Tensor, labels: Tensor, ramp: float = 1.0) -> Tensor:
        """(n, hidden), (n, conditions) -> (n, channels, height, width), mostly between -1 and 1.

        Args:
            ramp: How much the labels count, 0 to 1 (Shahbazi et al. 2022).
        """
        noise, *grains = torch.split(hidden, [self.latent, *(high * wide for high, wide in self.maps)], dim=1)
        told = ramp * self.labels(labels)
        style = functional.silu(self.mix(functional.silu(self.enter(noise) + told)))
        h = self.start(torch.cat([noise, told], dim=1)).reshape(-1, self.first, *self.maps[0])
        depth = len(self.blocks) // len(self.maps)
        for level, ((high, wide), grain, heed) in enumerate(zip(self.maps, grains, self.grain, strict=True)):
            if level:
                h = double(h)
            h = h + heed * grain.reshape(-1, 1, high, wide)
            for block in self.blocks[level * depth : (level + 1) * depth]:
                h = block(h, style)
        for layer in self.unfold:
            h = double(layer(functional.silu(h)))
        out: Tensor = self.leave(functional.silu(h))
        return out[:, :, : self.frame.height, : self.frame.width]
