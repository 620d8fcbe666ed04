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
from semblance.nets.images.flow import Matching
from semblance.nets.images.flow_learning import LOOKS, ROLLBACKS, Plan
from semblance.nets.images.flow_net import FlowNet, Frame
from semblance.nets.images.mask_flow import Painting
from semblance.nets.images.mask_net import THREADS, MaskNet, new_brush
from semblance.nets.training import Log, Look, train

KEY = "fit/mask"
DRAWING = 0.3
"""Of a limited time, for the drawer at most; what it leaves is the brush's."""


@dataclass(frozen=True, slots=True)
class Logs:
    """How the two trainings went."""

    drawing: Log
    painting: Log


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
    drawer, drawn = _learn_drawer(masks, labels, sizes, structures=structures, plan=drawing, run=run)
    frame = _frame(images, sizes, painting)
    trainee = Painting(
        new_brush(frame, structures),
        _scaled(images, frame),
        torch.from_numpy(planes_of(masks, structures)),
        torch.from_numpy(labels),
        weights=torch.from_numpy(weigh(masks, structures, focus)),
        tuning=painting.tuning,
        start=_start(run, "paint"),
    )

    def fitted() -> MaskNet:
        brush = new_brush(frame, structures)
        brush.load_state_dict(trainee.average)
        return MaskNet(frame, structures, brush.to(device()).eval(), drawer)

    log = _train(
        trainee,
        len(images),
        plan=painting,
        run=replace(run, max_minutes=run.max_minutes - drawn.seconds / 60),
        what="paint",
        stage="learning to paint around masks",
        look=Look(lambda log: see(fitted(), log), max(1, painting.steps // LOOKS)) if see else None,
    )
    return fitted(), Logs(drawn, log)


def _learn_drawer(
    masks: NDArray[np.uint8],
    labels: NDArray[np.int64],
    sizes: tuple[int, ...],
    *,
    structures: int,
    plan: Plan,
    run: Run,
) -> tuple[FlowNet, Log]:
    """What draws masks, as depths to each outline; it gets the smaller part of a limited time."""
    depths = depths_of(masks, structures)
    told = _frame(depths, sizes, plan)
    start = _start(run, "draw")
    trainee = Matching(told.make(), _scaled(depths, told), torch.from_numpy(labels), tuning=plan.tuning, start=start)
    limited = replace(run, max_minutes=DRAWING * run.max_minutes)
    log = _train(trainee, len(masks), plan=plan, run=limited, what="draw", stage="learning to draw masks")
    net = told.make()
    net.load_state_dict(trainee.average)
    return FlowNet(told, net.to(device()).eval()), log


def _train(trainee: Matching, n: int, *, plan: Plan, run: Run, what: str, stage: str, look: Look | None = None) -> Log:
    """On as many processors whatever the run allows, as in ``flow_learning.py``."""
    with threads(THREADS):
        return train(
            trainee,
            n,
            steps=plan.steps,
            batch=plan.batch,
            run=run,
            key=f"{KEY}/{what}",
            stage=stage,
            minutes=run.max_minutes,
            look=look,
            rollbacks=ROLLBACKS,
        )


def _start(run: Run, what: str) -> torch.Generator:
    return torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/{what}/begin"))


def _frame(images: NDArray[np.float32], sizes: tuple[int, ...], plan: Plan) -> Frame:
    """What has to be known of a net for such images: (n, c, height, width)."""
    channels, height, width = images.shape[1:]
    mean, spread = float(images.mean(dtype=np.float64)), max(float(images.std(dtype=np.float64)), 1e-3)
    return Frame(
        *(channels, height, width, sizes, plan.shape(height, width), plan.told, mean, spread),
        *(plan.solver, plan.solver_steps, plan.guidance, plan.tuning.precision),
    )


def _scaled(images: NDArray[np.float32], frame: Frame) -> torch.Tensor:
    """Images in units of the frame's spread about its mean."""
    return torch.from_numpy((images - np.float32(frame.mean)) / np.float32(frame.spread))


def weigh(masks: NDArray[np.uint8], structures: int, focus: float) -> NDArray[np.float32]:
    """How much a pixel of each structure counts in learning, that of none first: (structures + 1,); 1 in the mean.

    A structure's pixels together count as the root of their share, but no pixel more than `focus` times one of the
    most frequent.
    """
    shares = np.bincount(masks.reshape(-1), minlength=structures + 1)[: structures + 1] / masks.size
    wanted = np.minimum(np.sqrt(shares.max() / np.maximum(shares, 1 / masks.size)), focus)
    weights: NDArray[np.float32] = (wanted / (wanted * shares).sum()).astype(np.float32)
    return weights
