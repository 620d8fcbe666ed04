"""A segmenter: an image in, the structure that each pixel belongs to out. It measures what painted pairs are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.blocks import begin
from semblance.nets.images.precision import coarse
from semblance.nets.images.unet import Shape, UNet
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within
from semblance.nets.training import Log, train

AT_ONCE = 64
"""Images that are segmented together."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How a segmenter is trained; the same for every set of pairs that is compared.

    Attributes:
        steps, batch: As usual. learning_rate: At the beginning; falls to zero along half a cosine.
        fold, widths: Of the trunk (``unet.py``).
        shift: Pixels by which pairs are moved at random, at most. shade: How far brightness and contrast stray.
    """

    steps: int = 1000
    batch: int = 32
    learning_rate: float = 1e-3
    fold: int = 2
    widths: tuple[int, ...] = (32, 64, 64)
    shift: int = 4
    shade: float = 0.1


class Segmenter:
    """A trained net."""

    def __init__(self, net: UNet) -> None:
        self._net = net.eval()

    def segment(self, images: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(n, channels, height, width), -1 to 1 -> (n, height, width) of structures' numbers."""
        found = []
        with torch.no_grad(), threads(1):
            for start in range(0, len(images), AT_ONCE):
                part = torch.from_numpy(images[start : start + AT_ONCE]).to(device())
                with coarse("auto"):
                    found.append(self._net(part).float().argmax(dim=1).to("cpu", torch.uint8).numpy())
        return np.concatenate(found)


class Learning:
    """Cross-entropy and one minus the soft Dice of each structure (Milletari et al. 2016), half each."""

    def __init__(self, net: UNet, images: NDArray[np.float32], masks: NDArray[np.uint8], effort: Effort) -> None:
        self._net, self._effort = net, effort
        self._images, self._masks = torch.from_numpy(images), torch.from_numpy(masks)
        self._optimiser = torch.optim.Adam(net.parameters(), lr=effort.learning_rate)

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update on these pairs."""
        images, masks = self._moved(self._images[rows], self._masks[rows], noise)
        for group in self._optimiser.param_groups:
            group["lr"] = self._effort.learning_rate * (1 + np.cos(np.pi * min(share, 1.0))) / 2
        with coarse("auto"):
            scores = self._net(images.to(device()))
        loss = segmentation_loss(scores.float(), masks.to(device()).long())
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return {"loss": float(loss.detach())}

    def _moved(self, images: Tensor, masks: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """The batch moved as one, each image a little brighter or flatter."""
        reach, shade = self._effort.shift, self._effort.shade
        down, right = (int(torch.randint(-reach, reach + 1, (1,), generator=noise)) for _ in range(2))
        factor, offset = (shade * torch.randn(len(images), 1, 1, 1, generator=noise) for _ in range(2))
        moved = torch.roll(images, (down, right), dims=(2, 3)), torch.roll(masks, (down, right), dims=(1, 2))
        return ((moved[0] + 1) * (1 + factor) - 1 + offset).clamp(-1, 1), moved[1]

    def state(self) -> dict[str, Tensor]:
        """Net and optimiser."""
        net = {f"net.{name}": value for name, value in self._net.state_dict().items()}
        return net | flat("adam", optimiser_tensors(self._optimiser))

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self._net.load_state_dict(within("net", state))
        restore_optimiser(self._optimiser, within("adam", state))


def segmentation_loss(scores: Tensor, masks: Tensor) -> Tensor:
    """(n, structures + 1, h, w) of scores, (n, h, w) of numbers -> one number."""
    entropy = functional.cross_entropy(scores, masks)
    shares = scores.softmax(dim=1)[:, 1:]
    truth = functional.one_hot(masks, scores.shape[1]).movedim(3, 1)[:, 1:].to(shares.dtype)
    both, each = (shares * truth).sum(dim=(0, 2, 3)), (shares + truth).sum(dim=(0, 2, 3))
    return (entropy + 1 - ((2 * both + 1) / (each + 1)).mean()) / 2


def learn_segmenter(
    images: NDArray[np.float32],
    masks: NDArray[np.uint8],
    structures: int,
    run: Run,
    *,
    effort: Effort | None = None,
    key: str = "fit/segmenter",
) -> tuple[Segmenter, Log]:
    """Train a segmenter.

    Args:
        images: (n, channels, height, width), -1 to 1. masks: (n, height, width) of numbers 0…structures.
        key: Of its randomness: another key is another segmenter.

    Raises:
        FitError: training diverged.
    """
    effort = effort or Effort()
    with threads(1):
        net = UNet(images.shape[1], structures + 1, shape=Shape(effort.fold, effort.widths, attention=False))
        begin(net, torch.Generator().manual_seed(run.seeds.integer(f"{key}/begin")))
        learning = Learning(net.to(device()), images, masks, effort)
        log = train(
            learning, len(images), steps=effort.steps, batch=effort.batch, run=run, key=key, stage="training segmenter"
        )
    return Segmenter(net), log
