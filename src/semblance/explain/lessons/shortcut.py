"""A mark that goes with the disease at one hospital, and what a classifier that reads it is worth at another.

Two classes, equally frequent. What the disease shows is a number, normal with variance 1 and means d apart; the mark
is there or not, with a chance that depends on the class at home and on nothing abroad. The best score at home is the
log of the odds, d·x + w·m, with w = log[p(1 − q) / q(1 − p)] (Neyman and Pearson 1933); of two such scores the
difference is normal given the two marks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.stats import norm

from semblance import stats
from semblance.errors import InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.report.draw import DASHED, FIRST, MUTED, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds
from semblance.shifting.probe import Asked, probe

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PATIENTS = 100_000
"""Learned from, and as many judged: for a number of the table."""
DRAWN = 10_000
PROBED = 4_000
NOBODY = np.zeros((PROBED, 0), dtype=np.int64)


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def weight(with_it: float, without: float) -> float:
    """What the best score at home gives the mark: log[p(1 − q) / q(1 − p)]."""
    return math.log(with_it / (1 - with_it)) - math.log(without / (1 - without))


def area(signal: float, mark: float, ill: float, well: float) -> float:
    """Area under the curve of d·x + w·m where the ill have the mark with chance `ill`, the others with `well`."""
    total = 0.0
    for one in (0, 1):
        for other in (0, 1):
            chance = (ill if one else 1 - ill) * (well if other else 1 - well)
            total += chance * float(norm.cdf((signal**2 + mark * (one - other)) / (math.sqrt(2) * signal)))
    return total


def turned(signal: float, with_it: float, without: float) -> float:
    """Share of verdicts that turn when each patient gets the mark of one of the other class."""
    mark, start = weight(with_it, without), math.log((1 - with_it) / (1 - without))
    between = 0.0
    for mean in (signal / 2, -signal / 2):
        low, high = ((edge - start) / signal - mean for edge in (-abs(mark), 0.0))
        between += float(norm.cdf(high) - norm.cdf(low)) / 2
    return (with_it * (1 - without) + without * (1 - with_it)) * between


def sharper(chance: float, times: float) -> float:
    """A chance as a generator makes it that multiplies its log odds."""
    return 1 / (1 + math.exp(-times * math.log(chance / (1 - chance))))


# ── simulations ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Films:
    """What is seen of patients, (n,) each."""

    ill: Flags
    shows: Floats
    mark: Flags

    @classmethod
    def take(cls, n: int, signal: float, ill: float, well: float, rng: np.random.Generator) -> Films:
        sick = rng.random(n) < 0.5
        return cls(sick, signal * (sick - 0.5) + rng.normal(size=n), rng.random(n) < np.where(sick, ill, well))


@dataclass(frozen=True)
class Learned:
    """Weights counted from films: of what is shown, of the mark, and where to cut."""

    shows: float
    mark: float
    cut: float

    @classmethod
    def of(cls, films: Films, *, blind: bool = False) -> Learned:
        means = [float(films.shows[films.ill == flag].mean()) for flag in (True, False)]
        shares = [float(films.mark[films.ill == flag].mean()) for flag in (True, False)]
        shows, middle = means[0] - means[1], sum(means) / 2
        if blind:
            return cls(shows, 0.0, shows * middle)
        start = math.log((1 - shares[0]) / (1 - shares[1]))
        return cls(shows, math.log(shares[0] / shares[1]) - start, shows * middle - start)

    def score(self, films: Films) -> Floats:
        return np.asarray(self.shows * films.shows + self.mark * films.mark - self.cut)


def exchanged(films: Films, rng: np.random.Generator) -> Films:
    """Each with the mark of a patient of the other class."""
    mark = films.mark.copy()
    for flag in (True, False):
        mark[films.ill == flag] = rng.choice(films.mark[films.ill != flag], int((films.ill == flag).sum()))
    return Films(films.ill, films.shows, mark)


def probed(films: Films, rng: np.random.Generator) -> float:
    """What our own probe makes of the mark alone, cross-fitted."""
    asked = Asked.deal(films.ill[:PROBED].astype(np.int64), rng)
    return probe(films.mark[:PROBED, None].astype(np.float64), asked, NOBODY).area


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A classifier that reads a mark.

    Attributes:
        signal: How far apart the classes lie in what the disease shows: 0.5 to 3.
        ill, well: Chance of the mark at home, 0.02 to 0.98, `ill` above `well`.
        sharper: By what a generator multiplies the log odds of the mark: 1 to 4.
    """

    name: ClassVar[str] = "shortcut"

    signal: float = 1.0
    ill: float = 0.8
    well: float = 0.1
    sharper: float = 2.0

    def run(self, seeds: Seeds) -> Told:
        """Find out, in a second or two.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (0.5 <= self.signal <= 3 and 0.02 <= self.well < self.ill <= 0.98 and 1 <= self.sharper <= 4):
            raise InputError(
                "lesson 'shortcut': signal must lie in [0.5, 3], well < ill in [0.02, 0.98] and sharper in [1, 4]; "
                "choose others."
            )
        own, mark = seeds.within("explain/shortcut"), weight(self.ill, self.well)
        abroad = (self.ill + self.well) / 2
        forms = {
            "honest": area(self.signal, 0.0, 0.5, 0.5),
            "home": area(self.signal, mark, self.ill, self.well),
            "abroad": area(self.signal, mark, abroad, abroad),
            "alone": (1 + self.ill - self.well) / 2,
            "turned": turned(self.signal, self.ill, self.well),
            "sharp": area(self.signal, self.sharper * mark, abroad, abroad),
        }
        numbers = {
            **{f"{name}_percent" if name == "turned" else name: round(value, 3) for name, value in forms.items()},
            "ill_percent": self.ill,
            "well_percent": self.well,
            "made_ill_percent": sharper(self.ill, self.sharper),
            "made_well_percent": sharper(self.well, self.sharper),
            "signal": self.signal,
        }
        return Told(self._claims(forms, own), numbers, ("home", "abroad", "found", "made"), self._drawn(own))

    def _claims(self, forms: dict[str, float], seeds: Seeds) -> tuple[Claim, ...]:
        abroad = (self.ill + self.well) / 2
        made = (sharper(self.ill, self.sharper), sharper(self.well, self.sharper))
        taught, home, far, fake = (
            Films.take(PATIENTS, self.signal, *chances, seeds(name))
            for name, chances in (
                ("taught", (self.ill, self.well)),
                ("home", (self.ill, self.well)),
                ("abroad", (abroad, abroad)),
                ("made", made),
            )
        )
        reader, blind, sharp = Learned.of(taught), Learned.of(taught, blind=True), Learned.of(fake)
        before, after = (reader.score(f) > 0 for f in (home, exchanged(home, seeds("exchanged"))))
        share, n = float((before != after).mean()), len(before)
        return (
            _claim("honest", forms, blind.score(far), far),
            _claim("home", forms, reader.score(home), home),
            _claim("abroad", forms, reader.score(far), far),
            Claim("alone", forms["alone"], probed(home, seeds("probe")), 4 * 0.5 / math.sqrt(PROBED), "sampling"),
            Claim(
                "turned", forms["turned"], share, 4 * math.sqrt(max(share * (1 - share), 1e-6) / n) * 1.5, "sampling"
            ),
            _claim("sharp", forms, sharp.score(far), far),
        )

    def _drawn(self, seeds: Seeds) -> dict[str, Floats]:
        """At chances of the mark among the ill: areas at home and abroad; and at each sharpening, abroad."""
        at = np.linspace(self.well, 0.98, 6)[1:]
        marks = np.zeros((2, len(at)))
        for i, ill in enumerate(at.tolist()):
            middle = (ill + self.well) / 2
            reader = Learned.of(Films.take(DRAWN, self.signal, ill, self.well, seeds(f"drawn/{i}")))
            for j, chances in enumerate(((ill, self.well), (middle, middle))):
                films = Films.take(DRAWN, self.signal, *chances, seeds(f"drawn/{i}/{j}"))
                marks[j, i] = stats.auc(reader.score(films), films.ill)
        return {"at": at, "marks": marks, "knobs": np.array([self.signal, self.ill, self.well, self.sharper])}

    def draw(self, told: Told, words: Words) -> Picture:
        """The area at home and abroad, as more of the ill are marked; and abroad, as a generator sharpens the mark."""
        with house_style():
            panels = tuple(
                Panel(f"panels.{key}", to_svg(drawing(told, words), key=key, label=words(f"panels.{key}")))
                for key, drawing in (("areas", _draw_areas), ("sharper", _draw_sharper))
            )
        legend = (("line first", "legend.home"), ("line second", "legend.abroad"), ("dash", "legend.honest"))
        return Picture(panels, (*legend, ("ring", "legend.simulated")))


def _claim(name: str, forms: dict[str, float], score: Floats, films: Films) -> Claim:
    """An area, allowed four standard errors, and as much again for what was learned from as many films."""
    found = stats.auc_interval(score, films.ill)
    return Claim(name, forms[name], found.value, 4 * 1.2 * (found.high - found.low) / 3.92, "sampling")


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_areas(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=52, bottom=46, right=10, top=12)
    signal, _, well, _ = told.drawn["knobs"].tolist()
    x = np.linspace(well + 1e-6, 0.98, 120)
    home = [area(signal, weight(ill, well), ill, well) for ill in x]
    abroad = [area(signal, weight(ill, well), (ill + well) / 2, (ill + well) / 2) for ill in x]
    for curve, colour, row in ((home, FIRST, 0), (abroad, SECOND, 1)):
        axes.plot(x, curve, color=colour, linewidth=2.2)
        axes.plot(
            told.drawn["at"], told.drawn["marks"][row], "o", color=colour, markersize=7, markerfacecolor="none",
            markeredgewidth=1.6,
        )  # fmt: skip
    axes.axhline(area(signal, 0.0, 0.5, 0.5), color=MUTED, linestyle=DASHED, linewidth=1.6)
    axes.set_xlabel(words("axes.ill"))
    axes.set_ylabel(words("axes.area"))
    axes.grid(axis="y")
    return axes


def _draw_sharper(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=52, bottom=46, right=10, top=12)
    signal, ill, well, times = told.drawn["knobs"].tolist()
    x, middle = np.linspace(1, 4, 80), (ill + well) / 2
    axes.plot(x, [area(signal, k * weight(ill, well), middle, middle) for k in x], color=SECOND, linewidth=2.2)
    axes.plot([times], [area(signal, times * weight(ill, well), middle, middle)], "s", color=SECOND, markersize=7)
    axes.axhline(area(signal, 0.0, 0.5, 0.5), color=MUTED, linestyle=DASHED, linewidth=1.6)
    axes.set_xlabel(words("axes.sharper"))
    axes.set_ylabel(words("axes.area"))
    axes.grid(axis="y")
    return axes
