"""The pictures of a frontier, as SVG text drawn from its record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes

from semblance.frontier.points import STRONGEST, is_attack
from semblance.frontier.words import DISTORTION, RATE, title
from semblance.report.draw import FAKE, FIRST, LINE, MUTED, PAPER, REAL, SECOND, canvas, house_style, number, to_svg
from semblance.report.language import Language

DOTTED = (0, (1, 1.6))
MISTAKEN = 40.0
"""What a value that stands nearer to another dot than to its own counts for, in square pixels of overlap."""

Known = Mapping[str, Any]


def draw_trade(record: Known, pair: Known, say: Language, *, key: str) -> Markup | None:
    """Utility upwards, risk to the right: safest and best is the upper left corner."""
    up, along = (record["curves"][pair[side]] for side in ("utility", "privacy"))
    ys, xs = _sure(up), _sure(along)
    both = [v for v in ys if v in xs]
    if len(both) < 2:
        return None
    with house_style():
        axes = canvas(420, 330, left=62, bottom=46, right=18, top=14)
        for name, vertical in ((pair["privacy"], True), (pair["utility"], False)):
            _limits(axes, record, name, vertical=vertical)
            _baseline(axes, record["curves"][name], vertical=vertical)
        on = [v for v in pair["line"] if v in both]
        axes.plot([xs[v][0] for v in on], [ys[v][0] for v in on], color=SECOND, linewidth=2.2, zorder=2)
        for v in both:
            (x, left, right), (y, low, high) = xs[v], ys[v]
            axes.hlines(y, left, right, color=FIRST, linewidth=1.2, alpha=0.55, zorder=3)
            axes.vlines(x, low, high, color=FIRST, linewidth=1.2, alpha=0.55, zorder=3)
            axes.plot(x, y, "o", color=FIRST, markerfacecolor=FIRST if v in on else PAPER, markersize=7, zorder=4)
            if v == record["choice"]["chosen"]:
                axes.plot(x, y, "o", color=FAKE, markerfacecolor="none", markersize=15, markeredgewidth=2.4, zorder=5)
        if up["direction"] == "lower":
            axes.invert_yaxis()
        _name(axes, {v: (xs[v][0], ys[v][0]) for v in both})
        axes.locator_params(nbins=5)
        axes.grid()
        axes.set_xlabel(_toward(title(pair["privacy"], say), say("safer is to the left"), say))
        axes.set_ylabel(say("{name} (more useful is up)", name=up["unit"]))
        label = say(
            "{one} against {two}, one point for each value.",
            one=title(pair["utility"], say),
            two=title(pair["privacy"], say),
        )
        return to_svg(axes, key=key, label=label)


def draw_curve(record: Known, name: str, say: Language, *, key: str) -> Markup | None:
    """A measure along the knob, its values evenly spaced, with the best line of its order."""
    curve = record["curves"].get(name) or record["facts"][name]
    at = _sure(curve)
    if len(at) < 2:
        return None
    with house_style():
        axes = canvas(320, 220, left=52, bottom=44, right=14, top=12)
        _limits(axes, record, name, vertical=False)
        if name in record["curves"]:
            _baseline(axes, curve, vertical=False)
        here = curve.get("order_among_these", curve["order"])
        line = here["line"] or curve["order"]["line"]
        if len(line) == len(at):
            axes.plot(range(len(at)), line, color=SECOND, linewidth=2, linestyle=DOTTED, zorder=2)
        for i, (v, (y, low, high)) in enumerate(at.items()):
            axes.vlines(i, low, high, color=FIRST, linewidth=1.6, alpha=0.7, zorder=3)
            axes.plot(i, y, "o", color=FIRST, markersize=6.5, zorder=4)
            if v == record["choice"]["chosen"]:
                axes.plot(i, y, "o", color=FAKE, markerfacecolor="none", markersize=14, markeredgewidth=2.2, zorder=5)
        axes.set_xticks(range(len(at)), [number(v) for v in at])
        axes.set_xlim(-0.4, len(at) - 0.6)
        axes.locator_params(axis="y", nbins=5)
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(record["knob"])
        return to_svg(
            axes, key=key, label=say("{one}, for each value of “{name}”.", one=title(name, say), name=record["knob"])
        )


def draw_rate(record: Known, say: Language) -> Markup | None:
    """Rate against distortion: what the code knows of a patient, and what a row still needs to be told."""
    if RATE not in record["facts"] or DISTORTION not in record["facts"]:
        return None
    xs, ys = (_sure(record["facts"][name]) for name in (RATE, DISTORTION))
    both = [v for v in xs if v in ys]
    if len(both) < 2:
        return None
    with house_style():
        axes = canvas(420, 330, left=62, bottom=46, right=24, top=14)
        axes.plot([xs[v][0] for v in both], [ys[v][0] for v in both], color=LINE, linewidth=1.6, zorder=2)
        for v in both:
            (x, left, right), (y, low, high) = xs[v], ys[v]
            axes.hlines(y, left, right, color=FIRST, linewidth=1.2, alpha=0.55, zorder=3)
            axes.vlines(x, low, high, color=FIRST, linewidth=1.2, alpha=0.55, zorder=3)
            axes.plot(x, y, "o", color=FIRST, markersize=7, zorder=4)
            if v == record["choice"]["chosen"]:
                axes.plot(x, y, "o", color=FAKE, markerfacecolor="none", markersize=15, markeredgewidth=2.4, zorder=5)
        _name(axes, {v: (xs[v][0], ys[v][0]) for v in both})
        axes.locator_params(nbins=5)
        axes.grid()
        axes.set_xlabel(say("rate, nats a patient"))
        axes.set_ylabel(say("distortion, nats a row"))
        return to_svg(axes, key="rate", label=say("Rate against distortion, one point for each value of the knob."))


def _sure(curve: Known) -> dict[float, tuple[float, float, float]]:
    """By value: estimate and interval; the estimate thrice where it has none."""
    return {
        p["value"]: (
            p["estimate"],
            p["estimate"] if p["low"] is None else p["low"],
            p["estimate"] if p["high"] is None else p["high"],
        )
        for p in curve["points"]
        if p["estimate"] is not None
    }


def limits_of(record: Known, name: str) -> list[float]:
    """What the policy's rules on a finding allow. On the strongest attack: where all attacks have one limit."""
    values = record["choice"]["values"]
    rules: Sequence[Known] = values[0]["rules"] if values else ()
    if name == STRONGEST:
        found = {r["limit"] for r in rules if is_attack(r["finding"])}
        return sorted(found) if len(found) == 1 else []
    return sorted({r["limit"] for r in rules if r["finding"] == name})


