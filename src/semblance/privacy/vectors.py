"""Gaussian noise on a sum of vectors, each patient's no longer than a bound: what private training adds to gradients.

Sum and noise are both rounded to one grid, whose steps depend on public sizes alone. For a sum on the grid,
round(sum + noise) = sum + round(noise): what is let out is the Gaussian mechanism's answer, rounded afterwards, and
whole steps of a grid tell nothing by the gaps of floating point (Mironov 2012). That is why it is not needed here to
add up several draws, so that nobody can trace one back through its gaps (Holohan and Braghin 2021, as Opacus does in
its secure mode). Rounding the sum moves it by half a step in each number; `WIDER` noise makes up for that, and for
sums in single precision, in which one patient may shift the rounding of others.

What floating point leaves: a draw is off by some 1e-16 of itself, which moves each probability on the grid by less
than 1e-12 of itself, and draws end at 9.4 standard deviations, beyond which one of 2e20 would lie.

PRIVACY: noise comes from the operating system; nothing is charged here. Whoever calls has charged first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semblance.privacy.randomness import WORD, words

Floats = NDArray[np.float64]

FINE = 2.0**12
"""Steps of the grid within a patient's reach, over the root of how many numbers there are."""
WIDER = 1.001
"""Noise that is drawn over noise that is charged."""
BLOCK = 2**20
"""Draws at a time, which bounds the memory."""


def noisy_sum(total: Floats, noise_multiplier: float, reach: float) -> Floats:
    """A sum of patients' vectors, with Gaussian noise of `noise_multiplier` times `reach` on each number: (n,).

    Args:
        total: The sum, (n,), at least in single precision, of at most some 10,000 patients.
        reach: L2 length of one patient's vector, at most.

    PRIVACY: `events.Gaussian(noise_multiplier)`, on a sample of the patients inside `events.Poisson`.

    Raises:
        ValueError: a number is not finite, or the noise or the reach is not above 0.
    """
    if not (noise_multiplier > 0 and reach > 0 and math.isfinite(noise_multiplier * reach)):
        raise ValueError("noise and reach must be above 0 and finite.")
    if not np.isfinite(total).all():
        raise ValueError("the sum of patients' vectors is not finite; leave out whoever's own is not.")
    step = reach / (FINE * math.sqrt(max(1, len(total))))
    noise = gaussian(len(total)) * (WIDER * noise_multiplier * reach / step)
    return (np.rint(total.astype(np.float64) / step) + np.rint(noise)) * step


def gaussian(n: int) -> Floats:
    """`n` draws of N(0, 1) by the operating system's randomness (Box and Muller 1958). See `noisy_sum` for noise."""
    drawn = np.empty(n + n % 2)
    for start in range(0, len(drawn), BLOCK):
        part = drawn[start : start + BLOCK]
        uniform = (words(len(part)) + 0.5) * 2.0**-WORD  # above 0, and as fine near 0 as 64 bits can be
        far, turn = np.split(uniform, 2)
        length, angle = np.sqrt(-2 * np.log(far)), 2 * math.pi * turn
        part[: len(far)], part[len(far) :] = length * np.cos(angle), length * np.sin(angle)
    return drawn[:n]
