"""What a private mean costs: one lab value, noise of Laplace, and the same in the mechanism that the pipeline uses.

Dwork, McSherry, Nissim and Smith (2006), "Calibrating noise to sensitivity in private data analysis"; two normal
distributions of variance v that lie d apart have a Kullback–Leibler divergence of d²/2v.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray
from scipy.stats import norm

from semblance.attacks import many_runs
from semblance.errors import InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.privacy import mechanisms
from semblance.report.draw import DASHED, FAKE, FIRST, MUTED, REAL, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Floats = NDArray[np.float64]

STEP = 0.01  # the lab writes two decimals, and so does the mechanism
REACH = 10.0  # how far from the middle of the declared range a value may lie
DRAWS = 100_000  # releases for a number of the table
DRAWN = 20_000  # for a mark of the picture
RUNS = 40_000  # of the mechanism with a patient, and as many without
CONFIDENCE = 0.9999
"""Of the bounds on ε: as rarely wrong as the other numbers of the table, about."""


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def noise_variance(epsilon: float, noise: float) -> float:
    """τ² of Laplace noise: 2·(Δ/ε)², where Δ is how far one patient can move the mean.

    Args:
        noise: τ at ε = 1, which is √2·Δ.
    """
    return (noise / epsilon) ** 2


def expected_loss(tau_squared: float, variance: float) -> float:
    """E KL(real ‖ synthetic) in nats, whatever the noise's shape: E d²/2v with E d² = τ²."""
    return tau_squared / (2 * variance)


def squared_error(tau_squared: float, variance: float, rows: int) -> float:
    """Of the synthetic rows' mean around the real one: what drawing the rows adds, and what privacy does."""
    return variance / rows + tau_squared


# ── simulations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def from_seed(tau_squared: float, n: int, rng: np.random.Generator) -> Floats:
    """Laplace noise of that variance, for lessons only: who knows the seed can subtract it."""
    return np.asarray(rng.laplace(scale=math.sqrt(tau_squared / 2), size=n))


def from_pipeline(tau_squared: float, n: int) -> Floats:
    """The same by the pipeline's own mechanism: exact, in steps of the lab value, from the operating system's bits."""
    return STEP * mechanisms.discrete_laplace(_steps(tau_squared), n).astype(np.float64)


def _steps(tau_squared: float) -> float:
    """The scale of Laplace noise in steps, rounded up as far as the mechanism must have it."""
    return math.ceil(1024 * math.sqrt(tau_squared / 2) / STEP) / 1024


def losses(noise: Floats, variance: float, rng: np.random.Generator) -> Floats:
    """For each release how much likelier a real value is in truth than in the release: (n,), in nats.

    Each with a value and its mirror image, so that their scatter cancels.
    """
    spread = math.sqrt(variance)
    values = spread * rng.normal(size=len(noise))
    each = [norm.logpdf(x, scale=spread) - norm.logpdf(x, loc=noise, scale=spread) for x in (values, -values)]
    return np.asarray((each[0] + each[1]) / 2)


def errors(noise: Floats, variance: float, rows: int, rng: np.random.Generator) -> Floats:
    """For each release the squared error of the mean of so many synthetic rows: (n,)."""
    total = np.zeros(len(noise))
    for _ in range(rows):
        total += rng.normal(noise, math.sqrt(variance))
    return np.asarray((total / rows) ** 2)


