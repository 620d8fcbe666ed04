"""From training cells to a generator that is ready to draw: both nets made, trained, and the columns set right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.conditionals.premises import Premises, even_out
from semblance.contracts import Run
from semblance.data.alphabet import Alphabet
from semblance.nets.critics import Critic
from semblance.nets.device import threads
from semblance.nets.gan import Forger, Match, Tuning
from semblance.nets.gan_net import GanNet, calibrate
from semblance.nets.layout import Layout, ranks
from semblance.nets.training import Log, train

KEY = "fit/gan"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the nets are and how long they train; the fields are those of the recipe (``generators/gan.py``)."""

    latent: int
    width: int
    depth: int
    steps: int
    batch: int


def learn(
    alphabet: Alphabet, codes: NDArray[np.int32], premises: Premises, *, size: Size, tuning: Tuning, run: Run
) -> tuple[GanNet, Log]:
    """Train a generator on training cells: (n, n_columns).

    On one processor whatever the run allows: with more of them sums are added up in another order, and the same seed
    would no longer give the same bytes.

    Raises:
        FitError: training diverged.
    """
    with threads(1):
        return _learn(alphabet, codes, premises, size, tuning, run)


def _learn(
    alphabet: Alphabet, codes: NDArray[np.int32], premises: Premises, size: Size, tuning: Tuning, run: Run
) -> tuple[GanNet, Log]:
    layout = Layout(alphabet.sizes)
    counts = [
        np.bincount(codes[codes[:, c] >= 0, c], minlength=n).astype(np.float64) for c, n in enumerate(layout.sizes)
    ]
    # where every label is too rare to be drawn, no cell has been seen: the column comes out empty
    shares = np.concatenate([count / count.sum() if count.any() else np.ones_like(count) for count in counts])
    begin = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin"))
    forger = Forger(
        layout,
        torch.from_numpy(shares.astype(np.float32)),
        told=sum(layout.sizes[c] for c in premises.at),
        latent=size.latent,
        width=size.width,
        depth=size.depth,
    )
    forger.begin(begin)
    order = ranks(layout.sizes, counts, [cells.ordered for cells in alphabet.cells])
    critic = Critic(layout, torch.from_numpy(order), width=size.width, depth=size.depth, generator=begin)
    match = Match(
        layout,
        codes,
        forger=forger,
        critic=critic,
        told=premises.at,
        chances=even_out(codes, premises.at) if premises.at else None,
        tuning=tuning,
    )
    log = train(
        match,
        len(codes),
        steps=size.steps,
        batch=size.batch,
        run=run,
        key=KEY,
        stage="training generator and critic",
        minutes=run.max_minutes,
    )
    forger.load_state_dict(match.average)
    net = GanNet(layout, forger.eval(), premises)
    calibrate(net, shares, run.seeds.within(KEY))
    return net, log
