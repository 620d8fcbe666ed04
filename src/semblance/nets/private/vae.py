"""An autoencoder that learns by noisy gradients alone, from noisy counts and a promise (``steps.py``).

Where the one without a promise (``nets/vae_learning.py``) reads patients, this one has noisy answers instead: the
decoder begins with the noisy share of each cell and ends calibrated to it, and where codes lie is told by one noisy
mean and covariance. Nobody is left out to stop by, no loss is kept, and no column is looked up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semblance.contracts import Run
from semblance.data.alphabet import Alphabet
from semblance.nets.device import device, threads
from semblance.nets.latent_sampler import Mixture
from semblance.nets.layout import Layout, ranks
from semblance.nets.private.clipping import unguessable
from semblance.nets.private.steps import NoisyGradients, learn
from semblance.nets.vae import BLOCK, HEAT, Autoencoder, Decoder, Layer, Shape, two_terms
from semblance.nets.vae_net import Skeleton, VaeNet, calibrate
from semblance.privacy import vectors
from semblance.privacy.batches import Batches
from semblance.privacy.sampled import Sampled

KEY = "fit/vae/private"
FAR = 1.5
"""Codes are shortened to so many times the root of how many numbers they have, before their noisy mean is taken."""
WARM = 0.05
"""Share of the steps over which the learning rate rises to its full size."""
CALIBRATED = 16_384
"""Codes drawn to calibrate by."""

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for, and what it has charged (``generators/vae.py``).

    Attributes:
        reach: Length to which a patient's gradient is clipped. training: The steps. place: Noise multiplier on the
            sums that tell where codes lie.
    """

    shape: Shape
    beta: float
    learning_rate: float
    reach: float
    training: Sampled
    place: float


