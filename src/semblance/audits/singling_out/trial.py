"""Whom predicates single out: training patients against as many patients never seen.

The game is played at one size on both sides, that of the smaller table, because the chance that a predicate fits
exactly one patient depends on how many there are. What the larger table gives is its average over all samples of that
size, which the hypergeometric distribution knows.

Predicates are not independent of each other: one unusual patient meets many of them. The patient is the unit, so the
spread of the difference is that of relabelling patients, and the interval counts as many attacks as that spread shows.
That the same predicates are asked of both sides is in that spread too: a predicate that fits someone on neither side,
or on both, adds nothing to it. Taken for so many coin tosses, as is usual, the same predicates alarm on fresh patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy import stats as distributions

from semblance import stats
from semblance.audits.singling_out.predicates import Crowd, Predicate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CROWDED = 60
"""A predicate that more patients than this meet singles nobody out, however they are relabelled."""


@dataclass(frozen=True)
class Game:
    """Training and held-out patients.

    Attributes:
        size: Patients on each side of the game. scale: Training patients for each one of them.
    """

    members: Crowd
    others: Crowd

    @property
    def size(self) -> int:
        return min(self.members.n, self.others.n)

    @property
    def scale(self) -> float:
        return self.members.n / self.size

    def chances(self, crowd: Crowd) -> Floats:
        """Chance that exactly one of k patients of `crowd` is among `size` of them, for k = 0 … CROWDED."""
        k = np.arange(CROWDED + 1)
        return np.asarray(distributions.hypergeom.pmf(1, crowd.n, np.minimum(k, crowd.n), self.size)) * (k > 0)


@dataclass(frozen=True, eq=False)
class Score:
    """What a set of predicates did.

    Attributes:
        members, others: Share of predicates that single out one patient, of `size` on each side.
        effective: Independent predicates that would tell as much.
        p: One-sided p of no difference, by relabelling patients.
        matches: Mean number of patients met among as many held-out ones as there are training patients.
    """

    members: float
    others: float
    effective: float
    p: float
    matches: float

    def advantage(self, scale: float) -> stats.Estimate:
        """Difference of shares times `scale`, with Newcombe's interval at the effective number of predicates."""
        n = self.effective
        return stats.Estimate(*(scale * x for x in stats.newcombe(self.members * n, n, self.others * n, n)))


def play(game: Game, predicates: Sequence[Predicate], rng: np.random.Generator, *, permutations: int = 500) -> Score:
    """Ask every predicate of both sides."""
    met = [[crowd.matching(p) for p in predicates] for crowd in (game.members, game.others)]
    counts = [np.array([len(patients) for patients in side]) for side in met]
    chance = [game.chances(crowd) for crowd in (game.members, game.others)]
    shares = [float(_look_up(c, k).mean()) for c, k in zip(chance, counts, strict=True)]
    spread = _relabelled(game, met, chance, rng, permutations)
    pooled = sum(shares) / 2
    independent = 2 * pooled * (1 - pooled) / len(predicates)
    variance = float(np.mean(spread**2))
    effective = len(predicates) * independent / variance if variance > 0 and independent > 0 else len(predicates)
    reached = int((spread >= shares[0] - shares[1] - 1e-12).sum())
    return Score(
        members=shares[0],
        others=shares[1],
        effective=float(effective),
        p=(1 + reached) / (1 + permutations),
        matches=float(counts[1].mean()) * game.members.n / game.others.n,
    )


def singled_out(game: Game, predicates: Sequence[Predicate]) -> float:
    """Share of predicates that single out one training patient, of `size`."""
    counts = np.array([len(game.members.matching(p)) for p in predicates])
    return float(_look_up(game.chances(game.members), counts).mean())


def mean_matches(game: Game, predicates: Sequence[Predicate]) -> float:
    """Mean number of patients met, of as many as there are training patients; both tables pooled, blind to labels."""
    both = sum(len(crowd.matching(p)) for crowd in (game.members, game.others) for p in predicates)
    return both / len(predicates) * game.members.n / (game.members.n + game.others.n)


def _look_up(chances: Floats, counts: NDArray[np.int_]) -> Floats:
    return np.where(counts > CROWDED, 0.0, chances[np.minimum(counts, CROWDED)])


def _relabelled(
    game: Game, met: list[list[Ints]], chance: list[Floats], rng: np.random.Generator, permutations: int
) -> Floats:
    """The difference of shares, were patients relabelled at random in their actual numbers: (permutations,).

    Its mean is 0 whatever the two sizes are, since both sides are averages over samples of one size.
    """
    joined = [np.concatenate([a, b + game.members.n]) for a, b in zip(*met, strict=True)]
    few = [patients for patients in joined if 0 < len(patients) <= CROWDED]
    if not few:
        return np.zeros(permutations)
    seen, column = np.unique(np.concatenate(few), return_inverse=True)
    row = np.repeat(np.arange(len(few)), [len(patients) for patients in few])
    meets = sparse.csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=(len(few), len(seen)))
    everyone = game.members.n + game.others.n
    labels = np.zeros((len(seen), permutations), dtype=np.float32)
    # Only patients that meet something matter: how many of them become members is hypergeometric.
    for i, k in enumerate(rng.hypergeometric(len(seen), everyone - len(seen), game.members.n, size=permutations)):
        labels[rng.permutation(len(seen))[:k], i] = 1
    inside = np.asarray(meets @ labels).astype(np.int64)
    total = np.array([len(patients) for patients in few])[:, None]
    return np.asarray((chance[0][inside] - chance[1][total - inside]).sum(axis=0) / len(met[0]))
