"""Follow a velocity from noise to an image in a few steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

SOLVERS = ("euler", "heun", "adams")

Field = Callable[[Tensor, float], Tensor]
Way = Callable[[float], Tensor]


def solve(field: Field, start: Tensor, *, steps: int, solver: str, way: Way = torch.tensor) -> Tensor:
    """Where `start` at time 0 is at time 1.

    Args:
        field: How fast points at a time go, by `way`. steps: Of the time. way: How far each number has come at a time;
            by default the time itself. solver: "euler"; "heun", which looks twice a step (Karras et al. 2022);
            "adams", which looks once and bends by the step before (Adams and Bashforth, order 2).
    """
    times = torch.linspace(0, 1, steps + 1).tolist()
    point, before, width_before = start, None, torch.tensor(1.0)
    for now, then in pairwise(times):
        width = (way(then) - way(now)).to(point.device)
        speed = field(point, now)
        bent = speed
        if solver == "heun" and then < 1:
            bent = (speed + field(point + width * speed, then)) / 2
        elif solver == "adams" and before is not None:
            bent = speed + (speed - before) * (width / (2 * width_before))
        point, before, width_before = point + width * bent, speed, width
    return point
