"""A variational autoencoder for rows of cells (Kingma and Welling 2014; with beta, Higgins et al. 2017).

The encoder turns a row of cells into a normal distribution over codes of a few numbers; the decoder turns a code into
the probability of every cell of every column, each column on its own. Trained to

    minimise   distortion + beta * rate,
    distortion = E[-log p(row | code)], rate = E[KL(q(code | row) || N(0, I))],   both in nats per row.

With beta = 1 the sum is the negative ELBO, an upper bound on -log p(row). The rate is what the codes tell of the rows:
an upper bound, on average, on what the decoder can know of a patient (Alemi et al. 2018).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.device import device
from semblance.nets.layout import Layout
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within

WAVES = 24
"""Numbers that shape the quantile cells of a column, where it has clearly more of those."""
WARM_UP = 100
"""Steps over which the learning rate rises to its full size; it then falls to a fiftieth along a cosine."""
HEAT = 0.2
"""Share of the training over which beta rises from 0: before the codes tell anything, saving on them would end them."""
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the two nets: numbers in a code, width and number of hidden layers."""

    latent: int
    width: int
    depth: int


class Layer(nn.Module):
    """A hidden layer that adds to what it is given, nothing at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, row: Tensor) -> Tensor:
        added: Tensor = self.outer(functional.silu(self.inner(self.norm(row))))
        return row + added


class Encoder(nn.Module):
    """Rows of cells -> mean and log-variance of their codes. ranks: of every cell, see `layout.ranks`: (width,)."""

    def __init__(self, layout: Layout, ranks: Tensor, shape: Shape) -> None:
        super().__init__()
        self.layout = layout
        self.cells = nn.Parameter(torch.zeros(layout.width, shape.width))
        self.slopes = nn.Parameter(torch.zeros(len(layout.sizes), shape.width))
        self.register_buffer("ranks", torch.cat([ranks, torch.zeros(1)]), persistent=False)
        self.layers = nn.ModuleList([Layer(shape.width) for _ in range(shape.depth)])
        self.norm = nn.LayerNorm(shape.width)
        self.leave = nn.Linear(shape.width, 2 * shape.latent)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(n, n_columns) of cells, -1 for unknown -> two (n, latent)."""
        starts = torch.tensor(self.layout.starts, device=codes.device)
        places = torch.where(codes < 0, self.layout.width, codes + starts)
        nothing = torch.zeros(1, self.cells.shape[1], device=codes.device)
        row = functional.embedding_bag(places, torch.cat([self.cells, nothing]), mode="sum")
        row = row + self.ranks[places] @ self.slopes  # type: ignore[index]
        for layer in self.layers:
            row = layer(row)
        mean, log_variance = self.leave(self.norm(row)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 4)


class Decoder(nn.Module):
    """Codes -> logits of every cell. Begins with every column at its share in the training table.

    The logits of a column's quantile cells, where there are many, are a smooth curve over them: a sum of cosines.

    Args:
        shares: Of each cell in training: (layout.width,). stretches: Positions of each column's quantile cells.
    """

    def __init__(self, layout: Layout, shares: Tensor, stretches: Sequence[NDArray[np.int32]], shape: Shape) -> None:
        super().__init__()
        self.layout = layout
        self.enter = nn.Linear(shape.latent, shape.width)
        self.layers = nn.ModuleList([Layer(shape.width) for _ in range(shape.depth)])
        self.norm = nn.LayerNorm(shape.width)
        self.waves = [_waves(size, stretch) for size, stretch in zip(layout.sizes, stretches, strict=True)]
        self.widths = [size if w is None else len(w) for size, w in zip(layout.sizes, self.waves, strict=True)]
        self.leave = nn.Linear(shape.width, sum(self.widths), bias=False)
        self.bias = nn.Parameter(shares.clamp(min=1e-6).log())

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, latent) -> (n, layout.width)."""
        row = self.enter(hidden)
        for layer in self.layers:
            row = layer(row)
        blocks = torch.split(self.leave(self.norm(row)), self.widths, dim=1)
        spread = [
            block if waves is None else block @ waves.to(block.device)
            for block, waves in zip(blocks, self.waves, strict=True)
        ]
        return torch.cat(spread, dim=1) + self.bias


def _waves(size: int, stretch: NDArray[np.int32]) -> Tensor | None:
    """What makes logits of a column of fewer numbers: (numbers, size); None where each cell has its own."""
    if len(stretch) <= 1.5 * WAVES:
        return None
    others = np.setdiff1d(np.arange(size), stretch)
    waves = torch.zeros(WAVES + len(others), size)
    middle = (torch.arange(len(stretch)) + 0.5) / len(stretch)
    for wave in range(WAVES):
        waves[wave, stretch] = torch.cos(math.pi * wave * middle) / math.sqrt(1 + wave)
    waves[WAVES + torch.arange(len(others)), others] = 1.0
    return waves


class Autoencoder(nn.Module):
    """Encoder and decoder, with random weights from `generator`; a layer begins small where it only adds."""

    def __init__(self, encoder: nn.Module, decoder: Decoder, generator: torch.Generator) -> None:
        """encoder: `Encoder`, or another that turns rows of cells into means and log-variances."""
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    gain = 0.1 if module is decoder.leave else 0.58
                    size = gain * module.in_features**-0.5
                    module.weight.copy_(size * torch.randn(module.weight.shape, generator=generator))
                    if module.bias is not None:
                        module.bias.zero_()
            scale = len(decoder.layout.sizes) ** -0.5
            for parameter in encoder.parameters(recurse=False):
                parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
            for module in self.modules():
                if isinstance(module, Layer):
                    module.outer.weight.zero_()


def two_terms(net: Autoencoder, codes: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Distortion and rate of each row, in nats: (n, n_columns) and (n, latent) of standard normal noise -> two (n,)."""
    mean, log_variance = net.encoder(codes)
    logits = net.decoder(mean + torch.exp(0.5 * log_variance) * noise)
    distortion = torch.zeros(len(codes), device=codes.device)
    for position, block in enumerate(net.decoder.layout.split(logits)):
        distortion = distortion + functional.cross_entropy(block, codes[:, position], ignore_index=-1, reduction="none")
    rate = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
    return distortion, rate


