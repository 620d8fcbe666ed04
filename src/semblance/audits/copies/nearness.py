"""Whose patients are the synthetic rows nearest to? Shares, distances and permutation tests over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance import stats
from semblance.audits.copies.pool import Made, Pool, weights
from semblance.contracts import Run
from semblance.data.nearest import smallest_distance
from semblance.evidence import Finding


def share(pool: Pool, made: Made, run: Run) -> Finding:
    """Patient for patient: each side is divided by its number of patients, so one half is innocent at any split."""
    weight = weights(pool, made.found)
    of_train = float(weight[pool.trained].sum() / weight.sum())
    # Many rows may share a neighbour: as many independent votes as Kish (1965) would count.
    votes = float(weight.sum() ** 2 / (weight**2).sum())
    sizes = float(pool.trained.sum()), float((~pool.trained).sum())

    def even(share: float) -> float:
        return share / sizes[0] / (share / sizes[0] + (1 - share) / sizes[1])

    low, high = stats.wilson(of_train * votes, votes)
    return Finding(
        name="copies.nearest.share",
        question="",
        value=even(of_train),
        low=even(low),
        high=even(high),
        unit="share",
        direction="lower",
        baseline=0.5,
        method="share of synthetic rows whose nearest real patient is of train, as if there were as many patients in "
        "train as in the holdout, ties split; Wilson interval with Kish's number of independent neighbours; distance = "
        "ranks of numbers and mismatches of labels",
        detail=_histogram(pool, made, run),
    )


def _histogram(pool: Pool, made: Made, run: Run) -> dict[str, Any]:
    """Distances from synthetic rows to the nearest of equally many train and holdout patients, counted in bins."""
    rng = run.seeds("audit/copies/equal")
    sides = [np.flatnonzero(pool.trained), np.flatnonzero(~pool.trained)]
    kept = [np.isin(pool.patients, rng.permutation(s)[: min(map(len, sides))]) for s in sides]
    distances = [smallest_distance(made.points, pool.points[k]) for k in kept]
    edges = np.linspace(0, max(float(np.quantile(np.concatenate(distances), 0.99)), 1e-6), 31)
    counts = [np.histogram(np.minimum(d, edges[-1]), edges)[0].tolist() for d in distances]
    return {"edges": [round(float(e), 4) for e in edges], "train_counts": counts[0], "holdout_counts": counts[1]}


def nearest_p(pool: Pool, made: Made, run: Run, permutations: int) -> Finding:
    result = stats.permutation_p(
        weights(pool, made.found), pool.trained, run.seeds("audit/copies/nearest"), permutations=permutations
    )
    return _p("copies.nearest.p", result, "number of synthetic rows whose nearest real patient is of train")


def tail_p(pool: Pool, made: Made, run: Run, permutations: int) -> Finding:
    """Only the closest 1 %, closest relative to the next nearest patient: a copy in a crowd is no news."""
    found = made.found
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(found.second > 0, found.distance / found.second, 1.0)
    cut = np.sort(ratio)[max(10, round(0.01 * len(ratio))) - 1] if len(ratio) >= 10 else 1.0
    result = stats.permutation_p(
        weights(pool, found, ratio <= cut), pool.trained, run.seeds("audit/copies/tail"), permutations=permutations
    )
    return _p(
        "copies.tail.p", result, "the same number among the 1 % of synthetic rows closest relative to the next patient"
    )


def _p(name: str, found: stats.Permuted, what: str) -> Finding:
    return Finding(
        name=name,
        question="",
        value=found.p,
        low=min(found.low, found.p),
        high=max(found.high, found.p),
        unit="p",
        direction="higher",
        baseline=0.5,
        method=f"{what}, against {found.permutations} relabellings of patients as train or holdout in their actual "
        "numbers; (1 + b) / (1 + m), interval = its own Monte Carlo error (Clopper–Pearson)",
    )
