"""The critic of images: scores real ones high and made ones low, if it can.

Beside each image it sees how much a few images beside it in the batch differ, feature by feature, so that a generator
that makes the same image over and over is found out (Karras et al. 2018, section 3, there as one number). What the
labels add is a product of features and label (Miyato and Koyama 2018).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.images.blocks import conv, linear
from semblance.nets.images.frame import Frame, Labels
from semblance.nets.images.resample import halve

GROUP = 8
"""Images that are compared with each other, at most."""
SLOPE = 0.2
FAINT = 0.1
"""Differences far below it count by their square: their root would be steep where images hardly differ."""


class Fall(nn.Module):
    """A residual block that halves height and width between its two convolutions."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.first = conv(n_in, n_in, gain=2**0.5)
        self.second = conv(n_in, n_out, gain=0.0)
        self.past = conv(n_in, n_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in, h, w) -> (n, n_out, h / 2, w / 2)."""
        h = halve(self.first(functional.leaky_relu(x, SLOPE)))
        out: Tensor = self.past(halve(x)) + self.second(functional.leaky_relu(h, SLOPE))
        return out


class Critic(nn.Module):
    """Images and labels -> scores.

    Args:
        gain: What the score is multiplied by: the same as a faster last layer, without which the critic begins so
            flat that the game stalls.
        group: Images of a batch that are compared with each other; 1 for none.
    """

    def __init__(self, frame: Frame, sizes: tuple[int, ...], *, gain: float = 1.0, group: int = GROUP) -> None:
        super().__init__()
        self.frame, self.gain, self.group = frame, gain, group
        widths = frame.widths
        self.enter = conv(frame.channels * frame.fold**2, widths[0])
        self.fall = nn.ModuleList([Fall(fine, coarse) for fine, coarse in pairwise(widths)])
        self.last = conv(widths[-1], widths[-1], gain=2**0.5)
        high, wide = frame.maps[-1]
        self.squeeze = conv(widths[-1], widths[-1] // 8, 1, gain=2**0.5)
        self.gather = linear(widths[-1] // 8 * high * wide, 2 * widths[-1], gain=2**0.5)
        self.weigh = linear((4 if group > 1 else 2) * widths[-1], 2 * widths[-1], gain=2**0.5)
        self.labels = Labels(sizes, 2 * widths[-1])
        self.score = linear(2 * widths[-1], 1)

    def forward(self, images: Tensor, labels: Tensor, ramp: float = 1.0) -> Tensor:
        """(n, channels, height, width), (n, conditions) -> (n,). Neighbours in the batch are compared.

        Args:
            ramp: How much the labels count, 0 to 1.
        """
        h = self.enter(functional.pixel_unshuffle(self._padded(images), self.frame.fold))
        for block in self.fall:
            h = block(h)
        h = functional.leaky_relu(h + self.last(functional.leaky_relu(h, SLOPE)), SLOPE)
        h = functional.leaky_relu(self.squeeze(h), SLOPE)
        with torch.autocast(images.device.type, enabled=False):  # few numbers, and the score needs all their digits
            found = functional.leaky_relu(self.gather(h.float().flatten(1)), SLOPE)
            if self.group > 1:
                found = torch.cat([found, spread(found, self.group)], dim=1)
            found = functional.leaky_relu(self.weigh(found), SLOPE)
            scores = self.score(found).squeeze(1)
            scores = scores + ramp * (found * self.labels(labels)).sum(dim=1) * self.labels.width**-0.5
        out: Tensor = self.gain * scores
        return out

    def _padded(self, images: Tensor) -> Tensor:
        """The images, their last rows and columns repeated until they fill the finest map."""
        high, wide = (side * self.frame.fold for side in self.frame.maps[0])
        down, right = high - images.shape[2], wide - images.shape[3]
        return functional.pad(images, (0, right, 0, down), mode="replicate") if down or right else images


def spread(features: Tensor, group: int) -> Tensor:
    """Standard deviation of each feature among neighbours: (n, d) -> (n, d), the same for all of a group.

    Args:
        group: Rows of a group; the largest number up to it that divides n is taken.
    """
    size = next(size for size in range(min(group, len(features)), 0, -1) if len(features) % size == 0)
    grouped = features.reshape(-1, size, features.shape[1])
    found: Tensor = (grouped.var(dim=1, keepdim=True, correction=0) + FAINT**2).sqrt() - FAINT
    return found.expand_as(grouped).reshape(features.shape)
