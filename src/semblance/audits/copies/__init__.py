"""Are real patients repeated, exactly or nearly, more often than chance would have it?

Every question here is asked of train and holdout pooled: each synthetic row is given to the real patients it is
nearest to, and only then is it asked whose they are. A generator that has not memorised finds trained and held-out
patients alike, in proportion to their numbers. Distances can raise an alarm; they never prove privacy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.contracts import Comparison, Run
from semblance.data.encode import Space, comparable, row_keys
from semblance.data.nearest import Neighbours, nearest, smallest_distance
from semblance.evidence import Finding, Status
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEW = 50
_QUESTIONS = {
    "copies.exact.excess": "Are real patients repeated word for word more often from training than from the holdout?",
    "copies.near.excess": "Are synthetic rows suspiciously near to training patients, beyond the holdout?",
    "copies.nearest.share": "Of synthetic rows, how many lie nearer to a training patient than to a held-out one?",
    "copies.nearest.p": "Could synthetic rows be this near to training patients by chance?",
    "copies.tail.p": "Could the closest synthetic rows be this near to training patients by chance?",
}


@dataclass(frozen=True, slots=True)
class Copies:
    """Exact copies, near copies, and whose patients synthetic rows are nearest to.

    Attributes:
        queries: Most synthetic rows whose neighbours are sought. Exact copies are counted over all rows.
        pool: Most real rows they are sought among, drawn by whole patients.
        permutations: Relabellings of patients behind each p.
    """

    name: ClassVar[str] = "copies"
    asks: ClassVar[str] = "Are real patients repeated, exactly or nearly?"

    queries: int = 8_000
    pool: int = 120_000
    permutations: int = 5_000

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        columns = comparable(comparison.train, comparison.fake)
        smallest = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows)
        if not columns or smallest < 2:
            status: Status = "underpowered" if columns else "skipped"
            why = "one of the tables has fewer than two patients" if columns else "there are no modelled columns"
            return tuple(Finding(name, q, status=status, why=why) for name, q in _QUESTIONS.items())
        pool = Pool.of(comparison, columns, run, limit=self.pool)
        seeds = run.seeds("audit/copies/queries")
        rows = stats.sample_patients(np.arange(comparison.fake.n_rows), self.queries // (4 if run.quick else 1), seeds)
        fake = comparison.fake.take(rows)
        points = pool.space(fake)
        found = nearest(points, pool.points, pool.patients)
        permutations = self.permutations // (5 if run.quick else 1)
        measured: Sequence[Callable[[], Finding]] = (
            lambda: _exact(comparison, columns),
            lambda: _near(pool, found, run),
            lambda: _share(pool, points, found, run),
            lambda: _nearest_p(pool, found, run, permutations),
            lambda: _tail_p(pool, found, run, permutations),
        )
        few = min(comparison.train.n_subjects, comparison.held.n_subjects, comparison.fake.n_rows) < FEW
        return tuple(_label(measure(), few, len(rows), comparison) for measure in measured)


def _label(finding: Finding, few: bool, rows: int, comparison: Comparison) -> Finding:
    return replace(
        finding,
        question=_QUESTIONS[finding.name],
        n=comparison.train.n_subjects + comparison.held.n_subjects,
        status="underpowered" if few else finding.status,
        why=f"fewer than {FEW} patients in one of the tables" if few else finding.why,
        method=f"{finding.method}; {rows} synthetic rows" if finding.name != "copies.exact.excess" else finding.method,
    )


@dataclass(frozen=True)
class Pool:
    """Train and holdout together. The space is fitted on both and knows no labels.

    Attributes:
        points: (p, width).
        patients: Patient number of each row, train first: (p,).
        trained: Whether each patient is of train: (n_patients,).
    """

    space: Space
    points: NDArray[np.float32]
    patients: Ints
    trained: NDArray[np.bool_]

    @classmethod
    def of(cls, comparison: Comparison, columns: tuple[Column, ...], run: Run, *, limit: int) -> Pool:
        tables = [comparison.train, comparison.held]
        space = Space.fit(tables, columns)
        subjects = np.concatenate([tables[0].subjects, tables[1].subjects + tables[0].n_subjects])
        rows = stats.sample_patients(subjects, limit, run.seeds("audit/copies/pool"))
        points = np.vstack([space(t) for t in tables])[rows]
        found, patients = np.unique(subjects[rows], return_inverse=True)
        return cls(space, points, patients.astype(np.int64), found < tables[0].n_subjects)


def _weights(pool: Pool, found: Neighbours, chosen: NDArray[np.bool_] | None = None) -> Floats:
    """How many synthetic rows each patient is nearest to, ties split: (n_patients,)."""
    keep = slice(None) if chosen is None else chosen[found.query]
    owners = pool.patients[found.point[keep]]
    return np.bincount(owners, weights=found.share[keep], minlength=len(pool.trained)).astype(np.float64)


def _excess(name: str, weight: Floats, trained: NDArray[np.bool_], n: int, method: str) -> Finding:
    """Share of rows owned by train minus what the holdout leads to expect, patient for patient.

    Rows that fall on the same patient are one piece of news, not many: the sample is shrunk by Kish's (1965) effect.
    """
    per_held = float(trained.sum()) / max(1, int((~trained).sum()))
    effective = n * min(1.0, float(weight.sum()) / max(float((weight**2).sum()), 1e-12)) if weight.any() else float(n)
    train, held = float(weight[trained].sum()) / n, float(weight[~trained].sum()) / n
    found = stats.newcombe(train * effective, effective, held * effective, effective, scale=per_held)
    return Finding(
        name=name,
        question="",
        value=found.value,
        low=found.low,
        high=found.high,
        unit="share",
        direction="lower",
        baseline=0.0,
        method=method,
        detail={"train_share": train, "holdout_share": held, "train_patients_per_holdout_patient": per_held},
    )


def _exact(comparison: Comparison, columns: tuple[Column, ...]) -> Finding:
    """Synthetic rows equal to a real row that only one patient has: commonplace rows are nobody's copy."""
    tables = [comparison.train, comparison.held]
    keys = np.concatenate([row_keys(t, columns) for t in tables])
    subjects = np.concatenate([tables[0].subjects, tables[1].subjects + tables[0].n_subjects])
    trained = np.arange(tables[0].n_subjects + tables[1].n_subjects) < tables[0].n_subjects
    owned = np.unique(np.column_stack([keys.astype(np.uint64), subjects.astype(np.uint64)]), axis=0)
    value, first, owners = np.unique(owned[:, 0], return_index=True, return_counts=True)
    value, owner = value[owners == 1], owned[first[owners == 1], 1].astype(np.int64)
    fake = row_keys(comparison.fake, columns)
    at = np.minimum(np.searchsorted(value, fake), max(0, len(value) - 1))
    hit = value[at] == fake if len(value) else np.zeros(len(fake), dtype=bool)
    weight = np.bincount(owner[at[hit]] if len(value) else [], minlength=len(trained)).astype(np.float64)
    return _excess(
        "copies.exact.excess",
        weight,
        trained,
        comparison.fake.n_rows,
        "share of synthetic rows equal in all modelled columns to a row only one patient has, train minus holdout "
        f"scaled to as many patients; Newcombe interval; all {comparison.fake.n_rows} synthetic rows",
    )