class OneHot(nn.Module):
    """Rows of cells -> mean and log-variance of their codes; of linear layers and norms alone. ranks: (width,)."""

    def __init__(self, layout: Layout, ranks: Tensor, shape: Shape) -> None:
        super().__init__()
        self.layout = layout
        self.ranks = ranks
        self.enter = nn.Linear(layout.width + len(layout.sizes), shape.width)
        self.layers = nn.ModuleList([Layer(shape.width) for _ in range(shape.depth)])
        self.norm = nn.LayerNorm(shape.width)
        self.leave = nn.Linear(shape.width, 2 * shape.latent)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(n, n_columns) of cells, -1 for unknown -> two (n, latent)."""
        wide = self.layout.one_hot(codes)
        placed = torch.stack(
            [block.sum(dim=1) for block in self.layout.split(wide * self.ranks.to(wide.device))], dim=1
        )
        row = self.enter(torch.cat([wide, placed], dim=1) / math.sqrt(len(self.layout.sizes)))
        for layer in self.layers:
            row = layer(row)
        mean, log_variance = self.leave(self.norm(row)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 4)


def learn_vae(
    alphabet: Alphabet,
    codes: Codes,
    subjects: NDArray[np.int64],
    shares: tuple[Floats, ...],
    rows: float,
    *,
    plan: Plan,
    run: Run,
) -> tuple[VaeNet, int]:
    """Train on cells: (n, n_columns); also how many steps were taken.

    Args:
        subjects: Patient of each row. shares: Noisy share of each cell of each column. rows: Noisily counted.

    PRIVACY: `plan.training.event`, and `Gaussian(plan.place)`, both charged by the caller beforehand.
    """
    with threads(1):
        layout = Layout(alphabet.sizes)
        known, ordered = np.concatenate(shares), [cells.ordered for cells in alphabet.cells]
        encoder = OneHot(layout, torch.from_numpy(ranks(layout.sizes, shares, ordered)), plan.shape)
        stretches = [cells.quantile_cells for cells in alphabet.cells]
        decoder = Decoder(layout, torch.from_numpy(known.astype(np.float32)), stretches, plan.shape)
        decoder.bias.requires_grad_(False)  # calibrated in the end
        begin = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin"))
        auto = Autoencoder(encoder, decoder, begin).to(device())
        cells = torch.from_numpy(codes.astype(np.int64)).to(device())
        taken = _train(auto, cells, subjects, rows, plan, run)
        mixture = _place(auto, cells, subjects, rows, plan)
        net = VaeNet(Skeleton(alphabet.sizes, ()), plan.shape, auto.decoder.eval(), mixture)
        calibrate(net, known, run.seeds(f"{KEY}/calibrate"), rows=CALIBRATED)
    return net, taken


def _train(auto: Autoencoder, cells: Tensor, subjects: NDArray[np.int64], rows: float, plan: Plan, run: Run) -> int:
    """Take the steps; the nets end as a running average of the last of them."""
    dice = unguessable()
    heat = [0.0]

    def losses(at: Tensor) -> Tensor:
        drawn = torch.randn(len(at), plan.shape.latent, generator=dice).to(device())
        distortion, rate = two_terms(auto, cells[at], drawn)
        return distortion + plan.beta * heat[0] * rate

    optimiser = torch.optim.Adam([p for p in auto.parameters() if p.requires_grad], lr=plan.learning_rate)
    average = [p.detach().clone() for p in auto.parameters()]

    def each(step: int) -> None:
        share = step / plan.training.steps
        heat[0] = min(1.0, share / HEAT)
        for group in optimiser.param_groups:
            group["lr"] = (
                plan.learning_rate * min(1.0, (share + 0.01) / WARM) * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
            )
        with torch.no_grad():
            torch._foreach_lerp_(average, list(auto.parameters()), 1 - min(0.99, step / (step + 10)))

    noisy = NoisyGradients(
        auto, losses, Batches(subjects, plan.training.rate), training=plan.training, reach=plan.reach
    )
    taken = learn(
        auto, noisy, optimiser, training=plan.training, patients=rows, run=run, stage="learning privately", each=each
    )
    noisy.close()
    with torch.no_grad():
        for parameter, value in zip(auto.parameters(), average, strict=True):
            parameter.copy_(value)
    return taken


def _place(auto: Autoencoder, cells: Tensor, subjects: NDArray[np.int64], rows: float, plan: Plan) -> Mixture:
    """Where codes lie: a normal distribution with their noisy mean and covariance.

    Each patient adds the mean of their rows' codes and squares, shortened, so that both together have length sqrt(2)
    times the bound at most.
    """
    latent = plan.shape.latent
    far = FAR * math.sqrt(latent)
    sums = vectors.noisy_sum(_code_sums(auto, cells, subjects, far), plan.place, math.sqrt(2.0) * far) / rows
    mean = sums[:latent]
    square = sums[latent:].reshape(latent, latent) * far
    covariance = (square + square.T) / 2 - np.outer(mean, mean)
    sizes, axes = np.linalg.eigh(covariance)
    noise = plan.place * math.sqrt(2.0) * far * far / rows * math.sqrt(latent)
    sizes = np.where(np.abs(sizes - 1) < noise, 1.0, np.clip(sizes, 0.05, 4.0))
    root = np.linalg.cholesky((axes * sizes) @ axes.T + 1e-6 * np.eye(latent))
    one = torch.ones(1, dtype=torch.float64)
    return Mixture(one, torch.from_numpy(mean)[None], torch.from_numpy(root)[None])


def _code_sums(auto: Autoencoder, cells: Tensor, subjects: NDArray[np.int64], far: float) -> Floats:
    """Sum over patients of their mean code, and of its noise and squares over `far`: (latent + latent²,)."""
    found = []
    with torch.no_grad():
        for start in range(0, len(cells), BLOCK):
            mean, log_variance = auto.encoder(cells[start : start + BLOCK])
            found.append(torch.cat([mean, log_variance], dim=1).double().cpu())
    means, spreads = torch.cat(found).chunk(2, dim=1)
    drawn = means + torch.exp(0.5 * spreads) * torch.from_numpy(vectors.gaussian(means.numel()).reshape(means.shape))
    drawn = drawn * (far / drawn.norm(dim=1, keepdim=True).clamp(min=far))
    both = torch.cat([drawn, (drawn[:, :, None] * drawn[:, None, :]).flatten(1) / far], dim=1)
    sizes = np.bincount(subjects)[subjects]
    return np.asarray((both / torch.from_numpy(sizes.astype(np.float64))[:, None]).sum(dim=0).numpy())
