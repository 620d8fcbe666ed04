"""The second stage: where an autoencoder's codes really lie, as against where the prior says.

Codes of training rows, taken together, do not lie as N(0, I) does, however small their rate; drawing from N(0, I) then
decodes places that no row was ever put, which is what usually spoils an autoencoder's rows (Dai and Wipf 2019; Tomczak
and Welling 2018). A mixture of normal distributions is fitted to the codes by maximum likelihood instead, a little at a
time (online EM: Cappé and Moulines 2009), on fresh draws of the codes in every step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semblance.data.boosting import boost
from semblance.seeds import Seeds
from semblance.stats import auc

FADE = 0.6
"""Step t weighs (t + 1) ** -FADE against all before it: slow enough to forget the beginning, fast enough to settle."""
BLOCK = 2048
JUDGED = 10_000
"""Codes of either kind that a judge learns from, at most."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Normal distributions, each with a weight: what codes are drawn from.

    In double precision: where beta is small, parts are narrow and far apart.

    Attributes:
        weights: (k,), summing to 1. means: (k, d). roots: Lower Cholesky factors of the covariances: (k, d, d).
    """

    weights: Tensor
    means: Tensor
    roots: Tensor

    def log_density(self, codes: Tensor) -> Tensor:
        """Natural log of the density: (n, d) -> (n,)."""
        blocks = torch.split(codes.double(), BLOCK)
        return torch.cat([self.parts(block, _pairs(block)).logsumexp(dim=1) for block in blocks])

    def parts(self, codes: Tensor, pairs: Tensor) -> Tensor:
        """Natural log of weight times density of each part: (n, d) and their `_pairs` -> (n, k).

        The square of the distance from a part, written out, is linear in the code and its pairs: two products of
        matrices do for all parts.
        """
        k, d = self.means.shape
        inverse = torch.linalg.solve_triangular(self.roots, _eye(d).expand(k, d, d), upper=False)
        precision = inverse.transpose(1, 2) @ inverse
        i, j = torch.triu_indices(d, d)
        twice = torch.where(i == j, 1.0, 2.0)
        pull = (precision @ self.means[:, :, None]).squeeze(2)
        size = torch.diagonal(self.roots, dim1=1, dim2=2).log().sum(dim=1)
        rest = self.weights.log() - size - 0.5 * ((pull * self.means).sum(dim=1) + d * math.log(2 * math.pi))
        found: Tensor = rest + codes @ pull.T - 0.5 * pairs @ (precision[:, i, j] * twice).T
        return found

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """(n, d)."""
        part = rng.choice(len(self.weights), size=n, p=self.weights.numpy() / float(self.weights.sum()))
        noise = rng.standard_normal((n, self.means.shape[1]))
        drawn = np.empty_like(noise)
        means, roots = self.means.numpy(), self.roots.numpy()
        for k in np.unique(part):
            rows = part == k
            drawn[rows] = means[k] + noise[rows] @ roots[k].T
        return drawn.astype(np.float32)


class Fitting:
    """A mixture being fitted to codes: a Trainee (``nets/training.py``).

    A part keeps the shape that all parts share as far as few rows belong to it: its covariance is drawn towards their
    mean as if by as many rows as a code has numbers, so that no part can shut itself in around a patient.

    Args:
        means: Of every training row's code: (n, d). spreads: Standard deviations: (n, d). parts: Of the mixture.
    """

    def __init__(self, means: Tensor, spreads: Tensor, *, parts: int, generator: torch.Generator) -> None:
        self._means, self._spreads, self._n = means.double(), spreads.double(), len(means)
        codes = self._draw(torch.arange(len(means)), generator)
        centres = codes[torch.randperm(len(codes), generator=generator)[:parts]]
        around = codes - codes.mean(dim=0)
        covariance = 0.3 * (around.T @ around) / len(codes) + 0.01 * _eye(codes.shape[1])
        self._mass = torch.full((len(centres),), 1 / len(centres), dtype=torch.float64)
        self._sum = self._mass[:, None] * centres
        self._i, self._j = torch.triu_indices(codes.shape[1], codes.shape[1])
        self._squares = self._mass[:, None] * (covariance[self._i, self._j] + _pairs(centres))
        self._taken = 0
        self.mixture = self._settle()

    def _draw(self, rows: Tensor, noise: torch.Generator) -> Tensor:
        drawn = torch.randn(len(rows), self._means.shape[1], generator=noise).double()
        return self._means[rows] + self._spreads[rows] * drawn

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """Blend in what a draw of these rows' codes says; how much better than N(0, I) the mixture explained them."""
        codes = self._draw(rows, noise)
        mass, total, squares = (
            torch.zeros_like(self._mass),
            torch.zeros_like(self._sum),
            torch.zeros_like(self._squares),
        )
        gain = 0.0
        for block in torch.split(codes, BLOCK):
            pairs = _pairs(block)
            parts = self.mixture.parts(block, pairs)
            gain += float((parts.logsumexp(dim=1) - log_prior(block)).sum()) / len(codes)
            belongs = torch.softmax(parts, dim=1)
            mass += belongs.sum(dim=0) / len(codes)
            total += belongs.T @ block / len(codes)
            squares += belongs.T @ pairs / len(codes)
        pace = (self._taken + 1) ** -FADE
        self._mass = torch.lerp(self._mass, mass, pace)
        self._sum = torch.lerp(self._sum, total, pace)
        self._squares = torch.lerp(self._squares, squares, pace)
        self._taken += 1
        self.mixture = self._settle()
        return {"gain": gain}

    def _settle(self) -> Mixture:
        """The mixture that the sums so far make likeliest."""
        d = self._means.shape[1]
        mass = self._mass.clamp(min=1e-9)
        means = self._sum / mass[:, None]
        covariance = torch.empty(len(mass), d, d, dtype=torch.float64)
        covariance[:, self._i, self._j] = self._squares / mass[:, None] - _pairs(means)
        covariance[:, self._j, self._i] = covariance[:, self._i, self._j]
        shared = (covariance * (mass / mass.sum())[:, None, None]).sum(dim=0)
        pull = (d / (self._n * mass + d))[:, None, None]
        covariance = (1 - pull) * covariance + pull * shared + 1e-4 * _eye(d)
        return Mixture(mass / mass.sum(), means, torch.linalg.cholesky(covariance))

    def gain(self, codes: Tensor) -> float:
        """How much better than N(0, I) the mixture explains codes, in nats a row: (n, d)."""
        return float((self.mixture.log_density(codes) - log_prior(codes)).mean())

    def state(self) -> dict[str, Tensor]:
        """The sums, and the steps taken."""
        return {
            "mass": self._mass,
            "sum": self._sum,
            "squares": self._squares,
            "taken": torch.tensor(self._taken),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self._mass, self._sum, self._squares = (state[name].cpu().clone() for name in ("mass", "sum", "squares"))
        self._taken = int(state["taken"])
        self.mixture = self._settle()


def _eye(d: int) -> Tensor:
    return torch.eye(d, dtype=torch.float64)


def _pairs(codes: Tensor) -> Tensor:
    """Products of all pairs of a code's numbers, each with itself too: (n, d) -> (n, d (d + 1) / 2)."""
    i, j = torch.triu_indices(codes.shape[1], codes.shape[1])
    return codes[:, i] * codes[:, j]


def log_prior(codes: Tensor) -> Tensor:
    """Natural log of the density of N(0, I): (n, d) -> (n,)."""
    return -0.5 * (codes.square().sum(dim=1) + codes.shape[1] * math.log(2 * math.pi))


def mismatch(
    known: NDArray[np.float32], unseen: NDArray[np.float32], drawn: NDArray[np.float32], seeds: Seeds
) -> float:
    """How well boosted trees tell codes of rows from drawn ones: 0 for not at all, 1 for always (2 AUC - 1).

    Args:
        known: Codes of rows, from which they learn what such codes look like. (n, d)
        unseen: Codes of other patients' rows, by which they are judged. (m, d) drawn: (n + m, d), to be shared out.
    """
    known, rest = known[:JUDGED], drawn[len(unseen) :][:JUDGED]
    features = np.concatenate([known, rest]).astype(np.float64)
    target = np.concatenate([np.ones(len(known)), np.zeros(len(rest))])
    judge = boost(features, target, categorical=(), seed=seeds.integer("judge"))
    judged = np.concatenate([unseen, drawn[: len(unseen)]]).astype(np.float64)
    return max(0.0, 2 * auc(judge.predict(judged, num_threads=1), np.arange(len(judged)) < len(unseen)) - 1)
