"""What draws masks and what paints around them, as a fitted net (``imaging/painting.py``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.imaging.masks import masks_of, planes_of
from semblance.nets.device import device, threads
from semblance.nets.images.flow_net import AT_ONCE, FlowNet, Frame, paint
from semblance.nets.images.mask_flow import Brush
from semblance.nets.images.precision import coarse
from semblance.nets.images.unet import Shape
from semblance.nets.tensors import read_tensors, write_tensors

BRUSH, WEIGHTS, DRAWER = "brush.json", "brush.safetensors", "masks"
THREADS = 1
"""More of them wait for each other more than they help where the machine does other things, too."""


@dataclass(frozen=True, eq=False)
class MaskNet:
    """A PaintingNet.

    Attributes:
        frame: Of the brush, whose images have the frame's channels. structures: That a mask can mark.
        brush: On the device. drawer: A flow of depths (``imaging/masks.py``) in place of images.
    """

    frame: Frame
    structures: int
    brush: Brush
    drawer: FlowNet

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """Images around new masks: (n, conditions) -> (n, channels, height, width), -1 to 1."""
        return self.paint(self.draw_masks(labels, run), labels, run)

    def draw_masks(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.uint8]:
        """(n, conditions) of label numbers, -1 for unknown -> (n, height, width)."""
        return masks_of(self.drawer.draw(labels, run))

    def paint(self, masks: NDArray[np.uint8], labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """(n, height, width), (n, conditions) -> (n, channels, height, width), -1 to 1."""
        frame, seeds = self.frame, run.seeds.within("sample/mask")
        unit = np.zeros((len(masks), frame.channels, *masks.shape[1:]), dtype=np.float32)
        with threads(THREADS), torch.no_grad(), coarse(frame.precision):
            for number, place in enumerate(range(0, len(masks), AT_ONCE)):
                run.progress("painting images", place, len(masks))
                noise = torch.Generator().manual_seed(seeds.integer(str(number)))
                part = slice(place, place + AT_ONCE)
                planes = torch.from_numpy(planes_of(masks[part], self.structures))
                told = torch.from_numpy(labels[part])
                unit[part] = paint(self.brush, told, noise, frame=frame, beside=planes).cpu().numpy()
        run.progress("painting images", len(masks), len(masks))
        return np.clip(unit * frame.spread + frame.mean, -1, 1).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write both nets' weights and what has to be known beside them."""
        found = {"frame": asdict(self.frame), "structures": self.structures}
        (folder / BRUSH).write_text(json.dumps(found), encoding="utf-8")
        write_tensors(self.brush.state_dict(), folder / WEIGHTS)
        (folder / DRAWER).mkdir()
        self.drawer.save(folder / DRAWER)

    @classmethod
    def load(cls, folder: Path) -> MaskNet:
        """Read back what `save` wrote. Raises KeyError, OSError, TypeError, ValueError or RuntimeError if damaged."""
        found = json.loads((folder / BRUSH).read_text(encoding="utf-8"))
        told = found["frame"]
        shape = Shape(**{**told["shape"], "widths": tuple(told["shape"]["widths"])})
        frame, structures = Frame(**{**told, "sizes": tuple(told["sizes"]), "shape": shape}), int(found["structures"])
        brush = new_brush(frame, structures)
        brush.load_state_dict(read_tensors(folder / WEIGHTS))
        return cls(frame, structures, brush.to(device()).eval(), FlowNet.load(folder / DRAWER))


def new_brush(frame: Frame, structures: int) -> Brush:
    """A net of this size, its weights still to be filled."""
    size = (frame.channels, frame.height, frame.width)
    return Brush(size, structures, frame.sizes, shape=frame.shape, told=frame.told)
