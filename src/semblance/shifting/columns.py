"""Column by column: by how much a site differs from the others, and whether chance would do as much."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance.shifting.groups import Groups
from semblance.stats import benjamini_hochberg, total_variation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 10
TINY = 1e-3
"""Share that an empty bin counts as, for the population stability index."""


def compare(groups: Groups) -> list[dict[str, Any]]:
    """For each column: its name, the site that differs most from all others, effects, p and p by Benjamini–Hochberg.

    `smd` is the difference of means in pooled standard deviations (numbers only); `tv` the total variation and `psi`
    the population stability index over tenths or labels, missing as one of them. p: Kruskal and Wallis's test of the
    numbers and a χ² test of which are missing, Bonferroni over the two; χ² of labels.
    """
    found = [_of(name, groups.features[:, i], i in groups.categorical, groups) for i, name in enumerate(groups.names)]
    for each, adjusted in zip(found, benjamini_hochberg([f["p"] for f in found]), strict=True):
        each["p_bh"] = float(adjusted)
    return sorted(found, key=lambda f: (f["p_bh"], -f["tv"]))


def _of(name: str, values: Floats, label: bool, groups: Groups) -> dict[str, Any]:
    missing = np.isnan(values)
    if label:
        bins = np.where(missing, -1, values).astype(np.int64) + 1
    else:
        tenths = np.linspace(0, 1, BINS + 1)[1:-1]
        cuts = np.unique(np.quantile(values[~missing], tenths)) if (~missing).any() else np.empty(0)
        bins = np.where(missing, 0, 1 + np.searchsorted(cuts, values, "left"))
    table = _table(bins, groups)
    here, rest = table.T, (table.sum(axis=0) - table).T  # (bins, sites)
    apart = total_variation(here.astype(np.float64), rest.astype(np.float64))
    worst = int(np.argmax(apart))
    p = (
        p_of_counts(table)
        if label
        else min(1.0, 2 * min(_kruskal(values, groups), p_of_counts(_table(missing * 1, groups))))
    )
    return {
        "column": name,
        "site": groups.sites[worst],
        "smd": None if label else _smd(values, groups.site == worst),
        "tv": float(apart[worst]),
        "psi": _psi(here[:, worst], rest[:, worst]),
        "missing_difference": float(missing[groups.site == worst].mean() - missing[groups.site != worst].mean()),
        "p": p,
    }


def _table(bins: Ints, groups: Groups) -> Ints:
    """Patients of each site in each bin: (sites, bins)."""
    numbered = np.unique(bins, return_inverse=True)[1]
    flat = np.bincount(
        groups.site * (numbered.max() + 1) + numbered, minlength=len(groups.sites) * (numbered.max() + 1)
    )
    return flat.reshape(len(groups.sites), -1).astype(np.int64)


def p_of_counts(table: Ints) -> float:
    """χ² test of (sites, labels): rare labels together, so that a cell expects five; 1 where one label is left."""
    enough = table.sum(axis=0) * table.sum(axis=1).min() / table.sum() >= 5
    merged = np.column_stack([table[:, enough], table[:, ~enough].sum(axis=1)])
    merged = merged[:, merged.sum(axis=0) > 0]
    if merged.shape[1] < 2:
        return 1.0
    return float(distributions.chi2_contingency(merged, correction=False).pvalue)


def _kruskal(values: Floats, groups: Groups) -> float:
    parts = [values[(groups.site == s) & ~np.isnan(values)] for s in range(len(groups.sites))]
    parts = [part for part in parts if len(part) >= 5]
    if len(parts) < 2 or np.ptp(np.concatenate(parts)) == 0:
        return 1.0
    return float(distributions.kruskal(*parts).pvalue)


def _smd(values: Floats, here: NDArray[np.bool_]) -> float | None:
    one, other = (values[side & ~np.isnan(values)] for side in (here, ~here))
    if min(len(one), len(other)) < 2:
        return None
    spread = float(np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2))
    return float((one.mean() - other.mean()) / spread) if spread > 0 else 0.0


def _psi(here: Ints, rest: Ints) -> float:
    a, b = (np.maximum(counts / max(counts.sum(), 1), TINY) for counts in (here, rest))
    return float(((a - b) * np.log(a / b)).sum())
