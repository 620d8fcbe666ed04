"""Memorisation, and when each alarm rings: a generator that blurs its patients less and less, judged by our own audits.

The closed forms, and how far they hold, are in ``explain/crowd.py``. Everything about the population is known here, so
that an audit can be held against what is true; and what no audit of a table can see is known as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance import stats
from semblance.audits.copies import Copies, rows
from semblance.audits.membership import Membership
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import InputError
from semblance.evidence import Finding
from semblance.explain import crowd
from semblance.explain.blur import Release, given_away, patients_of, utility
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.privacy.ledger import Ledger
from semblance.release.policy import Policy
from semblance.report.draw import FAKE, FIRST, INK, MUTED, REAL, SECOND, TRAIN, canvas, house_style, to_svg
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

Floats = NDArray[np.float64]

DECIMALS = 2
NARROW = 0.01  # the blur at which copies are counted
BANDWIDTHS = (1.4, 0.6, 0.3, 0.17, 0.1, 0.05, 0.03, 0.018, NARROW)  # in the picture, from wide to narrow
TRIALS = 16  # generators learned for one number of the table
AUDITS = {
    "nearest": "copies.nearest.share",
    "distance": "membership.distance.auc",
    "density": "membership.density.auc",
    "exact": "copies.exact.excess",
}
ALARMS = ("open", *AUDITS)  # the first needs the generator itself, the others its table


# ── without the audits ───────────────────────────────────────────────────────────────────────────────────────────────


def averaged(bandwidth: float, patients: int, seeds: Seeds) -> tuple[Floats, Floats]:
    """Utility and what is given away, over generators of other patients each: means, and errors allowed, (4,) each.

    As rarely as four standard errors are exceeded; more of them are allowed because the error itself is estimated.
    """
    each = []
    for i in range(TRIALS):
        rng = seeds(f"{i}")
        release = Release.of(patients_of(patients, rng), bandwidth, rng)
        each.append((utility(release), *given_away(release)))
    return np.mean(each, axis=0), _allowed(np.array(each))


def copied(bandwidth: float, patients: int, seeds: Seeds) -> tuple[float, float]:
    """What the audit of copies counts, over generators of other patients each: mean, and error allowed."""
    each = np.zeros(TRIALS)
    for i in range(TRIALS):
        rng = seeds(f"{i}")
        tables = compared(Release.of(patients_of(patients, rng), bandwidth, rng))
        owners = rows.owners_of_rows(tables, tables.train.schema.modelled, tables.fake)
        each[i] = rows.exact(tables, owners, np.zeros(2 * patients), 1).value
    return float(each.mean()), float(_allowed(each))


def _allowed(each: Floats) -> Any:
    """By how much a mean over trials may be off: (trials, …) -> (…)."""
    rare = distributions.t.isf(distributions.norm.sf(4), len(each) - 1)
    return rare * each.std(axis=0, ddof=1) / np.sqrt(len(each))


# ── our audits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def compared(release: Release) -> Comparison:
    """What an audit sees of it: three tables, their values written with two decimals."""
    schema = Schema(tuple(Column(name, "number", decimals=DECIMALS) for name in ("first", "second")))

    def table(values: Floats) -> Dataset:
        return Dataset(pd.DataFrame(np.round(values, DECIMALS), columns=list(schema.names)), schema)

    return Comparison(table(release.train), table(release.held), table(release.rows))


def judged(release: Release, seeds: Seeds) -> dict[str, Finding]:
    """What the audits find in the table; and the open attacker's area."""
    comparison, run = compared(release), Run(seeds, Ledger(), Local(1))
    found = {f.name: f for a in (Copies(permutations=1), Membership()) for f in a.judge(comparison, run)}
    value, low, high = stats.auc_interval(release.score, release.member)
    return {"open": Finding("open", "", value, low, high), **{alarm: found[name] for alarm, name in AUDITS.items()}}


