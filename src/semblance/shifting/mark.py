"""A mark that was found in one place: how to read it in other images, and whether a generator writes it more often."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.shifting.patches import Forecast, Grid, ring_around
from semblance.stats import Estimate, auc_interval, newcombe, threshold_at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RARE = 0.05
"""Share of images without the label in which a mark may be seen by mistake."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How to read a mark, learned from real images.

    Attributes:
        grid, place: The patch. forecast: Of it by what is around it. weights: Of what is left: (d,).
        label: The one it goes with. limit: Of a score, from which on the mark counts as seen.
    """

    grid: Grid
    place: tuple[int, int]
    forecast: Forecast
    weights: Floats
    label: int
    limit: float

    @classmethod
    def learn(cls, grey: Floats, codes: Ints, grid: Grid, place: tuple[int, int], label: int) -> Mark:
        """From images (n, h, w) and their labels: half of them teach the weights, the others set the limit."""
        ring, own = ring_around(grey, grid, place)
        forecast = Forecast.learn(ring, own)
        left = forecast.left(ring, own)
        spread = np.maximum(left.std(axis=0), 1e-6)
        teach = np.arange(len(grey)) % 2 == 0
        x, target = left[teach] / spread, (codes[teach] == label).astype(np.float64)
        x, target = x - x.mean(axis=0), target - target.mean()
        n, d = x.shape
        weights = np.linalg.solve(x.T @ x / n + max(d / n, 0.02) * np.eye(d), x.T @ target / n) / spread
        limit = threshold_at((left @ weights)[~teach & (codes != label)], RARE)
        return cls(grid, place, forecast, weights, label, limit)

    def score(self, grey: Floats) -> Floats:
        """How much of the mark is in each image: (n, h, w) -> (n,)."""
        return np.asarray(self.forecast.left(*ring_around(grey, self.grid, self.place)) @ self.weights)


@dataclass(frozen=True, slots=True)
class Amplified:
    """What the mark tells of the label in made images, beside unseen real ones.

    Attributes:
        made, real: Areas under the curve. difference: Made minus real (Zou and Donner 2008).
        seen: By "with" and "without" the label: the share of images in which the mark is seen, made minus real.
        shares: The shares themselves, as (made, real).
    """

    made: Estimate
    real: Estimate
    difference: Estimate
    seen: dict[str, Estimate]
    shares: dict[str, tuple[float, float]]


def amplified(
    mark: Mark, made: tuple[Floats, Ints], real: tuple[Floats, Ints], *, confidence: float = 0.95
) -> Amplified:
    """Compare made with unseen real images, each as (n, h, w) and labels (n,), one image a patient."""
    scores = [mark.score(grey) for grey, _ in (made, real)]
    hits = [codes == mark.label for _, codes in (made, real)]
    one, other = (auc_interval(s, h, confidence=confidence) for s, h in zip(scores, hits, strict=True))
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    seen, shares = {}, {}
    for name, flag in (("with", True), ("without", False)):
        count = [
            (int((s[h == flag] > mark.limit).sum()), int((h == flag).sum())) for s, h in zip(scores, hits, strict=True)
        ]
        seen[name] = newcombe(*count[0], *count[1], confidence=confidence)
        shares[name] = (count[0][0] / max(count[0][1], 1), count[1][0] / max(count[1][1], 1))
    return Amplified(one, other, Estimate(value, value - below, value + above), seen, shares)
