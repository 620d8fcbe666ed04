"""A Gaussian for each class of images, from noisy sums: what images are like, as far as a small budget tells.

Four things are asked, each with noise, each of what the earlier answers leave open: how many patients each class has
and their mean image; in which ways images differ together, as products of slow waves; how far they go each of these
ways, and each of the other waves, class by class. What noise drowns is shrunk towards what is known of more patients or
of neighbouring waves (James and Stein 1961), which costs nothing.

PRIVACY: the noise of each sum is chosen beforehand (`Plan`); what is asked next may depend on noisy answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.imaging.crowd import Classes, Crowd, Pixels, shorten
from semblance.imaging.waves import Floats, Waves
from semblance.privacy.events import Composed, Event, Gaussian
from semblance.privacy.ledger import Ledger
from semblance.privacy.vectors import noisy_sum

MEANS, LINKS, STRENGTHS = 0.2, 0.4, 0.4
"""Shares of rho."""
SLOW = 256
"""Waves of which a mean is asked, at most."""
SMALLEST, LARGEST = 8, 224
"""Waves of which products are asked."""
COUNTED = 0.1
"""Share, by its square, of a patient's vector that is told of how many there are."""
MEAN_REACH = 5.0
"""Of a patient's waves, each times the root of the law over its largest value. A white image's is 10/3."""
LINK_REACH, STRENGTH_REACH = 0.75, 2.0
"""Squared, over how many numbers there are."""
FARTHEST = 9.0
"""Squared deviation that counts, in units of what is expected."""
FAINTEST = 0.02
"""Variance of a wave, over that of its neighbours, at least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How noisy each sum is: fixed before anything is looked at.

    Attributes:
        rho: Of all sums together, as zero-concentrated DP; infinite where nothing is promised.
    """

    rho: float

    def noise(self, share: float) -> float:
        """The noise multiplier of a Gaussian that costs this share."""
        return 1 / math.sqrt(2 * share * self.rho)

    @property
    def event(self) -> Event:
        """Everything."""
        return Composed(tuple(Gaussian(self.noise(share)) for share in (MEANS, LINKS, STRENGTHS)))


@dataclass(frozen=True, eq=False)
class WaveGaussian:
    """Images of each class as a mean and independent ways to differ from it.

    Attributes:
        patients: Of each class, as far as noise lets know: (classes,).
        mean: (classes, waves), in units of the law. spread: Standard deviation each way: (classes, waves).
        slow: Places of the waves that go together: (d,).
        ways: Of each class; each a mixture of slow waves, all at right angles: (classes, d, d).
    """

    waves: Waves
    patients: Floats
    mean: Floats
    spread: Floats
    slow: NDArray[np.int64]
    ways: Floats

    def turned(self, apart: Floats, classes: Classes) -> Floats:
        """Waves away from the mean of their class -> how far each way: (n, waves), (n,) -> (n, waves)."""
        found = apart.copy()
        for number, ways in enumerate(self.ways):
            mine = np.flatnonzero(classes == number)
            found[np.ix_(mine, self.slow)] = apart[np.ix_(mine, self.slow)] @ ways.T
        return found

    def images(self, classes: Classes, noise: Floats) -> NDArray[np.float32]:
        """Images of these classes, (n,), from normal noise, (n, waves): (n, c, h, w), mostly between -1 and 1."""
        apart = noise * self.spread[classes]
        for number, ways in enumerate(self.ways):
            mine = np.flatnonzero(classes == number)
            apart[np.ix_(mine, self.slow)] = apart[np.ix_(mine, self.slow)] @ ways
        return self.waves.images(self.mean[classes] + apart)


