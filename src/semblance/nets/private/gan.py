"""A generator against a critic that alone sees patients, and learns from them by noisy gradients alone (``steps.py``).

The generator never sees a real row, nor a score of one: it learns from the critic, so it costs nothing (Xie et al.
2018; Torkzadehmahani, Kairouz and Paten 2019). The critic's loss is one for each real row with a generated one beside
it, and both are clipped together, so that clipping favours neither. It takes several steps for one of the generator:
under noise it needs them to stay ahead (Bie, Kamath and Zhang 2023).

The generator begins with the noisy share of each cell, is told cells drawn by those, and ends calibrated to them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from semblance.conditionals.premises import Premises
from semblance.contracts import Run
from semblance.data.alphabet import Alphabet
from semblance.nets.device import device, threads
from semblance.nets.gan import Forger, Tuning, gumbel
from semblance.nets.gan_learning import Size
from semblance.nets.gan_net import GanNet, calibrate
from semblance.nets.layout import Layout, ranks
from semblance.nets.losses import GAMES
from semblance.nets.private.clipping import unguessable
from semblance.nets.private.steps import NoisyGradients, learn
from semblance.privacy.batches import Batches
from semblance.privacy.sampled import Sampled

KEY = "fit/gan/private"
TURNS = 4
"""Usual steps of the critic for one of the generator."""
WARM = 0.05
"""Share of the steps over which the learning rate rises to its full size."""

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for, and what it has charged (``generators/gan.py``).

    Attributes:
        reach: Length to which a patient's gradient of the critic is clipped. training: The critic's steps.
    """

    size: Size
    tuning: Tuning
    reach: float
    training: Sampled


