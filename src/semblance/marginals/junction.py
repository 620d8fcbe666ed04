"""Junction trees: groups of columns arranged so that all that one group must know of the rest passes one neighbour.

Sets of columns that were measured together become a graph; the graph is made chordal by eliminating columns, cheapest
first; its largest cliques, joined by a maximum spanning tree over what they share, are the tree (Lauritzen and
Spiegelhalter 1988; Koller and Friedman 2009, chapter 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semblance.marginals.table import Attrs, cells


@dataclass(frozen=True, slots=True)
class Junction:
    """A forest of cliques.

    Attributes:
        cliques: Columns of each clique, ascending.
        order: Cliques so that each comes after its parent.
        parents: Parent of each clique, -1 for a root. shared: Columns that a clique has in common with its parent.
    """

    cliques: tuple[Attrs, ...]
    order: tuple[int, ...]
    parents: tuple[int, ...]
    shared: tuple[Attrs, ...]

    def home(self, attrs: Attrs, sizes: Sequence[int]) -> int:
        """The smallest clique that holds these columns, -1 where none does."""
        wanted = set(attrs)
        fit = [i for i, clique in enumerate(self.cliques) if wanted <= set(clique)]
        return min(fit, key=lambda i: cells(self.cliques[i], sizes), default=-1)


def links(sets: Iterable[Attrs], n: int) -> list[int]:
    """Which columns share a set with each column, as bits: (n_columns,)."""
    near = [0] * n
    for attrs in sets:
        mask = sum(1 << a for a in attrs)
        for a in attrs:
            near[a] |= mask & ~(1 << a)
    return near


def eliminate(near: Sequence[int], sizes: Sequence[int]) -> dict[int, int]:
    """The largest cliques of a chordal graph that holds these links: columns as bits → cells.

    The column whose clique has the fewest cells goes first (minimum weight; Kjaerulff 1990).
    """
    near, left = list(near), set(range(len(sizes)))
    weight = [sizes[a] * _product(bits, sizes) for a, bits in enumerate(near)]
    found: dict[int, int] = {}
    while left:
        chosen = min(left, key=lambda a: (weight[a], a))
        left.discard(chosen)
        around, gone = near[chosen], 1 << chosen
        clique = around | gone
        if not any(clique & other == clique for other in found):
            found[clique] = weight[chosen]
        for a in _bits(around):
            joined = (near[a] | around) & ~(gone | 1 << a)
            if joined != near[a] & ~gone:
                weight[a] = sizes[a] * _product(joined, sizes)
            else:
                weight[a] //= sizes[chosen]
            near[a] = joined
    return found


def triangulate(sets: Iterable[Attrs], sizes: Sequence[int]) -> tuple[Attrs, ...]:
    """The largest cliques of a chordal graph in which each of the sets lies in one; every column is in one."""
    return tuple(sorted(tuple(_bits(clique)) for clique in eliminate(links(sets, len(sizes)), sizes)))


def total_cells(near: Sequence[int], sizes: Sequence[int]) -> int:
    """Cells of all cliques together: what inference with these links costs, in memory and in time a pass."""
    return sum(eliminate(near, sizes).values())


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def _product(mask: int, sizes: Sequence[int]) -> int:
    found = 1
    for a in _bits(mask):
        found *= sizes[a]
    return found


def join(cliques: Sequence[Attrs], sizes: Sequence[int]) -> Junction:
    """Cliques of a chordal graph as a tree that shares as much as possible (Prim 1957).

    Cliques that share nothing with the others hang at the first, by nothing.
    """
    n = len(cliques)
    groups = [set(clique) for clique in cliques]
    parents, order = [-1] * n, [0]
    best = {i: (len(groups[i] & groups[0]), 0) for i in range(1, n)}
    while best:
        chosen = max(best, key=lambda i: (best[i][0], -i))
        shared, parent = best.pop(chosen)
        parents[chosen] = parent if shared else -1
        order.append(chosen)
        for i, (most, _) in best.items():
            if (now := len(groups[i] & groups[chosen])) > most:
                best[i] = (now, chosen)
    shared_columns = tuple(
        tuple(sorted(groups[i] & groups[parent])) if parent >= 0 else () for i, parent in enumerate(parents)
    )
    return Junction(tuple(cliques), tuple(order), tuple(parents), shared_columns)
