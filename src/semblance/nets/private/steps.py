"""Noisy gradients, which are the only way in which patients reach a net that is trained privately.

One step (Abadi et al. 2016): a batch by coins, each patient's gradient clipped, their sum with noise, over the
*expected* number of patients in a batch; the real one is a secret, as is how many patients there are at all. What is
then done with the gradient, by whatever optimiser, is post-processing.

    training = affordable(run.ledger, rate=0.02, steps=1000)             # semblance.privacy.sampled: the least noise
    run.ledger.spend("flow/training", training.event)                    # once, before the first batch
    noisy = NoisyGradients(net, losses, Batches(subjects, training.rate), training=training, reach=1.0)
    learn(net, noisy, optimiser, training=training, patients=noisy_count, run=run, stage="learning")
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from semblance.contracts import Run, silent
from semblance.nets.private.clipping import Clipped, Losses, learned
from semblance.nets.private.ghost import Ghost, knows
from semblance.nets.private.samples import Samples
from semblance.privacy import vectors
from semblance.privacy.batches import Batches
from semblance.privacy.sampled import Sampled


class NoisyGradients:
    """Noisy sums of one net's gradients, over a new batch each.

    Args:
        losses: Positions of rows in the table -> a loss for each, which may depend on that row alone, on the net, and
            on draws of its own (`clipping.unguessable`); not on other rows: (m,) -> (m,).
        batches: Of all the patients of the table.
        training: What was charged. reach: Length to which a patient's gradient is clipped.

    Raises:
        Unsupported: the net mixes the patients of a batch, or holds a layer whose gradients by row are not known.
    """

    def __init__(self, net: nn.Module, losses: Losses, batches: Batches, *, training: Sampled, reach: float) -> None:
        self._batches, self._training, self._reach = batches, training, reach
        self._clipped: Clipped = Ghost(net, losses) if knows(net) else Samples(net, losses)
        self._taken = 0

    def sum(self) -> NDArray[np.float64]:
        """Draw a batch, and add up its patients' clipped gradients, with noise: (parameters,).

        PRIVACY: `events.Poisson(rate, Gaussian(noise_multiplier))`, of which `training.steps` are charged beforehand.

        Raises:
            ValueError: all steps that were charged are taken.
        """
        if self._taken >= self._training.steps:
            raise ValueError("as many steps as were charged are taken; charge more before taking more.")
        self._taken += 1
        total = self._clipped(self._batches.draw(), self._reach)
        return vectors.noisy_sum(total, self._training.noise_multiplier, self._reach)

    def close(self) -> None:
        """Take all hooks off the net, so that it can be copied and saved."""
        self._clipped.close()


def learn(
    net: nn.Module,
    noisy: NoisyGradients,
    optimiser: torch.optim.Optimizer,
    *,
    training: Sampled,
    patients: float,
    run: Run,
    stage: str,
    each: Callable[[int], object] = int,
) -> int:
    """Take all steps that were charged, or as many as the time allows; how many were taken.

    No loss is logged and nothing is stopped early: both would be further looks at patients.

    Args:
        patients: How many there are, noisily counted or declared, which a batch's expected size follows from.
        each: Called after each step with its number, from 0: for averages and learning rates. It sees no patients.
    """
    told = training.told(run.ledger)
    until = time.monotonic() + 60 * run.max_minutes
    expected = max(1.0, training.rate * patients)
    for step in range(training.steps):
        if time.monotonic() > until:
            return step
        give(net, noisy.sum() / expected)
        optimiser.step()
        each(step)
        if run.progress is not silent:  # counting epsilon takes time
            so_far = math.ceil(100 * told.epsilon(step + 1)) / 100
            run.progress(f"{stage} · ε = {so_far:.2f} so far", step + 1, training.steps)
    return training.steps


def give(net: nn.Module, gradient: NDArray[np.float64]) -> None:
    """Put a flat gradient into `.grad` of the net's parameters."""
    flat = torch.from_numpy(gradient)
    start = 0
    for parameter in learned(net):
        part = flat[start : start + parameter.numel()]
        parameter.grad = part.reshape(parameter.shape).to(parameter.device, parameter.dtype)
        start += parameter.numel()