class Learner:
    """Encoder and decoder in training: a Trainee (``nets/training.py``). What is kept is a running average of them.

    Args:
        codes: Training cells, -1 for unknown: (n, n_columns). stop: Share of the full schedule to be trained.
    """

    def __init__(
        self, net: Autoencoder, codes: NDArray[np.int32], *, beta: float, learning_rate: float, stop: float = 1.0
    ) -> None:
        self._codes = torch.from_numpy(codes.astype(np.int64)).to(device())
        self._beta, self._rate, self._stop = beta, learning_rate, stop
        self.net = net.to(device())
        self.average = copy.deepcopy(self.net).eval()
        self._optimiser = torch.optim.AdamW(self.net.parameters(), lr=learning_rate, betas=(0.9, 0.98))
        self._taken = 0

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update of both nets; the two terms in nats a row, whatever beta is."""
        share *= self._stop
        rate = self._rate * min(1.0, (self._taken + 1) / WARM_UP) * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        codes = self._codes[rows]
        drawn = torch.randn(len(codes), self.net.decoder.enter.in_features, generator=noise).to(device())
        distortion, kept = (term.mean() for term in two_terms(self.net, codes, drawn))
        loss = distortion + self._beta * min(1.0, share / HEAT) * kept
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self._optimiser.step()
        self._taken += 1
        past = min(0.999, self._taken / (self._taken + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - past)
        return {"distortion": float(distortion.detach()), "rate": float(kept.detach())}

    def state(self) -> dict[str, Tensor]:
        """Both nets, their average, the optimiser, and the steps taken."""
        return {
            **flat("net", self.net.state_dict()),
            **flat("average", self.average.state_dict()),
            **flat("adam", optimiser_tensors(self._optimiser)),
            "taken": torch.tensor(self._taken),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.net.load_state_dict(within("net", state))
        self.average.load_state_dict(within("average", state))
        restore_optimiser(self._optimiser, within("adam", state))
        self._taken = int(state["taken"])


def measure(net: Autoencoder, codes: NDArray[np.int32], generator: torch.Generator) -> tuple[float, float]:
    """Mean distortion and rate of rows of cells, in nats: (n, n_columns)."""
    terms = []
    with torch.no_grad():
        for start in range(0, len(codes), BLOCK):
            rows = torch.from_numpy(codes[start : start + BLOCK].astype(np.int64)).to(device())
            noise = torch.randn(len(rows), net.decoder.enter.in_features, generator=generator).to(device())
            terms.append(torch.stack(two_terms(net, rows, noise)).cpu())
    distortion, rate = torch.cat(terms, dim=1).mean(dim=1)
    return float(distortion), float(rate)


def encode(net: Autoencoder, codes: NDArray[np.int32]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every row's code: (n, n_columns) -> two (n, latent), on the processor."""
    found = []
    with torch.no_grad():
        for start in range(0, len(codes), BLOCK):
            rows = torch.from_numpy(codes[start : start + BLOCK].astype(np.int64)).to(device())
            mean, log_variance = net.encoder(rows)
            found.append((mean.cpu(), torch.exp(0.5 * log_variance).cpu()))
    return torch.cat([mean for mean, _ in found]), torch.cat([spread for _, spread in found])