def truth(alarm: str, bandwidth: float, patients: int) -> float:
    """What an audit would find on average over all such releases; not known for the density attack."""
    if alarm == "exact":
        return crowd.exact_share(bandwidth, patients, 10.0**-DECIMALS)
    known = {"open": crowd.open_auc, "nearest": crowd.nearest_share_in_ranks, "distance": crowd.distance_auc}
    return known[alarm](bandwidth, patients) if alarm in known else float("nan")


def from_where(bandwidths: Floats, above: Floats) -> float:
    """The widest bandwidth from which on, going narrower, `above` is positive; 0 where not even at the narrowest.

    Args:
        bandwidths: From wide to narrow: (h,). Between two of them the crossing lies on a straight line in log h.
    """
    last = int(np.flatnonzero(above <= 0).max(initial=-1))  # the narrowest at which it is not
    if last == len(above) - 1:
        return 0.0
    if last < 0:
        return float(bandwidths[0])
    share = above[last + 1] / (above[last + 1] - above[last])
    return float(bandwidths[last + 1] * (bandwidths[last] / bandwidths[last + 1]) ** share)


@dataclass(frozen=True)
class Watch:
    """Releases from wide to narrow, as the audits see them: h bandwidths, alarms in the order of `ALARMS`.

    Attributes:
        bandwidths: (h,). found: Value, low and high end: (h, alarms, 3). truths: (h, alarms), NaN where not known.
        chance: What each alarm says of an innocent release: (alarms,). worth: Utility of each release: (h,).
        limit: What the policy allows of the nearest share.
    """

    bandwidths: Floats
    found: Floats
    truths: Floats
    chance: Floats
    worth: Floats
    limit: float

    @property
    def rung(self) -> Floats:
        """From where on each alarm rang, its lower end above chance: (alarms,)."""
        above = self.found[:, :, 1] - self.chance
        return np.array([from_where(self.bandwidths, column) for column in above.T])

    @property
    def due(self) -> Floats:
        """From where on it rings in more than half of all such releases: (alarms,); NaN where truths are not known."""
        above = self.truths - self.chance - (self.found[:, :, 0] - self.found[:, :, 1])
        return np.array([np.nan if np.isnan(a).any() else from_where(self.bandwidths, a) for a in above.T])

    @property
    def refused(self) -> tuple[float, float]:
        """From where on the policy refused by the nearest share, and refuses half of all such releases.

        It reads the upper end.
        """
        i = ALARMS.index("nearest")
        upper = self.found[:, i, 2] - self.limit
        usual = upper - self.found[:, i, 0] + self.truths[:, i]
        return from_where(self.bandwidths, upper), from_where(self.bandwidths, usual)


