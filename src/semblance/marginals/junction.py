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


def triangulate(sets: Iterable[Attrs], sizes: Sequence[int]) -> tuple[Attrs, ...]:
    """The largest cliques of a chordal graph in which each of the sets lies in one; every column is in one."""
    near: list[set[int]] = [set() for _ in sizes]
    for attrs in sets:
        for a in attrs:
            near[a].update(attrs)
    for a, others in enumerate(near):
        others.discard(a)
    left = set(range(len(sizes)))
    weight = {a: cells((a, *near[a]), sizes) for a in left}
    found: list[frozenset[int]] = []
    while left:
        chosen = min(left, key=lambda a: (weight[a], a))
        around = near[chosen]
        clique = frozenset((chosen, *around))
        if not any(clique <= other for other in found):
            found.append(clique)
        left.discard(chosen)
        for a in around:
            near[a] |= around
            near[a] -= {a, chosen}
        for a in around:
            weight[a] = cells((a, *near[a]), sizes)
    return tuple(sorted(tuple(sorted(clique)) for clique in found))


def total_cells(sets: Iterable[Attrs], sizes: Sequence[int]) -> int:
    """Cells of all cliques together: what inference on these sets costs, in memory and in time a pass."""
    return sum(cells(clique, sizes) for clique in triangulate(sets, sizes))


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