def _limits(axes: Axes, record: Known, name: str, *, vertical: bool) -> None:
    for limit in limits_of(record, name):
        draw = axes.axvline if vertical else axes.axhline
        draw(limit, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.3, zorder=1)


def _baseline(axes: Axes, curve: Known, *, vertical: bool) -> None:
    """What real patients, or guessing, would give; the mean where it differs from value to value."""
    known = [p["baseline"] for p in curve["points"] if p["baseline"] is not None]
    if known:
        draw = axes.axvline if vertical else axes.axhline
        draw(sum(known) / len(known), color=REAL, linestyle=DOTTED, linewidth=1.5, zorder=1)


def _name(axes: Axes, places: Mapping[float, tuple[float, float]]) -> None:
    """Each dot's value beside it: the nearest spot around it that no other dot or value takes, with a line if far."""
    axes.autoscale_view()
    at = {v: axes.transData.transform(place) for v, place in places.items()}
    taken: list[tuple[float, float, float, float]] = [(x - 5, y - 5, x + 5, y + 5) for x, y in at.values()]
    for v, (x, y) in at.items():
        wide = 7.0 * len(number(v))
        best = None
        for away, turn in product((13, 26, 39, 52), (135, 45, 225, 315, 90, 270, 180, 0)):
            beside, dy = away * math.cos(math.radians(turn)), away * math.sin(math.radians(turn))
            dx = beside + math.copysign(wide / 2 - 2, beside) if abs(beside) > 1 else 0.0
            box = (x + dx - wide / 2, y + dy - 6, x + dx + wide / 2, y + dy + 6)
            nearer = [math.dist((x + dx, y + dy), other) < math.hypot(dx, dy) for w, other in at.items() if w != v]
            overlap = sum(_overlap(box, other) for other in taken) + MISTAKEN * sum(nearer)
            if best is None or overlap < best[0]:
                best = (overlap, away, dx, dy, box)
            if overlap == 0:
                break
        assert best is not None
        _, away, dx, dy, box = best
        taken.append(box)
        line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 4} if away > 13 else None
        axes.annotate(
            number(v), places[v], (dx, dy), textcoords="offset points", ha="center", va="center", fontsize=11,
            zorder=6, arrowprops=line,
        )  # fmt: skip


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Area that two boxes (left, bottom, right, top) share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _toward(name: str, where: str, say: Language) -> str:
    return f"{name}（{where}）" if say.code == "zh" else f"{name} ({where})"
