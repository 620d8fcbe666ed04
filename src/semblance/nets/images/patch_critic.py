"""A critic of patches: it scores every neighbourhood of an image, not the image (Isola et al. 2017, section 3.2.2).

What it cannot see at once it cannot learn by heart, which matters where there are a hundred images of a kind.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.images.blocks import Block, Down, begin, conv

OUTSPOKEN = 4.0
"""How large scores are in the beginning: a critic that whispers teaches nothing."""


class PatchCritic(nn.Module):
    """Image -> a score for each neighbourhood; no normalisation, so that it sees how bright things are."""

    def __init__(self, channels: int, *, fold: int, widths: tuple[int, ...]) -> None:
        """Weights are to be filled by `start` or `load_state_dict`.

        Args:
            fold: Side of the squares of pixels that enter as one. widths: Channels of each level; every level after
                the first sees a neighbourhood twice as wide.
        """
        super().__init__()
        self.fold = fold
        self.enter = conv(channels * fold**2, widths[0])
        before = (widths[0], *widths[:-1])
        self.blocks = nn.ModuleList(
            [Block(n_in, n_out, norm=False) for n_in, n_out in zip(before, widths, strict=True)]
        )
        self.down = Down()
        self.leave = conv(widths[-1], 1, 1, gain=OUTSPOKEN)

    def start(self, noise: torch.Generator) -> PatchCritic:
        """Fill in random weights."""
        begin(self, noise)
        return self

    def forward(self, image: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, 1, rows, columns) of scores."""
        down, right = (-size % self.fold for size in image.shape[2:])
        padded = functional.pad(image, (0, right, 0, down), mode="replicate") if down or right else image
        h = self.enter(functional.pixel_unshuffle(padded, self.fold))
        for number, block in enumerate(self.blocks):
            h = block(self.down(h) if number else h)
        out: Tensor = self.leave(functional.silu(h))
        return out
