"""The trunk: an image in, an image of the same height and width out (Ronneberger et al. 2015).

The image enters with each square of pixels folded into channels (Shi et al. 2016), so that 28 and 64 pixels cost about
the same, and is padded to what the levels can halve. Flow matching, translation and painting around masks all use it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.images.blocks import Attention, Block, Down, Up, conv


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a trunk is.

    Attributes:
        fold: Side of the squares of pixels that enter as one. widths: Channels of each level, the finest first.
        blocks: Residual blocks of a level, each way. attention: Whether the coarsest level looks at itself.
    """

    fold: int = 2
    widths: tuple[int, ...] = (64, 128)
    blocks: int = 1
    attention: bool = True


class UNet(nn.Module):
    """Image and context -> image. Begins as zero everywhere."""

    def __init__(self, n_in: int, n_out: int, *, shape: Shape, told: int = 0, norm: bool = True) -> None:
        """Zero-information weights, to be filled by `blocks.begin` or `load_state_dict`."""
        super().__init__()
        self.shape = shape
        widths = shape.widths
        self.enter = conv(n_in * shape.fold**2, widths[0])
        self.fall, self.rise = nn.ModuleList(), nn.ModuleList()
        width, kept = widths[0], [widths[0]]
        for level in widths:
            for _ in range(shape.blocks):
                self.fall.append(Block(width, level, told=told, norm=norm))
                width = level
                kept.append(level)
        self.bottom = Block(width, width, told=told, norm=norm)
        self.look = Attention(width) if shape.attention else nn.Identity()
        for level in reversed(widths):
            for _ in range(shape.blocks):
                self.rise.append(Block(width + kept.pop(), level, told=told, norm=norm))
                width = level
        self.last_norm = nn.GroupNorm(max(1, width // 16), width) if norm else nn.Identity()
        self.leave = conv(width, n_out * shape.fold**2, gain=0.0)
        self.down, self.up = Down(), Up()

    def forward(self, image: Tensor, context: Tensor | None = None) -> Tensor:
        """(n, n_in, height, width), (n, told) -> (n, n_out, height, width)."""
        height, width = image.shape[2:]
        h = self.enter(functional.pixel_unshuffle(self._padded(image), self.shape.fold))
        kept, blocks = [], self.shape.blocks
        for number, block in enumerate(self.fall):
            if number and number % blocks == 0:
                h = self.down(h)
            h = block(h, context)
            kept.append(h)
        h = self.look(self.bottom(h, context))
        for number, block in enumerate(self.rise):
            if number and number % blocks == 0:
                h = self.up(h)
            h = block(torch.cat([h, kept.pop()], dim=1), context)
        out = functional.pixel_shuffle(self.leave(functional.silu(self.last_norm(h))), self.shape.fold)
        return out[:, :, :height, :width]

    def _padded(self, image: Tensor) -> Tensor:
        """The image, its last rows and columns repeated until every level can halve what it gets."""
        multiple = self.shape.fold * 2 ** (len(self.shape.widths) - 1)
        down, right = (-size % multiple for size in image.shape[2:])
        return functional.pad(image, (0, right, 0, down), mode="replicate") if down or right else image
