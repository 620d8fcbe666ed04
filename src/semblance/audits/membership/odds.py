"""How much likelier a trace is had the record been learned from: the likelihood ratio of Carlini et al. (2022).

For each target, shadow models that learned from it and shadow models that did not give two distributions of its trace,
taken as normal. LiRA with few models pools the spread over targets; here the distance between the two is shrunk towards
that of all targets as well, by as much as its scatter over pairs of models says (empirical Bayes), since eight models a
side do not tell one target's distance from noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST = 0.05
"""Standard deviations by which being learned from raises a trace, at least: no attacker believes that it lowers it."""


@dataclass(frozen=True, eq=False)
class Odds:
    """Two normal distributions of each trace of each target, learned from shadow models.

    Attributes:
        centre: Midway between the two: (n_targets, n_traces). shift: From one to the other, likewise.
        spread: Standard deviation within each: (n_traces,); 0 for a trace that never changes, which is left out.
    """

    centre: Floats
    shift: Floats
    spread: Floats

    @classmethod
    def learn(cls, traces: Floats, inside: Mask) -> Odds:
        """Learn from pairs of shadow models that learned from complementary halves.

        Args:
            traces: (n_models, n_targets, n_traces); models 0 and 1 are a pair, as are 2 and 3, and so on.
            inside: Whether the model learned from the target: (n_models, n_targets).
        """
        models = len(traces)
        first = inside[0::2, :, None]
        apart = np.where(first, traces[0::2] - traces[1::2], traces[1::2] - traces[0::2])
        centre, own = traces.mean(axis=0), apart.mean(axis=0)
        left = traces - centre - np.where(inside[:, :, None], 0.5, -0.5) * own
        spread = np.sqrt((left**2).mean(axis=(0, 1)) * models / (models - 2))
        noise = apart.var(axis=0, ddof=1).mean(axis=0) / len(apart)
        common = own.mean(axis=0)
        real = np.maximum(0.0, own.var(axis=0) - noise)
        kept = real / np.maximum(real + noise, 1e-300)
        shift = np.maximum(common + kept * (own - common), LEAST * spread)
        return cls(centre, shift, np.where(spread > 1e-9, spread, 0.0))

    def __call__(self, traces: Floats) -> Floats:
        """Log likelihood ratio of "learned from" against "not", traces added as though independent: (n_targets,).

        log N(t; centre + shift/2, spread) - log N(t; centre - shift/2, spread) = shift · (t - centre) / spread².
        """
        known = self.spread > 0
        weight = self.shift[:, known] / self.spread[known] ** 2
        return np.asarray((weight * (traces - self.centre)[:, known]).sum(axis=1))

    def blind(self) -> Floats:
        """The same for a table that says nothing: how much all models' tables tell of a target. (n_targets,)"""
        return self(2 * self.centre)

    @property
    def strength(self) -> Floats:
        """Mean shift of each trace in its own standard deviations: (n_traces,)."""
        return np.asarray(self.shift.mean(axis=0) / np.where(self.spread > 0, self.spread, np.inf))
