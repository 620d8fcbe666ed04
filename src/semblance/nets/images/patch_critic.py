"""A critic of patches: it scores every neighbourhood of an image, not the image (Isola et al. 2017, section 3.2.2).

What it cannot see at once it cannot learn by heart, which matters where there are a hundred images of a kind.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.images.blocks import begin, conv


class PatchCritic(nn.Module):
    """Image -> a score for each neighbourhood.

    Images enter in units of their own spread: tissues differ by a tenth of the range, and a critic that is shown the
    range takes ten times as many steps to tell them apart.
    """

    def __init__(self, channels: int, *, fold: int, widths: tuple[int, ...], scale: tuple[float, float]) -> None:
        """Weights are to be filled by `start` or `load_state_dict`.

        Args:
            fold: Side of the squares of pixels that enter as one. widths: Channels of each level; every level sees a
                neighbourhood about twice as wide as the one before. scale: Mean and spread of what is not background.
        """
        super().__init__()
        self.fold, self.scale = fold, scale
        layers: list[nn.Module] = []
        n_in, last = channels * fold**2, len(widths) - 1
        for level, n_out in enumerate(widths):
            halves = level == 0 or level < last
            layers.append(nn.Conv2d(n_in, n_out, 4, stride=2, padding=1) if halves else conv(n_in, n_out))
            if level:
                layers.append(nn.GroupNorm(max(1, n_out // 16), n_out))
            layers.append(nn.LeakyReLU(0.2))
            n_in = n_out
        self.layers = nn.Sequential(*layers, conv(n_in, 1))

    def start(self, noise: torch.Generator) -> PatchCritic:
        """Fill in random weights."""
        begin(self, noise)
        return self

    def forward(self, image: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, 1, rows, columns) of scores."""
        down, right = (-size % self.fold for size in image.shape[2:])
        padded = functional.pad(image, (0, right, 0, down), mode="replicate") if down or right else image
        mean, spread = self.scale
        out: Tensor = self.layers(functional.pixel_unshuffle((padded - mean) / spread, self.fold))
        return out
