"""Random bits that nobody can replay: those of the operating system, and coins made of them whose odds are exact.

Noise that protects patients is made of these and never of a seed: whoever knows a seed subtracts the noise.

A coin that falls with a real probability p compares the bits of a uniform number with those of p. 64 of them and p in
floating point settle nearly every coin; where they are too close to call, more bits and more digits do. So the odds
are p itself, not a float near it, as long as floating point errs by less than `MARGIN`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MARGIN = 1e-10
"""How far, relatively, a probability in floating point may lie from the true one; numpy does 10^4 times better."""
WORD = 64

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Coins = NDArray[np.bool_]


def words(n: int) -> Words:
    """`n` uniform 64-bit words."""
    return np.frombuffer(os.urandom(8 * n), dtype=np.uint64)


def below(limit: int, n: int) -> Integers:
    """`n` integers, uniform on 0 … limit - 1, by rejection: exactly uniform."""
    if not 0 < limit <= 2**62:
        raise ValueError("a limit must lie between 1 and 2**62.")
    usable = np.uint64(2**WORD - 2**WORD % limit - 1)  # the last word that keeps every remainder equally likely
    drawn = words(n).copy()
    while (bad := np.flatnonzero(drawn > usable)).size:
        drawn[bad] = words(len(bad))
    return (drawn % np.uint64(limit)).astype(np.int64)


def order(n: int) -> Integers:
    """The positions 0 … n-1 in a random order, all orders alike but for ties of 64-bit words (odds n² / 2^65)."""
    return np.argsort(words(n), kind="stable")


def exponential_coins(exponents: Floats, exact: Callable[[int], Fraction]) -> Coins:
    """Coins that fall with probability exp(-x) each: (n,).

    Args:
        exponents: x, at least 0, in floating point. (n,)
        exact: x of one coin as a fraction, asked for only where floating point cannot tell.
    """
    drawn = words(len(exponents))
    chance = np.exp(-exponents)
    uniform = drawn.astype(np.float64) * 2.0**-WORD
    doubt = chance * MARGIN + 2.0**-50
    fallen = uniform < chance
    for i in np.flatnonzero(np.abs(uniform - chance) <= doubt):
        fallen[i] = _settle(int(drawn[i]), exact(int(i)))
    return fallen


def _settle(word: int, exponent: Fraction) -> bool:
    """Whether the uniform number that begins with these 64 bits lies below exp(-exponent)."""
    bits, places = WORD, 40
    while exponent:
        with localcontext(Context(prec=places)):
            scaled = (-Decimal(exponent.numerator) / exponent.denominator).exp() * 2**bits
            doubt = scaled * Decimal(10) ** (10 - places)
            if word + 1 <= scaled - doubt:
                return True
            if word >= scaled + doubt:
                return False
        word = (word << WORD) | int(words(1)[0])
        bits, places = bits + WORD, places + 20
    return True