def watch(bandwidths: Floats, patients: int, seeds: Seeds) -> Watch:
    """Release at each bandwidth, from wide to narrow, always what was learned from the same patients; and judge."""
    people, found, worth = patients_of(patients, seeds("patients")), [], []
    for bandwidth in bandwidths.tolist():
        release = Release.of(people, bandwidth, seeds(f"release/{bandwidth}"))
        by_alarm = judged(release, seeds.within("audits"))
        found.append([[by_alarm[alarm].value, by_alarm[alarm].low, by_alarm[alarm].high] for alarm in ALARMS])
        worth.append(utility(release))
    return Watch(
        bandwidths,
        np.array(found, dtype=np.float64),
        np.array([[truth(alarm, h, patients) for alarm in ALARMS] for h in bandwidths.tolist()]),
        np.array([0.0 if alarm == "exact" else 0.5 for alarm in ALARMS]),
        np.array(worth),
        next(float(rule.limit) for rule in Policy.load().rules if rule.finding == AUDITS["nearest"]),
    )


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Memorisation:
    """A generator that slowly overfits, and when each alarm rings.

    Attributes:
        bandwidth: Standard deviation of the blur at which the numbers of the table are taken: 0.02 to 0.3.
        patients: Training patients; as many are held out, and as many rows are drawn: 300 to 2000.
    """

    name: ClassVar[str] = "memorisation"

    bandwidth: float = 0.05
    patients: int = 1000

    def run(self, seeds: Seeds) -> Told:
        """Learn generators from wide to narrow, let the audits judge each, and hold them against the formulas."""
        if not (0.02 <= self.bandwidth <= 0.3 and 300 <= self.patients <= 2000):
            raise InputError(
                "lesson 'memorisation': bandwidth must lie in [0.02, 0.3] and patients in [300, 2000]; choose others."
            )
        own, at = seeds.within("explain/memorisation"), (self.bandwidth, self.patients)
        best = crowd.best_bandwidth(self.patients)
        watched = watch(np.unique([*BANDWIDTHS, self.bandwidth])[::-1], self.patients, own)
        here = watched.found[int(np.argmax(watched.bandwidths == self.bandwidth))]
        due = dict(zip(ALARMS, watched.due.tolist(), strict=True))
        numbers = {
            "patients": self.patients,
            "bandwidth": self.bandwidth,
            "best": _brief(best),
            "crowd": crowd.crowd(*at),
            "narrow": NARROW,
            "open_best_percent": crowd.open_auc(best, self.patients),
            "open_percent": crowd.open_auc(*at),
            "nearest_percent": crowd.nearest_share(*at),
            "distance_percent": crowd.distance_auc(*at),
            "density_percent": float(here[ALARMS.index("density"), 0]),
            "refused": _brief(watched.refused[1]),
            **{f"due_{alarm}": _brief(due[alarm]) for alarm in ("nearest", "distance", "exact")},
            "worth_late": _brief(crowd.utility(due["exact"], self.patients)),
        }
        drawn = {
            "bandwidths": watched.bandwidths,
            "worth": watched.worth,
            "found": watched.found,
            "chance": watched.chance,
            "rung": np.append(watched.rung, watched.refused[0]),
            "due": np.append(watched.due, watched.refused[1]),
            "best": np.array([best]),
            "patients": np.array([float(self.patients)]),
        }
        always = watched.refused[1] == watched.bandwidths[0]
        paragraphs = ("generator", "crowd", "rings", "open", "silence_always" if always else "silence")
        return Told(self._claims(best, here, own), numbers, paragraphs, drawn)

    def _claims(self, best: float, here: Floats, seeds: Seeds) -> tuple[Claim, ...]:
        at, at_best = (self.bandwidth, self.patients), (best, self.patients)
        mean, error = averaged(*at, seeds.within("many"))
        mean_best, error_best = averaged(*at_best, seeds.within("many/best"))
        told = (crowd.utility(*at), crowd.nearest_share(*at), crowd.distance_auc(*at), crowd.open_auc(*at))
        names = ("utility", "nearest", "distance", "open")
        counted, error_counted = copied(NARROW, self.patients, seeds.within("many/copied"))
        own = dict(zip(ALARMS, here, strict=True))
        return (
            Claim("utility_best", crowd.utility(*at_best), mean_best[0], error_best[0], "sampling"),
            Claim("open_best", crowd.open_auc(*at_best), mean_best[3], error_best[3], "sampling"),
            *(Claim(names[i], told[i], mean[i], error[i], "sampling") for i in range(4)),
            _audited("audit_nearest", truth("nearest", *at), own["nearest"]),
            _audited("audit_distance", told[2], own["distance"]),
            _audited("audit_density", told[3], own["density"], bound=True),
            Claim("audit_exact", truth("exact", NARROW, self.patients), counted, error_counted, "sampling"),
        )

    def draw(self, told: Told, words: Words) -> Picture:
        """What the generator is worth, what it gives away, and when each alarm rings; all along the bandwidth."""
        with house_style():
            panels = tuple(
                Panel(f"panels.{key}", to_svg(drawn(told, words), key=key, label=words(f"panels.{key}")))
                for key, drawn in (("worth", _draw_worth), ("alarms", _draw_alarms), ("order", _draw_order))
            )
        legend = (
            ("line", "alarms.open"),
            ("line first", "alarms.nearest"),
            ("line second", "alarms.distance"),
            ("line train", "alarms.density"),
            ("line fake", "alarms.exact"),
        )
        return Picture(panels, legend)


