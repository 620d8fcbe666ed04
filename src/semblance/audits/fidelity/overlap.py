"""A map of all columns at once, synthetic patients laid over real ones. Cells are counted, no one is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance import stats
from semblance.audits.fidelity.samples import Floats, Ints, Samples, count, resamples, score
from semblance.contracts import Run
from semblance.data.encode import Space
from semblance.evidence import Finding

SIDES = 6, 24
"""Cells along each side of the map, at least and at most."""

FILLED = 12
"""Held-out rows per cell on average: with fewer, most cells would be too small to show."""


def overlap(samples: Samples, run: Run) -> Finding:
    """Shared mass of the two densities on the plane of largest variance of real patients."""
    space = Space.fit([samples.train, samples.held], samples.columns)
    held, fake, train = (space(t) for t in samples.tables)
    centre, axes, shares = _plane(np.vstack([held, train]))
    flat = [(p - centre) @ axes.T for p in (held, fake, train)]
    real = np.vstack([flat[0], flat[2]])
    side = int(np.clip(np.sqrt(len(held) / FILLED), *SIDES))
    edges = [_edges(real[:, d], side) for d in (0, 1)]
    cells = [_cells(p, edges) for p in flat]
    weights = resamples(samples, run, replicates=50 if run.quick else 200, purpose="map")
    counts = [count(c, side * side, w) for c, w in zip(cells, weights, strict=True)]
    return score(
        "fidelity.map.overlap",
        "Seen from far off, all columns at once, do synthetic patients lie where real ones do?",
        stats.total_variation(counts[1], counts[0]),
        stats.total_variation(counts[2], counts[0]),
        samples=samples,
        method=f"shared mass on a {side} × {side} grid over the first two principal components of real patients "
        "(ranks of numbers, indicators of labels); ± 1.96 standard errors of a bootstrap of patients; the baseline is "
        "what as many training rows score",
        detail={
            "x_edges": [round(float(e), 3) for e in edges[0]],
            "y_edges": [round(float(e), 3) for e in edges[1]],
            "holdout_counts": _grid(counts[0], side),
            "synthetic_counts": _grid(counts[1], side),
            "axes": [_name(samples, space, axis, share) for axis, share in zip(axes, shares, strict=True)],
        },
    )


def _plane(points: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[Floats, Floats, Floats]:
    """Centre, the two directions of largest variance (2, width) and their shares of it."""
    centre = points.mean(axis=0, dtype=np.float64)
    covariance = np.cov(points.T.astype(np.float64)).reshape(points.shape[1], points.shape[1])
    values, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1][:, :2].T
    if len(axes) < 2:
        axes = np.vstack([axes, np.zeros_like(axes)])
    largest = np.abs(axes).argmax(axis=1)
    signs = np.where(axes[np.arange(2), largest] < 0, -1.0, 1.0)  # an eigenvector's sign is arbitrary: fix it
    total = max(float(values.sum()), 1e-12)
    shares = np.r_[values[::-1], 0.0, 0.0][:2] / total
    return centre, axes * signs[:, None], shares


def _edges(along: Floats, side: int) -> Floats:
    low, high = np.quantile(along, [0.005, 0.995])
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, side + 1)


def _cells(flat: Floats, edges: list[Floats]) -> Ints:
    """Cell of each point; those beyond the map are put in its outermost cells."""
    side = len(edges[0]) - 1
    x, y = (np.clip(np.searchsorted(e, flat[:, d], "right") - 1, 0, side - 1) for d, e in enumerate(edges))
    return np.asarray(y * side + x, dtype=np.int64)


def _grid(counts: Floats, side: int) -> list[list[int]]:
    return counts[:, 0].astype(int).reshape(side, side).tolist()


def _name(samples: Samples, space: Space, axis: Floats, share: float) -> str:
    """The columns that weigh most on a direction."""
    load = space.by_column(axis**2)
    top = [samples.columns[i].name for i in np.argsort(-load, kind="stable")[:3] if load[i] > 0.05]
    return f"{', '.join(top) or 'nothing'} ({share:.0%} of variance)"
