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
from semblance.nets.layout import Layout, count_cells, ranks, shares_of
from semblance.nets.training import Log, train

KEY = "fit/gan"
DOUBT = 20.0
"""Rows that a told cell's shares are mixed with, so that a rare cell leans little on its few patients."""


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
    counts = count_cells(codes, layout.sizes)
    shares = shares_of(counts)
    begin = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin"))
    forger = Forger(
        layout,
        torch.from_numpy(shares.astype(np.float32)),
        told=sum(layout.sizes[c] for c in premises.at),
        latent=size.latent,
        width=size.width,
        depth=size.depth,
    )
    forger.begin(begin, leanings(layout, codes, premises.at, shares))
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


def leanings(
    layout: Layout, codes: NDArray[np.int32], told: tuple[int, ...], shares: NDArray[np.float64]
) -> torch.Tensor:
    """How much more likely each told cell makes every cell, as logarithms of ratios: (told cells, layout.width).

    Where the generator begins: each told cell with its own shares of every column (naive Bayes if there are several).
    Shares within a told cell are counted with `DOUBT` more rows that are spread as all rows are.
    """
    rows = []
    for position in told:
        for cell in range(layout.sizes[position]):
            mine = codes[codes[:, position] == cell]
            found = []
            for c, (start, size) in enumerate(zip(layout.starts, layout.sizes, strict=True)):
                count = np.bincount(mine[mine[:, c] >= 0, c], minlength=size) + DOUBT * shares[start : start + size]
                found.append(count / count.sum())
            rows.append(np.log(np.maximum(np.concatenate(found), 1e-9) / np.maximum(shares, 1e-9)))
    wide = np.array(rows, dtype=np.float32).reshape(-1, layout.width)
    return torch.from_numpy(wide)