def _brief(x: float) -> float:
    """To two significant digits: where an alarm rings depends on chance."""
    return float(f"{x:.2g}")


def _audited(name: str, truth: float, found: Floats, *, bound: bool = False) -> Claim:
    """An audit against the truth; its interval reaches 1.96 standard errors to either side."""
    value, low, high = found.tolist()
    return Claim(name, truth, value, 4 * (high - low) / (2 * 1.96), "sampling", "<=" if bound else "=")


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────

_ALONG = np.geomspace(2.0, 0.009, 48)
_COLOURS = {"open": REAL, "nearest": FIRST, "distance": SECOND, "density": TRAIN, "exact": FAKE}


def _along_bandwidth(axes: Axes, told: Told, words: Words) -> Axes:
    axes.axvline(float(told.drawn["best"][0]), color=MUTED, linestyle=":", linewidth=1.4)
    axes.set_xscale("log")
    axes.set_xlim(2.2, 0.008)  # time runs from a wide blur to a narrow one
    axes.xaxis.set_major_locator(FixedLocator([1, 0.3, 0.1, 0.03, 0.01]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(words("axes.bandwidth"))
    return axes


def _draw_worth(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    n, at, worth = int(told.drawn["patients"][0]), told.drawn["bandwidths"], told.drawn["worth"]
    axes.plot(_ALONG, [crowd.utility(h, n) for h in _ALONG], color=INK, linewidth=1.8)
    shown = worth > 0
    axes.plot(at[shown], worth[shown], "o", color=INK, markersize=5, markerfacecolor="none")
    axes.set_ylim(0, 1.05)
    axes.grid(axis="y")
    axes.set_ylabel(words("axes.utility"))
    return _along_bandwidth(axes, told, words)


def _draw_alarms(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    n = int(told.drawn["patients"][0])
    for i, (alarm, colour) in enumerate(_COLOURS.items()):
        chance = float(told.drawn["chance"][i])
        found = (told.drawn["found"][:, i] - chance) / (1 - chance)  # 0 for chance, 1 for certainty
        known = _ALONG[_ALONG < 0.7]  # wider, patients do not lie evenly
        along = np.array([truth(alarm, h, n) for h in known.tolist()])
        axes.plot(known, (along - chance) / (1 - chance), color=colour, linewidth=1.8)
        at = told.drawn["bandwidths"] * 1.04 ** (i - 2)  # side by side
        axes.vlines(at, found[:, 1], found[:, 2], color=colour, linewidth=1.0)
        for rung, face in ((found[:, 1] > 0, colour), (found[:, 1] <= 0, "none")):
            axes.plot(at[rung], found[rung, 0], "o", color=colour, markersize=5, markerfacecolor=face)
    axes.axhline(0, color=MUTED, linewidth=1.2)
    axes.set_ylim(-0.12, 1.02)
    axes.grid(axis="y")
    axes.set_ylabel(words("axes.advantage"))
    return _along_bandwidth(axes, told, words)


def _draw_order(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=112, bottom=46, right=10, top=12)
    names = [*ALARMS, "refused"]
    for i, name in enumerate(names):
        rung, due = float(told.drawn["rung"][i]), float(told.drawn["due"][i])
        if rung > 0:
            axes.plot([rung, 0.008], [-i, -i], color=_COLOURS.get(name, MUTED), linewidth=8, solid_capstyle="butt")
        if due > 0:
            axes.plot([due, due], [-i - 0.36, -i + 0.36], color=INK, linewidth=1.8)
    axes.set_yticks(-np.arange(len(names)), [words(f"alarms.{name}") for name in names])
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.grid(axis="x")
    return _along_bandwidth(axes, told, words)