def refuted(epsilon: float, noise: float, *, share: float = 1.0) -> float:
    """The largest ε that runs of the pipeline's mechanism refute, with the patient who moves the mean most and without.

    Args:
        share: Of the noise that ε asks for.
    """
    scale, moved = _steps(share**2 * noise_variance(epsilon, noise)), math.floor(noise / math.sqrt(2) / STEP)
    # in whole steps: sums of floating point would tell by their last digits which of the two inputs it was
    with_patient, without = (at + mechanisms.discrete_laplace(scale, RUNS) for at in (moved, 0))
    found = many_runs.audit(with_patient.astype(np.float64), without.astype(np.float64), 0.0, confidence=CONFIDENCE)
    return found.epsilon


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Epsilon:
    """A private mean of one lab value.

    Attributes:
        epsilon: Of the release: 0.1 to 5. noise: Standard deviation of its noise at ε = 1: 0.1 to 5.
        variance: Of the lab value: 0.1 to 100. rows: Synthetic rows drawn: 10 to 1000.
    """

    name: ClassVar[str] = "epsilon"

    epsilon: float = 1.0
    noise: float = 0.5
    variance: float = 4.0
    rows: int = 100

    def run(self, seeds: Seeds) -> Told:
        """Find out, in two or three seconds. What the pipeline's mechanism gave differs each time: it has no seed.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (
            0.1 <= self.epsilon <= 5
            and 0.1 <= self.noise <= 5
            and 0.1 <= self.variance <= 100
            and 10 <= self.rows <= 1000
        ):
            raise InputError(
                "lesson 'epsilon': epsilon must lie in [0.1, 5], noise in [0.1, 5], variance in [0.1, 100] and rows in "
                "[10, 1000]; choose others."
            )
        own = seeds.within("explain/epsilon")
        tau_squared = noise_variance(self.epsilon, self.noise)
        numbers = {
            "epsilon": self.epsilon,
            "half": self.epsilon / 2,
            "tau": math.sqrt(tau_squared),
            "noise": self.noise,
            "variance": self.variance,
            "rows": self.rows,
            "reach": REACH,
            "patients": round(math.sqrt(2) * REACH / self.noise),
            "loss": expected_loss(tau_squared, self.variance),
            "loss_half": expected_loss(4 * tau_squared, self.variance),
            "drawing": self.variance / self.rows,
            "privacy": tau_squared,
            "odds": math.exp(self.epsilon),
            "runs": RUNS,
        }
        return Told(self._claims(own), numbers, ("release", "price", "rows", "promise"), self._drawn(own))

    def _claims(self, seeds: Seeds) -> tuple[Claim, ...]:
        variance, rows = self.variance, self.rows
        tau, tau_half = (noise_variance(e, self.noise) for e in (self.epsilon, self.epsilon / 2))
        once, half = (from_seed(t, DRAWS, seeds(f"noise/{t}")) for t in (tau, tau_half))
        own = from_pipeline(tau, DRAWS)
        few = DRAWS // 5
        return (
            _mean("loss", expected_loss(tau, variance), losses(once, variance, seeds("loss"))),
            _mean("loss_half", expected_loss(tau_half, variance), losses(half, variance, seeds("loss/half"))),
            _mean("error", squared_error(tau, variance, rows), errors(once[:few], variance, rows, seeds("error"))),
            _mean("own_loss", expected_loss(tau, variance), losses(own, variance, seeds("own/loss"))),
            _mean("own_error", squared_error(tau, variance, rows), errors(own[:few], variance, rows, seeds("own"))),
            Claim("kept", self.epsilon, refuted(self.epsilon, self.noise), 1e-9, "sampling", "<="),
            Claim("broken", self.epsilon, refuted(self.epsilon, self.noise, share=0.5), 0.0, "sampling", ">="),
        )

    def _drawn(self, seeds: Seeds) -> dict[str, Floats]:
        at = np.unique([*_AT, self.epsilon, self.epsilon / 2])
        marks = np.zeros((2, 2, len(at)))  # loss and error; from a seed and by the pipeline
        for i, epsilon in enumerate(at.tolist()):
            tau = noise_variance(epsilon, self.noise)
            for j, noise in enumerate((from_seed(tau, DRAWN, seeds(f"drawn/{epsilon}")), from_pipeline(tau, DRAWN))):
                marks[0, j, i] = losses(noise, self.variance, seeds(f"drawn/loss/{epsilon}/{j}")).mean()
                error = errors(noise[: DRAWN // 4], self.variance, self.rows, seeds(f"drawn/error/{epsilon}/{j}"))
                marks[1, j, i] = error.mean()
        knobs = np.array([self.epsilon, self.noise, self.variance, float(self.rows)])
        own = from_pipeline(noise_variance(self.epsilon, self.noise), DRAWS)
        return {"at": at, "marks": marks, "knobs": knobs, "own": own}

    def draw(self, told: Told, words: Words) -> Picture:
        """What one patient changes, and what that costs: the loss, and the error of the mean, over ε."""
        with house_style():
            panels = tuple(
                Panel(f"panels.{key}", to_svg(drawing(told, words), key=key, label=words(f"panels.{key}")))
                for key, drawing in (("patient", _draw_patient), ("loss", _draw_loss), ("error", _draw_error))
            )
        return Picture(
            panels,
            (
                ("line", "legend.without"),
                ("line fake", "legend.with"),
                ("dash first", "legend.formula"),
                ("ring", "legend.simulated"),
                ("line second", "legend.own"),
            ),
        )


def _mean(name: str, formula: float, each: Floats) -> Claim:
    """A claim about an average, allowed four standard errors."""
    return Claim(name, formula, float(each.mean()), 4 * float(each.std() / math.sqrt(len(each))), "sampling")


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────

_AT = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def _draw_patient(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=52, bottom=46, right=10, top=12)
    epsilon, noise = told.drawn["knobs"][:2].tolist()
    scale = math.sqrt(noise_variance(epsilon, noise) / 2)
    moved, wide = noise / math.sqrt(2), 5 * scale
    x = np.linspace(-wide, wide + moved, 401)
    for centre, colour in ((0.0, REAL), (moved, FAKE)):
        axes.plot(x, np.exp(-np.abs(x - centre) / scale) / (2 * scale), color=colour, linewidth=2.0)
        edges = np.linspace(-wide, wide, 21) + centre
        counts, _ = np.histogram(told.drawn["own"] + centre, edges)
        heights = counts / (len(told.drawn["own"]) * np.diff(edges))
        middle, seen = (edges[1:] + edges[:-1]) / 2, heights > 0
        axes.plot(middle[seen], heights[seen], "s", color=colour, markersize=3.5, markerfacecolor="none")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.released"))
    axes.set_ylabel(words("axes.density"))
    return axes


def _draw_loss(told: Told, words: Words) -> Axes:
    axes = _over_epsilon(told, words, 0)
    x, (epsilon, noise, variance, _) = _ALONG, told.drawn["knobs"].tolist()
    for half in (epsilon, epsilon / 2):
        there = expected_loss(noise_variance(half, noise), variance)
        axes.plot([half, half, _ALONG[0]], [1e-9, there, there], color=MUTED, linestyle=":", linewidth=1.4)
    low, high = (expected_loss(noise_variance(e, noise), variance) for e in (_ALONG[-1], _ALONG[0]))
    axes.set_ylim(low / 1.3, high * 1.3)
    axes.plot(x, [expected_loss(noise_variance(e, noise), variance) for e in x], color=FIRST, linestyle=DASHED, lw=2.2)
    axes.set_ylabel(words("axes.loss"))
    return axes


def _draw_error(told: Told, words: Words) -> Axes:
    axes = _over_epsilon(told, words, 1)
    x, (_, noise, variance, rows) = _ALONG, told.drawn["knobs"].tolist()
    curve = [squared_error(noise_variance(e, noise), variance, round(rows)) for e in x]
    axes.plot(x, curve, color=FIRST, linestyle=DASHED, linewidth=2.2)
    axes.axhline(variance / rows, color=MUTED, linestyle=":", linewidth=1.4)
    axes.set_ylabel(words("axes.error"))
    return axes


_ALONG = np.geomspace(0.08, 5.5, 120)


def _over_epsilon(told: Told, words: Words, which: int) -> Axes:
    axes = canvas(340, 290, left=52, bottom=46, right=10, top=12)
    at, marks = told.drawn["at"], told.drawn["marks"][which]
    axes.plot(at, marks[1], "s", color=SECOND, markersize=4, clip_on=False)
    axes.plot(at, marks[0], "o", color=FIRST, markersize=8, markerfacecolor="none", markeredgewidth=1.6, clip_on=False)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_ALONG[0], _ALONG[-1])
    axes.xaxis.set_major_locator(FixedLocator([0.1, 0.3, 1, 3]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.epsilon"))
    return axes
