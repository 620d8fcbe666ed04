"""Two learned ways between two kinds of images: going them, and their files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from semblance.contracts import Run
from semblance.imaging.body import body_of
from semblance.nets.device import device, threads
from semblance.nets.images.cycle import Way
from semblance.nets.images.unet import Shape
from semblance.nets.tensors import read_tensors, write_tensors

SHAPE, WEIGHTS = "cyclegan.json", "cyclegan.safetensors"
BLOCK = 64
THREADS = 1
"""Always as many: with more, sums are added up in another order, and a seed would not give the same bytes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How large the ways are."""

    channels: int
    shape: Shape
    knots: int

    def make(self) -> nn.ModuleList:
        """A way forth and a way back, with weights to be filled."""
        return nn.ModuleList([Way(self.channels, shape=self.shape, knots=self.knots) for _ in range(2)])


@dataclass(frozen=True, eq=False)
class CycleNet:
    """What was learned (``imaging/translator.py``). `ways`: forth and back, averaged over training, on the device."""

    frame: Frame
    ways: nn.ModuleList

    def turn(self, images: NDArray[np.float32], run: Run, *, forth: bool) -> NDArray[np.float32]:
        """(n, channels, height, width), -1 to 1 -> the same shape and range. Uses no randomness."""
        way, turned, body = self.ways[0 if forth else 1], np.empty_like(images), body_of(images)
        with threads(THREADS), torch.no_grad():
            for start in range(0, len(images), BLOCK):
                rows = slice(start, start + BLOCK)
                block, inside = (torch.from_numpy(part[rows]).to(device()) for part in (images, body))
                turned[rows] = way(block, inside).clamp(-1, 1).cpu().numpy()
                run.progress("translating", min(start + BLOCK, len(images)), len(images))
        return turned

    def save(self, folder: Path) -> None:
        """Write the weights as safetensors, the rest as JSON."""
        (folder / SHAPE).write_text(json.dumps(asdict(self.frame)), encoding="utf-8")
        write_tensors(self.ways.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> CycleNet:
        """What `save` wrote. Raises OSError, ValueError, KeyError, TypeError or RuntimeError where it is damaged."""
        found: dict[str, Any] = json.loads((folder / SHAPE).read_text(encoding="utf-8"))
        shape = found["shape"]
        widths = tuple(int(width) for width in shape["widths"])
        trunk = Shape(int(shape["fold"]), widths, int(shape["blocks"]), bool(shape["attention"]))
        frame = Frame(int(found["channels"]), trunk, int(found["knots"]))
        ways = frame.make()
        ways.load_state_dict(read_tensors(folder / WEIGHTS))
        return cls(frame, ways.to(device()).eval())
