"""Follow a velocity from noise to an image in a few steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

SOLVERS = ("euler", "heun", "adams")

Field = Callable[[Tensor, float], Tensor]


def solve(field: Field, start: Tensor, *, steps: int, solver: str) -> Tensor:
    """Where `start` at time 0 is at time 1.

    Args:
        field: Velocity of points at a time. steps: Of the way. solver: "euler"; "heun", which looks twice a step
            (Karras et al. 2022); "adams", which looks once and bends by the step before (Adams and Bashforth, order 2).
    """
    times = torch.linspace(0, 1, steps + 1).tolist()
    point, before, width_before = start, None, 0.0
    for now, then in pairwise(times):
        width = then - now
        velocity = field(point, now)
        if solver == "heun" and then < 1:
            velocity = (velocity + field(point + width * velocity, then)) / 2
        bent = velocity
        if solver == "adams" and before is not None:
            bent = velocity + (velocity - before) * (width / (2 * width_before))
        point, before, width_before = point + width * bent, velocity, width
    return point
