"""Training and held-out patients as one pool, blind to who is which, and what it takes to own a synthetic row.

Each synthetic row is given to the real patients it is nearest to, and only then is it asked whose they are. So a
generator that has not memorised finds trained and held-out patients alike, in proportion to their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.own import everyone
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.data.nearest import Neighbours
from semblance.evidence import Finding
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pool:
    """Train and holdout together. The space is fitted on both and knows no labels.

    Attributes:
        points: (p, width).
        patients: Patient number of each point, train first: (p,).
        trained: Whether each patient is of train: (n_patients,).
        who: Number of each patient among all of train and holdout, where the pool is a sample: (n_patients,).
    """

    space: Space
    points: NDArray[np.float32]
    patients: Ints
    trained: Mask
    who: Ints

    @classmethod
    def of(cls, comparison: Comparison, columns: tuple[Column, ...], run: Run, *, limit: int) -> Pool:
        tables = [comparison.train, comparison.held]
        space = Space.fit(tables, columns)
        subjects = everyone(comparison)
        rows = stats.sample_patients(subjects, limit, run.seeds("audit/copies/pool"))
        points = np.vstack([space(t) for t in tables])[rows]
        found, patients = np.unique(subjects[rows], return_inverse=True)
        return cls(space, points, patients.astype(np.int64), found < tables[0].n_subjects, found)


class Made(NamedTuple):
    """A table held against the pool: its points and what each of them is nearest to."""

    points: NDArray[np.float32]
    found: Neighbours


def shuffled(comparison: Comparison, columns: tuple[Column, ...], n: int, rng: np.random.Generator) -> Dataset:
    """The naive baseline: `n` rows whose columns are right one by one and are drawn without regard to each other.

    It looks at no synthetic row. What it copies, it copies because values are few.
    """
    tables = [comparison.train, comparison.held]
    total = sum(t.n_rows for t in tables)
    drawn = {}
    for column in columns:
        values = pd.concat([t.frame[column.name] for t in tables], ignore_index=True)
        drawn[column.name] = values.iloc[rng.integers(0, total, n)].reset_index(drop=True)
    return Dataset(pd.DataFrame(drawn), replace(comparison.train.schema, columns=columns, rules=()), "synthetic")


def weights(pool: Pool, found: Neighbours, chosen: Mask | None = None) -> Floats:
    """How many synthetic rows each patient is nearest to, ties split: (n_patients,)."""
    keep = slice(None) if chosen is None else chosen[found.query]
    owners = pool.patients[found.point[keep]]
    return np.bincount(owners, weights=found.share[keep], minlength=len(pool.trained)).astype(np.float64)


def singled(pool: Pool, found: Neighbours, chosen: Mask) -> Mask:
    """Patients who alone are nearest to one of the `chosen` synthetic rows: (n_patients,).

    Where several patients are equally near, the row is nobody's copy.
    """
    keep = chosen[found.query]
    pair = found.query[keep] * len(pool.trained) + pool.patients[found.point[keep]]
    pairs, at = np.unique(pair, return_inverse=True)
    whole = np.bincount(at, weights=found.share[keep], minlength=len(pairs)) > 1 - 1e-9
    hit = np.zeros(len(pool.trained), dtype=bool)
    hit[pairs[whole] % len(pool.trained)] = True
    return hit


def excess(name: str, weight: Floats, trained: Mask, n: int, method: str, detail: Mapping[str, Any]) -> Finding:
    """Share of rows owned by train minus what the holdout leads to expect, patient for patient.

    Rows that fall on the same patient are one piece of news, not many: the sample is shrunk by Kish's (1965) effect.
    """
    per_held = float(trained.sum()) / max(1, int((~trained).sum()))
    effective = n * min(1.0, float(weight.sum()) / max(float((weight**2).sum()), 1e-12)) if weight.any() else float(n)
    train, held = float(weight[trained].sum()) / n, float(weight[~trained].sum()) / n
    found = stats.newcombe(train * effective, effective, held * effective, effective, scale=per_held)
    rates = {"train_share": train, "holdout_share": held, "train_patients_per_holdout_patient": per_held}
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
        detail={**rates, **detail},
    )
