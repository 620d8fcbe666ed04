"""Rows drawn from a fitted graph, clique by clique: each given what it shares with its parent.

Rows that agree on what is shared share out the remaining cells by systematic sampling: every combination comes up as
often as its probability says, up to one row, so drawing adds less noise than the measurements had. Who gets which is
shuffled.
"""

from __future__ import annotations

import numpy as np

from semblance.marginals.estimate import Graph
from semblance.marginals.propagation import Floats
from semblance.marginals.table import Codes


def draw_rows(graph: Graph, n: int, rng: np.random.Generator) -> Codes:
    """`n` rows of cells: (n, n_columns). Reads no patient: a seed may choose them."""
    codes = np.zeros((n, len(graph.sizes)), dtype=np.int32)
    for i in graph.junction.order:
        clique, shared = graph.junction.cliques[i], graph.junction.shared[i]
        fresh = tuple(a for a in clique if a not in shared)
        if not fresh or not n:
            continue
        turned = np.transpose(graph.marginals[i], [clique.index(a) for a in (*shared, *fresh)])
        groups = int(np.prod([graph.sizes[a] for a in shared], dtype=np.int64))
        chances = turned.reshape(groups, -1)
        place = np.zeros(n, dtype=np.int64)
        for a in shared:
            place = place * graph.sizes[a] + codes[:, a]
        drawn = _share_out(place, chances, rng)
        for a in reversed(fresh):
            drawn, codes[:, a] = np.divmod(drawn, graph.sizes[a])
    return codes


def _share_out(groups: np.ndarray, chances: Floats, rng: np.random.Generator) -> np.ndarray:
    """A cell for each row, by the chances of its group: (n,), (n_groups, n_cells) -> (n,)."""
    n, width = len(groups), chances.shape[1]
    shuffled = rng.permutation(n)
    short = groups.astype(np.uint16 if len(chances) < 2**16 else np.int64)  # short numbers are sorted by radix
    order = shuffled[np.argsort(short[shuffled], kind="stable")]  # rows of a group together, in random order
    sorted_groups = groups[order]
    sizes = np.bincount(sorted_groups, minlength=len(chances))
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(n) - starts[sorted_groups]
    aim = (rank + rng.random(len(chances))[sorted_groups]) / sizes[sorted_groups]
    used = np.flatnonzero(sizes)
    totals = chances[used].sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, chances[used] / np.where(totals > 0, totals, 1.0), 1.0 / width)
    upto = np.cumsum(shares, axis=1)
    upto /= upto[:, -1:]
    where = np.repeat(np.arange(len(used)), sizes[used])
    ladder = (upto + np.arange(len(used))[:, None]).ravel()
    at = np.searchsorted(ladder, where + aim, side="right") - where * width
    last = width - 1 - np.argmax(shares[:, ::-1] > 0, axis=1)
    found = np.empty(n, dtype=np.int64)
    found[order] = np.clip(at, 0, last[where])
    return found
