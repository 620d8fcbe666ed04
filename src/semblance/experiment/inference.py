"""How sure is a difference between two arms? Seeds and patients are both drawn anew.

The same patients judge every arm, and a seed gives all arms the same training patients and first weights: differences
are paired in both. Of S seeds S - 1 are drawn, which makes the variance that the bootstrap sees unbiased even for few
(Rao and Wu 1988); what few seeds do not know of their own spread is in the t distribution, by the degrees of freedom
of Satterthwaite (1946). Patients and seeds are crossed, where such a bootstrap errs on the wide side (Owen 2007).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance.experiment.plan import Setting
from semblance.experiment.scoring import Endpoint
from semblance.stats import patient_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """What all classifiers say of the test images of one site.

    Attributes:
        positive: Which images are of the rare class, (n,). patients: Patient number of each image, (n,).
        chances: Of the rare class, by setting: (seeds, n).
    """

    positive: NDArray[np.bool_]
    patients: NDArray[np.int64]
    chances: Mapping[Setting, Floats]


@dataclass(frozen=True, slots=True)
class Gain:
    """A number, its standard error and the degrees of freedom of that."""

    value: float
    error: float
    freedom: float

    def interval(self, confidence: float) -> tuple[float, float]:
        half = self.error * float(distributions.t.ppf((1 + confidence) / 2, self.freedom))
        return self.value - half, self.value + half

    def above(self, limit: float = 0.0) -> float:
        """The p of a test that the truth is at most `limit`; 1 where nothing varies, so that nothing can be said."""
        if self.error <= 0:
            return 1.0
        return float(distributions.t.sf((self.value - limit) / self.error, self.freedom))

    def below(self, limit: float = 0.0) -> float:
        """The p of a test that the truth is at least `limit`."""
        return Gain(-self.value, self.error, self.freedom).above(-limit)

    def detectable(self, p: float, *, power: float = 0.8) -> float:
        """The smallest true gain that a test at level `p` would find with this power."""
        return self.error * float(distributions.t.ppf(1 - p, self.freedom) + distributions.t.ppf(power, self.freedom))


@dataclass(frozen=True, eq=False)
class Resampled:
    """One endpoint of all settings.

    Attributes:
        points: On all patients, by seed: (seeds,). replicates: In each sample of patients, by seed: (seeds, samples).
        shares: What each seed counts in each sample, summing to 1: (seeds, samples).
        fewer: Patients on the side that has fewer.
    """

    points: Mapping[Setting, Floats]
    replicates: Mapping[Setting, Floats]
    shares: Floats
    fewer: int

    def level(self, one: Setting) -> Gain:
        """The mean over seeds."""
        return self._gain(self.points[one], self.replicates[one])

    def difference(self, one: Setting, other: Setting) -> Gain:
        """How much higher `one` is than `other`."""
        return self._gain(self.points[one] - self.points[other], self.replicates[one] - self.replicates[other])

    def samples(self, one: Setting) -> Floats:
        """The mean over the drawn seeds, sample by sample; what both hold was drawn together."""
        return np.asarray((self.shares * self.replicates[one]).sum(axis=0))

    def _gain(self, points: Floats, replicates: Floats) -> Gain:
        found = (self.shares * replicates).sum(axis=0)
        variance = float(np.nanvar(found, ddof=1))
        seeds = len(points)
        of_seeds = float(points.var(ddof=1)) / seeds
        rest = max(0.0, variance - of_seeds)
        parts = of_seeds**2 / (seeds - 1) + rest**2 / max(1, self.fewer - 1)
        freedom = (of_seeds + rest) ** 2 / parts if parts > 0 else 1.0
        return Gain(float(points.mean()), float(np.sqrt(max(variance, of_seeds))), float(freedom))


def resample(scores: Scores, endpoint: Endpoint, rng: np.random.Generator, *, replicates: int) -> Resampled:
    """Measure every setting on all patients and on `replicates` samples of them, the same for all."""
    weights = patient_weights(scores.patients, replicates, rng)
    seeds = len(next(iter(scores.chances.values())))
    drawn = rng.integers(seeds, size=(replicates, seeds - 1))
    shares = np.stack([np.bincount(row, minlength=seeds) for row in drawn], axis=1) / (seeds - 1)
    everyone = np.ones((len(scores.positive), 1))
    points, found = {}, {}
    for setting, chances in scores.chances.items():
        points[setting] = np.array([endpoint.measure(c, scores.positive, everyone)[0] for c in chances])
        found[setting] = np.stack([endpoint.measure(c, scores.positive, weights) for c in chances])
    sides = (scores.patients[scores.positive], scores.patients[~scores.positive])
    return Resampled(points, found, shares, min(len(np.unique(side)) for side in sides))
