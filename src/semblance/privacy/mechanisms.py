"""The noise that keeps the promise: exact, and from the operating system's randomness.

Discrete Gaussian and discrete Laplace noise are whole numbers, added to whole counts, so nothing leaks through the
gaps of floating point (Mironov 2012). They are drawn by the rejection sampler of Canonne, Kamath and Steinke (2020),
many at a time. Scales are floats, taken as the fractions that they are.

PRIVACY: a mechanism here draws noise and charges nothing. Whoever calls it has charged the event first
(``events.py``), with the distance that one *patient* can make: a patient's capped rows together, not a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from semblance.privacy.randomness import Coins, Floats, Integers, below, exponential_coins, words

MOST = 2.0**40
"""Largest standard deviation; the sampler works in 64-bit integers."""
BLOCK = 2**20
"""Values drawn at a time, which bounds the memory."""


def discrete_gaussian(sigma: float, n: int) -> Integers:
    """`n` draws with probability proportional to exp(-x² / 2 sigma²) on the integers (CKS 2020, algorithm 3).

    PRIVACY: added to counts of which a patient moves one, by at most s: `events.DiscreteGaussian(sigma, s)`; to counts
    of which a patient moves several, by L2 distance at most s: `events.Zcdp(s² / 2 sigma²)`.

    Raises:
        ValueError: sigma is not above 0, or too large to be drawn.
    """
    if not 0 < sigma <= MOST:
        raise ValueError("sigma must be above 0 and at most 2**40.")
    variance = Fraction(sigma) ** 2
    scale = math.floor(sigma) + 1

    def attempt(size: int) -> tuple[Integers, Coins]:
        drawn = discrete_laplace(float(scale), size)
        far = np.abs(drawn)
        exponents = (far - sigma * (sigma / scale)) ** 2 / (2 * sigma**2)

        def exact(i: int) -> Fraction:
            return (int(far[i]) - variance / scale) ** 2 / (2 * variance)

        return drawn, exponential_coins(exponents, exact)

    return _gather(n, attempt, yielded=0.5)


def discrete_laplace(scale: float, n: int) -> Integers:
    """`n` draws with probability proportional to exp(-|x| / scale) on the integers (CKS 2020, algorithm 2).

    PRIVACY: added to counts that a patient moves by L1 distance at most s: `events.Laplace(scale / s)`.

    Raises:
        ValueError: the scale is not above 0, too large, or has too many binary places to be drawn exactly.
    """
    if not 0 < scale <= 2 * MOST:
        raise ValueError("a scale must be above 0 and at most 2**41.")
    top, bottom = Fraction(scale).as_integer_ratio()
    if max(top, bottom) > 2**53:
        raise ValueError("a scale must have few binary places; round it up to a multiple of 2**-10.")

    def attempt(size: int) -> tuple[Integers, Coins]:
        part = below(top, size)
        kept = exponential_coins(part / top, lambda i: Fraction(int(part[i]), top))
        part = part[kept]
        whole = _geometric(len(part))
        steps = part // bottom + whole * (top // bottom) + (part % bottom + whole * (top % bottom)) // bottom
        negative = (words(len(part)) & np.uint64(1)).astype(bool)
        return np.where(negative, -steps, steps), ~(negative & (steps == 0))

    return _gather(n, attempt, yielded=0.3)


def choose(scores: Floats, epsilon: float, sensitivity: float) -> int:
    """The exponential mechanism (McSherry and Talwar 2007): a position, drawn by exp(epsilon score / 2 sensitivity).

    Drawn by rejection with exact coins, so that no probability is rounded. Scores are floats and taken as they are.

    PRIVACY: `events.Selection(epsilon)`, if a patient moves every score by at most `sensitivity`.

    Raises:
        ValueError: no scores, or some that are not finite.
    """
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError("there must be scores to choose from, all of them finite.")
    rate = Fraction(epsilon) / (2 * Fraction(sensitivity))
    best = Fraction(float(scores.max()))
    exponents = (scores.max() - scores) * float(rate)
    while True:
        at = below(len(scores), max(64, 2 * len(scores)))

        def exact(i: int, at: Integers = at) -> Fraction:
            return rate * (best - Fraction(float(scores[at[i]])))

        coins = exponential_coins(exponents[at], exact)
        if coins.any():
            return int(at[int(np.argmax(coins))])


def noisy(counts: NDArray[np.int64], sigma: float) -> Integers:
    """Counts of any shape with discrete Gaussian noise on each. PRIVACY: see `discrete_gaussian`."""
    return np.asarray(counts + discrete_gaussian(sigma, counts.size).reshape(counts.shape))


def _geometric(n: int) -> Integers:
    """How many coins of probability 1/e fall before the first that does not: (n,)."""
    runs = np.zeros(n, dtype=np.int64)
    going = np.arange(n)
    while len(going):
        going = going[exponential_coins(np.ones(len(going)), lambda i: Fraction(1))]
        runs[going] += 1
    return runs


def _gather(n: int, attempt: Callable[[int], tuple[Integers, Coins]], *, yielded: float) -> Integers:
    """`n` accepted draws from attempts that are accepted about `yielded` of the time."""
    found: list[Integers] = []
    missing = n
    while missing > 0:
        drawn, accepted = attempt(min(BLOCK, int(missing / yielded) + 64))
        found.append(drawn[accepted][:missing])
        missing -= len(found[-1])
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)
