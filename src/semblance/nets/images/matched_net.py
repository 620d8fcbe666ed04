"""A noisy Gaussian, and what a net has to add for its images to be told like the patients' (``embedding.py``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semblance.contracts import Run
from semblance.nets.device import threads
from semblance.nets.images.blocks import Context
from semblance.nets.images.embedding import PaintedGaussian
from semblance.nets.images.unet import Shape, UNet
from semblance.nets.tensors import flat, read_tensors, within, write_tensors

PLAN, WEIGHTS = "features.json", "features.safetensors"
AT_ONCE = 256
"""Images drawn together: those of a batch follow from its number alone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What has to be known of a net beside its weights.

    Attributes:
        size: Channels, height, width. classes: How many. shape, told: Of the net; told 0 for none at all.
    """

    size: tuple[int, int, int]
    classes: int
    shape: Shape
    told: int

    def make(self) -> Correction:
        """A net of this size, its weights still to be filled."""
        return Correction(self)


class Correction(nn.Module):
    """An image of the Gaussian, noise and a class -> what is wrong with the image. Begins as nothing."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        channels = frame.size[0]
        self.context = Context((frame.classes,), frame.told)
        self.trunk = UNet(2 * channels, channels, shape=frame.shape, told=frame.told)

    def forward(self, image: Tensor, noise: Tensor, classes: Tensor) -> Tensor:
        """(n, c, h, w), the same, (n,) -> (n, c, h, w)."""
        out: Tensor = self.trunk(torch.cat([image, noise], dim=1), self.context(classes[:, None]))
        return out


@dataclass(frozen=True, eq=False)
class MatchedNet:
    """An ImageNet. `net` is None where the Gaussian is all."""

    frame: Frame
    gaussian: PaintedGaussian
    net: Correction | None

    def made(self, classes: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images of these classes, and how far they are from the Gaussian's: (n, c, h, w), both."""
        start = self.gaussian.images(torch.randn(len(classes), len(self.gaussian.law), generator=noise), classes)
        if self.net is None:
            return start, torch.zeros_like(start)
        apart = self.net(start, torch.randn(start.shape, generator=noise), classes)
        return start + apart, apart

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """(n, conditions) of label numbers, -1 for unknown -> (n, channels, height, width), -1 to 1."""
        seeds = run.seeds.within("sample/features")
        classes = labels[:, 0] if labels.shape[1] else np.zeros(len(labels), dtype=np.int64)
        unknown = classes < 0
        classes = np.where(unknown, seeds("classes").integers(self.frame.classes, size=len(classes)), classes)
        drawn = [np.zeros((0, *self.frame.size), dtype=np.float32)]
        with threads(), torch.no_grad():
            for number, place in enumerate(range(0, len(classes), AT_ONCE)):
                run.progress("drawing images", place, len(classes))
                noise = torch.Generator().manual_seed(seeds.integer(str(number)))
                drawn.append(self.made(torch.from_numpy(classes[place : place + AT_ONCE]), noise)[0].numpy())
        run.progress("drawing images", len(classes), len(classes))
        return np.clip(np.concatenate(drawn), -1, 1)

    def save(self, folder: Path) -> None:
        """Write the Gaussian, the weights, and what has to be known beside them."""
        (folder / PLAN).write_text(json.dumps(asdict(self.frame)), encoding="utf-8")
        parts = {name: getattr(self.gaussian, name) for name in ("mean", "spread", "slow", "ways", "law")}
        weights = {} if self.net is None else self.net.state_dict()
        write_tensors({**flat("gaussian", parts), **flat("net", weights)}, folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> MatchedNet:
        """Read back what `save` wrote. Raises KeyError, OSError, TypeError, ValueError or RuntimeError if damaged."""
        found = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        shape = Shape(**{**found["shape"], "widths": tuple(found["shape"]["widths"])})
        frame = Frame(tuple(found["size"]), int(found["classes"]), shape, int(found["told"]))
        tensors = read_tensors(folder / WEIGHTS)
        gaussian = PaintedGaussian(**within("gaussian", tensors), size=frame.size)
        net = None
        if frame.told:
            net = frame.make()
            net.load_state_dict(within("net", tensors))
            net.eval()
        return cls(frame, gaussian, net)
