"""Rows that meet conditions, by sequential Monte Carlo along the chain's own order of columns.

Many partial rows (*particles*) grow column by column. Where a column is conditioned on, its cell is drawn among what
is allowed, and the particle is weighted by how likely that was, given its earlier columns: likelihood weighting.
When few particles carry most of the weight, they are resampled (Gordon, Salmond and Smith 1993; Doucet, de Freitas
and Gordon 2001), and after the last condition the rows wanted are resampled from all of them and finished as usual.
Nothing is drawn to be thrown away for a wrong value; a condition on the first column costs nothing and is exact.

A first pool of particles, as many as there are rows wanted, says how uneven the weights are and so how many more are
needed. Pools are independent, and their weights, which estimate the same probability, are comparable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from semblance.conditionals.evidence import Allowed
from semblance.conditionals.link import Codes, Floats, Link
from semblance.conditionals.walk import draw_within
from semblance.contracts import Account, Progress, silent
from semblance.seeds import Seeds

Places = NDArray[np.int64]

FEWEST = 512
"""Particles of a first pool, at least: fewer say little about the weights."""
SPARE = 2.0
"""Effective particles wanted per row, so that few rows share a particle."""
SURELY = 1 - 1e-9
"""Where all weights are equal, one particle per row is as good as any number."""
MOST = 32
"""Particles per row (or per FEWEST), at most."""
BLOCK = 2**14
"""Rows made at a time: what bounds the memory, at MOST particles for each."""
GROWTH = 2**16
"""Particles grown at a time, at most."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Particles grown up to the last condition.

    Attributes:
        codes: Cells of the columns so far. (n, n_columns_so_far)
        log_weights: Natural log. Their mean, unlogged, estimates the probability of the conditions. (n,)
        ancestors: The particle that each began as; those that share one are not independent. (n,)
    """

    codes: Codes
    log_weights: Floats
    ancestors: Places

    @property
    def effective(self) -> float:
        """Independent particles that would tell as much: 1 / sum of squared shares of the ancestors' families."""
        families = np.bincount(self.ancestors, weights=_shares(self.log_weights))
        return float(1.0 / np.square(families).sum())

    def joined(self, other: Pool) -> Pool:
        """Both pools as one."""
        return Pool(
            np.concatenate([self.codes, other.codes]),
            np.concatenate([self.log_weights, other.log_weights]),
            np.concatenate([self.ancestors, len(self.codes) + other.ancestors]),
        )


def draw_given(
    links: Sequence[Link],
    allowed: Mapping[int, Allowed],
    n: int,
    *,
    seeds: Seeds,
    workers: int,
    progress: Progress = silent,
) -> tuple[Codes, Account]:
    """Cells of `n` rows given what is allowed at some positions: (n, n_columns), and what they are worth.

    Args:
        allowed: By position in the chain; at least one.
    """
    blocks, accounts = [], []
    for start in range(0, n, BLOCK):
        progress("drawing rows", start, n)
        block, account = _draw_block(
            links, allowed, min(BLOCK, n - start), seeds=seeds.within(f"rows/{start}"), workers=workers
        )
        blocks.append(block)
        accounts.append(account)
    progress("drawing rows", n, n)
    return np.concatenate(blocks), Account.together(accounts)


def _draw_block(
    links: Sequence[Link], allowed: Mapping[int, Allowed], n: int, *, seeds: Seeds, workers: int
) -> tuple[Codes, Account]:
    last = max(allowed)
    pool = _grow_enough(links[: last + 1], allowed, n, seeds, workers)
    rng = seeds("rows")
    chosen = rng.permutation(pick(_shares(pool.log_weights), n, rng))
    codes = np.zeros((n, len(links)), dtype=np.float32)
    codes[:, : last + 1] = pool.codes[chosen]
    for position in range(last + 1, len(links)):
        rng = seeds(f"column/{position}")
        codes[:, position] = links[position].draw(codes[:, :position], rng, workers=workers)
    account = Account(
        rows=n,
        particles=len(pool.codes),
        effective=pool.effective,
        repeated=n - len(np.unique(np.column_stack([pool.ancestors, pool.codes])[chosen], axis=0)),
        probability=float(np.exp(logsumexp(pool.log_weights) - np.log(len(pool.codes)))),
    )
    return codes, account


def _grow_enough(links: Sequence[Link], allowed: Mapping[int, Allowed], n: int, seeds: Seeds, workers: int) -> Pool:
    """A first pool, and as many more particles as it, and those after it, ask for."""
    first = max(n, FEWEST)
    pool = _grow(links, allowed, first, seeds.within("pool/0"), workers)
    while pool.effective < min(SPARE * n, SURELY * len(pool.codes)) and len(pool.codes) < MOST * first:
        size = len(pool.codes)
        wanted = min(int(np.ceil(size * SPARE * n / pool.effective)), MOST * first)
        more = min(max(wanted - size, first // 4), MOST * first - size, GROWTH)
        pool = pool.joined(_grow(links, allowed, more, seeds.within(f"pool/{size}"), workers))
    return pool


def _grow(links: Sequence[Link], allowed: Mapping[int, Allowed], n: int, seeds: Seeds, workers: int) -> Pool:
    codes = np.zeros((n, len(links)), dtype=np.float32)
    log_weights = np.zeros(n)
    ancestors = np.arange(n)
    for position, link in enumerate(links):
        rng = seeds(f"column/{position}")
        before = codes[:, :position]
        if position not in allowed:
            codes[:, position] = link.draw(before, rng, workers=workers)
            continue
        share = allowed[position].share
        codes[:, position], log_mass = draw_within(link, before, share, rng.random(n), workers=workers)
        log_weights = log_weights + log_mass
        if position < len(links) - 1 and _too_uneven(_shares(log_weights)):
            chosen = pick(_shares(log_weights), n, rng)
            codes, ancestors = codes[chosen], ancestors[chosen]
            log_weights = np.full(n, logsumexp(log_weights) - np.log(n))
    return Pool(codes, log_weights, ancestors)


def _too_uneven(shares: Floats) -> bool:
    """Whether the weights are worth less than half as many equal ones."""
    return bool(np.square(shares).sum() * len(shares) > 2.0)


def pick(shares: Floats, n: int, rng: np.random.Generator) -> Places:
    """Systematic resampling: `n` positions, each about n × its share times, in order. (n,)"""
    upto = np.cumsum(shares)
    aims = (rng.random() + np.arange(n)) / n * upto[-1]
    return np.asarray(np.minimum(np.searchsorted(upto, aims, side="right"), len(shares) - 1))


def _shares(log_weights: Floats) -> Floats:
    """Weights that sum to 1; even where every one is too small for a number."""
    top = log_weights.max()
    if top == -np.inf:
        return np.full(len(log_weights), 1.0 / len(log_weights))
    weights = np.exp(log_weights - top)
    return np.asarray(weights / weights.sum())
