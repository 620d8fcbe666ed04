"""A learned velocity as a fitted net that draws images (``imaging/model.py``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.flow import Velocity
from semblance.nets.images.flow_solver import solve
from semblance.nets.images.precision import coarse
from semblance.nets.images.unet import Shape
from semblance.nets.tensors import read_tensors, write_tensors

PLAN, WEIGHTS = "flow.json", "flow.safetensors"
AT_ONCE = 128
"""Images drawn together: those of a batch follow from its number alone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What has to be known beside the weights.

    Attributes:
        channels, height, width: Of an image. sizes: Labels of each condition. shape, told: Of the net.
        mean, spread: Of the training pixels, -1 to 1: what is learned is told in units of them.
        solver, solver_steps, guidance, precision: As in the recipe (``generators/images/flow.py``).
    """

    channels: int
    height: int
    width: int
    sizes: tuple[int, ...]
    shape: Shape
    told: int
    mean: float
    spread: float
    solver: str
    solver_steps: int
    guidance: float
    precision: str

    def make(self) -> Velocity:
        """A net of this size, its weights still to be filled."""
        return Velocity((self.channels, self.height, self.width), self.sizes, shape=self.shape, told=self.told)


@dataclass(frozen=True, eq=False)
class FlowNet:
    """An ImageNet. `net` is on the device."""

    frame: Frame
    net: Velocity

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """(n, conditions) of label numbers, -1 for unknown -> (n, channels, height, width), -1 to 1."""
        seeds, drawn = run.seeds.within("sample/flow"), []
        with threads(), torch.no_grad(), coarse(self.frame.precision):
            for number, place in enumerate(range(0, len(labels), AT_ONCE)):
                run.progress("drawing images", place, len(labels))
                noise = torch.Generator().manual_seed(seeds.integer(str(number)))
                told = torch.from_numpy(labels[place : place + AT_ONCE])
                drawn.append(paint(self.net, told, noise, frame=self.frame).cpu().numpy())
        run.progress("drawing images", len(labels), len(labels))
        shape = (0, self.frame.channels, self.frame.height, self.frame.width)
        unit = np.concatenate([np.zeros(shape, dtype=np.float32), *drawn])
        return np.clip(unit * self.frame.spread + self.frame.mean, -1, 1).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write the weights and what has to be known beside them."""
        (folder / PLAN).write_text(json.dumps(asdict(self.frame)), encoding="utf-8")
        write_tensors(self.net.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> FlowNet:
        """Read back what `save` wrote. Raises KeyError, OSError, TypeError, ValueError or RuntimeError if damaged."""
        found = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        shape = Shape(**{**found["shape"], "widths": tuple(found["shape"]["widths"])})
        frame = Frame(**{**found, "sizes": tuple(found["sizes"]), "shape": shape})
        net = frame.make()
        net.load_state_dict(read_tensors(folder / WEIGHTS))
        return cls(frame, net.to(device()).eval())


def paint(
    net: Velocity, labels: Tensor, noise: torch.Generator, *, frame: Frame, beside: Tensor | None = None
) -> Tensor:
    """Follow the velocity from noise to an image for each row of labels: (n, conditions) -> (n, c, h, w), scaled.

    Wave by wave, each by the angle that it turns (``spectrum.py``): a Gaussian would stand still, so few steps suffice.

    Args:
        noise: Lives on the processor. beside: What else the net sees: (n, beside, h, w).
    """
    size = (len(labels), frame.channels, frame.height, frame.width)
    start, told = torch.randn(size, generator=noise).to(device()), labels.to(device())
    seen, gaussian = None if beside is None else beside.to(device()), net.spectrum.of(told)

    def turning(turned: Tensor, time: float) -> Tensor:
        return net.guided(turned, torch.full_like(turned[:, 0, 0, 0], time), told, seen, frame.guidance)

    def angle(time: float) -> Tensor:
        return gaussian.angle(torch.tensor(time, device=start.device))

    turned = solve(turning, net.spectrum.waves(start), steps=frame.solver_steps, solver=frame.solver, way=angle)
    return net.spectrum.pixels(turned * gaussian.strength) + gaussian.mean
