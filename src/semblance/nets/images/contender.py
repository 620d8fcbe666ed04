"""A classifier in a contest: the net of ``classifier.py``, so many steps, and the state that real patients preferred.

Nothing is done to what it sees but what the caller asks for, so that arms of an experiment differ by that alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semblance.contracts import Run
from semblance.nets.device import device, threads
from semblance.nets.images.blocks import begin
from semblance.nets.images.classifier import AVERAGE, BATCH, DECAY, RATE, Classifier, Judge
from semblance.nets.tensors import flat, within
from semblance.nets.training import Watch, train
from semblance.stats import auc

LOOKS = 8
"""Times that a training is looked at by the validation patients; its best state is what counts."""

WIDTH = 16
"""Channels of the net's finest level: small, because there are many to train."""

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Validation:
    """Real images that choose between the states of one training: (n, channels, height, width), -1 to 1."""

    images: Pixels
    positive: NDArray[np.bool_]


class _Contender:
    """A Trainee (``nets/training.py``)."""

    def __init__(
        self, net: Classifier, images: Pixels, labels: NDArray[np.int64], seen: Callable[[int], Pixels] | None
    ) -> None:
        self._net, self._seen = net.to(device()), seen
        self._images, self._labels = torch.from_numpy(images), torch.from_numpy(labels)
        self._optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        self.average = {name: value.detach().clone() for name, value in net.state_dict().items()}
        self._taken, self._epoch = 0, -1

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        epoch = self._taken * len(rows) // len(self._labels)
        if self._seen is not None and epoch != self._epoch:
            self._images, self._epoch = torch.from_numpy(self._seen(epoch)), epoch
        self._taken += 1
        for group in self._optimiser.param_groups:
            group["lr"] = RATE * min(1.0, self._taken / 20) * 0.5 * (1 + math.cos(math.pi * share))
        logits = self._net(self._images[rows].to(device()))
        loss = functional.cross_entropy(logits, self._labels[rows].to(device()))
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        with torch.no_grad():
            kept = min(AVERAGE, self._taken / (self._taken + 10))
            for name, value in self._net.state_dict().items():
                self.average[name].lerp_(value, 1 - kept)
        return {"loss": float(loss.detach())}

    def state(self) -> dict[str, Tensor]:
        return flat("average", self.average)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.average = {name: value.clone() for name, value in within("average", state).items()}


def learn_contest(
    images: Pixels,
    labels: NDArray[np.int64],
    validation: Validation,
    run: Run,
    *,
    n_classes: int,
    positive: int,
    steps: int,
    seen: Callable[[int], Pixels] | None = None,
) -> Judge:
    """Train a classifier for exactly `steps` steps, and keep the state that told the validation images best apart.

    Args:
        images: (n, channels, height, width), -1 to 1. labels: Numbers of classes, (n,).
        positive: The class whose area under the ROC curve, against all others, is looked at.
        seen: What is shown in place of `images` in each epoch, from 0: their classical augmentation.

    Not resumable by itself: it is one of many that take seconds, and a finished one is what the caller keeps.

    Privacy: what it learned of real images is as private as they are; without differential privacy.
    """
    net = Classifier(images.shape[1], n_classes, width=WIDTH, fold=2 if max(images.shape[2:]) < 48 else 4)
    begin(net, torch.Generator().manual_seed(run.seeds.integer("contest/weights")))
    contender = _Contender(net, images, labels, seen)
    judging = deepcopy(net).to(device()).eval().requires_grad_(False)

    def missed() -> float:
        judging.load_state_dict(contender.average)
        return 1 - auc(Judge(judging).chances(validation.images)[:, positive], validation.positive)

    with threads(1):  # trainings run side by side; a fixed number of threads, so that a seed gives the same sums
        train(
            contender,
            len(images),
            steps=steps,
            batch=BATCH,
            run=run,
            key="contest",
            stage="learning to tell classes",
            watch=Watch(missed, every=max(1, steps // LOOKS), patience=LOOKS + steps),
        )
        judging.load_state_dict(contender.average)
    return Judge(judging)
