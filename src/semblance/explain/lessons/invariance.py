"""Does a change of an image keep its label? What a zoom does to a threshold of size, and what a test may call safe.

Sizes are even on [0, 1] and a lesion above 1/2 counts as large. A zoom by z shows size s as z·s with the label of s: on
(1/2, z/2) a real lesion is large and a zoomed one is not. Who learns from both can only weigh them. A test that finds
nothing has not shown that nothing is there: equivalence has a test of its own (Schuirmann 1987).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.stats import norm

from semblance.errors import InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.report.draw import DASHED, FIRST, MUTED, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Floats = NDArray[np.float64]
IMAGES = 400_000
"""Drawn for a number about labels."""
STUDIES = 20_000
"""Drawn for a number about tests."""
BINS = 120
"""Of size, in which a classifier counts labels."""
ONE_SIDED = float(norm.isf(0.05))
ZOOMS = (1.1, 1.3, 1.5, 1.7, 1.9)


def relabelled(zoom: float) -> float:
    """Share of lesions whose label is false after the zoom: those of a size from 1/(2z) to 1/2."""
    return (1 - 1 / zoom) / 2


def conflict(zoom: float) -> float:
    """Nats that who learned from both loses on average, and who learned from one of them does not; zoom up to 2.

    On (1/2, z/2) real ones lie with density 1, zoomed ones with 1/z, and these are a share of 1/(1 + z).
    """
    share = 1 / (1 + zoom)
    return (zoom - 1) / 2 * (1 + 1 / zoom) / 2 * -(share * math.log(share) + (1 - share) * math.log(1 - share))


def called_safe(difference: float, margin: float, error: float) -> float:
    """Chance that two one-sided tests at 5 % call a true difference safe; known standard error, near the margin."""
    reach = margin - ONE_SIDED * error
    return float(norm.cdf((reach - difference) / error) - norm.cdf((-reach - difference) / error))


def not_found(difference: float, error: float) -> float:
    """Chance that a one-sided test for harm at 5 % finds nothing."""
    return float(norm.cdf(ONE_SIDED - difference / error))


def counted(zoom: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Loss of each held-out image for who learned from both by counting, and whether its label is false: (n,)."""
    size = rng.random(IMAGES)
    truth = size > 0.5
    shown = np.where(np.arange(IMAGES) % 2 == 0, size, zoom * size)
    place = np.minimum((shown / zoom * BINS).astype(np.int64), BINS - 1)
    learn = np.arange(IMAGES) % 4 < 2
    large = np.bincount(place[learn], weights=truth[learn], minlength=BINS) + 0.01
    all_of = np.bincount(place[learn], minlength=BINS) + 0.02
    chance = (large / all_of)[place]
    loss = -np.log(np.where(truth, chance, 1 - chance))[~learn]
    false = (zoom * size > 0.5) != truth
    return loss, false.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Invariance:
    """A zoom, and a test of whether it is harmless.

    Attributes:
        zoom: Factor: 1.05 to 1.95. margin: Nats that may be lost: 0.01 to 0.5. error: Standard error of the loss that
            a study measures: 0.005 to 0.1, below a third of the margin.
    """

    name: ClassVar[str] = "invariance"

    zoom: float = 1.4
    margin: float = 0.05
    error: float = 0.015

    def run(self, seeds: Seeds) -> Told:
        """Find out, in a second or two.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (1.05 <= self.zoom <= 1.95 and 0.01 <= self.margin <= 0.5 and 0.005 <= self.error <= self.margin / 3):
            raise InputError(
                "lesson 'invariance': zoom must lie in [1.05, 1.95], margin in [0.01, 0.5] and error between 0.005 and "
                "a third of the margin; choose others."
            )
        own = seeds.within("explain/invariance")
        loss, false = counted(self.zoom, own("zoom"))
        flipped, _ = _flip(own("flip"))
        at_margin = self.margin + self.error * own("margin").standard_normal(STUDIES)
        none = self.error * own("none").standard_normal(STUDIES)
        reach = self.margin - ONE_SIDED * self.error
        claims = (
            _mean("relabelled", relabelled(self.zoom), false),
            _binned("conflict", conflict(self.zoom), loss, self.zoom),
            # counts of n images are off by 1/sqrt(n), and the loss by the square of that
            Claim("flip", math.log(2), float(flipped.mean()), 64 / IMAGES, "sampling"),
            _mean(
                "wrongly_safe", called_safe(self.margin, self.margin, self.error), _shares(np.abs(at_margin) < reach)
            ),
            _mean("rightly_safe", called_safe(0.0, self.margin, self.error), _shares(np.abs(none) < reach)),
            _mean(
                "missed",
                not_found(self.error, self.error),
                _shares(self.error + none < ONE_SIDED * self.error),
            ),
        )
        numbers = {
            "zoom": self.zoom,
            "margin": self.margin,
            "error": self.error,
            "relabelled_percent": relabelled(self.zoom),
            "conflict": conflict(self.zoom),
            "missed_percent": not_found(self.error, self.error),
            "safe_percent": called_safe(0.0, self.margin, self.error),
        }
        marks = np.array([counted(z, own(f"drawn/{z}"))[0].mean() for z in ZOOMS])
        judged = "changes" if conflict(self.zoom) > self.margin else "within"
        knobs = np.array([self.margin, self.zoom])
        return Told(claims, numbers, ("zoom", judged, "test"), {"marks": marks, "knobs": knobs})

    def draw(self, told: Told, words: Words) -> Picture:
        """What a zoom costs who learns from it, and the margin."""
        with house_style():
            svg = to_svg(_draw(told, words), key="zoom", label=words("panels.zoom"))
        legend = (("dash first", "legend.formula"), ("ring", "legend.simulated"), ("line second", "legend.margin"))
        return Picture((Panel("panels.zoom", svg),), legend)


def _flip(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """As `counted`, of a side that is flipped in half of the images, each keeping its label."""
    side = rng.random(IMAGES) < 0.5
    shown = side ^ (np.arange(IMAGES) % 2 == 1)
    learn = np.arange(IMAGES) % 4 < 2
    chance = np.array([side[learn][shown[learn] == s].mean() for s in (False, True)])[shown.astype(np.int64)]
    return -np.log(np.where(side, chance, 1 - chance))[~learn], shown.astype(np.float64)


def _mean(name: str, formula: float, each: Floats) -> Claim:
    error = max(float(each.std()), 1e-4) / math.sqrt(len(each))
    return Claim(name, formula, float(each.mean()), 4 * error, "sampling")


def _shares(true: NDArray[np.bool_]) -> Floats:
    return true.astype(np.float64)


def _binned(name: str, formula: float, each: Floats, zoom: float) -> Claim:
    """A claim about who counts in bins: two bins hold an edge, where labels mix that the closed form tells apart."""
    width = zoom / BINS
    edges = width * math.log(2) * (1 + 1 / zoom) / 2 * 2
    allowed = 4 * float(each.std()) / math.sqrt(len(each)) + edges
    return Claim(name, formula, float(each.mean()), allowed, "sampling")


def _draw(told: Told, words: Words) -> Axes:
    axes = canvas(430, 300, left=56, bottom=46, right=10, top=12)
    margin, zoom = told.drawn["knobs"].tolist()
    along = np.linspace(1.0, 2.0, 80)
    axes.plot(along, [conflict(z) for z in along], color=FIRST, linestyle=DASHED, linewidth=2.2)
    axes.plot(ZOOMS, told.drawn["marks"], "o", color=FIRST, markersize=8, markerfacecolor="none", markeredgewidth=1.6)
    axes.axhline(margin, color=SECOND, linewidth=1.6)
    axes.axvline(zoom, color=MUTED, linestyle=":", linewidth=1.4)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.zoom"))
    axes.set_ylabel(words("axes.loss"))
    return axes
