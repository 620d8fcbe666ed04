"""How much likelier a trace is had the record been learned from: the likelihood ratio of Carlini et al. (2022).

For each target, shadow models that learned from it and shadow models that did not give two distributions of its trace,
taken as normal. LiRA with few models pools the spread over targets; here the distance between the two is shrunk towards
that of all targets as well, by as much as its scatter over pairs of models says (empirical Bayes), since eight models a
side do not tell one target's distance from noise. That a row is the very same is an event with two chances of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST = 0.05
"""Standard deviations by which being learned from raises a trace, at least: no attacker believes that it lowers it."""
BELIEF = 0.01
"""Chance, at least, that whom the recipe learned from comes back word for word: what an attacker would not rule out."""


@dataclass(frozen=True, eq=False)
class Odds:
    """What the traces of each target are like when it was learned from, and when not; learned from shadow models.

    Attributes:
        centre: Midway between two normal distributions: (n_targets, n_traces). shift: From one to the other, likewise.
        spread: Standard deviation within each: (n_traces,); 0 for a trace that never changes, which is left out.
        copied: Chance of a row that is the same, when learned from, and when not: (2, n_targets).
    """

    centre: Floats
    shift: Floats
    spread: Floats
    copied: Floats

    @classmethod
    def learn(cls, traces: Floats, inside: Mask) -> Odds:
        """Learn from pairs of shadow models that learned from complementary halves.

        Args:
            traces: (n_models, n_targets, n_traces + 1), last whether a row is the same; models 0 and 1 are a pair, as
                are 2 and 3, and so on.
            inside: Whether the model learned from the target: (n_models, n_targets).
        """
        models, same, traces = len(traces), traces[:, :, -1] > 0, traces[:, :, :-1]
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
        return cls(centre, shift, np.where(spread > 1e-9, spread, 0.0), _chances(same, inside))

    def __call__(self, traces: Floats) -> Floats:
        """Log likelihood ratio of "learned from" against "not", traces added as though independent: (n_targets,).

        log N(t; centre + shift/2, spread) - log N(t; centre - shift/2, spread) = shift · (t - centre) / spread².
        """
        known, same = self.spread > 0, traces[:, -1] > 0
        weight = self.shift[:, known] / self.spread[known] ** 2
        smeared = (weight * (traces[:, :-1] - self.centre)[:, known]).sum(axis=1)
        learned, strange = np.where(same, self.copied, 1 - self.copied)
        return np.asarray(smeared + np.log(learned / strange))

    def blind(self) -> Floats:
        """How much all models' tables tell of a target, whoever they learned from: (n_targets,)."""
        nothing = np.zeros((len(self.centre), 1))
        return self(np.hstack([2 * self.centre, nothing]))

    @property
    def strength(self) -> Floats:
        """Mean shift of each trace in its own standard deviations: (n_traces,)."""
        return np.asarray(self.shift.mean(axis=0) / np.where(self.spread > 0, self.spread, np.inf))


def _chances(same: Mask, inside: Mask) -> Floats:
    """Chance of the same row for each target, learned from and not: (2, n_targets).

    As often as models had it; where none of them had, what Good and Turing (1953) say of the unseen: targets with one
    such model stand for the chance of all those with none.
    """
    models, found = len(same) // 2, []
    for side in (inside, ~inside):
        often = (same & side).sum(axis=0)
        unseen = ((often == 1).sum() + 0.5) / (models * ((often == 0).sum() + 1.0))
        found.append(np.clip(often / models, min(unseen, 0.5 / models), 1 - 0.5 / models))
    return np.stack([np.maximum(np.maximum(found[0], found[1]), BELIEF), found[1]])
