"""The charge for a private training: noisy steps, each on a sample of the patients; and how much noise is affordable.

Rate and number of steps are chosen without the data, so that nothing of the charge tells how many patients there are;
a batch is a share of them, whatever their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from semblance.privacy import events as ev
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import Event
from semblance.privacy.ledger import Ledger

LEAST_NOISE = 0.3
"""Noise multiplier below which nobody is hidden, and accounts take long to tell."""
TELLINGS = 10
"""How often a training tells what it has cost so far: counting that takes some time."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Steps of DP-SGD (Abadi et al. 2016): the sum of clipped gradients of a Poisson sample, with Gaussian noise.

    Attributes:
        rate: Chance of each patient to be in a step's batch. noise_multiplier: Standard deviation of the noise, over
            the length to which a patient's gradient is clipped.
    """

    rate: float
    noise_multiplier: float
    steps: int

    @property
    def event(self) -> Event:
        """What is to be charged, once, before the first batch is drawn."""
        return ev.Repeated(ev.Poisson(self.rate, ev.Gaussian(self.noise_multiplier)), self.steps)

    @classmethod
    def worth(cls, rho: float, *, rate: float, steps: int) -> Sampled:
        """The training with about as much noise as `rho`-zCDP asks for: less noise the larger it is.

        By the central limit theorem for such steps (Bu, Dong, Long and Su 2020): they are about as private as one
        Gaussian mechanism of mu = rate sqrt(steps (exp(1 / noise²) - 1)), and rho = mu² / 2. An approximation to
        search along; what it really costs is for an account to say.
        """
        noise = 1 / math.sqrt(math.log1p(2 * rho / (rate**2 * steps)))
        return cls(rate, max(LEAST_NOISE, noise), steps)

    def told(self, ledger: Ledger) -> Told:
        """What the ledger's charges come to while the steps are taken, this one's being the last that was entered."""
        return Told(self, ledger)


def affordable(ledger: Ledger, *, rate: float, steps: int) -> Sampled:
    """The least noise with which so many steps stay within what is left of a ledger's allowance.

    Raises:
        BudgetExceeded: nothing is left. ValueError: there is no allowance.
    """
    rho = ledger.largest(lambda rho: Sampled.worth(rho, rate=rate, steps=steps).event)
    return Sampled.worth(rho, rate=rate, steps=steps)


def cut_short(taken: int, training: Sampled) -> tuple[str, ...]:
    """One note where the time limit ended a training before all of its steps, which were charged all the same."""
    if taken >= training.steps:
        return ()
    return (f"Stopped by the time limit after {taken} training steps; all {training.steps} of them are charged.",)


class Told:
    """Epsilon so far, for whoever watches: by the allowance's delta, never told too small. Reads no data."""

    def __init__(self, training: Sampled, ledger: Ledger) -> None:
        if ledger.allowance is None or not ledger.charges or ledger.charges[-1].event != training.event:
            raise ValueError("charge the training first; it is the last charge before its first step.")
        self._training, self._allowed = training, ledger.allowance
        self._before = [charge.event for charge in ledger.charges[:-1]]
        self._upto, self._epsilon = 0, 0.0

    def epsilon(self, step: int) -> float:
        """What all charges come to once `step` steps are taken, at the next of ten marks: an upper bound."""
        if step > self._upto:
            steps = self._training.steps
            self._upto = min(steps, max(1, math.ceil(math.ceil(step * TELLINGS / steps) * steps / TELLINGS)))
            so_far = ev.compose([*self._before, replace(self._training, steps=self._upto).event])
            self._epsilon = epsilon_of(so_far, self._allowed.delta, self._allowed.relation).epsilon
        return self._epsilon
