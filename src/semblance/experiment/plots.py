"""The pictures of an experiment, as SVG text drawn from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from semblance.experiment import words
from semblance.experiment.plan import NAMED
from semblance.report.draw import FAKE, FIRST, MUTED, REAL, SECOND, canvas, house_style, number, to_svg
from semblance.report.language import Language

Known = Mapping[str, Any]
DOTTED = (0, (1, 1.6))


def draw_arms(record: Known, keep: int, site: str, say: Language, *, key: str) -> Markup:
    """Every setting of one cut, one below the other, with its interval; the real arm as a line through all."""
    lines = [line for line in record["lines"] if line["keep"] == keep]
    height = 46 + 21 * len(lines)
    with house_style():
        axes = canvas(560, height, left=232, bottom=40, right=16, top=6)
        for place, line in enumerate(lines):
            found = line[site]["auroc"]
            colour = _colour(line["arm"])
            axes.hlines(place, found["low"], found["high"], color=colour, linewidth=1.8, alpha=0.6, zorder=2)
            seeds = found["by_seed"]
            axes.plot(seeds, [place] * len(seeds), "|", color=colour, markersize=7, alpha=0.55, zorder=2)
            axes.plot(found["value"], place, "o", color=colour, markersize=6.5, zorder=3)
        axes.axvline(lines[0][site]["auroc"]["value"], color=MUTED, linestyle=DOTTED, linewidth=1.4, zorder=1)
        axes.set_yticks(range(len(lines)), [words.setting(line, say) for line in lines])
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=6)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(words.endpoint("auroc", record, say))
        label = say("Area under the ROC curve of each arm, with its interval.")
        return to_svg(axes, key=key, label=label)


def draw_doses(record: Known, keep: int, say: Language, *, key: str) -> Markup | None:
    """Area by images added for each real one, an arm a line; None where one ratio was tried."""
    ratios = sorted(record["design"]["ratios"])
    if len(ratios) < 2:
        return None
    with house_style():
        axes = canvas(420, 300, left=58, bottom=44, right=14, top=12)
        for name in record["arms"]:
            lines = [x for x in record["lines"] if x["keep"] == keep and x["arm"] == name]
            if not NAMED[name].adds or NAMED[name].alone or len(lines) < 2:
                continue
            at = [ratios.index(line["ratio"]) for line in lines]
            values = [line["here"]["auroc"] for line in lines]
            style = DOTTED if NAMED[name].classical else "solid"
            axes.plot(at, [v["value"] for v in values], color=_colour(name), linewidth=2, linestyle=style, marker="o")
        axes.axhline(_level(record["lines"], keep, "real"), color=MUTED, linestyle=DOTTED, linewidth=1.4)
        axes.set_xticks(range(len(ratios)), [number(r) for r in ratios])
        axes.locator_params(axis="y", nbins=5)
        axes.grid(axis="y")
        axes.set_xlabel(say("images added for each real one"))
        return to_svg(axes, key=key, label=say("Area under the ROC curve by how many images are added."))


def draw_cuts(record: Known, say: Language) -> Markup | None:
    """Area by how many patients of the rare class are known, at each arm's best ratio; None where one cut was made."""
    keeps = sorted(record["design"]["keeps"])
    if len(keeps) < 2:
        return None
    with house_style():
        axes = canvas(420, 300, left=58, bottom=44, right=14, top=12)
        for name in record["arms"]:
            values = [_level(record["lines"], keep, name) for keep in keeps]
            style = DOTTED if NAMED[name].classical else "solid"
            axes.plot(range(len(keeps)), values, color=_colour(name), linewidth=2, linestyle=style, marker="o")
        axes.set_xticks(range(len(keeps)), [number(k) for k in keeps])
        axes.locator_params(axis="y", nbins=5)
        axes.grid(axis="y")
        axes.set_xlabel(say("real patients of the rare class"))
        return to_svg(axes, key="cuts", label=say("Area under the ROC curve by how many real patients are known."))


def _level(lines: Sequence[Known], keep: int, name: str) -> float:
    """The highest of an arm's ratios; not a number where it was not tried."""
    found = [line["here"]["auroc"]["value"] for line in lines if line["keep"] == keep and line["arm"] == name]
    return max(found, default=float("nan"))


def _colour(name: str) -> str:
    arm = NAMED[name]
    if arm.adds == "synthetic":
        return FAKE
    return SECOND if arm.adds == "real" else FIRST if arm.adds == "duplicates" else REAL