def learn_gaussian(crowd: Crowd, waves: Waves, plan: Plan, ledger: Ledger) -> WaveGaussian:
    """From images to a Gaussian.

    PRIVACY: spends `plan.event` in three parts, each before its noise is drawn. Without an allowance the sums are
    exact, and nothing is promised.

    Raises:
        BudgetExceeded: it is not allowed; nothing was drawn.
    """
    patients, mean = _means(crowd, waves, plan.noise(MEANS), ledger)
    slow, ways, expected = _links(crowd, waves, mean, patients, plan.noise(LINKS), ledger)
    still = WaveGaussian(waves, patients, mean, np.ones_like(mean), slow, ways)
    spread = _strengths(crowd, still, expected, plan.noise(STRENGTHS), ledger)
    return WaveGaussian(waves, patients, mean, spread, slow, ways)


def asked(total: Floats, purpose: str, noise: float, reach: float, ledger: Ledger) -> Floats:
    """A sum over patients as it may be told: with noise, once that is charged; flat.

    PRIVACY: `events.Gaussian(noise)`, where one patient's part of `total` is at most `reach` long. Without an
    allowance, the sum itself.
    """
    if ledger.allowance is None:
        return total.ravel()
    ledger.spend(purpose, Gaussian(noise))
    return noisy_sum(total.ravel(), noise, reach)


def _means(crowd: Crowd, waves: Waves, noise: float, ledger: Ledger) -> tuple[Floats, Floats]:
    """Patients of each class, at least 1, and the mean of each wave: (classes,), (classes, waves)."""
    slow = waves.slowest(SLOW)
    weigh = np.sqrt(waves.law[slow] / waves.law.max())
    counted, rest = math.sqrt(COUNTED), math.sqrt(1 - COUNTED)

    def question(images: Pixels, _: Classes) -> Floats:
        known = shorten(waves.of(images)[:, slow] * weigh, MEAN_REACH) * (rest / MEAN_REACH)
        return np.hstack([np.full((len(known), 1), counted), known])

    total = crowd.sums(question, reach=1.0)
    noisy = asked(total, "images/means", noise, 1.0, ledger).reshape(crowd.sizes, -1)
    patients = np.maximum(noisy[:, 0] / counted, 1.0)
    scale = MEAN_REACH / (rest * weigh)
    together = noisy[:, 1:].sum(axis=0) * scale / patients.sum()
    doubt = noise * scale
    rings = _rings(waves)[slow]
    everyone = shrink(together, doubt * math.sqrt(len(patients)) / patients.sum(), rings)
    mean = np.zeros((len(patients), waves.n))
    for number, count in enumerate(patients):
        apart = noisy[number, 1:] * scale / count - everyone
        mean[number, slow] = everyone + (shrink(apart, doubt / count, rings) if len(patients) > 1 else 0)
    return patients, mean


