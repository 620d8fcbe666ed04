"""The bound: the same trunk taught with pairs, which translation without pairs must do without.

It begins as the best curve from value to value that the pairs show, as the ways begin as the best that pools show.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.images.simple_translators import paired_lookup
from semblance.nets.images.blocks import begin
from semblance.nets.images.cycle import Way, apart
from semblance.nets.images.cycle_learning import scale_of
from semblance.nets.images.jitter import jitter
from semblance.nets.images.precision import coarse
from semblance.nets.images.unet import Shape

Floats = NDArray[np.float32]
RATE = 0.004


def fit_pairs(source: Floats, target: Floats, *, steps: int = 500, batch: int = 8, seed: int = 0) -> Way:
    """Huber's error, 0 to 1 images of a patient or more: (n, height, width) each, slice beside slice."""
    noise = torch.Generator().manual_seed(seed)
    way = Way(1, shape=Shape(1, (16, 32, 64), 1, attention=False), knots=65)
    begin(way, noise)
    known = source > 0
    values = np.linspace(0, 1, 65, dtype=np.float32)
    way.curve.copy_(torch.from_numpy(paired_lookup(values, values > 0, source[known], target[known])) * 2 - 1)
    scales = [scale_of(images[images > 0] * 2 - 1) for images in (source, target)]
    way.scale.copy_(torch.tensor([*scales[0], scales[1][1]]))
    both = torch.from_numpy(np.stack([source, target], axis=1) * 2 - 1)
    optimiser = torch.optim.Adam(way.parameters(), lr=RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        rows = torch.randint(len(both), (batch,), generator=noise)
        x, y = jitter(both[rows], noise, strength=0.5, mirror="left-right").split(1, dim=1)
        with coarse("auto"):
            made = way(x, torch.ones_like(x, dtype=torch.bool))
        optimiser.zero_grad()
        apart(made, y).backward()
        optimiser.step()
        schedule.step()
    return way.eval()


def turn(way: Way, source: Floats, mask: NDArray[np.bool_]) -> Floats:
    """(n, height, width), 0 to 1 -> the same; black outside of the mask."""
    with torch.no_grad():
        given = torch.from_numpy(source[:, None] * 2 - 1)
        made = way(given, torch.ones_like(given, dtype=torch.bool)).clamp(-1, 1)[:, 0].numpy()
    return np.where(mask, (made + 1) / 2, 0).astype(np.float32)
