"""The bound: the same trunk taught with pairs, which translation without pairs must do without."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from semblance.nets.images.cycle import Way
from semblance.nets.images.jitter import jitter
from semblance.nets.images.precision import coarse
from semblance.nets.images.unet import Shape

Floats = NDArray[np.float32]


def fit_pairs(source: Floats, target: Floats, *, steps: int = 800, batch: int = 8, seed: int = 0) -> Way:
    """Mean absolute error, 0 to 1 images of a patient or more: (n, height, width) each, slice beside slice."""
    from semblance.nets.images.blocks import begin

    noise = torch.Generator().manual_seed(seed)
    way = Way(1, shape=Shape(2, (32, 64), 1, attention=False), knots=2)
    begin(way, noise)
    both = torch.from_numpy(np.stack([source, target], axis=1) * 2 - 1)
    optimiser = torch.optim.Adam(way.parameters(), lr=1e-3, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = torch.randint(len(both), (batch,), generator=noise)
        x, y = jitter(both[rows], noise, strength=1.0, mirror="left-right").split(1, dim=1)
        with coarse("auto"):
            made = way(x)
        optimiser.zero_grad()
        functional.l1_loss(made, y).backward()
        optimiser.step()
        schedule.step()
    return way.eval()


def turn(way: Way, source: Floats, mask: NDArray[np.bool_]) -> Floats:
    """(n, height, width), 0 to 1 -> the same; black outside of the mask."""
    with torch.no_grad():
        made = way(torch.from_numpy(source[:, None] * 2 - 1)).clamp(-1, 1)[:, 0].numpy()
    return np.where(mask, (made + 1) / 2, 0).astype(np.float32)
