"""From training images to a generator that is ready to draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.augment import Dial
from semblance.nets.images.blocks import begin
from semblance.nets.images.critic import GROUP, Critic
from semblance.nets.images.frame import frame_of
from semblance.nets.images.gan import Match, Tuning
from semblance.nets.images.gan_net import GanNet, Make
from semblance.nets.images.schooling import school
from semblance.nets.losses import GAMES
from semblance.nets.training import Log

KEY = "fit/gan"
LINES = 20
"""Of a training's log, at least."""
GAIN = 8.0
"""Of the critic's score, in games whose critic is kept from being steep at images; Wasserstein's score has a scale."""
HELD = 0.05
MOST_HELD = 256
LEAST_HELD = 16
"""Share of the training patients that are kept from both nets to set the augmentation by; images of them, at most and
at least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for (``generators/images/gan.py``)."""

    steps: int
    batch: int
    latent: int
    width: int
    depth: int
    fold: int
    group: bool
    tuning: Tuning


@threads()
def learn(
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    patients: NDArray[np.int64],
    sizes: tuple[int, ...],
    *,
    plan: Plan,
    run: Run,
    see: Callable[[GanNet, Log], object] | None = None,
) -> tuple[GanNet, Log, Dial]:
    """Train on images, -1 to 1: (n, c, h, w), and their labels, -1 for unknown: (n, conditions).

    Args:
        patients: Whose each image is: (n,). sizes: Labels of each condition.
        see: Shown the average generator ten times on the way.

    Raises:
        FitError: training diverged, and going back did not help.
    """
    frame = frame_of((images.shape[1], images.shape[2], images.shape[3]), width=plan.width, fold=plan.fold)
    make = Make(frame, sizes, plan.latent, plan.depth)
    start = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin"))
    gain = GAIN if GAMES[plan.tuning.loss].smooth == "zero" else 1.0
    forger, critic = make.forger(), Critic(frame, sizes, gain=gain, group=GROUP if plan.group else 1)
    begin(forger, start)
    begin(critic, start)
    held = hold_back(patients, run.seeds(f"{KEY}/validation")) if plan.tuning.adaptive else np.zeros(len(images), bool)
    forger.beginning.learn(images[~held], labels[~held])
    match = Match(
        torch.from_numpy(images[~held]),
        torch.from_numpy(labels[~held]),
        forger=forger,
        critic=critic,
        tuning=plan.tuning,
        steps=plan.steps,
        held=(torch.from_numpy(images[held]), torch.from_numpy(labels[held])) if held.any() else None,
    )

    def fitted() -> GanNet:
        net = make.forger()
        net.load_state_dict(match.average)
        return GanNet(make, net.to(device()).eval())

    net, log = school(
        match,
        int((~held).sum()),
        plan=plan,
        run=run,
        key=KEY,
        stage="training generator and critic",
        fitted=fitted,
        see=see,
        log_every=max(1, min(50, plan.steps // LINES)),
    )
    return net, log, match.dial


def hold_back(patients: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Images of a few patients, by which to see what the critic knows by heart: (n,); none where there are too few."""
    order = rng.permutation(np.unique(patients))
    held = np.isin(patients, order[: int(HELD * len(order))])
    if held.sum() > MOST_HELD:
        many = np.cumsum(np.bincount(patients, minlength=int(patients.max()) + 1)[order])
        held = np.isin(patients, order[: max(1, int((many <= MOST_HELD).sum()))])
    return held if held.sum() >= LEAST_HELD else np.zeros(len(patients), dtype=bool)
