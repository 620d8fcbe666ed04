"""Modes that each game finds, on data whose modes are known: `python -m benchmarks.images.modes [GAME …]`.

25 Gaussians on a grid: two small nets of matrices, trained by the trainee of the image GAN. A mode is found if at least
a tenth of the points that it should hold lie within three standard deviations of it.
Stacked digits: three of scikit-learn's bundled digits as the colours of an image, 1,000 modes, learned without labels
by the image GAN with its own defaults but for its size; what a mode is says a classifier of single digits.
"""

from __future__ import annotations

import math
import sys
import time

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from semblance import pipeline
from semblance.data.images import Images
from semblance.errors import FitError
from semblance.generators.images.gan import CRITIC_STEPS, LOSSES, ImageGAN
from semblance.image_schema import ImageSchema
from semblance.nets.device import threads
from semblance.nets.images.blocks import begin, linear
from semblance.nets.images.gan import Match, Tuning
from semblance.nets.training import train

SEED = 1
GRID, SPREAD, SIGMA = 5, 4.0, 0.1
POINTS, STEPS, BATCH, WIDTH, WAVES = 10_000, 4000, 128, 128, 3
STACKS, DRAWN, KIMG = 20_000, 10_000, 30


class Points(nn.Module):
    """Noise -> points, as images of 1 × 2 pixels."""

    hidden = 4

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([linear(n, WIDTH, gain=2**0.5) for n in (4, WIDTH, WIDTH)])
        self.leave = linear(WIDTH, 2)

    def forward(self, hidden: Tensor, labels: Tensor, ramp: float = 1.0) -> Tensor:
        for layer in self.layers:
            hidden = functional.relu(layer(hidden))
        out: Tensor = self.leave(hidden)
        return out[:, None, None]


class Judge(nn.Module):
    """Points -> scores. It also sees waves of each coordinate, without which it hardly sees small modes in time."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([linear(n, WIDTH, gain=2**0.5) for n in (2 + 4 * WAVES, WIDTH, WIDTH)])
        self.score = linear(WIDTH, 1)

    def forward(self, points: Tensor, labels: Tensor, ramp: float = 1.0) -> Tensor:
        found = points.flatten(1)
        angles = torch.cat([found * (math.pi / SPREAD * 2**wave) for wave in range(WAVES)], dim=1)
        found = torch.cat([found, angles.sin(), angles.cos()], dim=1)
        for layer in self.layers:
            found = functional.leaky_relu(layer(found), 0.2)
        out: Tensor = self.score(found).squeeze(1)
        return out


def gaussians(loss: str) -> tuple[int, float, float]:
    """Modes found of 25, share of points within three standard deviations of one, and CPU-seconds."""
    begun, run = time.process_time(), pipeline.begin(seed=SEED)
    rng, noise = run.seeds("gaussians"), torch.Generator().manual_seed(SEED)
    centres = np.stack(np.meshgrid(*[np.linspace(-SPREAD, SPREAD, GRID)] * 2), axis=-1).reshape(-1, 2)
    points = centres[rng.integers(len(centres), size=POINTS)] + SIGMA * rng.standard_normal((POINTS, 2))
    forger, judge = Points(), Judge()
    begin(forger, noise)
    begin(judge, noise)
    tuning = Tuning(
        loss=loss,
        learning_rate=0.002,
        critic_pace=1.0,
        gamma=1.0,
        lazy=4,
        critic_steps=CRITIC_STEPS.get(loss, 1),
        ema=0.998,
        ramp=0.0,
        adaptive=False,
        augment=0.0,
        mirror="none",
        precision="float32",
    )
    images, labels = torch.from_numpy(points.astype(np.float32))[:, None, None], torch.zeros(POINTS, 0).long()
    match = Match(images, labels, forger=forger, critic=judge, tuning=tuning, steps=STEPS)
    try:
        train(match, POINTS, steps=STEPS, batch=BATCH, run=run, key="gaussians", stage="", rollbacks=3)
    except FitError:
        return 0, 0.0, time.process_time() - begun
    forger.load_state_dict(match.average)
    with torch.no_grad():
        made = forger(torch.randn(2500, 4, generator=noise), labels[:2500]).flatten(1).numpy()
    apart = np.sqrt(((made[:, None] - centres[None]) ** 2).sum(axis=2))
    near = apart.min(axis=1) < 3 * SIGMA
    counts = np.bincount(apart.argmin(axis=1)[near], minlength=len(centres))
    return int((counts >= len(made) / len(centres) / 10).sum()), float(near.mean()), time.process_time() - begun


def stacked_digits(loss: str) -> tuple[int, float, float]:
    """Modes found of 1,000, the divergence of their shares from even ones (nats), and CPU-seconds."""
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC

    digits = load_digits()
    single = (digits.images / 16).astype(np.float32)
    teller = SVC(gamma=0.001 * 256).fit(single.reshape(len(single), -1), digits.target)
    run = pipeline.begin(seed=SEED)
    chosen = run.seeds("stacks").integers(len(single), size=(STACKS, 3))
    schema = ImageSchema(height=8, width=8, channels=3, low=0.0, high=1.0, step=0.0)
    train_set = Images(single[chosen], pd.DataFrame(index=range(STACKS)), schema)
    begun = time.process_time()
    try:
        model = ImageGAN(loss=loss, given="", kimg=KIMG, width=64, adaptive=False).fit(train_set, run)
    except FitError as error:
        print(f"  {loss}: {error}", file=sys.stderr)
        return 0, float("nan"), time.process_time() - begun
    spent = time.process_time() - begun
    return *modes_of(model.sample(DRAWN, run).pixels, teller.predict), spent


def modes_of(pixels: NDArray[np.float32], tell: object) -> tuple[int, float]:
    """How many of 1,000 triples of digits there are, and how far their shares are from even ones, in nats."""
    told = [tell(pixels[:, channel].reshape(len(pixels), -1)) for channel in range(3)]  # type: ignore[operator]
    counts = np.bincount(100 * told[0] + 10 * told[1] + told[2], minlength=1000)
    shares = counts[counts > 0] / counts.sum()
    return int((counts > 0).sum()), float((shares * np.log(shares * 1000)).sum())


def main(losses: tuple[str, ...]) -> None:
    print(
        "| loss | 25 Gaussians: modes | points near one | CPU s | stacked digits: modes of 1,000 | KL, nats | CPU s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with threads(1):
        for loss in losses:
            found, near, spent = gaussians(loss)
            modes, divergence, longer = stacked_digits(loss)
            print(
                f"| {loss} | {found} | {near:.0%} | {spent:.0f} | {modes} | {divergence:.2f} | {longer:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or LOSSES)
