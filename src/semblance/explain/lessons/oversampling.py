"""What repeating rare patients does, and what it does not: it moves the threshold and teaches nothing new.

The mean of copies has the variance of the mean of the originals. A point drawn evenly on the line between two patients
has 2/3 of their variance: SMOTE (Chawla et al. 2002) makes what is rare look narrower than it is. A class repeated r
times has r times the odds, in every prediction; who is ranked before whom stays.
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
from semblance.report.draw import DASHED, FIRST, REAL, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Floats = NDArray[np.float64]
STUDIES = 20_000
PATIENTS = 400_000


def variance_of_mean(rare: int, variance: float, times: int) -> float:
    """Of the mean of the rare patients, each there so many `times`: σ²/n, whatever `times` is."""
    del times
    return variance / rare


def between_two(variance: float) -> float:
    """Variance of a point drawn evenly on the line between two independent patients: σ² · (1 − 2·E[u(1 − u)])."""
    return variance * 2 / 3


def predicted(risk: float, times: int) -> float:
    """What a model of the repeated table says of a patient of that risk."""
    return times * risk / (times * risk + 1 - risk)


@dataclass(frozen=True, slots=True)
class Oversampling:
    """A rare disease.

    Attributes:
        rare: Patients that have it: 5 to 200. times: Each of them is repeated to be there so often: 2 to 50.
        share: Of all that have it: 0.01 to 0.3. apart: Distance of the two means of a lab value, in its standard
            deviations: 0.5 to 3.
    """

    name: ClassVar[str] = "oversampling"

    rare: int = 20
    times: int = 9
    share: float = 0.1
    apart: float = 1.5

    def run(self, seeds: Seeds) -> Told:
        """Find out, in a second or two.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (
            5 <= self.rare <= 200 and 2 <= self.times <= 50 and 0.01 <= self.share <= 0.3 and 0.5 <= self.apart <= 3
        ):
            raise InputError(
                "lesson 'oversampling': rare must lie in [5, 200], times in [2, 50], share in [0.01, 0.3] and apart in "
                "[0.5, 3]; choose others."
            )
        own = seeds.within("explain/oversampling")
        values = own("studies").normal(size=(STUDIES, self.rare))
        means = np.array([np.repeat(one, self.times).mean() for one in values])
        pair, u = own("pairs").normal(size=(2, PATIENTS)), own("between").random(PATIENTS)
        inner = pair[0] + u * (pair[1] - pair[0])
        ill, score = _population(self.share, self.apart, own("population"))
        weights = np.where(ill, self.times, 1)
        near = np.abs(score - self.apart / 2) < 0.05
        said = float(weights[near & ill].sum() / weights[near].sum())
        there = predicted(self.share, self.times)
        deviation = self.times * self.share * (1 - self.share) / (1 - self.share + self.times * self.share) ** 2
        deviation *= math.sqrt(1 / (near.sum() * self.share * (1 - self.share)))
        claims = (
            _square("repeated", variance_of_mean(self.rare, 1.0, self.times), means**2),
            _square("between", between_two(1.0), inner**2),
            Claim("said", there, said, 4 * deviation, "sampling"),
            _rank("ranked", norm.cdf(self.apart / math.sqrt(2)), score, ill, weights),
        )
        numbers = {
            "rare": self.rare,
            "times": self.times,
            "copies": self.rare * self.times,
            "share_percent": self.share,
            "said_percent": there,
            "variance": variance_of_mean(self.rare, 1.0, self.times),
            "believed": 1 / (self.rare * self.times),
        }
        at = np.linspace(0.02, 0.9, 12)
        drawn = {"at": at, "knobs": np.array([float(self.times)]), "marks": _marks(at, self.times, own("marks"))}
        return Told(claims, numbers, ("repeat", "between", "odds"), drawn)

    def draw(self, told: Told, words: Words) -> Picture:
        """What a model says, over the risk that is true."""
        with house_style():
            svg = to_svg(_draw(told, words), key="risk", label=words("panels.risk"))
        legend = (("dash first", "legend.formula"), ("ring", "legend.simulated"), ("line", "legend.honest"))
        return Picture((Panel("panels.risk", svg),), legend)


def _population(share: float, apart: float, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Floats]:
    ill = rng.random(PATIENTS) < share
    return ill, rng.normal(size=PATIENTS) + apart * ill


def _marks(at: Floats, times: int, rng: np.random.Generator) -> Floats:
    """Of tables of 40,000 patients of one risk, the share of rows that are ill once these are repeated."""
    ill = rng.binomial(40_000, at)
    return np.asarray(times * ill / (times * ill + 40_000 - ill))


def _square(name: str, formula: float, each: Floats) -> Claim:
    return Claim(name, formula, float(each.mean()), 4 * float(each.std() / math.sqrt(len(each))), "sampling")


def _rank(name: str, formula: float, score: Floats, ill: NDArray[np.bool_], weights: NDArray[np.int64]) -> Claim:
    """The area under the ROC curve of the repeated table, each row counted as often as it is there."""
    order = np.argsort(score)
    below = np.cumsum((weights * ~ill)[order])
    found = float((below * (weights * ill)[order]).sum() / ((weights * ill).sum() * (weights * ~ill).sum()))
    fewer = min(ill.sum(), (~ill).sum())
    return Claim(name, float(formula), found, 4 * 0.5 / math.sqrt(float(fewer)), "sampling")


def _draw(told: Told, words: Words) -> Axes:
    axes = canvas(380, 300, left=56, bottom=46, right=10, top=12)
    times = round(told.drawn["knobs"][0])
    along = np.linspace(0, 1, 120)
    axes.plot([0, 1], [0, 1], color=REAL, linewidth=1.6)
    axes.plot(along, [predicted(risk, times) for risk in along], color=FIRST, linestyle=DASHED, linewidth=2.2)
    axes.plot(
        told.drawn["at"],
        told.drawn["marks"],
        "o",
        color=SECOND,
        markersize=8,
        markerfacecolor="none",
        markeredgewidth=1.6,
    )
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.risk"))
    axes.set_ylabel(words("axes.said"))
    return axes
