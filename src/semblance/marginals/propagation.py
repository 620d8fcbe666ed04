"""Belief propagation: from potentials on the cliques of a junction tree to the marginal of every clique.

Collect towards the roots, then hand back (Shafer and Shenoy 1990; Jensen, Lauritzen and Olesen 1990), in logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semblance.marginals.junction import Junction
from semblance.marginals.table import Attrs

Floats = NDArray[np.float64]


def axes_without(attrs: Attrs, kept: Attrs) -> tuple[int, ...]:
    """Axes of an array over `attrs` that do not belong to `kept`."""
    return tuple(i for i, a in enumerate(attrs) if a not in kept)


def spread(values: Floats, attrs: Attrs, over: Attrs) -> Floats:
    """An array over `attrs` as one that broadcasts against arrays over `over`, which holds them; both ascending."""
    sizes = dict(zip(attrs, values.shape, strict=True))
    return values.reshape([sizes.get(a, 1) for a in over])


def calibrate(junction: Junction, potentials: Sequence[Floats]) -> list[Floats]:
    """The marginal of each clique, summing to 1, of the distribution proportional to exp(sum of potentials).

    Args:
        potentials: One array a clique, an axis a column; -inf rules a combination out.
    """
    cliques, shared = junction.cliques, junction.shared
    beliefs = [np.array(p) for p in potentials]
    sent: dict[int, Floats] = {}
    for i in reversed(junction.order):
        parent = junction.parents[i]
        if parent >= 0:
            sent[i] = _log_sum(beliefs[i], axes_without(cliques[i], shared[i]))
            beliefs[parent] += spread(sent[i], shared[i], cliques[parent])
    marginals: list[Floats] = [np.empty(0)] * len(cliques)
    for i in junction.order:
        parent = junction.parents[i]
        if parent < 0:
            made = np.exp(beliefs[i] - beliefs[i].max())
            marginals[i] = made / made.sum()
            continue
        told = marginals[parent].sum(axis=axes_without(cliques[parent], shared[i]))
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.exp(beliefs[i] - spread(sent[i], shared[i], cliques[i]))
        made = np.nan_to_num(scaled, nan=0.0) * spread(told, shared[i], cliques[i])
        marginals[i] = made
    return marginals


def _log_sum(values: Floats, axes: tuple[int, ...]) -> Floats:
    top = values.max(axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - top).sum(axis=axes)) + np.squeeze(top, axis=axes))
