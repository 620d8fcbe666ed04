"""The blocks that all image nets are built of. No batch normalisation: it ties images of a batch to each other, which
breaks gradient penalties and per-patient clipping.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def begin(net: nn.Module, noise: torch.Generator) -> None:
    """Random weights of He's size (He et al. 2015) from named randomness, times the layer's `gain` where it has one."""
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                weight = layer.weight
                size = float(getattr(layer, "gain", 1.0)) * (weight[0].numel() ** -0.5)
                weight.copy_(size * torch.randn(weight.shape, generator=noise))
                if layer.bias is not None:
                    layer.bias.zero_()
            elif isinstance(layer, nn.Embedding):
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=noise))


def conv(n_in: int, n_out: int, size: int = 3, *, gain: float = 1.0, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps height and width; `gain` 0 makes it begin as nothing."""
    layer = nn.Conv2d(n_in, n_out, size, padding=size // 2, groups=groups)
    layer.gain = gain  # type: ignore[assignment]
    return layer


def linear(n_in: int, n_out: int, *, gain: float = 1.0) -> nn.Linear:
    """A matrix and a bias."""
    layer = nn.Linear(n_in, n_out)
    layer.gain = gain  # type: ignore[assignment]
    return layer


class Block(nn.Module):
    """A residual block: two 3 × 3 convolutions, told what to make by scaling and shifting (FiLM, Perez et al. 2018).

    Args:
        told: Length of the context; 0 for none. norm: Whether to normalise groups of 16 channels of each image (Wu and
            He 2018); without, the second convolution begins at zero all the same (Zhang et al. 2019, fixup).
    """

    def __init__(self, n_in: int, n_out: int, *, told: int = 0, norm: bool = True) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(max(1, n_in // 16), n_in) if norm else nn.Identity()
        self.first = conv(n_in, n_out, gain=2**0.5)
        self.second_norm = nn.GroupNorm(max(1, n_out // 16), n_out) if norm else nn.Identity()
        self.second = conv(n_out, n_out, gain=0.0)
        self.film = linear(told, 2 * n_out, gain=0.0) if told else None
        self.past = conv(n_in, n_out, 1) if n_in != n_out else nn.Identity()

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """(n, n_in, h, w), (n, told) -> (n, n_out, h, w)."""
        h = self.second_norm(self.first(functional.silu(self.first_norm(x))))
        if self.film is not None and context is not None:
            scale, shift = self.film(context)[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        out: Tensor = self.past(x) + self.second(functional.silu(h))
        return out


class Attention(nn.Module):
    """Every place looks at every other (Vaswani et al. 2017); for small maps only."""

    def __init__(self, channels: int, *, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(max(1, channels // 16), channels)
        self.ask = conv(channels, 3 * channels, 1)
        self.answer = conv(channels, channels, 1, gain=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> the same shape."""
        n, c, height, width = x.shape
        query, key, value = (
            part.reshape(n, self.heads, c // self.heads, height * width).transpose(2, 3)
            for part in self.ask(self.norm(x)).chunk(3, dim=1)
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = x + self.answer(seen.transpose(2, 3).reshape(n, c, height, width))
        return out


class Down(nn.Module):
    """Half the height and width: the mean of 2 × 2 pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h / 2, w / 2)."""
        return functional.avg_pool2d(x, 2)


class Up(nn.Module):
    """Twice the height and width: each pixel four times. A convolution after it smooths the edges."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, 2 h, 2 w)."""
        return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Context(nn.Module):
    """What a net is told beside the image: labels, each by its number, and the time of a flow. -> (n, width).

    A label of -1, unknown, adds nothing; so does every label of a net that is to draw without being told.
    """

    def __init__(self, sizes: tuple[int, ...], width: int, *, time: bool = False, noise: int = 0) -> None:
        """`sizes`: Labels of each condition. time: Whether a time, 0 to 1, is told. noise: Length of hidden vectors."""
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(size + 1, width, padding_idx=size) for size in sizes])
        self.sizes = sizes
        self.waves = 16 if time else 0
        self.enter = linear(2 * self.waves + noise, width) if time or noise else None
        self.mix = nn.Sequential(nn.SiLU(), linear(width, width, gain=2**0.5), nn.SiLU())
        self.width = width

    def forward(self, labels: Tensor, *, time: Tensor | None = None, hidden: Tensor | None = None) -> Tensor:
        """(n, conditions) of numbers, (n,) of times, (n, noise) -> (n, width)."""
        known = torch.zeros(len(labels), self.width, device=labels.device)
        for column, table, size in zip(labels.T, self.tables, self.sizes, strict=True):
            known = known + table(torch.where(column < 0, size, column)) * (column >= 0)[:, None]
        entering = [] if hidden is None else [hidden]
        if time is not None:
            angles = time[:, None] * 2.0 ** torch.linspace(0, 8, self.waves, device=time.device)
            entering += [angles.sin(), angles.cos()]
        if self.enter is not None:
            known = known + self.enter(torch.cat(entering, dim=1))
        out: Tensor = self.mix(known)
        return out
