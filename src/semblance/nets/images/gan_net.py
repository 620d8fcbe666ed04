"""A trained generator as a fitted net that draws images (``imaging/model.py``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.frame import Frame
from semblance.nets.images.generator import Forger
from semblance.nets.tensors import read_tensors, write_tensors

PLAN, WEIGHTS = "gan.json", "gan.safetensors"
AT_ONCE = 256
"""Images drawn together: those of a batch follow from its number alone."""


@dataclass(frozen=True, slots=True)
class Make:
    """What has to be known of a generator beside its weights.

    Attributes:
        sizes: Labels of each condition. latent, depth: As in the recipe (``generators/images/gan.py``).
    """

    frame: Frame
    sizes: tuple[int, ...]
    latent: int
    depth: int

    def forger(self) -> Forger:
        """A generator of this size, its weights still to be filled."""
        return Forger(self.frame, self.sizes, latent=self.latent, depth=self.depth)


@dataclass(frozen=True, eq=False)
class GanNet:
    """An ImageNet. `forger` is on the device: the average of its weights over the last steps."""

    make: Make
    forger: Forger

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """(n, conditions) of label numbers, -1 for unknown -> (n, channels, height, width), -1 to 1."""
        seeds, frame = run.seeds.within("sample/gan"), self.make.frame
        drawn = [np.zeros((0, frame.channels, frame.height, frame.width), dtype=np.float32)]
        with threads(), torch.no_grad():
            for number, place in enumerate(range(0, len(labels), AT_ONCE)):
                run.progress("drawing images", place, len(labels))
                told = torch.from_numpy(labels[place : place + AT_ONCE])
                noise = torch.Generator().manual_seed(seeds.integer(str(number)))
                hidden = torch.randn(len(told), self.forger.hidden, generator=noise)
                drawn.append(self.forger(hidden.to(device()), told.to(device())).float().cpu().numpy())
        run.progress("drawing images", len(labels), len(labels))
        return np.clip(np.concatenate(drawn), -1, 1)

    def save(self, folder: Path) -> None:
        """Write the weights as safetensors, the rest as JSON."""
        (folder / PLAN).write_text(json.dumps(asdict(self.make)), encoding="utf-8")
        write_tensors(self.forger.state_dict(), folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> GanNet:
        """Read back what `save` wrote. Raises KeyError, OSError, TypeError, ValueError or RuntimeError if damaged."""
        found = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        frame = Frame(**{**found["frame"], "widths": tuple(found["frame"]["widths"])})
        make = Make(frame, tuple(found["sizes"]), found["latent"], found["depth"])
        forger = make.forger()
        forger.load_state_dict(read_tensors(folder / WEIGHTS))
        return cls(make, forger.to(device()).eval())
