"""From training images and their masks to a net that draws masks and paints around them: one training each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.imaging.masks import depths_of, planes_of
from semblance.nets.device import device, threads
from semblance.nets.images import flow_learning
from semblance.nets.images.flow_learning import Plan, frame_of, scaled
from semblance.nets.images.flow_net import FlowNet, Frame
from semblance.nets.images.mask_flow import Painting
from semblance.nets.images.mask_net import THREADS, MaskNet, new_brush
from semblance.nets.images.schooling import school
from semblance.nets.training import Log

KEY = "fit/mask"
DRAWING = 0.3
"""Of a limited time, for the drawer at most; what it leaves is the brush's."""


@dataclass(frozen=True, slots=True)
class Logs:
    """How the two trainings went."""

    drawing: Log
    painting: Log


@threads(THREADS)
def learn(
    images: NDArray[np.float32],
    masks: NDArray[np.uint8],
    labels: NDArray[np.int64],
    sizes: tuple[int, ...],
    *,
    structures: int,
    drawing: Plan,
    painting: Plan,
    focus: float,
    run: Run,
    see: Callable[[MaskNet, Log], object] | None = None,
) -> tuple[MaskNet, Logs]:
    """Learn to draw masks, then to paint around masks.

    Args:
        images: (n, c, height, width), -1 to 1. masks: (n, height, width) of numbers 0…structures.
        labels: (n, conditions), -1 for unknown. sizes: Labels of each condition.
        drawing, painting: Of the two trainings. focus: As in the recipe (``generators/images/mask.py``).
        see: Shown the brush ten times on the way.

    Raises:
        FitError: training diverged.
    """
    drawer, drawn = flow_learning.learn(
        depths_of(masks, structures),
        labels,
        sizes,
        plan=drawing,
        run=replace(run, max_minutes=DRAWING * run.max_minutes),
        key=f"{KEY}/draw",
        stage="learning to draw masks",
        processors=THREADS,
    )
    frame = frame_of(images, sizes, painting)
    brush = Painting(
        new_brush(frame, structures),
        scaled(images, frame),
        torch.from_numpy(planes_of(masks, structures)),
        torch.from_numpy(labels),
        weights=torch.from_numpy(weigh(masks, structures, focus)),
        tuning=painting.tuning,
        start=torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/paint/begin")),
    )
    net, painted = school(
        brush,
        len(images),
        plan=painting,
        run=replace(run, max_minutes=run.max_minutes - drawn.seconds / 60),
        key=f"{KEY}/paint",
        stage="learning to paint around masks",
        fitted=lambda: _fitted(brush, frame, structures, drawer),
        see=see,
    )
    return net, Logs(drawn, painted)


def _fitted(trained: Painting, frame: Frame, structures: int, drawer: FlowNet) -> MaskNet:
    brush = new_brush(frame, structures)
    brush.load_state_dict(trained.average)
    return MaskNet(frame, structures, brush.to(device()).eval(), drawer)


def weigh(masks: NDArray[np.uint8], structures: int, focus: float) -> NDArray[np.float32]:
    """How much a pixel of each structure counts in learning, that of none first: (structures + 1,); 1 in the mean.

    A structure's pixels together count as the root of their share, but no pixel more than `focus` times one of the
    most frequent.
    """
    shares = np.bincount(masks.reshape(-1), minlength=structures + 1)[: structures + 1] / masks.size
    wanted = np.minimum(np.sqrt(shares.max() / np.maximum(shares, 1 / masks.size)), focus)
    weights: NDArray[np.float32] = (wanted / (wanted * shares).sum()).astype(np.float32)
    return weights