def _near(pool: Pool, found: Neighbours, run: Run) -> Finding:
    """Synthetic rows nearer to a patient than 99 % of patients are to each other."""
    rows = stats.sample_patients(np.arange(len(pool.points)), 4_000, run.seeds("audit/copies/near"))
    among = nearest(pool.points[rows], pool.points, pool.patients, own=pool.patients[rows])
    radius = float(np.quantile(among.distance, 0.01))
    weight = _weights(pool, found, found.distance <= radius)
    return _excess(
        "copies.near.excess",
        weight,
        pool.trained,
        len(found.distance),
        "share of synthetic rows nearer to a real patient than 99 % of real patients are to each other, train minus "
        "holdout scaled to as many patients; Newcombe interval",
    )


def _share(pool: Pool, points: NDArray[np.float32], found: Neighbours, run: Run) -> Finding:
    """Patient for patient: each side is divided by its number of patients, so one half is innocent at any split."""
    weight = _weights(pool, found)
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
        detail=_histogram(pool, points, run),
    )


def _histogram(pool: Pool, points: NDArray[np.float32], run: Run) -> dict[str, Any]:
    """Distances from synthetic rows to the nearest of equally many train and holdout patients, counted in bins."""
    rng = run.seeds("audit/copies/equal")
    sides = [np.flatnonzero(pool.trained), np.flatnonzero(~pool.trained)]
    kept = [np.isin(pool.patients, rng.permutation(s)[: min(map(len, sides))]) for s in sides]
    distances = [smallest_distance(points, pool.points[k]) for k in kept]
    edges = np.linspace(0, max(float(np.quantile(np.concatenate(distances), 0.99)), 1e-6), 31)
    counts = [np.histogram(np.minimum(d, edges[-1]), edges)[0].tolist() for d in distances]
    return {"edges": [round(float(e), 4) for e in edges], "train_counts": counts[0], "holdout_counts": counts[1]}


def _nearest_p(pool: Pool, found: Neighbours, run: Run, permutations: int) -> Finding:
    result = stats.permutation_p(
        _weights(pool, found), pool.trained, run.seeds("audit/copies/nearest"), permutations=permutations
    )
    return _p("copies.nearest.p", result, "number of synthetic rows whose nearest real patient is of train")


def _tail_p(pool: Pool, found: Neighbours, run: Run, permutations: int) -> Finding:
    """Only the closest 1 %, closest relative to the next nearest patient: a copy in a crowd is no news."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(found.second > 0, found.distance / found.second, 1.0)
    cut = np.sort(ratio)[max(10, round(0.01 * len(ratio))) - 1] if len(ratio) >= 10 else 1.0
    result = stats.permutation_p(
        _weights(pool, found, ratio <= cut), pool.trained, run.seeds("audit/copies/tail"), permutations=permutations
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
