"""The critic: scores rows of cells, real ones high and generated ones low, if it can."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.layout import Layout


class Critic(nn.Module):
    """A row of cells enters as the sum of one vector for each cell; two more layers make a score of it.

    A cell's vector is its own plus, on an ordered column, a share that grows with its rank, so that neighbouring cells
    begin alike. Since a row enters linearly, rows of cells need no wide matrix, and rows of probabilities fit as well.
    """

    def __init__(self, layout: Layout, ranks: Tensor, *, width: int, depth: int, generator: torch.Generator) -> None:
        """Random weights from `generator`. ranks: of each cell, -1 to 1, 0 where there is no order: (layout.width,)."""
        super().__init__()
        self.layout = layout
        columns = torch.repeat_interleave(torch.arange(len(layout.sizes)), torch.tensor(layout.sizes))
        self.ranks: Tensor
        self.columns: Tensor
        self.register_buffer("ranks", ranks[:, None], persistent=False)
        self.register_buffer("columns", columns, persistent=False)
        scale = layout.width**-0.5  # small, so that the penalty on its steepness does not begin by flattening it
        self.own = nn.Parameter(scale * torch.randn(layout.width, width, generator=generator))
        self.slope = nn.Parameter(scale * torch.randn(len(layout.sizes), width, generator=generator))
        self.bias = nn.Parameter(torch.zeros(width))
        self.layers = nn.ModuleList([_linear(width, width, generator) for _ in range(depth - 1)])
        self.score = _linear(width, 1, generator)

    def vectors(self) -> Tensor:
        """What each cell adds to a row: (layout.width, width)."""
        return self.own + self.ranks * self.slope[self.columns]

    def enter(self, codes: Tensor, vectors: Tensor) -> Tensor:
        """Rows of cells, -1 for unknown: (n, n_columns) -> (n, width)."""
        starts = torch.tensor(self.layout.starts, device=codes.device)
        places = torch.where(codes < 0, self.layout.width, codes + starts)
        nothing = torch.zeros(1, vectors.shape[1], device=vectors.device)
        return functional.embedding_bag(places, torch.cat([vectors, nothing]), mode="sum")

    def forward(self, entering: Tensor) -> Tensor:
        """(n, width) from `enter` -> scores, (n,)."""
        row = functional.leaky_relu(entering + self.bias, 0.2)
        for layer in self.layers:
            row = functional.leaky_relu(layer(row), 0.2)
        scores: Tensor = self.score(row).squeeze(1)
        return scores


def _linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    """A layer with weights of He's size (He et al. 2015) from named randomness."""
    layer = nn.Linear(n_in, n_out)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(n_out, n_in, generator=generator) * (2 / n_in) ** 0.5)
        layer.bias.zero_()
    return layer