class OneHotCritic(nn.Module):
    """Rows as probabilities of cells -> scores; of linear layers alone. ranks: of every cell: (layout.width,)."""

    def __init__(self, layout: Layout, ranks: Tensor, *, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layout, self.ranks = layout, ranks
        self.enter = nn.Linear(layout.width + len(layout.sizes), width)
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.score = nn.Linear(width, 1)
        with torch.no_grad():
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    size = (2 / layer.in_features) ** 0.5
                    layer.weight.copy_(size * torch.randn(layer.weight.shape, generator=generator))
                    layer.bias.zero_()

    def forward(self, wide: Tensor) -> Tensor:
        """(n, layout.width) -> (n,)."""
        placed = [block.sum(dim=1) for block in self.layout.split(wide * self.ranks.to(wide.device))]
        row = self.enter(torch.cat([wide, torch.stack(placed, dim=1)], dim=1))
        for layer in self.layers:
            row = layer(functional.leaky_relu(row, 0.2))
        scores: Tensor = self.score(functional.leaky_relu(row, 0.2)).squeeze(1)
        return scores


class Drawn:
    """Rows of the generator, drawn so that a gradient goes back through them.

    Args:
        told: Positions of the told columns. shares: Of each cell of each column.
    """

    def __init__(self, forger: Forger, layout: Layout, told: tuple[int, ...], shares: tuple[Floats, ...]) -> None:
        self.layout, self._forger, self._told = layout, forger, told
        self._upto = [torch.from_numpy(np.cumsum(shares[at])) for at in told]

    def __call__(self, n: int, dice: torch.Generator, temperature: float) -> Tensor:
        """Cells, one-hot, whose gradient is that of the softened draw (Jang et al. 2017): (n, layout.width)."""
        hidden, cells = [torch.randn(n, self._forger.latent, generator=dice)], []
        for upto in self._upto:
            aim = torch.rand(n, generator=dice, dtype=torch.float64) * upto[-1]
            cell = torch.searchsorted(upto, aim, right=True).clamp(max=len(upto) - 1)
            cells.append(functional.one_hot(cell, len(upto)).float())
        logits = self._forger(torch.cat([*hidden, *cells], dim=1).to(device()))
        blocks = []
        for block in self.layout.split(logits + gumbel(logits, dice)):
            soft = functional.softmax(block / temperature, dim=1)
            hard = functional.one_hot(block.argmax(dim=1), block.shape[1]).to(soft.dtype)
            blocks.append(hard + soft - soft.detach())
        for at, cell_told in zip(self._told, cells, strict=True):
            blocks[at] = cell_told.to(device())
        return torch.cat(blocks, dim=1)


def learn_gan(
    alphabet: Alphabet,
    codes: Codes,
    subjects: NDArray[np.int64],
    shares: tuple[Floats, ...],
    rows: float,
    told: tuple[int, ...],
    *,
    plan: Plan,
    run: Run,
) -> tuple[GanNet, int]:
    """Train on cells: (n, n_columns); also how many steps the critic took.

    Args:
        subjects: Patient of each row. shares: Noisy share of each cell of each column. rows: Noisily counted.
        told: Positions of the columns that the generator is told.

    PRIVACY: `plan.training.event`, charged by the caller beforehand.
    """
    with threads(1):
        layout, size = Layout(alphabet.sizes), plan.size
        known, ordered = np.concatenate(shares), [cells.ordered for cells in alphabet.cells]
        begin = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin"))
        wide = sum(layout.sizes[at] for at in told)
        begun = torch.from_numpy(known.astype(np.float32))
        forger = Forger(layout, begun, told=wide, latent=size.latent, width=size.width, depth=size.depth)
        forger.begin(begin, torch.zeros(wide, layout.width))
        order = torch.from_numpy(ranks(layout.sizes, shares, ordered))
        critic = OneHotCritic(layout, order, width=size.width, depth=size.depth, generator=begin)
        draw = Drawn(forger.to(device()), layout, told, shares)
        cells = torch.from_numpy(codes.astype(np.int64))
        average, taken = _play(forger, critic.to(device()), draw, cells, subjects, rows, plan, run)
        forger.load_state_dict(average)
        premises = Premises(
            told, np.empty((0, len(told)), np.int32), np.empty(0), tuple(shares[at] for at in told), 1.0
        )
        net = GanNet(layout, forger.eval(), premises)
        calibrate(net, known, run.seeds.within(KEY))
    return net, taken


def _play(
    forger: Forger,
    critic: OneHotCritic,
    draw: Drawn,
    cells: Tensor,
    subjects: NDArray[np.int64],
    rows: float,
    plan: Plan,
    run: Run,
) -> tuple[dict[str, Tensor], int]:
    """The running average of the generator, and the steps taken: the critic's noisy ones, and between them its own."""
    tuning, training = plan.tuning, plan.training
    game, turns, batch = GAMES[tuning.loss], tuning.critic_steps or TURNS, plan.size.batch
    judge = torch.optim.Adam(critic.parameters(), lr=tuning.learning_rate, betas=(0.5, 0.99))
    sharpen = torch.optim.Adam(forger.parameters(), lr=tuning.learning_rate, betas=(0.0, 0.99))
    dice, seeded = unguessable(), torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/forger"))
    average = {name: value.detach().clone() for name, value in forger.state_dict().items()}

    def losses(at: Tensor) -> Tensor:
        """The critic's loss of each real row, with a generated one beside it in which the same cells are unknown."""
        codes = cells[at].to(device())
        with torch.no_grad():
            fake = draw(len(at), dice, 1.0)
        seen = (codes >= 0).to(fake.dtype).repeat_interleave(torch.tensor(draw.layout.sizes, device=fake.device), dim=1)
        real, made = critic(draw.layout.one_hot(codes)), critic(fake * seen)
        each_of: Tensor = torch.vmap(game.critic)(real[:, None], made[:, None])
        return each_of

    def each(step: int) -> None:
        share = step / training.steps
        for optimiser in (judge, sharpen):
            for group in optimiser.param_groups:
                pace = min(1.0, (share + 0.01) / WARM) * (0.05 + 0.475 * (1 + math.cos(math.pi * share)))
                group["lr"] = tuning.learning_rate * pace
        if game.smooth == "clip":
            with torch.no_grad():
                for weight in critic.parameters():
                    weight.clamp_(-game.weight, game.weight)
        if (step + 1) % turns:
            return
        loss = game.generator(torch.zeros(batch, device=device()), critic(draw(batch, seeded, tuning.temperature)))
        for parameter, pull in zip(
            forger.parameters(), torch.autograd.grad(loss, list(forger.parameters())), strict=True
        ):
            parameter.grad = pull
        sharpen.step()
        kept = min(tuning.ema, (step // turns + 1) / (step // turns + 11))
        for name, value in forger.state_dict().items():
            average[name].lerp_(value, 1 - kept)

    noisy = NoisyGradients(critic, losses, Batches(subjects, training.rate), training=training, reach=plan.reach)
    taken = learn(
        critic, noisy, judge, training=training, patients=rows, run=run, stage="learning privately", each=each
    )
    noisy.close()
    return average, taken
