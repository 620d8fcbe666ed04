"""MST: a spanning tree of noisy pairs of columns (McKenna, Miklau and Sheldon 2021).

One-way marginals are measured; the tree is grown by the exponential mechanism, edge by edge, towards pairs that differ
most from independence; the pairs of the tree are measured and a graph fitted to everything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from semblance.marginals.curator import Curator, Question, gaussian_event, noise_left, sigma_for
from semblance.marginals.draw import draw_rows
from semblance.marginals.estimate import Graph, Measurement, fit
from semblance.marginals.table import Attrs, cells
from semblance.privacy.events import Composed, Event, Repeated, Selection

SELECTION = 0.2
"""Share of rho for choosing the tree; the rest measures it."""
TOLD = 100_000
"""Rows drawn from a model to see where it differs from the table."""


def mst(
    curator: Curator,
    ones: Sequence[Measurement],
    *,
    rho: float,
    most: int,
    rng: np.random.Generator,
    steps: int = 1000,
) -> Graph:
    """Fit a tree of pairs.

    Args:
        ones: One-way marginals of the same table, charged before. rho: What may be spent here.
        most: Rows of one patient, at most. rng: For rows drawn from models; no noise comes from it.

    PRIVACY: rho-zCDP in all, by exponential mechanism (columns - 1 times) and noisy marginals (as many).
    """
    sizes = curator.sizes
    if len(sizes) < 2:
        return fit(ones, sizes, steps=steps)
    epsilon, sigma = _scales(len(sizes), rho, most)
    alone = fit(ones, sizes, steps=steps)
    told = draw_rows(alone, TOLD, rng)
    tree = _grow(curator, told, alone.rows, epsilon, sigma)
    return fit([*ones, *curator.measure(tree, sigma)], sizes, steps=steps, start=alone.potentials)


def event(columns: int, rho: float, most: int) -> Event:
    """What a tree over so many columns costs."""
    if columns < 2:
        return Composed()
    epsilon, sigma = _scales(columns, rho, most)
    return Composed((Repeated(Selection(epsilon), columns - 1), Repeated(gaussian_event(sigma, most), columns - 1)))


def _scales(columns: int, rho: float, most: int) -> tuple[float, float]:
    """Epsilon of each choice and noise of each measurement that together cost rho."""
    edges = columns - 1
    return math.sqrt(8 * SELECTION * rho / edges), sigma_for((1 - SELECTION) * rho / edges, most)


def _grow(curator: Curator, told: np.ndarray, rows: float, epsilon: float, sigma: float) -> list[Attrs]:
    """A spanning tree, each edge chosen among those that close no circle (Kruskal 1956)."""
    n = len(curator.sizes)
    part = list(range(n))
    tree: list[Attrs] = []
    while len(tree) < n - 1:
        questions = [
            Question(pair, 1.0, noise_left(cells(pair, curator.sizes), sigma))
            for pair in combinations(range(n), 2)
            if part[pair[0]] != part[pair[1]]
        ]
        a, b = questions[curator.choose(questions, told, rows, epsilon)].attrs
        tree.append((a, b))
        part = [part[a] if p == part[b] else p for p in part]
    return tree
