"""Whole rows: equal to a real one, or as near to it as hardly two real strangers are."""

from __future__ import annotations

import numpy as np

from semblance import stats
from semblance.attacks.advantage import advantage
from semblance.attacks.own import everyone, tally
from semblance.audits.copies.pool import Floats, Made, Pool, excess, singled, weights
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import row_keys
from semblance.data.nearest import smallest_distance
from semblance.evidence import Finding
from semblance.schema import Column

EXACT, NEAR, PATIENTS = "copies.exact.excess", "copies.near.excess", "copies.patients.excess"
QUESTION = "How many training patients have a row of theirs repeated, exactly or nearly, beyond the holdout?"
PROBES = 4_000
QUANTILE = 0.01


def radius_of(pool: Pool, run: Run) -> float:
    """How near is suspicious: the 1 % quantile of distances from held-out patients to the training patients.

    Who plays the holdout here is drawn afresh, as many patients as were really held out. The distances are then those
    that the real split would give, yet the radius knows no labels: the comparison of training with held-out patients
    stays exact at any split, also where the two are not alike.
    """
    rng = run.seeds("audit/copies/near")
    held = np.zeros(len(pool.trained), dtype=bool)
    held[rng.permutation(len(held))[: int((~pool.trained).sum())]] = True
    probes = np.flatnonzero(held[pool.patients])
    probes = probes[stats.sample_patients(pool.patients[probes], PROBES, rng)]
    distance = smallest_distance(pool.points[probes], pool.points[~held[pool.patients]])
    return float(np.quantile(distance, QUANTILE))


def owners_of_rows(comparison: Comparison, columns: tuple[Column, ...], made: Dataset) -> Floats:
    """How many rows of `made` equal a row that this patient alone has: (n_patients,), train first.

    Commonplace rows are nobody's copy, so a row that two patients share counts for neither.
    """
    tables = [comparison.train, comparison.held]
    keys = np.concatenate([row_keys(t, columns) for t in tables])
    owned = np.unique(np.column_stack([keys, everyone(comparison).astype(np.uint64)]), axis=0)
    value, first, owners = np.unique(owned[:, 0], return_index=True, return_counts=True)
    value, owner = value[owners == 1], owned[first[owners == 1], 1].astype(np.int64)
    n_patients = sum(t.n_subjects for t in tables)
    if not len(value):
        return np.zeros(n_patients)
    fake = row_keys(made, columns)
    at = np.minimum(np.searchsorted(value, fake), len(value) - 1)
    return np.bincount(owner[at[value[at] == fake]], minlength=n_patients).astype(np.float64)


def exact(comparison: Comparison, weight: Floats, naive: Floats, naive_rows: int) -> Finding:
    """Synthetic rows equal to a real row that only one patient has."""
    trained = np.arange(len(weight)) < comparison.train.n_subjects
    return excess(
        EXACT,
        weight,
        trained,
        comparison.fake.n_rows,
        "share of synthetic rows equal in all modelled columns to a row only one patient has, train minus holdout "
        f"scaled to as many patients; Newcombe interval; all {comparison.fake.n_rows} synthetic rows",
        {"naive": float(naive[trained].sum()) / naive_rows, "queries": comparison.fake.n_rows},
    )


def near(pool: Pool, made: Made, naive: Made, radius: float) -> Finding:
    """Synthetic rows nearer to a patient than 99 % of held-out patients are to any training patient."""
    n, by_chance = len(made.found.distance), weights(pool, naive.found, naive.found.distance <= radius)
    return excess(
        NEAR,
        weights(pool, made.found, made.found.distance <= radius),
        pool.trained,
        n,
        "share of synthetic rows nearer to a real patient than 99 % of held-out patients are to any training patient "
        "(who plays the holdout is drawn afresh for this distance), train minus holdout scaled to as many patients; "
        "Newcombe interval",
        {"naive": float(by_chance[pool.trained].sum()) / len(naive.points), "radius": radius, "queries": n},
    )


def patients(pool: Pool, made: Made, naive: Made, radius: float, copied: Floats) -> Finding:
    """Patients of whom at least one row was copied, exactly or nearly: rows of one patient are one piece of news.

    Args:
        copied: Rows copied exactly, of each patient of train and holdout; see `owners_of_rows`.
    """
    exactly = copied[pool.who] > 0
    hit = exactly | singled(pool, made.found, made.found.distance <= radius)
    by_chance = singled(pool, naive.found, naive.found.distance <= radius)
    members, others = tally(hit, pool.trained)
    exact_members, exact_others = tally(exactly, pool.trained)
    bounds = stats.newcombe(exact_members.hits, exact_members.n, exact_others.hits, exact_others.n)
    return advantage(
        PATIENTS,
        QUESTION,
        members=members,
        others=others,
        naive=tally(by_chance, pool.trained)[0],
        method="a patient counts once who is the only one nearest to some synthetic row, within the distance of the "
        f"near copies, or whose own row is repeated; {len(made.points)} synthetic rows",
        detail={
            "exact": {"value": bounds.value, "low": bounds.low, "high": bounds.high},
            "queries": len(made.points),
        },
    )
