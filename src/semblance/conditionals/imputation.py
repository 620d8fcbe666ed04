"""Unknown cells of real rows, drawn given everything that is known about the row.

Each row has particles of its own. They share what is known, begin to differ at the first unknown cell, and from there
on are weighted by the probability of each known cell (sequential imputation: Kong, Liu and Wong 1994) and resampled
when few carry the weight. One of them, drawn by weight, is the answer, so that imputed values vary as real ones do;
other seeds give the further copies that multiple imputation asks for (Rubin 1987).

The particles of a row use one random number each from even strata, so that a few of them already cover what is likely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.evidence import Allowed
from semblance.conditionals.link import Codes, Floats, Link
from semblance.conditionals.walk import draw_within, log_chance
from semblance.seeds import Seeds

Mask = NDArray[np.bool_]
Places = NDArray[np.int64]

PARTICLES = 32
FEW, AGAIN = 4.0, 8
"""A row with fewer effective particles than this is drawn anew, from so many times more particles."""
ROOM = 2**24
"""Cells held at a time, at most: what bounds the memory."""


def fill(
    links: Sequence[Link],
    allowed: Mapping[int, Allowed],
    codes: Codes,
    unknown: Mask,
    *,
    seeds: Seeds,
    workers: int,
    particles: int = PARTICLES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Codes, Floats]:
    """Draw the unknown cells of each row.

    Args:
        allowed: What an unknown cell may become, by position; every position with an unknown cell has an entry.
        codes: Cells, -1 where a value has none: such a value is kept, and says what "no cell" said in training. (n, d)
        unknown: Which cells to draw. (n, d)

    Returns:
        A copy of `codes`, filled (n, d), and how many independent particles each row's draw was made from, 0 where
        nothing was drawn (n,).
    """
    filled, effective = codes.copy(), np.zeros(len(codes))

    def attempt(rows: Places, particles: int, seeds: Seeds) -> None:
        step = max(1, ROOM // (particles * codes.shape[1]))
        for start in range(0, len(rows), step):
            progress(start, len(rows))
            part = rows[start : start + step]
            part = part[np.argsort(unknown[part].argmax(axis=1), kind="stable")]
            within = seeds.within(f"rows/{start}")
            filled[part], effective[part] = _fill(
                links, allowed, codes[part], unknown[part], particles, within, workers
            )
        progress(len(rows), len(rows))

    rows = np.flatnonzero(unknown.any(axis=1))
    attempt(rows, particles, seeds)
    few = rows[effective[rows] < FEW]
    attempt(few, AGAIN * particles, seeds.within("again"))
    return filled, effective


def _fill(
    links: Sequence[Link],
    allowed: Mapping[int, Allowed],
    codes: Codes,
    unknown: Mask,
    particles: int,
    seeds: Seeds,
    workers: int,
) -> tuple[Codes, Floats]:
    """`fill` for rows that all have an unknown cell, in the order of their first one."""
    first = unknown.argmax(axis=1)
    final = codes.shape[1] - 1 - unknown[:, ::-1].argmax(axis=1)
    cloud = _Cloud(codes, particles)
    for position in range(int(first.min()), codes.shape[1]):
        begun = np.arange(np.searchsorted(first, position, side="right"))
        drawn = begun[unknown[begun, position]]
        seen = begun[~unknown[begun, position] & (codes[begun, position] >= 0)]
        rng = seeds(f"column/{position}")
        if len(drawn):
            cloud.draw(drawn, position, links[position], allowed[position].share, rng, workers)
        if len(seen):
            cloud.weigh(seen, position, links[position], workers)
        ahead = begun[final[begun] > position]  # after its last draw a row only gathers weight
        uneven = np.square(_shares(cloud.log_weights[ahead])).sum(axis=1) * particles > 2.0
        if uneven.any():
            cloud.resample(ahead[uneven], rng)
    return cloud.one_of_each(seeds("row"))


class _Cloud:
    """The particles of some rows.

    Attributes:
        codes: (n, m, d). log_weights: (n, m). ancestors: The particle of its row that each began as. (n, m)
        state: Particles with the same number have the same cells, so a question is put to one of them. (n, m)
    """

    def __init__(self, codes: Codes, particles: int) -> None:
        n = len(codes)
        self.codes: Codes = np.repeat(codes[:, None, :], particles, axis=1)
        self.log_weights: Floats = np.zeros((n, particles))
        self.ancestors: Places = np.tile(np.arange(particles), (n, 1))
        self.state: Places = np.repeat(np.arange(n)[:, None], particles, axis=1)
        self._unused = n

    def draw(
        self, rows: Places, position: int, link: Link, share: Floats, rng: np.random.Generator, workers: int
    ) -> None:
        """Draw the cell at `position` for all particles of `rows`."""
        shape = n, m = len(rows), self.codes.shape[1]
        before = self.codes[rows, :, :position].reshape(n * m, position)
        strata = rng.permuted(np.tile(np.arange(m), (n, 1)), axis=1)
        uniforms = ((strata + rng.random(shape)) / m).ravel()
        cells, log_mass = draw_within(link, before, share, uniforms, workers=workers)
        self.codes[rows, :, position] = cells.reshape(shape)
        self.log_weights[rows] += log_mass.reshape(shape)
        histories = self.state[rows] * len(share) + cells.reshape(shape)
        found, names = np.unique(histories, return_inverse=True)
        self.state[rows] = self._unused + names.reshape(shape)
        self._unused += len(found)

    def weigh(self, rows: Places, position: int, link: Link, workers: int) -> None:
        """Weight all particles of `rows` by the probability of their known cell at `position`."""
        n, m = len(rows), self.codes.shape[1]
        _, first, same = np.unique(self.state[rows], return_index=True, return_inverse=True)
        row, particle = rows[first // m], first % m
        known = self.codes[row, particle, position].astype(np.int32)
        chance = log_chance(link, self.codes[row, particle, :position], known, workers=workers)
        self.log_weights[rows] += chance[same.ravel()].reshape(n, m)

    def resample(self, rows: Places, rng: np.random.Generator) -> None:
        """Of each of `rows`, keep particles in proportion to their weight (systematically), all equal afterwards."""
        n, m = len(rows), self.codes.shape[1]
        chosen = _pick_rows(_shares(self.log_weights[rows]), (rng.random((n, 1)) + np.arange(m)) / m)
        at = rows[:, None], chosen
        self.codes[rows], self.ancestors[rows], self.state[rows] = self.codes[at], self.ancestors[at], self.state[at]
        self.log_weights[rows] = 0.0

    def one_of_each(self, rng: np.random.Generator) -> tuple[Codes, Floats]:
        """A particle of each row, drawn by weight (n, d), and how many independent ones it was drawn from (n,)."""
        n, m = self.log_weights.shape
        weights = _shares(self.log_weights)
        families = np.zeros((n, m))
        np.add.at(families, (np.arange(n)[:, None], self.ancestors), weights)
        chosen = _pick_rows(weights, rng.random((n, 1)))[:, 0]
        return self.codes[np.arange(n), chosen], 1.0 / np.square(families).sum(axis=1)


def _shares(log_weights: Floats) -> Floats:
    """Weights that sum to 1 in each row; equal ones where all are too small for a number. (n, m)"""
    top = log_weights.max(axis=1, keepdims=True)
    weights = np.exp(log_weights - np.where(top == -np.inf, 0.0, top))
    weights[top[:, 0] == -np.inf] = 1.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _pick_rows(shares: Floats, aims: Floats) -> Places:
    """For each row, where its `aims` in [0, 1) fall along the running sum of its shares. (n, k)"""
    n, m = shares.shape
    start = np.arange(n)[:, None]
    upto = np.cumsum(shares, axis=1)
    upto = start + upto / upto[:, -1:]  # one long ascending list: row i lies between i and i + 1
    found = np.searchsorted(upto.ravel(), (start + aims).ravel(), side="right").reshape(aims.shape)
    return np.asarray(np.clip(found - start * m, 0, m - 1))
