"""Following a velocity."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from semblance.nets.images.flow_solver import SOLVERS, solve


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_straight_way_is_followed_exactly(solver: str) -> None:
    start = torch.randn(4, 3)
    end = solve(lambda point, time: torch.full_like(point, 2.0), start, steps=5, solver=solver)
    assert torch.allclose(end, start + 2)


def _wrong(solver: str, steps: int) -> float:
    """dx/dt = x cos 5t from 1, which is exp(sin(5) / 5) at time 1."""
    end = solve(lambda point, time: point * math.cos(5 * time), torch.ones(1).double(), steps=steps, solver=solver)
    return abs(float(end) - math.exp(math.sin(5) / 5))


@pytest.mark.parametrize(("solver", "gain"), [("euler", 2), ("adams", 4)])
def test_twice_the_steps_are_as_much_better_as_the_order_promises(solver: str, gain: int) -> None:
    assert 0.75 * gain < _wrong(solver, 80) / _wrong(solver, 160) < 1.25 * gain


def test_adams_and_heun_beat_euler() -> None:
    assert _wrong("adams", 160) < _wrong("euler", 160) / 4
    assert _wrong("heun", 160) < _wrong("euler", 160) / 4


def test_each_number_goes_its_own_way() -> None:
    speeds = torch.tensor([1.0, 3.0])

    def turning(point: Tensor, time: float) -> Tensor:
        return torch.ones_like(point)

    end = solve(turning, torch.zeros(2), steps=7, solver="adams", way=lambda time: speeds * time**2)
    assert torch.allclose(end, speeds)
