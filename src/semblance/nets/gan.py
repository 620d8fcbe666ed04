"""A generator of rows of cells, and how it and a critic are trained against each other.

The generator makes of a hidden row (noise, and the cells it is told) the probability of every cell of every column, and
each column is drawn on its own from those. The critic sees drawn cells, never probabilities, which would give the
generated rows away; the gradient goes back through the probabilities of a draw with Gumbel noise (Jang et al. 2017,
straight-through).

Where a real row's cell is unknown, the same cell of the generated row beside it is hidden from the critic too
(as in MisGAN, Li et al. 2019), so that what is unknown is not what tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.critics import Critic
from semblance.nets.device import device
from semblance.nets.layout import Layout
from semblance.nets.losses import GAMES, one_centred, steepness, zero_centred
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within

WARM_UP = 100
"""Steps over which the learning rate rises to its full size; it then falls to a twentieth along a cosine."""

LAZY = 4
"""Updates of the critic for one with R1 and R2, which then weigh as much more (Karras et al. 2020, appendix B)."""


class Forger(nn.Module):
    """Hidden rows -> logits of every cell. Begins with every column at its share in the training table."""

    def __init__(self, layout: Layout, shares: Tensor, *, told: int, latent: int, width: int, depth: int) -> None:
        """Zero weights, to be filled by `begin` or `load_state_dict`.

        Args:
            shares: Of each cell in training: (layout.width,). told: Cells that a hidden row names. latent: Noise.
        """
        super().__init__()
        self.latent, self.told = latent, told
        self.enter = nn.Linear(latent + told, width)
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth)])
        self.leave = nn.Linear(width, layout.width)
        self.lean = nn.Parameter(torch.zeros(told, layout.width))  # what each told cell adds to every logit
        with torch.no_grad():
            self.leave.bias.copy_(shares.clamp(min=1e-9).log())

    def begin(self, generator: torch.Generator, lean: Tensor) -> None:
        """Random weights; the last layer's are small, so that the first rows are nearly independent columns.

        Args:
            lean: How much more likely, in logarithms, each told cell makes every cell: (told, layout.width).
        """
        with torch.no_grad():
            self.lean.copy_(lean)
            for layer, gain in [(self.enter, 1.0), *((layer, 0.5) for layer in self.layers), (self.leave, 0.5)]:
                assert isinstance(layer, nn.Linear)
                size = gain * layer.in_features**-0.5
                layer.weight.copy_(size * torch.randn(layer.weight.shape, generator=generator))
                if layer is not self.leave:
                    layer.bias.zero_()

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, latent + told) -> (n, layout.width)."""
        logits: Tensor = self.leave(self.features(hidden))
        return logits + hidden[:, self.latent :] @ self.lean

    def features(self, hidden: Tensor) -> Tensor:
        """What the last layer sees: (n, latent + told) -> (n, width)."""
        row: Tensor = self.enter(hidden)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            row = row + layer(functional.silu(norm(row)))
        return functional.silu(row)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the two are trained; the fields are those of the recipe (``generators/gan.py``)."""

    loss: str
    learning_rate: float
    penalty: float
    critic_steps: int
    ema: float
    temperature: float


class Match:
    """Generator against critic: a Trainee (``nets/training.py``).

    Args:
        codes: Training cells: (n, n_columns). told: Positions of the columns that the generator is told.
        chances: How often each training row is to be shown; None for as it comes. (n,)
    """

    def __init__(
        self,
        layout: Layout,
        codes: NDArray[np.int32],
        *,
        forger: Forger,
        critic: Critic,
        told: tuple[int, ...],
        chances: NDArray[np.float64] | None,
        tuning: Tuning,
    ) -> None:
        self._layout, self._told, self._tuning = layout, told, tuning
        self._codes = torch.from_numpy(codes.astype(np.int64))
        self._upto = None if chances is None else torch.from_numpy(np.cumsum(chances))
        self._sizes = torch.tensor(layout.sizes, device=device())
        self._game = GAMES[tuning.loss]
        self._turns = tuning.critic_steps or self._game.critic_steps
        self.forger, self.critic = forger.to(device()), critic.to(device())
        self.average = {name: value.detach().clone() for name, value in forger.state_dict().items()}
        self._sharpen, self._judge = (self._optimiser(net) for net in (self.forger, self.critic))
        self.taken, self.paid = 0, 0.0

    def _optimiser(self, net: nn.Module) -> torch.optim.Optimizer:
        rate = self._tuning.learning_rate
        if self._game.momentum:
            return torch.optim.Adam(net.parameters(), lr=rate, betas=(0.0, 0.99), fused=True)
        return torch.optim.RMSprop(net.parameters(), lr=rate)

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update of the critic, and one of the generator where it is its turn."""
        rate = self._tuning.learning_rate * min(1.0, (self.taken + 1) / WARM_UP)
        rate *= 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share))
        for optimiser in (self._sharpen, self._judge):
            for group in optimiser.param_groups:
                group["lr"] = rate
        if self._upto is not None:
            aim = torch.rand(len(rows), generator=noise, dtype=torch.float64) * self._upto[-1]
            rows = torch.searchsorted(self._upto, aim, right=True).clamp(max=len(self._upto) - 1)
        real = self._codes[rows].to(device())
        hidden = self._hidden(real, noise)
        logits = self.forger(hidden)
        perturbed = logits + gumbel(logits, noise)
        fake = torch.stack([block.argmax(dim=1) for block in self._layout.split(perturbed.detach())], dim=1)
        fake = torch.where(real < 0, -1, fake)
        for position in self._told:
            fake[:, position] = real[:, position]
        losses = self._teach_critic(real, fake, noise)
        self.taken += 1
        if self.taken % self._turns == 0:
            self.paid = self._teach_forger(real, fake, perturbed)
        losses["generator"] = self.paid
        return losses

    def _hidden(self, real: Tensor, noise: torch.Generator) -> Tensor:
        """Noise, beside the cells of the real rows that the generator is told."""
        drawn = torch.randn(len(real), self.forger.latent, generator=noise).to(device())
        if not self._told:
            return drawn
        return torch.cat([drawn, told_cells(real[:, list(self._told)], self._layout, self._told)], dim=1)

    def _teach_critic(self, real: Tensor, fake: Tensor, noise: torch.Generator) -> dict[str, float]:
        game, critic, tuning = self._game, self.critic, self._tuning
        vectors = critic.vectors()
        entering = [critic.enter(codes, vectors) for codes in (real, fake)]
        scores = [critic(rows) for rows in entering]
        loss = game.critic(*scores)
        every = LAZY if game.smooth == "zero" else 1
        if game.smooth != "clip" and tuning.penalty > 0 and self.taken % every == 0:
            gram = vectors.T @ vectors
            if game.smooth == "zero":
                penalty = zero_centred(*(steepness(s, e, gram) for s, e in zip(scores, entering, strict=True)))
            else:
                part = torch.rand(len(real), 1, generator=noise).to(device())
                between = torch.lerp(entering[0], entering[1], part)
                penalty = one_centred(steepness(critic(between), between, gram))
            loss = loss + every * tuning.penalty * game.weight * penalty
        self._judge.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._judge.step()
        if game.smooth == "clip":
            with torch.no_grad():
                for weight in critic.parameters():
                    weight.clamp_(-game.weight, game.weight)
        gap = float((scores[0] - scores[1]).detach().mean())
        return {"critic": float(loss.detach()), "gap": gap}

    def _teach_forger(self, real: Tensor, fake: Tensor, perturbed: Tensor) -> float:
        """One update through the cells that were drawn, as if they were the probabilities they were drawn from."""
        with torch.no_grad():
            vectors = self.critic.vectors()
            real_scores = self.critic(self.critic.enter(real, vectors))
        entering = self.critic.enter(fake, vectors).requires_grad_(True)
        loss = self._game.generator(real_scores, self.critic(entering))
        (pull,) = torch.autograd.grad(loss, entering)
        wanted = pull @ vectors.T
        blocks = [
            functional.softmax(block / self._tuning.temperature, dim=1) for block in self._layout.split(perturbed)
        ]
        if (fake < 0).any():  # what the critic could not see pulls at nothing
            wanted *= (fake >= 0).to(wanted.dtype).repeat_interleave(self._sizes, dim=1)
        for position in self._told:
            self._layout.split(wanted)[position].zero_()
        self._sharpen.zero_grad(set_to_none=True)
        torch.cat(blocks, dim=1).backward(wanted)  # type: ignore[no-untyped-call]
        self._sharpen.step()
        kept = min(self._tuning.ema, self.taken / (self.taken + 10))
        for name, value in self.forger.state_dict().items():
            self.average[name].lerp_(value, 1 - kept)
        return float(loss.detach())

    def state(self) -> dict[str, Tensor]:
        """Both nets, both optimisers, the average, and the steps taken."""
        return {
            **flat("forger", self.forger.state_dict()),
            **flat("critic", self.critic.state_dict()),
            **flat("average", self.average),
            **flat("sharpen", optimiser_tensors(self._sharpen)),
            **flat("judge", optimiser_tensors(self._judge)),
            "taken": torch.tensor(self.taken),
            "paid": torch.tensor(self.paid, dtype=torch.float64),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.forger.load_state_dict(within("forger", state))
        self.critic.load_state_dict(within("critic", state))
        self.average = {name: value.clone() for name, value in within("average", state).items()}
        restore_optimiser(self._sharpen, within("sharpen", state))
        restore_optimiser(self._judge, within("judge", state))
        self.taken, self.paid = int(state["taken"]), float(state["paid"])


def gumbel(logits: Tensor, noise: torch.Generator) -> Tensor:
    """Noise that makes the largest of logits plus noise a draw from their softmax (Gumbel 1954)."""
    flat_noise = torch.rand(logits.shape, generator=noise).clamp_(1e-20, 1 - 1e-7)
    return flat_noise.log_().neg_().log_().neg_().to(logits.device)


def told_cells(codes: Tensor, layout: Layout, told: tuple[int, ...]) -> Tensor:
    """One-hot cells of the told columns: (n, k) of cells -> (n, cells of them all)."""
    return Layout([layout.sizes[position] for position in told]).one_hot(codes)
