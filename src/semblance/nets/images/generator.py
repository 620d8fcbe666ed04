"""The generator of images: noise and labels in, an image out: a Gaussian's image, and what is wrong with it.

Noise enters three ways: as the first coarse map, as what every block is told (FiLM, Perez et al. 2018), and as one
number for each place of every map, so that texture need not be wrung out of the coarse map (Karras et al. 2019).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.images.beginnings import Beginning
from semblance.nets.images.blocks import Block, conv, linear
from semblance.nets.images.frame import NARROW, Frame, Labels
from semblance.nets.images.resample import double


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
        self.leave = conv(width, frame.channels, gain=0.1)
        self.beginning = Beginning(frame, sizes, latent=latent)

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
        out: Tensor = self.leave(functional.silu(h)) + self.beginning(noise, labels, ramp)
        return out[:, :, : self.frame.height, : self.frame.width]
