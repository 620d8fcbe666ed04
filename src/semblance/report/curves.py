"""Lines and dots: ROC curves, distances to the nearest patient, what gives the table away, missing values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter
from numpy.typing import NDArray

from semblance.evidence import Finding
from semblance.report.draw import (
    DASHED,
    FAKE,
    FIRST,
    LINE,
    MUTED,
    REAL,
    SECOND,
    SOFT,
    TRAIN,
    canvas,
    house_style,
    number,
    plain,
    to_svg,
)
from semblance.report.language import ENGLISH, Language

DOTTED = (0, (1, 1.2))
MOST_FEATURES = 12
MOST_MISSING = 24


def draw_utility(
    trained_on_fake: Finding | None, trained_on_real: Finding | None, say: Language = ENGLISH
) -> Markup | None:
    """ROC of models that learned from synthetic and from real patients, both tested on held-out real ones."""
    lines = [
        (f, s) for f, s in ((trained_on_real, (REAL, "-")), (trained_on_fake, (FAKE, DASHED))) if _roc(f) is not None
    ]
    if not lines:
        return None
    with house_style():
        axes = canvas(340, 310, left=58, bottom=44, right=20, top=10)
        axes.plot([0, 1], [0, 1], ":", color=MUTED, linewidth=1.4)
        for finding, (colour, style) in lines:
            fpr, tpr = _roc(finding)  # type: ignore[misc]  # filtered above
            axes.plot(fpr, tpr, color=colour, linestyle=style, linewidth=2.2)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        for along in (axes.xaxis, axes.yaxis):
            along.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
            along.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid()
        axes.set_xlabel(say("false alarms"))
        axes.set_ylabel(say("found"))
        return to_svg(
            axes, key="roc", label=say("ROC curves: model learned from synthetic patients against one from real.")
        )


def draw_membership(
    distance: Finding | None, density: Finding | None, shadow: Finding | None = None, say: Language = ENGLISH
) -> Markup | None:
    """Members found against outsiders wrongly accused, both axes logarithmic because low false alarms count."""
    styles = ((distance, (FIRST, "-")), (density, (SECOND, DASHED)), (shadow, (TRAIN, DOTTED)))
    attacks = [(f, s) for f, s in styles if _roc(f) is not None]
    if not attacks:
        return None
    with house_style():
        axes = canvas(340, 310, left=58, bottom=44, right=20, top=10)
        start = min(0.01, *(float(_positive(_roc(f))[0].min(initial=0.01)) for f, _ in attacks))
        axes.plot([start, 1], [start, 1], ":", color=MUTED, linewidth=1.6)
        axes.axvline(0.01, color=LINE, linewidth=1.2)
        for finding, (colour, style) in attacks:
            fpr, tpr = _positive(_roc(finding))
            axes.plot(fpr, tpr, color=colour, linestyle=style, linewidth=2.2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(start, 1)
        axes.set_ylim(start, 1)
        ticks = [t for t in (0.0001, 0.001, 0.01, 0.1, 1.0) if t >= start * 0.999]
        for along in (axes.xaxis, axes.yaxis):
            along.set_major_locator(FixedLocator(ticks))
            along.set_minor_locator(NullLocator())
            along.set_major_formatter(FuncFormatter(lambda x, _: f"{number(100 * x)}%"))
        axes.grid()
        axes.set_xlabel(say("outsiders wrongly accused"))
        axes.set_ylabel(say("members found"))
        return to_svg(
            axes, key="mia", label=say("ROC curves of the membership attacks on logarithmic axes, with chance.")
        )


def draw_distances(finding: Finding | None, say: Language = ENGLISH) -> Markup | None:
    """How far synthetic rows lie from the nearest training patient and from the nearest held-out one."""
    detail = finding.detail if finding else {}
    train, held = (np.array(detail.get(k) or [], dtype=np.float64) for k in ("train_counts", "holdout_counts"))
    edges = [e for e in detail.get("edges") or () if isinstance(e, (int, float))]
    if not train.size or train.size != held.size:
        return None
    with house_style():
        axes = canvas(340, 240, left=46, bottom=42)
        at = np.arange(train.size + 1)
        for counts, colour, style, fill in ((held, REAL, "-", True), (train, TRAIN, DASHED, False)):
            shares = np.nan_to_num(counts / max(np.nansum(counts), 1.0))
            if fill:
                axes.stairs(shares, at, fill=True, facecolor=SOFT, edgecolor=colour, linewidth=1.2)
            else:
                axes.stairs(shares, at, color=colour, linewidth=2, linestyle=style, baseline=None)
        axes.set_xlim(0, train.size)
        _distance_ticks(axes, edges, train.size)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.locator_params(axis="y", nbins=4)
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(say("distance to the nearest real patient"))
        return to_svg(
            axes, key="nn", label=say("Distances from synthetic rows to the nearest training and held-out patient.")
        )


def draw_features(finding: Finding | None, say: Language = ENGLISH) -> Markup | None:
    """Columns by which a classifier tells real from synthetic, as shares of its decisions."""
    features: Sequence[Mapping[str, Any]] = (finding.detail.get("features") or ()) if finding else ()
    top = sorted(features, key=lambda f: -float(f.get("share") or 0))[:MOST_FEATURES]
    if not top:
        return None
    with house_style():
        axes = canvas(340, 40 + 21 * len(top), left=128, bottom=26, right=40, top=4)
        at = np.arange(len(top))[::-1]
        shares = [float(f.get("share") or 0) for f in top]
        axes.barh(at, shares, 0.6, color=FAKE)
        for y, share in zip(at, shares, strict=True):
            axes.annotate(f"{share:.0%}", (share, y), (5, 0), textcoords="offset points", va="center", color=MUTED)
        axes.set_yticks(at, [plain(f.get("name"), longest=16) for f in top])
        axes.set_ylim(-0.6, len(top) - 0.4)
        axes.set_xlim(0, max(0.01, *shares))
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        return to_svg(axes, key="c2st", label=say("Columns that most help a machine tell real from synthetic."))


def draw_missing(finding: Finding | None, say: Language = ENGLISH) -> tuple[Markup | None, int]:
    """Share of missing values per column, real against synthetic, and how many columns have any."""
    columns = (finding.detail.get("columns") or ()) if finding else ()
    with_gaps = [c for c in columns if (c.get("holdout") or 0) > 0 or (c.get("synthetic") or 0) > 0]
    chosen = sorted(with_gaps, key=lambda c: -abs((c.get("holdout") or 0) - (c.get("synthetic") or 0)))[:MOST_MISSING]
    if not chosen:
        return None, 0
    chosen = sorted(chosen, key=lambda c: -(c.get("holdout") or 0))
    with house_style():
        axes = canvas(340, 44 + 20 * len(chosen), left=128, bottom=26, right=16, top=6)
        at = np.arange(len(chosen))[::-1]
        real, fake = (np.array([float(c.get(k) or 0) for c in chosen]) for k in ("holdout", "synthetic"))
        axes.hlines(at, np.minimum(real, fake), np.maximum(real, fake), color=LINE, linewidth=2)
        axes.plot(real, at, "o", color=REAL, markersize=8, markerfacecolor="none", markeredgewidth=1.8, clip_on=False)
        axes.plot(fake, at, "D", color=FAKE, markersize=4.5, clip_on=False)
        axes.set_yticks(at, [plain(c.get("name"), longest=16) for c in chosen])
        axes.set_ylim(-0.7, len(chosen) - 0.3)
        axes.set_xlim(0, max(0.02, float(max(real.max(), fake.max())) * 1.02))
        axes.tick_params(axis="y", pad=10)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if max(real.max(), fake.max()) > 0.04 else 1))
        axes.locator_params(axis="x", nbins=4)
        axes.grid(axis="x")
        axes.spines["bottom"].set_visible(False)
        svg = to_svg(axes, key="gaps", label=say("Share of missing values in each column, real against synthetic."))
        return svg, len(with_gaps)


def _distance_ticks(axes: Axes, edges: Sequence[float], n_bins: int) -> None:
    """Edges may bound the bins or lie between them; say so by where the ticks sit."""
    first = 0 if len(edges) == n_bins + 1 else 1
    ticks = [(i + first, number(e)) for i, e in enumerate(edges) if i + first <= n_bins]
    step = max(1, len(ticks) // 4)
    axes.set_xticks([t[0] for t in ticks[::step]], [t[1] for t in ticks[::step]])


Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def _roc(finding: Finding | None) -> Curve | None:
    roc = finding.detail.get("roc") if finding and finding.status == "measured" else None
    if not roc:
        return None
    fpr, tpr = (
        np.array([np.nan if x is None else x for x in roc.get(k) or ()], dtype=np.float64) for k in ("fpr", "tpr")
    )
    return (fpr, tpr) if fpr.size and fpr.size == tpr.size else None


def _positive(roc: Curve | None) -> Curve:
    """Only what a logarithmic axis can show."""
    assert roc is not None
    fpr, tpr = roc
    seen = (fpr > 0) & (tpr > 0)
    return fpr[seen], tpr[seen]
