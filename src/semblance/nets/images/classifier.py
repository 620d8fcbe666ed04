"""A small classifier of images: what synthetic images are worth is what it learns from them and knows of real ones.

Always the same net, the same number of steps and the same mild changes to what it sees, whatever it learns from, so
that only the images differ. Nothing is selected: the average of the last steps is what counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.blocks import Block, begin, conv, linear
from semblance.nets.images.precision import coarse
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within
from semblance.nets.training import train

BATCH = 64
RATE = 1e-3
DECAY = 0.05
AVERAGE = 0.995
SHIFT = 2
"""Pixels that a training image is moved, at most, of 28; more of larger images."""
LIGHT = 0.1
"""Of the whole range from darkest to brightest, that a training image is brightened or darkened, at most."""


class Classifier(nn.Module):
    """Image -> logits of the classes. Three levels of residual blocks, the mean over all places, one matrix."""

    def __init__(self, channels: int, n_classes: int, *, width: int = 32, fold: int = 2) -> None:
        super().__init__()
        self.fold = fold
        self.enter = conv(channels * fold**2, width)
        self.blocks = nn.ModuleList([Block(width, width), Block(width, 2 * width), Block(2 * width, 4 * width)])
        self.norm = nn.GroupNorm(width // 4, 4 * width)
        self.leave = linear(4 * width, n_classes)

    def forward(self, image: Tensor) -> Tensor:
        """(n, channels, height, width) -> (n, n_classes)."""
        down, right = (-size % self.fold for size in image.shape[2:])
        h = self.enter(functional.pixel_unshuffle(functional.pad(image, (0, right, 0, down)), self.fold))
        for number, block in enumerate(self.blocks):
            h = block(functional.avg_pool2d(h, 2, ceil_mode=True) if number else h)
        out: Tensor = self.leave(functional.silu(self.norm(h)).mean(dim=(2, 3)))
        return out


@dataclass(frozen=True, eq=False)
class Judge:
    """A trained classifier."""

    net: Classifier

    def chances(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probability of each class: (n, channels, height, width) from -1 to 1 -> (n, n_classes)."""
        found = [
            functional.softmax(self.net(torch.from_numpy(images[start : start + 512]).to(device())), dim=1).cpu()
            for start in range(0, len(images), 512)
        ]
        return torch.cat(found).double().numpy()


class _Schooling:
    """A Trainee (``nets/training.py``)."""

    def __init__(self, net: Classifier, images: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        self.net = net.to(device())
        self._images, self._labels = torch.from_numpy(images), torch.from_numpy(labels)
        self._optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
        self.average = {name: value.detach().clone() for name, value in net.state_dict().items()}
        self.taken = 0

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        self.taken += 1
        for group in self._optimiser.param_groups:
            group["lr"] = RATE * min(1.0, self.taken / 50) * 0.5 * (1 + math.cos(math.pi * share))
        seen = disturbed(self._images[rows], noise).to(device())
        with coarse("auto"):
            logits = self.net(seen)
        loss = functional.cross_entropy(logits.float(), self._labels[rows].to(device()))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        with torch.no_grad():
            kept = min(AVERAGE, self.taken / (self.taken + 10))
            for name, value in self.net.state_dict().items():
                self.average[name].lerp_(value, 1 - kept)
        return {"loss": float(loss.detach())}

    def state(self) -> dict[str, Tensor]:
        return {
            **flat("net", self.net.state_dict()),
            **flat("average", self.average),
            **flat("optimiser", optimiser_tensors(self._optimiser)),
            "taken": torch.tensor(self.taken),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.net.load_state_dict(within("net", state))
        self.average = {name: value.clone() for name, value in within("average", state).items()}
        restore_optimiser(self._optimiser, within("optimiser", state))
        self.taken = int(state["taken"])


def disturbed(images: Tensor, noise: torch.Generator) -> Tensor:
    """Each image moved a little, and a little brighter or darker, with more or less contrast: the same shape."""
    reach = max(1, round(SHIFT * images.shape[2] / 28))
    n, _, height, width = images.shape
    moved = functional.pad(images, (reach, reach, reach, reach), mode="replicate")
    down, right = torch.randint(0, 2 * reach + 1, (2, n), generator=noise)
    rows = down[:, None] + torch.arange(height)
    columns = right[:, None] + torch.arange(width)
    cut = moved.permute(0, 2, 3, 1)[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    light, contrast = (torch.rand(2, n, 1, 1, 1, generator=noise) * 2 - 1) * (2 * LIGHT)
    changed: Tensor = (cut.permute(0, 3, 1, 2) * (1 + contrast) + light).clamp(-1, 1)
    return changed


def learn_classes(
    images: NDArray[np.float32], labels: NDArray[np.int64], run: Run, *, n_classes: int, steps: int = 1000
) -> Judge:
    """Train a classifier.

    Args:
        images: (n, channels, height, width), -1 to 1. labels: Numbers of classes, (n,). steps: Of `BATCH` images.

    Privacy: what it learned of real images is as private as they are; without differential privacy.
    """
    net = Classifier(images.shape[1], n_classes, fold=2 if max(images.shape[2:]) < 48 else 4)
    begin(net, torch.Generator().manual_seed(run.seeds.integer("classifier/weights")))
    schooling = _Schooling(net, images, labels)
    with threads():
        train(
            schooling,
            len(images),
            steps=steps,
            batch=BATCH,
            run=run,
            key="classifier",
            stage="learning to tell classes",
        )
    net.load_state_dict(schooling.average)
    return Judge(net.eval().requires_grad_(False))
