"""Are values missing as often, and together with the same others, as in patients?"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from semblance import stats
from semblance.audits.fidelity.samples import Floats, Samples, count, resamples, score
from semblance.contracts import Run
from semblance.data.encode import numbers
from semblance.evidence import Finding

NAME = "fidelity.missing.score"
QUESTION = "Are values missing as often, and together with the same others, as in patients?"
COLUMNS = 60


def missingness(samples: Samples, run: Run) -> Finding:
    """Mean total variation over the 2 × 2 tables of what is missing in two columns."""
    gaps = [
        np.column_stack(
            [np.isnan(numbers(t, c.name)) if c.numeric else t.frame[c.name].isna().to_numpy() for c in samples.columns]
        ).astype(np.int64)
        for t in samples.tables
    ]
    some = [i for i in range(len(samples.columns)) if any(g[:, i].any() for g in gaps)]
    if not some:
        zeros = np.zeros(2)
        return score(NAME, QUESTION, zeros, zeros, samples=samples, method="nothing is missing in any table")
    weights = resamples(samples, run, replicates=50 if run.quick else 100, purpose="missing")
    rates = [g.mean(axis=0) for g in gaps]
    widest = sorted(some, key=lambda i: -max(r[i] for r in rates))[:COLUMNS]
    sets = list(combinations(sorted(widest), 2)) or [(some[0], some[0])]
    fake, train = np.zeros(weights[0].shape[1]), np.zeros(weights[0].shape[1])
    for i, j in sets:
        held_n, fake_n, train_n = (_table(g[:, i] * 2 + g[:, j], w) for g, w in zip(gaps, weights, strict=True))
        fake += stats.total_variation(fake_n, held_n)
        train += stats.total_variation(train_n, held_n)
    return score(
        NAME,
        QUESTION,
        fake / len(sets),
        train / len(sets),
        samples=samples,
        method=f"1 − mean total variation to the holdout over {len(sets)} 2 × 2 tables of what is missing in two "
        "columns; ± 1.96 standard errors of a bootstrap of patients; the baseline is what as many training rows score",
        detail={
            "columns": [
                {
                    "name": samples.columns[i].name,
                    "holdout": _coarse(float(rates[0][i]), samples.held.n_rows),
                    "synthetic": _coarse(float(rates[1][i]), samples.fake.n_rows),
                }
                for i in some
            ]
        },
    )


def _coarse(share: float, rows: int) -> float:
    """Rounded to a step of 11 rows, so that a small number of patients cannot be worked out from it."""
    step = max(0.001, 11 / rows)
    return round(min(1.0, round(share / step) * step), 4)


def _table(codes: np.ndarray[tuple[int], np.dtype[np.int64]], weights: Floats) -> Floats:
    return count(codes, 4, weights)
