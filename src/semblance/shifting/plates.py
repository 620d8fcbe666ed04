"""Pictures of where a label is told, and of how useful and how visible what else is known would be."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

Floats = NDArray[np.float64]
INK = "#303030"


def heat_maps(maps: Mapping[str, Floats]) -> bytes:
    """Areas under the curve patch by patch, (rows, columns) each, side by side, as a PNG. Shows no image."""
    with _plain():
        figure = Figure(figsize=(0.6 + 3.4 * len(maps), 3.4), dpi=110, layout="constrained")
        for number, (title, areas) in enumerate(maps.items()):
            axes = figure.add_subplot(1, len(maps), number + 1)
            shown = axes.imshow(areas, vmin=0.5, vmax=1.0, cmap="magma")
            axes.set_title(title, fontsize=10, color=INK)
            axes.set_xticks([])
            axes.set_yticks([])
            row, column = np.unravel_index(int(np.argmax(areas)), areas.shape)
            sides = {0: "left", areas.shape[1] - 1: "right"}
            aligned, bright = sides.get(int(column), "center"), float(areas[row, column]) > 0.8
            axes.text(
                float(column), float(row), f"{areas[row, column]:.2f}", ha=aligned, va="center", fontsize=8,
                color="black" if bright else "white",
            )  # fmt: skip
        figure.colorbar(shown, ax=figure.axes, shrink=0.8, label="AUC")
        return _png(figure)


def risk_plot(points: Mapping[str, tuple[float, float]]) -> bytes:
    """What each attribute alone tells of the label, by how well it can be read off the image, as a PNG."""
    with _plain():
        figure = Figure(figsize=(4.2, 3.8), dpi=110, layout="constrained")
        axes = figure.add_subplot()
        _square(axes, "readable off the image (AUC)", "tells the label by itself (AUC)")
        axes.fill_between([0.6, 1.02], 0.6, 1.02, color="#e8b04a", alpha=0.25, linewidth=0)
        for name, (readable, useful) in points.items():
            axes.plot(readable, useful, "o", color="#b03060", markersize=7)
            axes.annotate(
                name, (readable, useful), textcoords="offset points", xytext=(-7, 6) if readable > 0.8 else (7, 6),
                ha="right" if readable > 0.8 else "left", fontsize=9, color=INK,
            )  # fmt: skip
        return _png(figure)


def _square(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(0.45, 1.02)
    axes.set_ylim(0.45, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    for where in (0.5,):
        axes.axhline(where, color="#999999", linewidth=0.8, linestyle=":")
        axes.axvline(where, color="#999999", linewidth=0.8, linestyle=":")


def _plain() -> Any:
    return matplotlib.rc_context({k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")})


def _png(figure: Figure) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
