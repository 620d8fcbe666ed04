"""Squares that carry a colour: dependence between columns, and where patients lie on a two-dimensional map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from semblance.evidence import Finding
from semblance.report.draw import INK, SHADES, SIGNED, canvas, house_style, mosaic, plain, to_svg, total_of
from semblance.report.language import ENGLISH, Language

MOST_DRAWN = 40
_NAMED = 14  # up to here the columns are written on the axis, beyond it they are numbered
SMALLEST = 11  # patients in a cell that may be shown
_SIZE = 320

Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dependence:
    """Three maps of the same columns, and the pairs that differ most: (name, name, real, synthetic)."""

    names: tuple[str, ...]
    n_columns: int
    real: Markup
    fake: Markup
    difference: Markup
    worst: tuple[tuple[str, str, float, float], ...]
    reach: float


@dataclass(frozen=True, slots=True)
class Map:
    real: Markup
    fake: Markup
    axes: tuple[str, str]


def draw_dependence(finding: Finding | None, say: Language = ENGLISH) -> Dependence | None:
    """None where there is nothing to draw. Beyond MOST_DRAWN columns, those that differ most are drawn."""
    detail = finding.detail if finding else {}
    real, fake = (_grid_of(detail.get(k)) for k in ("holdout", "synthetic"))
    names = [plain(n, longest=60) for n in detail.get("names") or ()]
    n = len(names)
    if n < 2 or real.shape != (n, n) or fake.shape != (n, n):
        return None
    gap = np.nan_to_num(fake - real)
    gap[np.diag_indices(n)] = 0.0
    worst = [(names[i], names[j], float(real[i, j]), float(fake[i, j])) for i, j in _largest(gap, 8)]
    keep = np.sort(np.argsort(-np.abs(gap).max(axis=1), kind="stable")[:MOST_DRAWN])
    shown = [names[i] for i in keep]
    cut = np.ix_(keep, keep)
    reach = max(0.05, float(np.ceil(np.abs(gap).max() * 20) / 20))
    with house_style():
        drawn = (
            _heat(real[cut], shown, key="dr", label=say("Strength of dependence between columns, real patients.")),
            _heat(fake[cut], shown, key="ds", label=say("Strength of dependence between columns, synthetic patients.")),
            _difference(
                gap[cut],
                shown,
                reach=reach,
                label=say("Dependence in synthetic patients minus dependence in real patients."),
            ),
        )
    return Dependence(tuple(shown), n, *drawn, tuple(worst), reach)


def draw_map(finding: Finding | None, say: Language = ENGLISH) -> Map | None:
    """Where real and synthetic patients lie on the same two axes; None where there is nothing to draw."""
    detail = finding.detail if finding else {}
    real, fake = (_grid_of(detail.get(k)) for k in ("holdout_counts", "synthetic_counts"))
    if real.ndim != 2 or real.shape != fake.shape or not real.size:
        return None
    names = [say(plain(a, longest=80)) for a in detail.get("axes") or ()] or [say("first axis"), say("second axis")]
    totals = [total_of(g) for g in (real, fake)]
    # below this share the smaller table's cells are blanked, so the larger one's are not told apart either
    least = SMALLEST / min(totals)
    shares = [
        np.where(np.isnan(g) | ((g > 0) & (g / t < least)), np.nan, g / t)
        for g, t in zip((real, fake), totals, strict=True)
    ]
    top = max([least, *(float(np.nanmax(s, initial=0.0)) for s in shares)])
    labels = (
        say("Where real patients lie on the map; darker means more of them."),
        say("Where synthetic patients lie on the map; darker means more of them."),
    )
    with house_style():
        drawn = [_cells(s, least, top, key=k, label=t) for s, k, t in zip(shares, ("pr", "ps"), labels, strict=True)]
    return Map(drawn[0], drawn[1], (names[0], names[-1]))


def _heat(values: Grid, names: list[str], *, key: str, label: str) -> Markup:
    classes = np.clip((np.nan_to_num(values) * len(SHADES)).astype(np.int64), 0, len(SHADES) - 1)
    return _labelled(classes, SHADES, names, key=key, label=label)


def _difference(gap: Grid, names: list[str], *, reach: float, label: str) -> Markup:
    half = len(SIGNED) // 2
    classes = np.clip(np.round(gap / reach * half).astype(np.int64) + half, 0, len(SIGNED) - 1)
    return _labelled(classes, SIGNED, names, key="dd", label=label)


def _labelled(
    classes: NDArray[np.int64], colours: tuple[str, ...], names: list[str], *, key: str, label: str
) -> Markup:
    named = len(names) <= _NAMED
    axes = canvas(_SIZE, _SIZE - (56 if named else 0), left=86 if named else 28, bottom=22, right=4, top=4)
    mosaic(axes, classes, colours)
    axes.invert_yaxis()
    at = [i for i in range(len(names)) if len(names) <= 20 or (i + 1) % 5 == 0 or i == 0]
    centres = [i + 0.5 for i in at]
    numbers = [str(i + 1) for i in at]
    axes.set_xticks(centres, numbers)
    axes.set_yticks(centres, [f"{plain(n, longest=10)} {i + 1}" for i, n in enumerate(names)] if named else numbers)
    axes.tick_params(length=0, pad=3)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return to_svg(axes, key=key, label=label)


def _cells(shares: Grid, least: float, top: float, *, key: str, label: str) -> Markup:
    """Logarithmic scale, so that the edge of the cloud is seen beside its middle. Cells with too few have a dot."""
    few = np.isnan(shares)
    steps = len(SHADES) - 3
    place = np.log(np.maximum(np.nan_to_num(shares), least) / least) / max(float(np.log(top / least)), 1e-9)
    classes = np.where(few, 1, np.where(shares > 0, 2 + np.clip(np.round(place * steps), 0, steps), 0)).astype(np.int64)
    axes = canvas(_SIZE, _SIZE - 20, left=6, bottom=6, right=6, top=6)
    mosaic(axes, classes, SHADES)
    rows, columns = np.nonzero(few)
    axes.plot(columns + 0.5, rows + 0.5, ".", color=INK, markersize=2.5, alpha=0.55)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in ("left", "bottom", "right", "top"):
        axes.spines[side].set_visible(True)
    return to_svg(axes, key=key, label=label)


def _largest(gap: Grid, n: int) -> list[tuple[int, int]]:
    above = np.triu(np.abs(gap), 1)
    order = np.argsort(-above, axis=None, kind="stable")[:n]
    pairs = [(int(i // gap.shape[0]), int(i % gap.shape[0])) for i in order]
    return [(i, j) for i, j in pairs if above[i, j] > 0]


def _grid_of(rows: Any) -> Grid:
    """(rows, columns) floats, NaN where None; an empty array where the rows are absent or ragged."""
    if not rows or len({len(r) for r in rows}) != 1:
        return np.empty((0,))
    return np.array(rows, dtype=np.float64)
