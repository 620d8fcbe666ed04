"""From images of two kinds to two ways between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.imaging.body import body_of
from semblance.nets.device import device, threads
from semblance.nets.images.cycle import Cycle, Tuning
from semblance.nets.images.cycle_net import THREADS, CycleNet, Frame
from semblance.nets.images.patch_critic import PatchCritic
from semblance.nets.images.schooling import school
from semblance.nets.images.unet import Shape
from semblance.nets.training import Log

KEY = "fit/cyclegan"
SMALLEST = 16
"""Side of the coarsest map, at least."""
LEAST_SPREAD = 0.02
"""Of a kind's pixels: a kind that hardly varies is not blown up."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for (``generators/images/cyclegan.py``)."""

    steps: int
    batch: int
    width: int
    fold: int
    levels: int
    blocks: int
    critic_width: int
    critic_levels: int
    tuning: Tuning

    def folded(self, height: int, width: int) -> int:
        """Side of the squares of pixels that enter as one: about 64 across enter, whatever the size."""
        return self.fold or max(1, 2 ** round(math.log2(min(height, width) / 64)))

    def shape(self, height: int, width: int) -> Shape:
        """The trunk for images of a size."""
        fold = self.folded(height, width)
        levels = self.levels or max(2, 1 + int(math.log2(max(1.0, min(height, width) / fold / SMALLEST))))
        widths = tuple(self.width * min(2**level, 4) for level in range(levels))
        return Shape(fold, widths, self.blocks, attention=False)

    def critic(self, size: tuple[int, ...], scale: tuple[float, float]) -> PatchCritic:
        """A critic for images of a size: (channels, height, width), of which every level leaves at least two rows.

        Args:
            scale: Mean and spread of what is not background.
        """
        fold = self.folded(size[1], size[2])
        levels = min(self.critic_levels, max(1, int(math.log2(min(size[1:]) / fold))))
        widths = tuple(self.critic_width * min(2**level, 4) for level in range(levels))
        return PatchCritic(size[0], fold=fold, widths=widths, scale=scale)


def scale_of(inside: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and spread of values inside of bodies, -1 to 1: (n,)."""
    if not inside.size:
        return 0.0, 1.0
    return float(inside.mean(dtype=np.float64)), max(float(inside.std(dtype=np.float64)), LEAST_SPREAD)


def _inside(images: NDArray[np.float32], body: NDArray[np.bool_]) -> NDArray[np.float32]:
    return images[np.broadcast_to(body, images.shape)]


@threads(THREADS)
def learn(
    kinds: tuple[NDArray[np.float32], NDArray[np.float32]],
    curves: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    plan: Plan,
    run: Run,
    see: Callable[[CycleNet, Log], object] | None = None,
) -> tuple[CycleNet, Log]:
    """Train on images of the first and of the second kind, -1 to 1: (n, c, h, w) each.

    Args:
        curves: Where the ways forth and back begin: places of evenly spaced values, -1 to 1 (``imaging/curves.py``).
        see: Shown the average nets ten times on the way.

    Raises:
        FitError: training diverged, and going back did not help.
    """
    channels, height, width = kinds[0].shape[1:]
    frame = Frame(channels, plan.shape(height, width), len(curves[0]))
    bodies = body_of(kinds[0]), body_of(kinds[1])
    ways, scales = frame.make(), [scale_of(_inside(*both)) for both in zip(kinds, bodies, strict=True)]
    for way, curve, mine, other in zip(ways, curves, scales, scales[::-1], strict=True):
        way.curve.copy_(torch.from_numpy(curve))  # type: ignore[operator]
        way.scale.copy_(torch.tensor([*mine, other[1]]))  # type: ignore[operator]
    cycle = Cycle(
        (torch.from_numpy(kinds[0]), torch.from_numpy(kinds[1])),
        (torch.from_numpy(bodies[0]), torch.from_numpy(bodies[1])),
        (ways[0], ways[1]),  # type: ignore[arg-type]
        (plan.critic(kinds[0].shape[1:], scales[0]), plan.critic(kinds[1].shape[1:], scales[1])),
        tuning=plan.tuning,
        start=torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin")),
    )

    def fitted() -> CycleNet:
        made = frame.make()
        made.load_state_dict(cycle.average)
        return CycleNet(frame, made.to(device()).eval())

    return school(
        cycle,
        max(map(len, kinds)),
        plan=plan,
        run=run,
        key=KEY,
        stage="learning to translate both ways",
        fitted=fitted,
        see=see,
    )
