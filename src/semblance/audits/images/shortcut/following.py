"""What comes of a place that tells the label: do verdicts hang on it, and do synthetic images have more of it?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import ImageComparison
from semblance.shifting import views
from semblance.shifting.cohort import FEW, one_image_each
from semblance.shifting.mark import Amplified, Mark, amplified
from semblance.shifting.odd import Odd
from semblance.shifting.patches import Grid, Scan, Swapped, swap, unforetold
from semblance.shifting.probe import Asked, probe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PLACES = 6
"""Telling places that are followed into other images, at most."""
_SWAP = "Do a classifier's verdicts turn more often when that place is exchanged than when another is?"
_GROWN = "Does the mark tell the label better in synthetic images than in real ones?"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked: the name of the condition that is to be told; and of how many patients at most."""

    label: str
    most: int


def pixels(grid: Grid, place: tuple[int, int]) -> list[int]:
    """First and last row, first and last column, of the image brought to `views.SIDE` pixels."""
    rows, columns = grid.place(*place)
    return [rows.start, rows.stop - 1, columns.start, columns.stop - 1]


def follow(
    scans: Scan, odd: Odd, images: Images, asked: Asked, comparison: ImageComparison, limits: Limits, run: Run
) -> tuple[Finding, Finding]:
    """The swap test of the most suspicious place, and the mark that grew most of all suspicious places.

    Places with odd images come first; then those that tell the label by what is not foretold.
    """
    why = "no place tells the label by what its surroundings do not foretell"
    blank = Finding("shortcut.swap.excess", _SWAP, unit="share", direction="lower", status="skipped", why=why)
    grown = replace(blank, name="shortcut.amplified.auc", question=_GROWN, unit="AUC")
    places = list(dict.fromkeys([*odd.places, *(scans.places if scans.p <= 0.05 else [])]))[:PLACES]
    if not places:
        return blank, grown
    grey = views.small(images)
    swapped = swap(grey, asked, scans.grid, places[0], run.seeds("shortcut/swap"))
    return (
        _swapped(blank, swapped, pixels(scans.grid, places[0])),
        _amplified(grown, (scans.grid, places), images, asked, comparison, limits, run),
    )


def _swapped(blank: Finding, found: Swapped, place: list[int]) -> Finding:
    """With the interval of Agresti and Min (2005) for a difference of paired shares."""
    more, less, n = found.only_suspect + 0.5, found.only_other + 0.5, found.n + 2
    middle, half = (more - less) / n, 1.96 * math.sqrt(more + less - (more - less) ** 2 / n) / n
    value = found.suspect - found.other
    return replace(
        blank,
        status="measured",
        why="",
        baseline=0.0,
        value=value,
        low=min(value, middle - half),
        high=max(value, middle + half),
        n=found.n,
        method="the place exchanged with that of an image of another label, and another place instead; verdicts of a "
        "cross-fitted linear classifier of the whole image; McNemar's exact test in the detail; Agresti–Min interval",
        detail={"place": place, "turned": found.suspect, "turned_by_another_place": found.other, "p": found.p},
    )


def _amplified(
    blank: Finding,
    suspects: tuple[Grid, list[tuple[int, int]]],
    images: Images,
    asked: Asked,
    comparison: ImageComparison,
    limits: Limits,
    run: Run,
) -> Finding:
    """Of all the places that tell the label, the one whose mark grew for certain, or is nearest to it."""
    label, most = limits.label, limits.most
    classes, grey = np.unique(images.codes(label)), views.small(images)
    sides = []
    for part, side in (("made", comparison.fake), ("held", comparison.held)):
        drawn = one_image_each(side.take(np.isin(side.codes(label), classes)), most, run.seeds(f"shortcut/{part}"))
        sides.append((views.small(drawn), np.searchsorted(classes, drawn.codes(label))))
    grid, places = suspects
    named = {place: _named(grey, asked, grid, place) for place in places}
    if min(min((c == k).sum(), (c != k).sum()) for _, c in sides for k in named.values()) < FEW:
        why = f"fewer than {FEW} synthetic or held-out patients with the label, or without"
        return replace(blank, status="underpowered", why=why)
    sure = 1 - 0.05 / len(places)
    grown: dict[tuple[int, int], Amplified] = {}
    for place in places:
        mark = Mark.learn(grey, asked.codes, grid, place, named[place])
        grown[place] = amplified(mark, *sides, confidence=sure)
    worst = max(places, key=lambda place: grown[place].difference.low)
    found = grown[worst]
    return replace(
        blank,
        status="measured",
        why="",
        baseline=0.0,
        value=found.difference.value,
        low=found.difference.low,
        high=found.difference.high,
        n=len(sides[1][0]),
        method="a score of the mark, learned on training images; its area under the curve in synthetic images minus "
        "that in held-out ones, at the place where it grew most; DeLong intervals, combined by Zou and Donner (2008), "
        "Bonferroni over the places",
        detail={
            "place": pixels(grid, worst),
            "places": [pixels(grid, place) for place in places],
            "synthetic": found.made.value,
            "held": found.real.value,
            "seen_more": {name: list(each) for name, each in found.seen.items()},
            "seen": {name: list(each) for name, each in found.shares.items()},
            "label": str(comparison.train.schema.conditions[label][int(classes[named[worst]])]),
        },
    )


def _named(grey: Floats, asked: Asked, grid: Grid, place: tuple[int, int]) -> int:
    """The label that the place tells best from the others."""
    if asked.codes.max() == 1:
        return 1
    scores = probe(unforetold(grey, grid, place), asked, asked.codes[:, None][:, :0]).scores
    return int(np.argmax([stats.auc(scores[:, k], asked.codes == k) for k in range(scores.shape[1])]))
