"""A critic small enough for its slopes to be worked out by hand: 16 neurons that look at one number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]  # (n,)


class NeuralCritic:
    """Says how likely a number is real: σ(b + Σ v·tanh(u·x + c)), trained on the logarithmic loss of a minimax GAN.

    Kingma and Ba (2015), "Adam", does the steps.
    """

    HIDDEN, RATE = 16, 0.01

    def __init__(self, rng: np.random.Generator, *, reach: float) -> None:
        """Untrained; its neurons bend somewhere in [−reach, reach], where the numbers will be."""
        steepness = rng.normal(0.0, 4.0, self.HIDDEN)
        bends = -steepness * rng.uniform(-reach, reach, self.HIDDEN)
        self._weights = np.concatenate([steepness, bends, rng.normal(0.0, 0.3, self.HIDDEN), [0.0]])
        self._mean, self._square = np.zeros((2, self._weights.size))
        self._steps = 0

    def logit(self, x: Values) -> Values:
        """Above 0 where the critic says "real": (n,)."""
        _, _, out, base = self._parts()
        return np.asarray(self._hidden(x) @ out + base)

    def slope(self, x: Values) -> Values:
        """How steeply the logit rises with the number: (n,)."""
        steepness, _, out, _ = self._parts()
        return np.asarray((1 - self._hidden(x) ** 2) @ (steepness * out))

    def learn(self, real: Values, fake: Values) -> None:
        """One step up the slope of what the critic wins on these numbers."""
        x = np.concatenate([real, fake])
        hidden = self._hidden(x)  # (2n, HIDDEN)
        _, _, out, base = self._parts()
        wrong = _sigmoid(hidden @ out + base) - np.repeat([1.0, 0.0], [real.size, fake.size])
        wrong /= real.size
        inner = np.outer(wrong, out) * (1 - hidden**2)
        self._step(np.concatenate([x @ inner, inner.sum(axis=0), wrong @ hidden, [wrong.sum()]]))

    def won(self, real: Values, fake: Values) -> float:
        """The value of the game: mean log D(real) + mean log(1 − D(fake))."""
        return float(-np.logaddexp(0, -self.logit(real)).mean() - np.logaddexp(0, self.logit(fake)).mean())

    def push(self, fake: Values) -> float:
        """The slope of that value for a forger who moves all its numbers together."""
        return float(-(_sigmoid(self.logit(fake)) * self.slope(fake)).mean())

    def _hidden(self, x: Values) -> Values:
        steepness, bends, _, _ = self._parts()
        return np.tanh(np.outer(x, steepness) + bends)

    def _parts(self) -> tuple[Values, Values, Values, float]:
        n = self.HIDDEN
        return self._weights[:n], self._weights[n : 2 * n], self._weights[2 * n : 3 * n], float(self._weights[-1])

    def _step(self, gradient: Values) -> None:
        self._steps += 1
        self._mean += 0.1 * (gradient - self._mean)
        self._square += 0.001 * (gradient**2 - self._square)
        mean, square = self._mean / (1 - 0.9**self._steps), self._square / (1 - 0.999**self._steps)
        self._weights = self._weights - self.RATE * mean / (np.sqrt(square) + 1e-8)


class StraightCritic:
    """Says a·x with |a| ≤ 1: the steepest that a Wasserstein critic may be, kept so by clipping its weight.

    Between one distribution and the same one moved, no other critic of that steepness does better.
    """

    RATE = 1.0

    def __init__(self) -> None:
        self.weight = 0.0

    def learn(self, real: Values, fake: Values) -> None:
        """One step up the slope of what the critic wins, the difference of the means."""
        self.weight = float(np.clip(self.weight + self.RATE * (real.mean() - fake.mean()), -1.0, 1.0))

    def won(self, real: Values, fake: Values) -> float:
        """Mean over the real less mean over the forged, an estimate of the earth mover's distance."""
        return float(self.weight * (real.mean() - fake.mean()))

    def push(self, fake: Values) -> float:
        """The slope of that for a forger who moves all its numbers together."""
        return -self.weight


def _sigmoid(x: Values) -> Values:
    return np.exp(-np.logaddexp(0.0, -x))
