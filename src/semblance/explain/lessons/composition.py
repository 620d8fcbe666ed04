"""What ten releases add up to: by adding, by Rényi divergence, by privacy losses; and our ledger, until it refuses.

Mironov (2017), "Rényi differential privacy", turned into ε and δ as by Canonne, Kamath and Steinke (2020), proposition
12; Balle and Wang (2018), "Improving the Gaussian mechanism", on the exact cost of Gaussian noise; Dong, Roth and Su
(2022), "Gaussian differential privacy": k releases with noise σ cost what one costs with σ/√k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from semblance.attacks import many_runs
from semblance.errors import BudgetExceeded, InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.cohorts import Cap
from semblance.privacy.events import Gaussian, Repeated
from semblance.privacy.ledger import Allowance, Ledger
from semblance.report.draw import DASHED, FAKE, FIRST, MUTED, REAL, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Floats = NDArray[np.float64]

DRAWS = 200_000  # of all releases together, for a number of the table
DRAWN = 20_000  # for a mark of the picture
RUNS = 400_000  # with the patient, and as many without, for the attacker
CONFIDENCE = 0.9999
SHOWN = 20  # releases in the picture


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def delta_of(sigma: float, epsilon: float) -> float:
    """The exact δ of Gaussian noise at ε, one patient moving the answer by 1 (Balle and Wang 2018, theorem 8)."""
    here, there = 0.5 / sigma - epsilon * sigma, -0.5 / sigma - epsilon * sigma
    return float(norm.cdf(here) - math.exp(epsilon + norm.logcdf(there)))


def sigma_for(epsilon: float, delta: float) -> float:
    """The noise that one release needs."""
    return float(brentq(lambda sigma: delta_of(sigma, epsilon) - delta, 0.05, 1000.0, xtol=1e-12))


def exact(sigma: float, releases: int, delta: float) -> float:
    """ε of so many releases: that of one with σ/√k."""
    together = sigma / math.sqrt(releases)
    return float(brentq(lambda epsilon: delta_of(together, epsilon) - delta, 0.0, 700.0, xtol=1e-12))


def renyi(sigma: float, releases: int, delta: float) -> float:
    """ε by Rényi divergences k·α/2σ² of all orders α, at the order that says least."""

    def at(log_order: float) -> float:
        order = 1 + math.exp(log_order)
        paid = math.log1p(-1 / order) - math.log(delta * order) / (order - 1)
        return releases * order / (2 * sigma**2) + paid

    return float(minimize_scalar(at, bounds=(-8, 12), method="bounded", options={"xatol": 1e-9}).fun)


def added(epsilon: float, releases: int) -> float:
    """What adding up says; at δ added up as well, so it is flattered here."""
    return epsilon * releases


def releases_within(sigma: float, cap: float, delta: float) -> int:
    """How many releases cost no more than the cap, exactly."""
    k = 0
    while exact(sigma, k + 1, delta) <= cap:
        k += 1
    return k


def releases_one_by_one(sigma: float, cap: float, delta: float) -> int:
    """How many where each is planned after the last was seen: a sum at the one Rényi order that the cap was fixed with.

    Feldman and Zrnic (2021), "Individual privacy accounting via a Rényi filter". The order, and what is kept back for
    mechanisms that fail outright, are the cohort ledger's.
    """
    order, room = Cap(cap, delta).order_and_room()
    return math.floor(room / (order / (2 * sigma**2)) + 1e-9)


# ── simulations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def losses(
    sigma: float, releases: int, n: int, rng: np.random.Generator, *, towards: float | None = None
) -> tuple[Floats, Floats]:
    """Privacy losses of n times so many releases, each the sum of those of its releases; and what each one weighs.

    The loss of a release is how much likelier it is with the patient than without, ln of the ratio.

    Args:
        towards: Draw losses around this instead, where the rare ones are, and weigh them back; None draws as they fall.
    """
    tilt = 0.0 if towards is None else (towards - releases / (2 * sigma**2)) * sigma / releases  # in units of σ
    total, weight = np.zeros(n), np.zeros(n)
    for _ in range(releases):
        noise = sigma * (tilt + rng.normal(size=n))
        total += norm.logpdf(noise, scale=sigma) - norm.logpdf(1 + noise, scale=sigma)
        weight += norm.logpdf(noise, scale=sigma) - norm.logpdf(noise, loc=tilt * sigma, scale=sigma)
    return total, np.exp(weight)


def failure(
    sigma: float, releases: int, epsilon: float, rng: np.random.Generator, *, n: int = DRAWS
) -> tuple[float, float]:
    """δ at ε by counting: how far losses beyond ε outweigh it, on average; and four standard errors."""
    loss, weight = losses(sigma, releases, n, rng, towards=epsilon)
    each = weight * -np.expm1(np.minimum(epsilon - loss, 0.0))
    return float(each.mean()), 4 * float(each.std() / math.sqrt(n))


def counted(sigma: float, releases: int, delta: float, rng: np.random.Generator) -> float:
    """ε at δ by counting: where so many losses beyond it are left."""
    loss, weight = losses(sigma, releases, DRAWN, rng, towards=exact(sigma, releases, delta))
    return float(brentq(lambda e: float((weight * -np.expm1(np.minimum(e - loss, 0.0))).mean()) - delta, 0.0, 700.0))


def attacked(sigma: float, releases: int, delta: float, rng: np.random.Generator) -> float:
    """The largest ε that an attacker refutes who has all releases of one cohort, and adds up what they say."""
    out = [rng.normal(scale=sigma, size=RUNS) for _ in range(2)]
    for _ in range(releases - 1):
        out = [total + rng.normal(scale=sigma, size=RUNS) for total in out]
    return many_runs.audit(releases + out[0], out[1], delta, confidence=CONFIDENCE).epsilon


def charged(sigma: float, cap: float, delta: float) -> int:
    """How many such releases our own ledger lets through before it refuses one."""
    ledger = Ledger(allowance=Allowance(cap, delta))
    while True:
        try:
            ledger.spend("release", Gaussian(sigma))
        except BudgetExceeded:
            return len(ledger.charges)


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Composition:
    """Releases of the same patients, each with Gaussian noise.

    Attributes:
        epsilon: Of each alone: 0.1 to 4. delta: Of each alone, and of all together: 1e-9 to 1e-3.
        releases: How many: 2 to 20. cap: What the cohort may cost in all, in ε: 1.5 to 6 times that of one.
    """

    name: ClassVar[str] = "composition"

    epsilon: float = 1.0
    delta: float = 1e-5
    releases: int = 10
    cap: float = 3.0

    def run(self, seeds: Seeds) -> Told:
        """Find out, in two or three seconds.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (
            0.1 <= self.epsilon <= 4
            and 1e-9 <= self.delta <= 1e-3
            and 2 <= self.releases <= 20
            and 1.5 * self.epsilon <= self.cap <= 6 * self.epsilon
        ):
            raise InputError(
                "lesson 'composition': epsilon must lie in [0.1, 4], delta in [1e-9, 1e-3], releases in [2, 20] and "
                "cap between 1.5 and 6 times epsilon; choose others."
            )
        own = seeds.within("explain/composition")
        sigma = sigma_for(self.epsilon, self.delta)
        k, fits = self.releases, releases_within(sigma, self.cap, self.delta)
        numbers = {
            "epsilon": self.epsilon,
            "delta": self.delta,
            "releases": k,
            "cap": self.cap,
            "sigma": sigma,
            "added": added(self.epsilon, k),
            "renyi": renyi(sigma, k, self.delta),
            "exact": exact(sigma, k, self.delta),
            "fits": fits,
            "fits_added": math.floor(self.cap / self.epsilon + 1e-9),
            "next": fits + 1,
            "fits_later": releases_one_by_one(sigma, self.cap, self.delta),
            "mean": k / (2 * sigma**2),
            "spread": math.sqrt(k) / sigma,
            "runs": RUNS,
        }
        return Told(self._claims(sigma, fits, own), numbers, ("one", "losses", "three", "cap"), self._drawn(sigma, own))

    def _claims(self, sigma: float, fits: int, seeds: Seeds) -> tuple[Claim, ...]:
        k, delta = self.releases, self.delta
        together, order = exact(sigma, k, delta), renyi(sigma, k, delta)
        told = epsilon_of(Repeated(Gaussian(sigma), k), delta)
        one, error_one = failure(sigma, 1, self.epsilon, seeds("one"))
        all_, error_all = failure(sigma, k, together, seeds("all"))
        loss, _ = losses(sigma, k, DRAWS, seeds("losses"))
        standard = 4 / math.sqrt(DRAWS)
        spread = math.sqrt(k) / sigma
        found = attacked(sigma, k, delta, seeds("attacked"))
        return (
            Claim("one", delta, one, error_one, "sampling"),
            Claim("mean", k / (2 * sigma**2), float(loss.mean()), standard * spread, "sampling"),
            Claim("spread", spread, float(loss.std()), standard * spread / math.sqrt(2), "sampling"),
            Claim("all", delta, all_, error_all, "sampling"),
            Claim("renyi", order, math.nan if told.rdp is None else told.rdp, 0.01 * order, "search"),
            Claim("exact", together, math.nan if told.pld is None else told.pld, 0.002 * together + 2e-4, "search"),
            Claim("attacked", together, found, 0.0, "sampling", "<="),
            Claim("fits", fits, charged(sigma, self.cap, delta), 0.0, "rounding"),
        )

    def _drawn(self, sigma: float, seeds: Seeds) -> dict[str, Floats]:
        at = np.unique([1, 2, 5, 10, 15, SHOWN, self.releases])
        kinds = np.unique([1, min(3, self.releases), self.releases])
        edges = np.linspace(-4, 4, 17)
        bars = []
        for k in kinds.tolist():
            loss, _ = losses(sigma, k, DRAWN, seeds(f"drawn/losses/{k}"))
            bars.append(np.histogram((loss - k / (2 * sigma**2)) * sigma / math.sqrt(k), edges)[0] / DRAWN)
        return {
            "at": at.astype(np.float64),
            "counted": np.array([counted(sigma, k, self.delta, seeds(f"drawn/{k}")) for k in at.tolist()]),
            "kinds": kinds.astype(np.float64),
            "bars": np.array(bars),
            "edges": edges,
            "knobs": np.array([self.epsilon, self.delta, float(self.releases), self.cap, sigma]),
        }

    def draw(self, told: Told, words: Words) -> Picture:
        """What releases add up to; how their losses do; how many fit under a cap."""
        with house_style():
            panels = tuple(
                Panel(f"panels.{key}", to_svg(drawing(told, words), key=key, label=words(f"panels.{key}")))
                for key, drawing in (("total", _draw_total), ("losses", _draw_losses), ("cap", _draw_cap))
            )
        return Picture(
            panels,
            (
                ("line", "legend.added"),
                ("line first", "legend.renyi"),
                ("line second", "legend.exact"),
                ("ring", "legend.counted"),
            ),
        )


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_total(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    epsilon, delta, _, cap, sigma = told.drawn["knobs"].tolist()
    k = range(1, SHOWN + 1)
    axes.plot(k, [added(epsilon, i) for i in k], color=REAL, linewidth=1.8)
    axes.plot(k, [renyi(sigma, i, delta) for i in k], color=FIRST, linewidth=2.2)
    axes.plot(k, [exact(sigma, i, delta) for i in k], color=SECOND, linewidth=2.2)
    axes.axhline(cap, color=FAKE, linestyle=DASHED, linewidth=1.4)
    at, found = told.drawn["at"], told.drawn["counted"]
    axes.plot(at, found, "o", color=SECOND, markersize=7, markerfacecolor="none", markeredgewidth=1.6, clip_on=False)
    axes.set_xlim(0, SHOWN + 0.4)
    axes.set_ylim(0, 1.5 * renyi(sigma, SHOWN, delta))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.releases"))
    axes.set_ylabel(words("axes.epsilon"))
    return axes


def _draw_losses(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    delta, sigma = told.drawn["knobs"][1], told.drawn["knobs"][4]
    middle = (told.drawn["edges"][1:] + told.drawn["edges"][:-1]) / 2
    width = float(np.diff(told.drawn["edges"])[0])
    for k, bars, colour in zip(told.drawn["kinds"].tolist(), told.drawn["bars"], _COLOURS, strict=False):
        centre, spread = k / (2 * sigma**2), math.sqrt(k) / sigma
        x = centre + spread * np.linspace(-4, 5, 200)
        axes.plot(x, norm.pdf(x, centre, spread), color=colour, linewidth=1.8)
        axes.plot(centre + spread * middle, bars / width / spread, "o", color=colour, ms=4, markerfacecolor="none")
        edge = exact(sigma, round(k), delta)
        top = float(norm.pdf(0)) / spread
        axes.plot([edge, edge], [0, 0.35 * top], color=colour, linestyle=":", linewidth=1.8)
        axes.annotate(
            f"{k:.0f}", (centre, top), (10, 2), textcoords="offset points", color=colour, va="center", fontsize=11
        )
    axes.set_ylim(bottom=0)
    axes.margins(y=0.12)
    axes.set_yticks([])
    axes.set_xlabel(words("axes.loss"))
    axes.set_ylabel(words("axes.density"))
    return axes


_COLOURS = (REAL, FIRST, SECOND)


def _draw_cap(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=112, bottom=46, right=24, top=12)
    epsilon, delta, _, cap, sigma = told.drawn["knobs"].tolist()
    by = {
        "added": math.floor(cap / epsilon + 1e-9),
        "renyi": max([k for k in range(1, 400) if renyi(sigma, k, delta) <= cap], default=0),
        "exact": releases_within(sigma, cap, delta),
        "filter": releases_one_by_one(sigma, cap, delta),
    }
    for i, (fits, colour) in enumerate(zip(by.values(), (*_COLOURS, MUTED), strict=True)):
        axes.barh(-i, fits, height=0.5, color=colour)
        axes.annotate(f"{fits}", (fits, -i), xytext=(4, 0), textcoords="offset points", va="center", fontsize=11)
    axes.set_yticks([-i for i in range(len(by))], [words(f"ways.{name}") for name in by])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(words("axes.fits"))
    return axes
