"""What transformed copies are worth: as many patients as the transformation explains of how patients differ, no more.

The mean of n·m images, m transformed copies of each of n patients, has the variance v/n + w/(n·m): v is what differs
between patients, w what the transformation draws anew for each copy. A transformation that moves what is to be learned
by b adds b² to the squared error, however many copies there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from semblance.errors import InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.report.draw import DASHED, FIRST, MUTED, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Floats = NDArray[np.float64]
TRIALS = 4000
"""Studies drawn for each number."""
COPIES = (1, 2, 4, 8, 16)


def squared_error(patients: int, copies: int, between: float, within: float, moved: float = 0.0) -> float:
    """Of the mean of all copies: v/n + w/(n·m) + b²."""
    return between / patients + within / (patients * copies) + moved**2


def worth(copies: int, between: float, within: float) -> float:
    """As many times the patients, one image each, as would have the same error."""
    return (between + within) / (between + within / copies)


def errors(patients: int, copies: int, between: float, within: float, moved: float, rng: np.random.Generator) -> Floats:
    """The squared error in each of many studies, every copy drawn by itself: (trials,)."""
    found = np.zeros(TRIALS)
    for start in range(0, TRIALS, 500):
        own = rng.normal(0, math.sqrt(between), (500, patients, 1))
        seen = own + moved + rng.normal(0, math.sqrt(within), (500, patients, copies))
        found[start : start + 500] = seen.mean(axis=(1, 2)) ** 2
    return found


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Copies of a few patients.

    Attributes:
        patients: Of a study: 5 to 100. copies: Of each: 2 to 20. between: Variance between patients: 0.1 to 10.
        within: Variance that the transformation draws anew: 0.1 to 10. moved: How far a bad one moves what is to be
            learned: 0.05 to 2.
    """

    name: ClassVar[str] = "augmentation"

    patients: int = 20
    copies: int = 8
    between: float = 1.0
    within: float = 2.0
    moved: float = 0.3

    def run(self, seeds: Seeds) -> Told:
        """Find out, in two or three seconds.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (
            5 <= self.patients <= 100
            and 2 <= self.copies <= 20
            and 0.1 <= self.between <= 10
            and 0.1 <= self.within <= 10
            and 0.05 <= self.moved <= 2
        ):
            raise InputError(
                "lesson 'augmentation': patients must lie in [5, 100], copies in [2, 20], between and within in "
                "[0.1, 10] and moved in [0.05, 2]; choose others."
            )
        own, at = seeds.within("explain/augmentation"), (self.between, self.within)
        once = errors(self.patients, 1, *at, 0.0, own("once"))
        many = errors(self.patients, self.copies, *at, 0.0, own("many"))
        bad = errors(self.patients, self.copies, *at, self.moved, own("bad"))
        ratio = float(once.mean() / many.mean())
        spread = ratio * 4 * math.sqrt(sum(float(e.var()) / len(e) / float(e.mean()) ** 2 for e in (once, many)))
        claims = (
            _mean("once", squared_error(self.patients, 1, *at), once),
            _mean("many", squared_error(self.patients, self.copies, *at), many),
            Claim("worth", worth(self.copies, *at), ratio, spread, "sampling"),
            _mean("bad", squared_error(self.patients, self.copies, *at, self.moved), bad),
        )
        numbers = {
            "patients": self.patients,
            "copies": self.copies,
            "between": self.between,
            "within": self.within,
            "moved": self.moved,
            "worth": worth(self.copies, *at),
            "equal": self.patients * worth(self.copies, *at),
            "most": 1 + self.within / self.between,
            "once": squared_error(self.patients, 1, *at),
            "bad": squared_error(self.patients, self.copies, *at, self.moved),
        }
        marks = np.array(
            [
                [errors(self.patients, m, *at, b, own(f"drawn/{m}/{b}")).mean() for m in COPIES]
                for b in (0.0, self.moved)
            ]
        )
        knobs = np.array([self.patients, *at, self.moved])
        worse = "harmful" if numbers["bad"] > numbers["once"] else "bearable"
        return Told(claims, numbers, ("study", "copies", worse), {"marks": marks, "knobs": knobs})

    def draw(self, told: Told, words: Words) -> Picture:
        """The error over the number of copies: of a true symmetry, and of one that moves what is learned."""
        with house_style():
            svg = to_svg(_draw(told, words), key="error", label=words("panels.error"))
        return Picture(
            (Panel("panels.error", svg),),
            (("dash first", "legend.kept"), ("dash second", "legend.moved"), ("ring", "legend.simulated")),
        )


def _mean(name: str, formula: float, each: Floats) -> Claim:
    return Claim(name, formula, float(each.mean()), 4 * float(each.std() / math.sqrt(len(each))), "sampling")


def _draw(told: Told, words: Words) -> Axes:
    axes = canvas(430, 300, left=56, bottom=46, right=10, top=12)
    patients, between, within, moved = told.drawn["knobs"].tolist()
    along = np.geomspace(1, COPIES[-1], 60)
    for bias, marks, colour in ((0.0, told.drawn["marks"][0], FIRST), (moved, told.drawn["marks"][1], SECOND)):
        curve = between / patients + within / (patients * along) + bias**2
        axes.plot(along, curve, color=colour, linestyle=DASHED, linewidth=2.2)
        axes.plot(COPIES, marks, "o", color=colour, markersize=8, markerfacecolor="none", markeredgewidth=1.6)
    axes.axhline(between / patients, color=MUTED, linestyle=":", linewidth=1.4)
    axes.set_xscale("log", base=2)
    axes.set_xticks(COPIES, [str(m) for m in COPIES])
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.copies"))
    axes.set_ylabel(words("axes.error"))
    return axes
