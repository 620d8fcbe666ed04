"""From the table to the population: who is alone in the table, and who would be alone among everyone?

Patients fall into classes like customers into tables of a restaurant (Pitman 1995): with n seated in K classes, the
next one opens a new class with probability (theta + alpha K) / (theta + n) and joins class j with probability
(n_j − alpha) / (theta + n). alpha = 0 is the model of Ewens (1972). Hoshino (2001) proposed both for disclosure risk.

Seating the table's own patients first and then the rest of the population gives, for each patient, how many will come
to share the class: a Pólya urn, so a beta-binomial number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import betaln, gammaln

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEARLY_ONE = 1 - 1e-9
SMALL = 30
"""Largest class whose match chance is summed term by term."""


@dataclass(frozen=True, slots=True)
class Pitman:
    """The model: 0 <= alpha < 1 (how heavy the tail of rare classes is), theta > −alpha (how many classes)."""

    alpha: float
    theta: float

    def uniques(self, population: float) -> float:
        """Expected patients alone in a population of N: N (theta + alpha)_{N−1} / (theta + 1)_{N−1}.

        >>> round(Pitman(0.0, 10.0).uniques(1000), 4)
        9.9108
        >>> round(Pitman(0.3, 50.0).uniques(100_000), 2)
        489.83
        """
        return population * _rising_ratio(self.theta + self.alpha, self.theta + 1, population - 1)

    def stays_alone(self, n: int, population: float) -> float:
        """Chance that someone alone among n is still alone among N."""
        return _rising_ratio(self.theta + n - 1 + self.alpha, self.theta + n, population - n)

    def match_chance(self, sizes: Ints, n: int, population: float) -> Floats:
        """Expected 1 / (patients of the class among N), for classes of these sizes among n: shaped like `sizes`."""
        joining = population - n
        if joining <= 0:
            return np.asarray(1 / sizes)
        a, b = sizes - self.alpha, self.theta + n - sizes + self.alpha
        mean = joining * a / (a + b)
        variance = mean * (b / (a + b)) * (a + b + joining) / (a + b + 1)
        chance = (1 + variance / (sizes + mean) ** 2) / (sizes + mean)  # to the second order: enough for large classes
        for i in np.flatnonzero(sizes <= SMALL):
            x, weight = _newcomers(float(joining), float(a[i]), float(b[i]))
            chance[i] = float((weight / (sizes[i] + x)).sum() / weight.sum())
        return np.asarray(chance)


def _newcomers(joining: float, a: float, b: float) -> tuple[Floats, Floats]:
    """Possible numbers x of newcomers to a class, and their beta-binomial weights.

    Exact up to 1,000 newcomers; beyond, the smooth tail is summed in blocks 1 % wide.
    """
    reach = min(joining, 1_000.0)
    blocks = 1 + max(1, int(100 * math.log(joining / reach)))
    ends = np.unique(np.round(np.geomspace(reach + 1, joining + 1, blocks)))
    x = np.concatenate([np.arange(reach + 1), (ends[:-1] + ends[1:] - 1) / 2])
    width = np.concatenate([np.ones(int(reach) + 1), np.diff(ends)])
    ways = gammaln(joining + 1) - gammaln(x + 1) - gammaln(joining - x + 1)
    return x, width * np.exp(ways + betaln(x + a, joining - x + b) - betaln(a, b))


def _rising_ratio(a: float, b: float, steps: float) -> float:
    """(a)_steps / (b)_steps, rising factorials."""
    if steps <= 0:
        return 1.0
    if a <= 0:
        return 0.0
    return float(np.exp(gammaln(a + steps) - gammaln(a) - gammaln(b + steps) + gammaln(b)))


def log_likelihood(alpha: float, theta: float, sizes: Ints, many: Ints) -> float:
    """Of the partition with `many` classes of each of `sizes` (Pitman 1995, proposition 9); constants included."""
    n, k = float((sizes * many).sum()), float(many.sum())
    if alpha < 1e-7:
        opened = (k - 1) * math.log(theta) if theta > 0 else -math.inf
    else:
        opened = (k - 1) * math.log(alpha) + float(gammaln(theta / alpha + k) - gammaln(theta / alpha + 1))
    seated = float(gammaln(theta + n) - gammaln(theta + 1))
    joined = float((many * (gammaln(sizes - alpha) - gammaln(1 - alpha))).sum())
    return opened - seated + joined


def fit(sizes: Ints, *, start: Pitman | None = None) -> Pitman:
    """The model of greatest likelihood for classes of these sizes: (n_classes,).

    Where everyone is alone, or everyone in one class, the maximum lies at infinity: do not ask.
    """
    size, many = np.unique(sizes, return_counts=True)
    ewens = fit_ewens(sizes)
    first = start or Pitman(min(0.9, max(0.05, float(many[size == 1].sum() / many.sum()))), ewens.theta)

    def cost(at: Floats) -> float:
        model = _model(at)
        return -log_likelihood(model.alpha, model.theta, size, many)

    at = np.array([_logit(min(max(first.alpha, 1e-4), 1 - 1e-6)), math.log(max(first.theta + first.alpha, 1e-6))])
    found = optimize.minimize(cost, at, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4, "maxiter": 400})
    if -found.fun <= log_likelihood(0.0, ewens.theta, size, many) + 1e-9:
        return ewens
    return _model(found.x)


def fit_ewens(sizes: Ints) -> Pitman:
    """The same with alpha = 0: theta solves E[classes] = theta (ψ(theta + n) − ψ(theta)) = classes (Ewens 1972)."""
    size, many = np.unique(sizes, return_counts=True)

    def cost(log_theta: float) -> float:
        return -log_likelihood(0.0, math.exp(log_theta), size, many)

    found = optimize.minimize_scalar(cost, bounds=(-14.0, 30.0), method="bounded", options={"xatol": 1e-7})
    return Pitman(0.0, math.exp(float(found.x)))


def _model(at: Floats) -> Pitman:
    alpha = min(1 / (1 + math.exp(-float(np.clip(at[0], -30, 30)))), NEARLY_ONE)
    return Pitman(alpha, math.exp(float(np.clip(at[1], -30, 40))) - alpha)


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def half_samples(sizes: Ints, rng: np.random.Generator, *, replicates: int) -> list[Ints]:
    """Class sizes among random halves of the patients.

    Drawing with replacement would turn people who are alone into pairs; halves drawn without do not. The spread over
    halves is the standard error of the whole (the delete-half jackknife: Shao and Wu 1989).
    """
    whose = np.repeat(np.arange(len(sizes)), sizes)
    halves = []
    for _ in range(replicates):
        seen = np.bincount(rng.permutation(whose)[: len(whose) // 2])
        halves.append(seen[seen > 0].astype(np.int64))
    return halves
