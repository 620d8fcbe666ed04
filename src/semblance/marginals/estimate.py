"""The distribution that fits noisy marginals best, among those a graph of columns can hold.

Weighted least squares over the marginals of the cliques, by entropic mirror descent: each step lowers the potentials
by the gradient with respect to the marginals and lets belief propagation make them consistent (McKenna, Sheldon and
Miklau 2019; Beck and Teboulle 2003). What is reached is the distribution of largest entropy with those marginals.
Reads no patient: all it sees was noised before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semblance.marginals.coarse import Merges, merged, repeated
from semblance.marginals.junction import Junction, join, triangulate
from semblance.marginals.propagation import Floats, axes_without, calibrate, spread
from semblance.marginals.table import Attrs


@dataclass(frozen=True, eq=False)
class Measurement:
    """A noisy marginal.

    Attributes:
        attrs: Its columns. counts: Rows of each combination, noise included. sigma: Standard deviation of the noise.
        level, merges: How coarsely the columns were seen, and which of their cells were put together for it.
    """

    attrs: Attrs
    counts: Floats
    sigma: float
    level: int = 0
    merges: Merges = ()


Seen = tuple[Attrs, int]
"""Columns, and how coarsely."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A fitted distribution: potentials on sets of columns, and the marginals of a junction tree that follow.

    Attributes:
        sizes: Cells of each column. rows: Rows that it stands for, as far as noise let know.
        potentials: Set of columns → an array over their combinations.
    """

    sizes: tuple[int, ...]
    rows: float
    potentials: Mapping[Attrs, Floats]
    junction: Junction
    marginals: tuple[Floats, ...]

    @classmethod
    def of(cls, sizes: tuple[int, ...], rows: float, potentials: Mapping[Attrs, Floats]) -> Graph:
        """The distribution with these potentials."""
        junction = join(triangulate(potentials, sizes), sizes)
        marginals = calibrate(junction, _on_cliques(junction, sizes, potentials))
        return cls(sizes, rows, potentials, junction, tuple(marginals))

    def marginal(self, attrs: Attrs) -> Floats:
        """Probability of each combination of columns that lie in one clique. Raises KeyError where they do not."""
        home = self.junction.home(attrs, self.sizes)
        if home < 0:
            raise KeyError("these columns do not lie in one clique.")
        return np.asarray(self.marginals[home].sum(axis=axes_without(self.junction.cliques[home], attrs)))

    def given(self, weights: Mapping[int, Floats]) -> tuple[Graph, float]:
        """The distribution among what is allowed, and how probable that was; 0 where nothing is.

        Args:
            weights: Column → how much of each of its cells is allowed, 0 to 1.
        """
        graph, probability = self, 1.0
        for column, weight in weights.items():
            probability *= float(graph.marginal((column,)) @ weight)
            if probability <= 0:
                return graph, 0.0
            with np.errstate(divide="ignore"):
                told = {**graph.potentials, (column,): graph.potentials[(column,)] + np.log(weight)}
            graph = Graph.of(graph.sizes, graph.rows, told)
        return graph, probability


def total_rows(measured: Sequence[Measurement]) -> float:
    """Rows of the table, as all measurements tell together: means weighted by how little noise each sum has."""
    weights = np.array([1 / (m.sigma**2 * m.counts.size) for m in measured])
    sums = np.array([float(m.counts.sum()) for m in measured])
    return max(1.0, float(weights @ sums / weights.sum()))


def fit(
    measured: Sequence[Measurement],
    sizes: tuple[int, ...],
    *,
    steps: int = 500,
    start: Mapping[Attrs, Floats] | None = None,
    tolerance: float = 1e-6,
) -> Graph:
    """Fit a graph to measurements of one table.

    Args:
        steps: Of mirror descent, at most. start: Potentials to begin from, such as those of fewer measurements.
        tolerance: Stop where ten steps gain less than this, relatively to the loss.
    """
    rows = total_rows(measured)
    potentials = {attrs: np.array(values) for attrs, values in (start or {}).items()}
    for m in measured:
        potentials.setdefault(m.attrs, np.zeros([sizes[a] for a in m.attrs]))
    for column, size in enumerate(sizes):
        potentials.setdefault((column,), np.zeros(size))
    junction = join(triangulate(potentials, sizes), sizes)
    problem = _Problem(junction, sizes, rows, measured)
    on_cliques = _on_cliques(junction, sizes, potentials)
    marginals = calibrate(junction, on_cliques)
    loss, slopes = problem.look(marginals)
    pace, seen = 1.0 / problem.stiffness, [loss]
    for _ in range(steps):
        while True:
            tried = _on_cliques(junction, sizes, {a: -pace * s for a, s in slopes.items()})
            moved = [old + change for old, change in zip(on_cliques, tried, strict=True)]
            reached = calibrate(junction, moved)
            new_loss, new_slopes = problem.look(reached)
            if new_loss <= loss + 0.5 * problem.slope_along(slopes, marginals, reached) or pace < 1e-12:
                break
            pace *= 0.5
        for attrs, slope in slopes.items():
            potentials[attrs] = potentials[attrs] - pace * slope
        on_cliques, marginals, loss, slopes = moved, reached, new_loss, new_slopes
        pace *= 1.6
        seen.append(loss)
        if len(seen) > 10 and seen[-11] - loss <= tolerance * loss:
            break
    return Graph(sizes, rows, potentials, junction, tuple(marginals))


class _Problem:
    """The loss of marginals: half the sum of squared errors over the noise's variance, a number a measured cell."""

    def __init__(
        self, junction: Junction, sizes: tuple[int, ...], rows: float, measured: Sequence[Measurement]
    ) -> None:
        precision: dict[Seen, float] = {}
        weighted: dict[Seen, Floats] = {}
        for m in measured:
            seen, weight = (m.attrs, m.level), (rows / m.sigma) ** 2
            precision[seen] = precision.get(seen, 0.0) + weight
            weighted[seen] = weighted.get(seen, 0.0) + weight * m.counts / rows
        self.targets = {seen: weighted[seen] / precision[seen] for seen in precision}
        self.precision = precision
        self.merges = {(m.attrs, m.level): m.merges for m in measured}
        self.homes = {attrs: junction.home(attrs, sizes) for attrs, _ in precision}
        self.axes = {attrs: axes_without(junction.cliques[home], attrs) for attrs, home in self.homes.items()}
        self.stiffness = sum(precision.values())

    def look(self, marginals: Sequence[Floats]) -> tuple[float, dict[Attrs, Floats]]:
        """The loss, and its slope in each measured marginal."""
        loss: float = 0.0
        slopes: dict[Attrs, Floats] = {}
        for seen, target in self.targets.items():
            attrs, merges = seen[0], self.merges[seen]
            gap = merged(marginals[self.homes[attrs]].sum(axis=self.axes[attrs]), merges) - target
            loss += 0.5 * self.precision[seen] * float(np.vdot(gap, gap))
            slope = repeated(self.precision[seen] * gap, merges)
            slopes[attrs] = slopes[attrs] + slope if attrs in slopes else slope
        return loss, slopes

    def slope_along(self, slopes: Mapping[Attrs, Floats], old: Sequence[Floats], new: Sequence[Floats]) -> float:
        """How much the loss would change from old to new marginals were it straight."""
        return sum(
            float(np.vdot(slope, (new[self.homes[a]] - old[self.homes[a]]).sum(axis=self.axes[a])))
            for a, slope in slopes.items()
        )


def _on_cliques(junction: Junction, sizes: Sequence[int], potentials: Mapping[Attrs, Floats]) -> list[Floats]:
    """Potentials on sets of columns added up on cliques that hold them."""
    sums = [np.zeros([sizes[a] for a in clique]) for clique in junction.cliques]
    for attrs, values in potentials.items():
        home = junction.home(attrs, sizes)
        sums[home] += spread(values, attrs, junction.cliques[home])
    return sums
