"""The three samples every fidelity question compares, cut so that the floor is fair.

Train and synthetic get the same number of rows, and both are held against the same holdout: what the training rows
then score is what a perfect generator could be expected to reach, no more. Memorising does not help, because the
holdout was never seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from semblance import stats
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import comparable
from semblance.evidence import Finding
from semblance.schema import Column

FEW = 50
"""Below this many held-out or synthetic patients a number is given but not to be relied on."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Rows of each table, by whole patients."""

    columns: tuple[Column, ...]
    train: Dataset
    held: Dataset
    fake: Dataset

    @property
    def few(self) -> bool:
        return min(self.held.n_subjects, self.fake.n_subjects, self.train.n_subjects) < FEW

    @property
    def tables(self) -> tuple[Dataset, Dataset, Dataset]:
        return self.held, self.fake, self.train


def draw(comparison: Comparison, run: Run, *, limit: int) -> Samples:
    """At most `limit` rows of each table; train and synthetic equally many."""
    rows = min(limit, comparison.train.n_rows, comparison.fake.n_rows)

    def cut(data: Dataset, name: str, n: int) -> Dataset:
        return data.take(stats.sample_patients(data.subjects, n, run.seeds(f"audit/fidelity/rows/{name}")))

    return Samples(
        comparable(comparison.train, comparison.fake),
        cut(comparison.train, "train", rows),
        cut(comparison.held, "held", limit),
        cut(comparison.fake, "fake", rows),
    )


def resamples(samples: Samples, run: Run, *, replicates: int, purpose: str) -> tuple[Floats, Floats, Floats]:
    """Row weights of patient bootstraps of held, fake and train; the first column of each is the sample itself."""
    made = []
    for name, data in zip(("held", "fake", "train"), samples.tables, strict=True):
        rng = run.seeds(f"audit/fidelity/{purpose}/{name}")
        made.append(np.hstack([np.ones((data.n_rows, 1)), stats.patient_weights(data.subjects, replicates, rng)]))
    return made[0], made[1], made[2]


def count(codes: Ints, size: int, weights: Floats) -> Floats:
    """Weighted count of each code in each replicate: codes (n,), weights (n, r) -> (size, r)."""
    rows = np.arange(len(codes))
    return np.asarray(sparse.csr_matrix((np.ones(len(codes)), (codes, rows)), shape=(size, len(codes))) @ weights)


def score(
    name: str,
    question: str,
    fake: Floats,
    train: Floats,
    *,
    samples: Samples,
    method: str,
    detail: dict[str, Any] | None = None,
) -> Finding:
    """1 − error with its interval, beside what real training rows score; `fake` and `train` are errors (1 + r,).

    `detail["excess"]` is the error beyond the floor, with an interval that covers 0 when the table is as good as real.
    """
    value = stats.normal_interval(1 - float(fake[0]), fake[1:])
    excess = stats.normal_interval(float(fake[0] - train[0]), fake[1:] - train[1:])
    return Finding(
        name=name,
        question=question,
        value=value.value,
        low=max(0.0, value.low),
        high=min(1.0, value.high),
        n=samples.held.n_subjects,
        unit="score",
        direction="higher",
        baseline=1 - float(train[0]),
        status="underpowered" if samples.few else "measured",
        method=method,
        why=f"fewer than {FEW} patients in one of the tables" if samples.few else "",
        detail={**(detail or {}), "excess": {"value": excess.value, "low": excess.low, "high": excess.high}},
    )
