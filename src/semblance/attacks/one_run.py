"""What guesses about many canaries prove about ε, after a single run of the mechanism.

Each of m made-up patients, the canaries, is put in or left out by the toss of a fair coin. Whoever sees what came out
guesses of r of them which it was, and is right v times. If the mechanism is (ε, δ)-differentially private for one
patient more or less, v is at most a little larger than a number of heads of r coins that fall on the right side with
chance e^ε / (1 + e^ε). Steinke, Nasr and Jagielski (2023), "Privacy auditing with one (1) training run", theorem 5.2.

The guesses may be made in any way, and any canaries may be passed over; only how many are guessed is chosen before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions
from scipy.special import expit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LARGEST = 50.0
"""No ε beyond this is looked for: so many canaries would not fit into any memory."""


class Plan(NamedTuple):
    """How many guesses are made, chosen before anything is seen: "in" of so many, "out" of so many."""

    high: int
    low: int

    @classmethod
    def even(cls, guessed: int) -> Plan:
        """As many of one as of the other; an odd one out is guessed "in"."""
        return cls(guessed - guessed // 2, guessed // 2)


@dataclass(frozen=True, slots=True)
class Guesses:
    """How well the coins were guessed.

    Attributes:
        canaries: m, each in or out by a fair coin. guessed: r, of how many a guess was made. right: v, how many were.
    """

    canaries: int
    guessed: int
    right: int

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.guessed <= self.canaries:
            raise ValueError("of the canaries some are guessed, and of those some rightly")

    @classmethod
    def of(cls, scores: Floats, inside: Bools, plan: Plan) -> Guesses:
        """Guess as planned: "in" of the highest scores, "out" of the lowest.

        Args:
            scores: One per canary, higher where it is more likely in: (m,). inside: What the coins said: (m,).
        """
        order = np.argsort(-scores, kind="stable")
        high = order[: plan.high]
        low = order[len(order) - plan.low :]
        return cls(len(scores), plan.high + plan.low, int(inside[high].sum() + (~inside[low]).sum()))


def chance(guesses: Guesses, epsilon: float, delta: float) -> float:
    """An upper bound on the chance of so many right guesses, if the mechanism were (ε, δ)-differentially private.

    P(N ≥ v) + 2mδ · max over i of P(v − i ≤ N < v) / i, where N is binomial of r guesses and chance e^ε / (1 + e^ε).
    """
    r, v = guesses.guessed, guesses.right
    likely = float(expit(epsilon))
    bound = float(distributions.binom.sf(v - 1, r, likely))
    if delta > 0 and v > 0:
        just_below = np.cumsum(distributions.binom.pmf(np.arange(v - 1, -1, -1), r, likely))
        bound += 2 * guesses.canaries * delta * float((just_below / np.arange(1, v + 1)).max())
    return min(bound, 1.0)


def lower_bound(guesses: Guesses, delta: float, *, confidence: float = 0.95) -> float:
    """The largest ε that such guesses refute with this confidence; 0 where they refute none.

    Not for a choice of the best of several numbers of guesses: see `best_lower_bound`.
    """
    return _crossing(guesses, delta, 1 - confidence)


def best_lower_bound(
    scores: Floats, inside: Bools, plans: Sequence[Plan], delta: float, *, confidence: float = 0.95
) -> tuple[float, Guesses]:
    """The best bound over several plans, each held to a stricter level (Bonferroni).

    Args:
        plans: Chosen before the scores are seen.

    Returns:
        The bound, and the guesses that gave it: of several equal ones, the most.
    """
    tries = [Guesses.of(scores, inside, plan) for plan in plans]
    bounds = [_crossing(guesses, delta, (1 - confidence) / len(tries)) for guesses in tries]
    best = max(range(len(tries)), key=lambda i: (bounds[i], tries[i].guessed))
    return bounds[best], tries[best]


def provable(canaries: int, delta: float, *, guessed: int | None = None, confidence: float = 0.95) -> float:
    """The largest bound that so many canaries could give, every guess right: no audit with them can show more."""
    r = canaries if guessed is None else guessed
    return lower_bound(Guesses(canaries, r, r), delta, confidence=confidence)


def _crossing(guesses: Guesses, delta: float, level: float) -> float:
    """The largest ε at which the chance is still below `level`, by halving; the chance rises with ε."""
    if chance(guesses, 0.0, delta) >= level:
        return 0.0
    low, high = 0.0, LARGEST
    while high - low > 1e-7:
        middle = (low + high) / 2
        low, high = (middle, high) if chance(guesses, middle, delta) < level else (low, middle)
    return low
