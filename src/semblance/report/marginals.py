"""One small picture per column: real held-out patients filled, synthetic patients as a line or a diamond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from semblance.evidence import Finding
from semblance.report.draw import (
    DASHED,
    FAKE,
    MUTED,
    REAL,
    SOFT,
    canvas,
    house_style,
    number,
    plain,
    to_svg,
    total_of,
)
from semblance.report.language import ENGLISH, Language

MOST_DRAWN = 48
_MOST_LABELS = 9
_MISSING = "(missing)"
_LAST = ("", "(other)", _MISSING)


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawn column: `distance` from the real one, `floor` what fresh real patients would show."""

    name: str
    kind: str
    distance: float | None
    floor: float | None
    svg: Markup


def draw_marginals(finding: Finding | None, say: Language = ENGLISH) -> tuple[list[Panel], int]:
    """Panels of the columns that differ most, worst first, and how many columns there are."""
    columns = [c for c in (finding.detail.get("columns") or () if finding else ()) if _counts(c)[0].size]
    worst = sorted(columns, key=lambda c: -float(c.get("distance") or 0))[:MOST_DRAWN]
    with house_style():
        return [_panel(c, say, key=f"m{i}") for i, c in enumerate(worst)], len(columns)


def _panel(column: Mapping[str, Any], say: Language, *, key: str) -> Panel:
    name = str(column.get("name", ""))
    unit = str(column.get("unit") or "")
    real, fake = (_shares(c) for c in _counts(column))
    draw = _draw_scale if column.get("edges") else _draw_labels
    axes = draw(column, real, fake, say)
    label = say(
        "Distribution of {name}: real held-out patients against synthetic patients.", name=plain(name, longest=60)
    )
    kind = ", ".join(x for x in (say(str(column.get("kind") or "")), unit) if x)
    return Panel(
        plain(name, longest=60), kind, column.get("distance"), column.get("floor"), to_svg(axes, key=key, label=label)
    )


def _draw_scale(column: Mapping[str, Any], real: NDArray[np.float64], fake: NDArray[np.float64], say: Language) -> Axes:
    """Bins of equal drawn width; the outer two are open, so nobody's extreme is seen."""
    edges: Sequence[Any] = column["edges"]
    n_bins = min(len(edges) + 1, real.size)
    axes = canvas(280, 150, right=26)
    at = np.arange(n_bins + 1)
    axes.stairs(real[:n_bins], at, fill=True, facecolor=SOFT, edgecolor=REAL, linewidth=1.2)
    axes.stairs(fake[:n_bins], at, color=FAKE, linewidth=1.8, linestyle=DASHED, baseline=None)
    end = float(n_bins)
    if real.size > n_bins:  # the bin of missing values stands apart
        middle = n_bins + 1.2
        axes.bar(middle, np.nan_to_num(real[-1]), 1.2, facecolor=SOFT, edgecolor=REAL, linewidth=1.2, hatch="///")
        axes.plot(middle, fake[-1], "D", color=FAKE, markersize=6)
        _mark_suppressed(axes, real[-1:], np.array([middle]))
        end = n_bins + 2
    _mark_suppressed(axes, real[:n_bins], np.arange(n_bins) + 0.5)
    shown = np.unique(np.linspace(1, max(1, n_bins - 1), 4).round().astype(int))[: len(edges)]
    ticks = [(float(i), _edge(edges[i - 1])) for i in shown]
    if real.size > n_bins:
        ticks = [t for t in ticks if t[0] <= 0.86 * n_bins] + [(n_bins + 1.2, say("missing"))]
    axes.set_xticks([t[0] for t in ticks], [t[1] for t in ticks])
    axes.set_xlim(0, end)
    return _share_axis(axes, "y", real, fake)


def _draw_labels(
    column: Mapping[str, Any], real: NDArray[np.float64], fake: NDArray[np.float64], say: Language
) -> Axes:
    labels = [str(x) for x in column.get("labels") or ()] or [str(i + 1) for i in range(real.size)]
    size = min(len(labels), real.size)
    largest = sorted(range(size), key=lambda i: (_last(labels[i]), -_known(real[i])))
    keep = largest if size <= _MOST_LABELS else [*largest[: _MOST_LABELS - 2], *largest[-2:]]
    if column.get("kind") == "ordinal":  # the order has a meaning
        keep = sorted(keep, key=lambda i: (_last(labels[i]), i))
    axes = canvas(280, 34 + 19 * len(keep), left=112, bottom=24, top=4, right=12)
    at = np.arange(len(keep))[::-1]
    for y, i in zip(at, keep, strict=True):
        hatch = "///" if labels[i] == _MISSING else None
        axes.barh(y, _known(real[i]), 0.62, facecolor=SOFT, edgecolor=REAL, linewidth=1.1, hatch=hatch)
        axes.plot(fake[i], y, "D", color=FAKE, markersize=5.5, clip_on=False)
        if np.isnan(real[i]):
            axes.annotate(
                say("fewer than 11"), (_known(fake[i]), y), (9, 0), textcoords="offset points", va="center", color=MUTED
            )
    names = [say(labels[i]) if labels[i] in _LAST[1:] else plain(labels[i], longest=15) for i in keep]
    axes.set_yticks(at, names)
    axes.set_ylim(-0.6, len(keep) - 0.4)
    return _share_axis(axes, "x", real[keep], fake[keep])


def _share_axis(axes: Axes, which: Literal["x", "y"], *shares: NDArray[np.float64]) -> Axes:
    top = max([0.01, *(float(np.nanmax(s)) for s in shares if np.isfinite(s).any())]) * 1.1
    along = axes.yaxis if which == "y" else axes.xaxis
    along.set_major_formatter(PercentFormatter(1.0, decimals=0 if top > 0.04 else 1))
    axes.locator_params(axis=which, nbins=4, min_n_ticks=2)
    axes.grid(axis=which)
    axes.spines["left" if which == "y" else "bottom"].set_visible(False)
    axes.tick_params(axis=which, length=0)
    (axes.set_ylim if which == "y" else axes.set_xlim)(0, top)
    return axes


def _mark_suppressed(axes: Axes, shares: NDArray[np.float64], at: NDArray[Any]) -> None:
    hidden = np.isnan(shares)
    axes.plot(at[hidden], np.zeros(int(hidden.sum())), "x", color=MUTED, markersize=5, clip_on=False)


def _edge(edge: Any) -> str:
    if isinstance(edge, (int, float)):
        return number(float(edge))
    return str(edge)[:7]  # a date, to the month


def _counts(column: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(bins,) each, NaN where a count was blanked."""
    real, fake = (np.array(column.get(k) or [], dtype=np.float64) for k in ("holdout_counts", "synthetic_counts"))
    size = min(real.size, fake.size)
    return real[:size], fake[:size]


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / total_of(counts)


def _last(label: str) -> int:
    """Pooled and missing values go to the bottom."""
    return _LAST.index(label) if label in _LAST[1:] else 0


def _known(share: Any) -> float:
    return 0.0 if np.isnan(share) else float(share)
