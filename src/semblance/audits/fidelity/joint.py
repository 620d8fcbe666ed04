"""Do columns go together, two and three at a time, as they do in patients?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from semblance import stats
from semblance.audits.fidelity.samples import Floats, Ints, Samples, count, resamples, score
from semblance.contracts import Run
from semblance.data.encode import Bins
from semblance.evidence import Finding

PAIRS = 600
"""Wider tables have this many pairs drawn for the score; the heat map always shows all."""

TRIPLES = 120
SHOWN = 60
"""Columns in the heat map."""

SMALL = 11
"""Values that fewer rows have are left out of the heat map."""


def pairs(samples: Samples, run: Run) -> Finding:
    """Mean total variation over tables of two columns (deciles; the 19 commonest labels and the rest)."""
    bins = Bins.fit([samples.train, samples.held], samples.columns, bins=10, common=19)
    every = list(combinations(range(len(samples.columns)), 2))
    chosen = _choose(every, PAIRS, run, "pairs")
    fake, train = _errors(samples, run, bins, chosen, "pairs")
    return score(
        "fidelity.pair.score",
        "Do any two columns go together as they do in patients the generator never saw?",
        fake,
        train,
        samples=samples,
        method=f"1 − mean total variation to the holdout over {len(chosen)} of {len(every)} pairs of columns, numbers "
        "in tenths, the 19 commonest labels and the rest; ± 1.96 standard errors of a bootstrap of patients; the "
        "baseline is what as many training rows score; the matrices hold Bergsma's corrected Cramér's V (2013)",
        detail=_associations(samples, bins),
    )


def triples(samples: Samples, run: Run) -> Finding:
    """The same for sampled sets of three columns, drawn without replacement."""
    bins = Bins.fit([samples.train, samples.held], samples.columns, bins=5, common=7)
    chosen = _sample_triples(len(samples.columns), run)
    fake, train = _errors(samples, run, bins, chosen, "triples")
    return score(
        "fidelity.triple.score",
        "Do three columns at a time go together as they do in patients the generator never saw?",
        fake,
        train,
        samples=samples,
        method=f"1 − mean total variation to the holdout over {len(chosen)} sets of three columns, numbers in fifths, "
        "the 7 commonest labels and the rest; ± 1.96 standard errors of a bootstrap of patients; the baseline is what "
        "as many training rows score",
    )


def _choose(every: Sequence[tuple[int, ...]], most: int, run: Run, purpose: str) -> list[tuple[int, ...]]:
    if len(every) <= most:
        return list(every)
    picked = run.seeds(f"audit/fidelity/{purpose}/choice").choice(len(every), most, replace=False)
    return [every[i] for i in sorted(picked)]


def _sample_triples(n_columns: int, run: Run) -> list[tuple[int, ...]]:
    """Up to `TRIPLES` different sets of three different columns, each in order."""
    if comb(n_columns, 3) <= TRIPLES:
        return list(combinations(range(n_columns), 3))
    rng = run.seeds("audit/fidelity/triples/choice")
    found: set[tuple[int, ...]] = set()
    while len(found) < TRIPLES:
        found.add(tuple(sorted(int(i) for i in rng.choice(n_columns, 3, replace=False))))
    return sorted(found)


def _errors(
    samples: Samples, run: Run, bins: Bins, chosen: Sequence[tuple[int, ...]], purpose: str
) -> tuple[Floats, Floats]:
    """Mean distance from the holdout over the chosen sets, in the sample and each replicate: two of (1 + r,)."""
    weights = resamples(samples, run, replicates=15 if run.quick else 50, purpose=purpose)
    codes = [bins(t) for t in samples.tables]
    fake_sum = np.zeros(weights[0].shape[1])
    train_sum = np.zeros_like(fake_sum)
    for columns in chosen:
        size = int(np.prod(bins.sizes[list(columns)]))
        held, fake, train = (count(_flat(c, columns, bins), size, w) for c, w in zip(codes, weights, strict=True))
        fake_sum += stats.total_variation(fake, held)
        train_sum += stats.total_variation(train, held)
    return fake_sum / len(chosen), train_sum / len(chosen)


def _flat(codes: Ints, columns: Sequence[int], bins: Bins) -> Ints:
    """One number for the cell of the cross-table each row falls in: (n,)."""
    cell = np.zeros(len(codes), dtype=np.int64)
    for j in columns:
        cell = cell * bins.sizes[j] + codes[:, j]
    return cell


def _associations(samples: Samples, bins: Bins) -> dict[str, Any]:
    shown = list(range(min(SHOWN, len(samples.columns))))
    return {
        "names": [samples.columns[i].name for i in shown],
        "holdout": _matrix(bins(samples.held), bins.sizes, shown),
        "synthetic": _matrix(bins(samples.fake), bins.sizes, shown),
    }


def _matrix(codes: Ints, sizes: Ints, shown: list[int]) -> list[list[float]]:
    matrix = np.eye(len(shown))
    for i, j in combinations(shown, 2):
        table = np.bincount(codes[:, i] * sizes[j] + codes[:, j], minlength=int(sizes[i] * sizes[j]))
        matrix[i, j] = matrix[j, i] = cramers_v(_common(table.reshape(sizes[i], sizes[j]).astype(np.float64)))
    return [[round(float(v), 3) for v in row] for row in matrix]


def _common(table: Floats) -> Floats:
    """Without values that few rows have: one patient who lacks two values would look like a strong link."""
    rows, columns = table.sum(axis=1) >= SMALL, table.sum(axis=0) >= SMALL
    return np.asarray(table[np.ix_(rows, columns)], dtype=np.float64)


def cramers_v(table: Floats) -> float:
    """Strength of association in a cross-table, 0 to 1, corrected for bias (Bergsma 2013). 0 for a constant column."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = table.sum()
    r, c = table.shape
    if n < 2 or r < 2 or c < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum() / n)
    corrected = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return min(1.0, float(np.sqrt(corrected / smaller))) if smaller > 0 else 0.0
