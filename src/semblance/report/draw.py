"""From a Matplotlib figure to a piece of SVG that lives inside a page.

Text stays text, so it can be read aloud, searched and set in the page's own font. Colours are sentinels that become
CSS variables, so a picture follows the page between light, dark and paper. The same figure gives the same bytes.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

# Each is a colour nobody would choose, exchanged for a CSS variable of the page (templates/style.css).
INK, MUTED, LINE, PAPER = "#010100", "#010200", "#010300", "#010400"
REAL, FAKE, TRAIN, SOFT, FIRST, SECOND = "#020100", "#020200", "#020300", "#020400", "#020500", "#020600"
SHADES = tuple(f"#0301{i:02x}" for i in range(8))  # from none to much
SIGNED = tuple(f"#0302{i:02x}" for i in range(9))  # from less, through no difference, to more

_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    PAPER: "card",
    REAL: "real",
    FAKE: "fake",
    TRAIN: "train",
    SOFT: "soft",
    FIRST: "first",
    SECOND: "second",
    **{c: f"shade-{i}" for i, c in enumerate(SHADES)},
    **{c: f"signed-{i}" for i, c in enumerate(SIGNED)},
}
DASHED = (0, (4, 2))

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "semblance",
    "text.parse_math": False,
    "font.size": 11.0,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 11.0,
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.linewidth": 1.0,
    "figure.facecolor": "none",
    "figure.dpi": 72.0,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 11.0,
    "ytick.labelsize": 11.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's own defaults with the house's settings, whatever the user's configuration says."""
    settings: Any = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")} | _SETTINGS
    with warnings.catch_warnings():
        # a column may be named in a script that the measuring font lacks; the reader's own font draws it
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        with matplotlib.rc_context(settings):
            yield


def canvas(width: int, height: int, *, left: int = 40, bottom: int = 26, right: int = 8, top: int = 8) -> Axes:
    """Axes on a new figure of width × height CSS pixels, margins in pixels. Call inside `house_style`."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    box = (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    return figure.add_axes(box)


def to_svg(axes: Axes, *, key: str, label: str) -> Markup:
    """The figure of `axes` as inline SVG. `key` is unique in the page; `label` says what is seen, for those who cannot.

    Call inside `house_style`.
    """
    buffer = io.StringIO()
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    width, height = (round(72 * inches) for inches in figure.get_size_inches())
    text = buffer.getvalue()
    body = text[text.index("<g id=") : text.rindex("</svg>")]
    for sentinel, name in _VARIABLES.items():
        body = body.replace(sentinel, f"var(--{name})")
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", body)
    body = body.replace("xlink:href", "href")
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w.-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{key}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{key}-", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    head = f'<svg viewBox="0 0 {width} {height}" style="max-width:{width * 1.25:.0f}px" role="img"'
    return Markup(f'{head} aria-label="{escape(label)}">\n{body}</svg>')  # noqa: S704 - built here, escaped above


def plain(text: object, *, longest: int = 22) -> str:
    """Someone's label made safe to show: printable, and cut in the middle where it is too wide.

    Wide characters (Chinese, Japanese, Korean) count twice, because they are drawn twice as wide.
    """
    clean = "".join(c if c.isprintable() else "�" for c in str(text).strip()) or "(blank)"
    widths = [2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in clean]
    if sum(widths) <= longest:
        return clean
    tail = max(3, longest // 3)
    return f"{_fitting(clean, widths, longest - tail - 1)}…{_fitting(clean[::-1], widths[::-1], tail)[::-1]}"


def _fitting(text: str, widths: list[int], room: int) -> str:
    """The longest beginning of `text` that is no wider than `room`."""
    return text[: sum(total <= room for total in accumulate(widths))]


def number(x: float) -> str:
    """A number as short as it can be without lying: 3 significant digits, thousands with a thin space."""
    if x == 0:
        return "0"
    if abs(x) >= 10_000:
        return f"{x:.3g}" if abs(x) >= 1e6 else f"{x:,.0f}".replace(",", "\u202f")
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


def total_of(counts: NDArray[np.float64]) -> float:
    """About how many patients there are when some cells were blanked (NaN): those are taken as five each."""
    return max(float(np.nansum(counts) + 5 * np.isnan(counts).sum()), 1.0)


def mosaic(axes: Axes, classes: NDArray[np.int64], colours: tuple[str, ...]) -> None:
    """Unit squares at column, row of `classes` (rows, columns), filled by class; a negative class stays empty.

    One path per colour, so a map of 40 × 40 costs kilobytes.
    """
    for i, colour in enumerate(colours):
        squares = [_square(column, row) for row, column in np.argwhere(classes == i)]
        if squares:
            outline = Outline.make_compound_path(*squares)
            axes.add_patch(PathPatch(outline, facecolor=colour, edgecolor=colour, linewidth=0.3, snap=False))
    rows, columns = classes.shape
    axes.set_xlim(0, columns)
    axes.set_ylim(0, rows)


def _square(x: float, y: float) -> Outline:
    return Outline([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)], closed=True)
