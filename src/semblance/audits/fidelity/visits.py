"""Do synthetic patients come as often as real ones?"""

from __future__ import annotations

import numpy as np

from semblance.contracts import Comparison
from semblance.data.dataset import Dataset
from semblance.evidence import Finding

MOST = 10


def visits(comparison: Comparison) -> Finding | None:
    """Mean rows per patient, synthetic minus holdout; None when no real patient has two rows."""
    train, held, fake = (_rows(t) for t in (comparison.train, comparison.held, comparison.fake))
    if max(train.max(initial=0), held.max(initial=0)) < 2:
        return None
    few = min(len(fake), len(held)) < 2
    value = 0.0 if few else float(fake.mean() - held.mean())
    half = 0.0 if few else 1.959964 * float(np.sqrt(fake.var(ddof=1) / len(fake) + held.var(ddof=1) / len(held)))
    return Finding(
        name="fidelity.visits.difference",
        question="Do synthetic patients have as many rows each as real ones?",
        value=None if few else value,
        low=None if few else value - half,
        high=None if few else value + half,
        n=len(held),
        unit="rows per patient",
        direction="target",
        baseline=None if few else float(train.mean() - held.mean()),
        status="underpowered" if few else "measured",
        why="fewer than two patients in one of the tables" if few else "",
        method="difference of mean rows per patient, synthetic minus holdout, with Welch's interval; the baseline "
        "is train minus holdout",
        detail={
            "rows_per_patient": [*map(str, range(1, MOST)), f"{MOST} or more"],
            "holdout_counts": _histogram(held),
            "synthetic_counts": _histogram(fake),
        },
    )


def _rows(data: Dataset) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.bincount(data.subjects)


def _histogram(rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    return np.bincount(np.minimum(rows, MOST), minlength=MOST + 1)[1:].tolist()  # type: ignore[no-any-return]
