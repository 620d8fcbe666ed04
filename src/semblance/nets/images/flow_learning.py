"""From training images to a velocity that is ready to draw."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.flow import Matching, Tuning
from semblance.nets.images.flow_net import FlowNet, Frame
from semblance.nets.images.schooling import school
from semblance.nets.images.unet import Shape
from semblance.nets.training import Log

KEY = "fit/flow"
SMALLEST = 7
"""Side of the coarsest map, at least: below it nothing of an image's plan is left."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for (``generators/images/flow.py``)."""

    steps: int
    batch: int
    width: int
    fold: int
    levels: int
    blocks: int
    told: int
    solver: str
    solver_steps: int
    guidance: float
    tuning: Tuning

    def shape(self, height: int, width: int) -> Shape:
        """The trunk for images of a size: about as many squares of pixels whether they are 28 or 64 across."""
        side = min(height, width)
        fold = self.fold or (2 if side < 48 else 4)
        levels = self.levels or max(2, 1 + int(math.log2(max(1.0, side / fold / SMALLEST))))
        return Shape(fold, tuple(self.width * min(2**level, 4) for level in range(levels)), self.blocks)


def learn(
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    sizes: tuple[int, ...],
    *,
    plan: Plan,
    run: Run,
    key: str = KEY,
    stage: str = "learning the flow from noise to images",
    processors: int = 0,
    see: Callable[[FlowNet, Log], object] | None = None,
) -> tuple[FlowNet, Log]:
    """Train on images, -1 to 1: (n, c, h, w), and their labels, -1 for unknown: (n, conditions).

    Args:
        sizes: Labels of each condition. key, stage: As `schooling.school` has them.
        processors: As `threads` has them. see: Shown the average net ten times on the way.

    Raises:
        FitError: training diverged, and going back did not help.
    """
    frame = frame_of(images, sizes, plan)
    with threads(processors):
        matching = Matching(
            frame.make(),
            scaled(images, frame),
            torch.from_numpy(labels),
            tuning=plan.tuning,
            start=torch.Generator().manual_seed(run.seeds.integer(f"{key}/begin")),
        )

        def fitted() -> FlowNet:
            net = frame.make()
            net.load_state_dict(matching.average)
            return FlowNet(frame, net.to(device()).eval())

        return school(matching, len(images), plan=plan, run=run, key=key, stage=stage, fitted=fitted, see=see)


def frame_of(images: NDArray[np.float32], sizes: tuple[int, ...], plan: Plan) -> Frame:
    """What has to be known of a net for such images: (n, c, height, width)."""
    channels, height, width = images.shape[1:]
    mean, spread = float(images.mean(dtype=np.float64)), max(float(images.std(dtype=np.float64)), 1e-3)
    return Frame(
        *(channels, height, width, sizes, plan.shape(height, width), plan.told, mean, spread),
        *(plan.solver, plan.solver_steps, plan.guidance, plan.tuning.precision),
    )


def scaled(images: NDArray[np.float32], frame: Frame) -> torch.Tensor:
    """Images in units of the frame's spread about its mean."""
    return torch.from_numpy((images - np.float32(frame.mean)) / np.float32(frame.spread))