def _links(
    crowd: Crowd, waves: Waves, mean: Floats, patients: Floats, noise: float, ledger: Ledger
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Which waves go together, in which ways, and how far (as variance): (d,), (classes, d, d), (classes, waves)."""
    n = float(patients.sum())
    slow = waves.slowest(round(min(LARGEST, max(SMALLEST, (n / max(1.2 * noise, 1e-9)) ** (2 / 3)))))
    d, reach = len(slow), math.sqrt(LINK_REACH * len(slow))
    total = crowd.products(lambda images, classes: (waves.of(images) - mean[classes])[:, slow], reach=reach)
    upper = np.triu_indices(d)
    twice = np.where(upper[0] == upper[1], 1.0, math.sqrt(2))
    noisy = asked(total[:, *upper] * twice, "images/links", noise, reach**2, ledger)
    noisy = noisy.reshape(crowd.sizes, -1) / twice
    tables = np.zeros((crowd.sizes, d, d))
    tables[:, *upper] = noisy
    tables = tables + np.triu(tables, 1).transpose(0, 2, 1)
    together, doubt = tables.sum(axis=0) / n, noise * reach**2
    usual = max(float(np.trace(together)) / d, 0.01)
    everyone = clear_part(together - usual * np.eye(d), doubt * math.sqrt(len(tables)) / n)
    expected, ways = np.full((len(tables), waves.n), usual), np.zeros_like(tables)
    for number, count in enumerate(patients):
        own = clear_part(tables[number] / count - together, doubt / count) if len(tables) > 1 else 0.0
        far, found = np.linalg.eigh(everyone + own + np.diag(np.linspace(1e-6, 0, d)))  # ties go by frequency
        ways[number] = found.T
        expected[number, slow] = np.maximum(usual + far, 0.05 * usual)
    return slow, ways, expected


def clear_part(table: Floats, doubt: float) -> Floats:
    """What of a symmetric table stands out of noise: its large eigenvalues, less what noise adds to them (d, d).

    Noise of standard deviation `doubt` on the diagonal, and 0.7 of it elsewhere, has eigenvalues up to
    sqrt(2 d) doubt, and moves a larger one l to l + d doubt² / (2 l) (Benaych-Georges and Nadakuditi 2011).
    """
    edge = math.sqrt(2 * len(table)) * doubt
    far, ways = np.linalg.eigh(table)
    left = np.sqrt(np.maximum(far**2 - edge**2, 0.0))
    shrunk = np.where(np.abs(far) > edge, (far + np.sign(far) * left) / 2, 0.0)
    return np.asarray((ways * shrunk) @ ways.T)


def _strengths(crowd: Crowd, still: WaveGaussian, expected: Floats, noise: float, ledger: Ledger) -> Floats:
    """Standard deviation each way: (classes, waves)."""
    waves, reach = still.waves, math.sqrt(STRENGTH_REACH * still.waves.n)

    def question(images: Pixels, classes: Classes) -> Floats:
        far = still.turned(waves.of(images) - still.mean[classes], classes)
        return np.asarray(np.minimum(far**2 / expected[classes], FARTHEST))

    noisy = asked(crowd.sums(question, reach=reach), "images/strengths", noise, reach, ledger)
    noisy = noisy.reshape(crowd.sizes, -1)
    rings, n = _rings(waves), still.patients
    together, doubt = noisy.sum(axis=0) / n.sum(), noise * reach
    ring = np.maximum(_ring_means(together, rings), FAINTEST)
    profile = ring + shrink(together - ring, np.full(len(ring), doubt * math.sqrt(len(n)) / n.sum()), rings)
    found = np.zeros_like(noisy)
    for number, count in enumerate(n):
        own = np.clip(_ring_means(noisy[number] / count, rings) / ring, 0.1, 10.0) * profile
        found[number] = own + shrink(noisy[number] / count - own, np.full(len(own), doubt / count), rings)
        found[number] = np.maximum(found[number], FAINTEST * np.maximum(ring, FAINTEST))
    return np.sqrt(found * expected)


def shrink(found: Floats, doubt: Floats, rings: NDArray[np.int64]) -> Floats:
    """What is left of noisy numbers that may well be 0, ring by ring (James and Stein 1961, the positive part).

    Args:
        found: (d,). doubt: Standard deviation of their noise: (d,). rings: Number of the ring of each: (d,).
    """
    size = np.bincount(rings)[rings]
    noisy = np.bincount(rings, weights=doubt**2)[rings] * np.maximum(size - 2, 1) / size
    seen = np.bincount(rings, weights=found**2)[rings]
    return np.asarray(found * np.maximum(0.0, 1 - noisy / np.maximum(seen, 1e-300)))


def _ring_means(numbers: Floats, rings: NDArray[np.int64]) -> Floats:
    return np.asarray((np.bincount(rings, weights=numbers) / np.maximum(np.bincount(rings), 1))[rings])


def _rings(waves: Waves) -> NDArray[np.int64]:
    """Waves of about the same frequency and colour, by number: (waves,)."""
    each = waves.height * waves.width
    ring = np.round(waves.frequency).astype(np.int64) + 1000 * (np.arange(waves.n) // each)
    found: NDArray[np.int64] = np.unique(ring, return_inverse=True)[1].astype(np.int64)
    return found
