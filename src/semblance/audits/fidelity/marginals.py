"""Does each column, looked at alone, have the right distribution?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.fidelity.samples import Floats, Ints, Samples, count, resamples, score
from semblance.contracts import Run
from semblance.data.dataset import Dataset, from_scale
from semblance.data.encode import MISSING, labels, numbers
from semblance.evidence import Finding
from semblance.schema import Column

CUTS = 512
"""Points at which cumulative shares are compared; every distinct value when there are fewer."""

SMALL = 11
"""Labels of fewer real patients are never named."""

NAMED = 20
BARS = 20


def marginals(samples: Samples, run: Run) -> Finding:
    """Mean distance over columns: Kolmogorov–Smirnov for numbers, total variation for labels (missing is a label)."""
    weights = resamples(samples, run, replicates=50 if run.quick else 200, purpose="marginals")
    fake_errors, train_errors, charts = [], [], []
    for column in samples.columns:
        fake, train = _distances(samples, column, weights)
        excess = stats.normal_interval(float(fake[0] - train[0]), fake[1:] - train[1:])
        charts.append(
            {
                "name": column.name,
                "kind": column.kind,
                "unit": column.unit,
                **_bars(samples, column),
                "distance": _coarse(float(fake[0]), samples),
                "floor": _coarse(float(train[0]), samples),
                "excess_low": excess.low,
                "excess_high": excess.high,
            }
        )
        fake_errors.append(fake)
        train_errors.append(train)
    return score(
        "fidelity.marginal.score",
        "Does each column, looked at alone, follow the same distribution as in patients the generator never saw?",
        np.mean(fake_errors, axis=0),
        np.mean(train_errors, axis=0),
        samples=samples,
        method="1 − mean distance to the holdout over columns: Kolmogorov–Smirnov for numbers present, total variation "
        "for labels with missing as a label; ± 1.96 standard errors of a bootstrap of patients; the baseline is what "
        f"as many training rows score; {samples.fake.n_rows} synthetic and {samples.held.n_rows} holdout rows",
        detail={"columns": charts},
    )


def _coarse(distance: float, samples: Samples) -> float:
    """Rounded to a step of `SMALL` held-out rows: a distance must not tell how few patients hold a label."""
    step = max(0.001, SMALL / samples.held.n_rows)
    return round(round(distance / step) * step, 6)


def _distances(samples: Samples, column: Column, weights: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Distance of synthetic and of train from the holdout, in the sample and in each replicate: two of (1 + r,)."""
    codes, size = _coded_numbers(samples, column) if column.numeric else _coded_labels(samples, column)
    held, fake, train = (
        count(np.where(c < 0, size, c), size + 1, w)[:size] for c, w in zip(codes, weights, strict=True)
    )
    distance = stats.kolmogorov_smirnov if column.numeric else stats.total_variation
    return distance(fake, held), distance(train, held)


def _coded_numbers(samples: Samples, column: Column) -> tuple[list[Ints], int]:
    """Interval number of each value among the cuts, −1 where missing."""
    values = [numbers(t, column.name) for t in samples.tables]
    pooled = np.concatenate(values)
    cuts = np.unique(pooled[~np.isnan(pooled)])
    if len(cuts) > CUTS:
        cuts = np.unique(np.quantile(pooled[~np.isnan(pooled)], np.linspace(0, 1, CUTS)))
    return [np.where(np.isnan(v), -1, np.searchsorted(cuts, v, "left")) for v in values], len(cuts) + 1


def _coded_labels(samples: Samples, column: Column) -> tuple[list[Ints], int]:
    values = [labels(t, column.name) for t in samples.tables]
    code, found = pd.factorize(np.concatenate(values))
    ends = np.cumsum([len(v) for v in values])[:-1]
    return [part.astype(np.int64) for part in np.split(code, ends)], len(found)


# ---------------------------------------------------------------- what the chart needs


def _bars(samples: Samples, column: Column) -> dict[str, Any]:
    return _number_bars(samples, column) if column.numeric else _label_bars(samples, column)


def _number_bars(samples: Samples, column: Column) -> dict[str, Any]:
    """Inner edges and counts of k + 1 bins with open ends. Edges lie within the 1…99 % range of real patients."""
    real = np.concatenate([numbers(samples.held, column.name), numbers(samples.train, column.name)])
    edges = _edges(real[~np.isnan(real)], column)
    counts = {}
    for key, data in (("holdout_counts", samples.held), ("synthetic_counts", samples.fake)):
        values = numbers(data, column.name)
        missing = np.isnan(values)
        inside = np.bincount(np.searchsorted(edges, values[~missing], "right"), minlength=len(edges) + 1)
        counts[key] = [*inside.tolist(), int(missing.sum())]
    if not any(c[-1] for c in counts.values()):
        counts = {key: c[:-1] for key, c in counts.items()}
    shown = edges.tolist()
    if column.kind in ("date", "datetime"):
        shown = [pd.Timestamp(d).isoformat() for d in from_scale(edges, column)]
    return {"edges": shown, **counts, "missing": any(len(c) > len(edges) + 1 for c in counts.values())}


def _edges(real: Floats, column: Column) -> Floats:
    if not len(real):
        return np.empty(0)
    # At least `SMALL` values lie beyond either end, so that no edge tells an extreme patient's value.
    beyond = min(0.5, max(0.01, SMALL / len(real)))
    low, high = np.quantile(real, [beyond, 1 - beyond])
    if column.kind == "integer" and high - low <= BARS + 4:
        return np.arange(np.ceil(low), np.floor(high)) + 0.5
    if high <= low:
        return np.empty(0)
    step = (high - low) / BARS
    digits = int(np.floor(np.log10(step)))
    # Rounded to a tenth of a bar: an edge is then nobody's exact value.
    edges = np.round(np.linspace(low, high, BARS + 1) / 10.0 ** (digits - 1)) * 10.0 ** (digits - 1)
    return np.unique(np.round(edges, max(0, 1 - digits)))


def _label_bars(samples: Samples, column: Column) -> dict[str, Any]:
    real = np.concatenate([_patients_by_label(t, column.name) for t in (samples.held, samples.train)])
    found, patients = np.unique(real.astype(str), return_counts=True)
    named = [str(v) for v in found[np.argsort(-patients, kind="stable")] if v != MISSING]
    many = dict(zip(found.tolist(), patients.tolist(), strict=True))
    named = [v for v in named if many[v] >= SMALL][:NAMED]
    if column.kind == "ordinal" and column.categories:
        named.sort(key=lambda v: column.categories.index(v) if v in column.categories else len(column.categories))
    out: dict[str, Any] = {}
    for key, data in (("holdout_counts", samples.held), ("synthetic_counts", samples.fake)):
        values = labels(data, column.name)
        missing = int((values == MISSING).sum())
        counts = [int((values == v).sum()) for v in named]
        out[key] = [*counts, len(values) - missing - sum(counts), missing]
    shown = [*named, "(other)", "(missing)"]
    # An empty last or last but one bar in both tables says nothing.
    for at in (-1, -2 if out["holdout_counts"][-1] or out["synthetic_counts"][-1] else -1):
        if not out["holdout_counts"][at] and not out["synthetic_counts"][at]:
            for bars in (shown, out["holdout_counts"], out["synthetic_counts"]):
                del bars[at]
    return {"labels": shown, **out}


def _patients_by_label(data: Dataset, name: str) -> NDArray[Any]:
    """Each patient's labels, once each."""
    pairs = pd.DataFrame({"patient": data.subjects, "label": labels(data, name)}).drop_duplicates()
    return pairs["label"].to_numpy(dtype=object)
