"""AIM: marginals measured one after the other, each where the model is most wrong (McKenna et al. 2022).

Each round asks, by the exponential mechanism, which set of columns of a workload the model tells worst, beyond what
noise would spoil; measures it; and fits the graph again. Where a measurement taught nothing that noise could not have
made, both noise and randomness of choice are halved. A set is only asked for while the graph stays small enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semblance.marginals.coarse import Levels, merged
from semblance.marginals.curator import Curator, Question, noise_left
from semblance.marginals.draw import draw_rows
from semblance.marginals.estimate import Graph, Measurement, fit
from semblance.marginals.junction import links, total_cells
from semblance.marginals.table import Attrs, cells

SELECTION = 0.1
"""Share of rho for choosing; the rest measures."""
TOLD = 60_000
"""Rows drawn from a model to see where it differs from the table."""
ROUNDS = 16
"""Rounds for each column that the first noise is meant for; halving the noise leaves fewer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How AIM works.

    Attributes:
        rho: What may be spent. most: Rows of one patient, at most.
        max_cells: Cells of the graph's cliques together, at most: bounds time and memory.
        warm: Steps of mirror descent after each round. steps: After the last.
    """

    rho: float
    most: int
    max_cells: int = 400_000
    warm: int = 40
    steps: int = 1000


def workload(n: int, target: int | None) -> dict[Attrs, float]:
    """All pairs of columns, and all triples that hold the target."""
    asked: dict[Attrs, float] = dict.fromkeys(combinations(range(n), min(2, n)), 1.0)
    if target is not None:
        asked |= {triple: 1.0 for triple in combinations(range(n), 3) if target in triple}
    return asked


def aim(
    curator: Curator,
    ones: Sequence[Measurement],
    asked: Mapping[Attrs, float],
    *,
    levels: Levels,
    plan: Plan,
    rng: np.random.Generator,
) -> Graph:
    """Fit a graph to marginals chosen for a workload.

    Args:
        ones: One-way marginals of the same table, charged before. asked: Sets of columns → what each is worth.
        levels: How coarsely a set may be seen; the choice is among all of them.
        rng: For rows drawn from models; no noise comes from it.

    PRIVACY: `plan.rho`-zCDP in all. Scales are chosen as it goes, so the caller charges the whole first
    (`curator.filtered`).
    """
    sizes = curator.sizes
    candidates = _candidates(asked, sizes, plan.max_cells)
    graph = fit(ones, sizes, steps=plan.steps)
    measured, used = list(ones), 0.0
    share = plan.rho / (ROUNDS * len(sizes))
    while candidates and used < plan.rho * (1 - 1e-9):
        left = plan.rho - used
        if left < 2 * share:
            share = left
        used += share
        sigma = plan.most * math.sqrt(1 / (2 * (1 - SELECTION) * share))
        epsilon = math.sqrt(8 * SELECTION * share)
        room = plan.max_cells * used / plan.rho
        questions = questions_at(_affordable(candidates, measured, sizes, room), levels, sigma)
        told = draw_rows(graph, TOLD, rng)
        chosen = questions[curator.choose(questions, told, graph.rows, epsilon)]
        measured.append(curator.answer(chosen, sigma))
        before = graph
        graph = fit(measured, sizes, steps=plan.warm, start=graph.potentials)
        if _moved(before, graph, chosen, told) <= chosen.cost:
            share *= 4  # half the noise, twice the epsilon
    return fit(measured, sizes, steps=plan.steps, start=graph.potentials)


def _candidates(asked: Mapping[Attrs, float], sizes: Sequence[int], most: int) -> dict[Attrs, float]:
    """Every part of what is asked, weighed by how much it tells of all that is asked."""
    parts = {
        part
        for attrs in asked
        for size in range(1, len(attrs) + 1)
        for part in combinations(attrs, size)
        if cells(part, sizes) <= most
    }
    weights = {
        part: sum(worth * len(set(part) & set(attrs)) for attrs, worth in asked.items()) for part in sorted(parts)
    }
    top = max(weights.values(), default=1.0)
    return {part: weight / top for part, weight in weights.items()}


def _affordable(
    candidates: Mapping[Attrs, float],
    measured: Sequence[Measurement],
    sizes: Sequence[int],
    room: float,
) -> dict[Attrs, float]:
    """Candidates that leave the graph within its room; those that need no new link always are."""
    near = links([m.attrs for m in measured], len(sizes))
    found = {}
    for attrs, weight in candidates.items():
        mask = sum(1 << a for a in attrs)
        if any(mask & ~(near[a] | 1 << a) for a in attrs):
            wider = list(near)
            for a in attrs:
                wider[a] |= mask & ~(1 << a)
            if total_cells(wider, sizes) > room:
                continue
        found[attrs] = weight
    return found


def questions_at(candidates: Mapping[Attrs, float], levels: Levels, sigma: float) -> list[Question]:
    """Each set of columns at every level at which it looks different."""
    return [
        Question(attrs, weight, noise_left(levels.cells(attrs, level), sigma), level, levels.merges(attrs, level))
        for attrs, weight in candidates.items()
        for level in levels.different(attrs)
    ]


def _moved(before: Graph, after: Graph, question: Question, told: np.ndarray) -> float:
    """How far a marginal moved by a measurement of it, in rows."""
    attrs = question.attrs
    new = after.marginal(attrs)
    if before.junction.home(attrs, before.sizes) >= 0:
        old = before.marginal(attrs)
    else:
        place = np.ravel_multi_index(tuple(told[:, a] for a in attrs), new.shape)
        old = np.bincount(place, minlength=new.size).reshape(new.shape) / len(told)
    return float(np.abs(merged(new - old, question.merges)).sum()) * after.rows
