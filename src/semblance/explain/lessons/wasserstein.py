"""Two distributions that do not overlap: one measure of distance is stuck, the other points the way.

Arjovsky and Bottou (2017), "Towards principled methods for training generative adversarial networks" (a perfect critic
leaves the forger without a gradient); Arjovsky, Chintala and Bottou (2017), "Wasserstein generative adversarial
networks" (example 1, and critics kept from being steep by clipping their weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from semblance.errors import InputError
from semblance.explain.critic import NeuralCritic, StraightCritic
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.report.draw import DASHED, FIRST, MUTED, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Sample = NDArray[np.float64]  # (n,)

WIDTH = 0.2  # real values are spread evenly over [0, WIDTH], forged ones over [θ, θ + WIDTH]
DRAWS = 100_000  # values of each kind for a number of the table
DRAWN = 10_000  # for a ring of the picture
BATCH = 64
TURNS = 100
STEP = 0.02  # of the forger, times its slope
REACH = 1.5
NARROW = 0.5  # with less between them and the real ones, 16 neurons cannot bend sharply enough to be always right
FEW_STEPS = 20  # a critic who learns for fewer a turn is no best critic, and no formula speaks of it


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def jensen_shannon(theta: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """In nats: what does not overlap is told apart for sure, what does not at all. Flat where nothing overlaps."""
    return np.asarray(np.log(2) * np.minimum(1.0, np.abs(theta) / WIDTH))


def jensen_shannon_slope(theta: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Its derivative by θ, where it has one."""
    return np.where(np.abs(theta) < WIDTH, np.log(2) / WIDTH * np.sign(theta), 0.0)


def earth_mover(theta: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The Wasserstein-1 distance, in units of the value: every patient is moved by the same θ."""
    return np.asarray(np.abs(theta))


def earth_mover_slope(theta: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Its derivative by θ, where it has one."""
    return np.asarray(np.sign(theta))


def way_home(theta: float) -> NDArray[np.float64]:
    """Where a forger is after each turn who follows the earth mover's slope from `theta`, to within one step."""
    return np.asarray(np.maximum(abs(theta) - STEP * np.arange(TURNS + 1), 0.0) * np.sign(theta))


# ── simulations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(n: int, theta: float, rng: np.random.Generator) -> tuple[Sample, Sample]:
    """`n` real and `n` forged values."""
    return rng.uniform(0.0, WIDTH, n), theta + rng.uniform(0.0, WIDTH, n)


def counted(theta: float, rng: np.random.Generator, *, n: int = DRAWS) -> tuple[float, float]:
    """The Jensen–Shannon divergence by a critic who counts values in bins, and four standard errors of it.

    The critic wins V on values it has not counted; 2 · JSD = V + log 4.
    """
    bins = np.linspace(0.0, WIDTH, 21)
    edges = np.unique(np.concatenate([bins, theta + bins]).round(12))
    (real, fake), (real_again, fake_again) = (
        [np.histogram(x, edges)[0] for x in drawn(n, theta, rng)] for _ in range(2)
    )
    critic = np.clip(real / np.maximum(real + fake, 1), 1e-12, 1 - 1e-12)
    won, spread = 0.0, 0.0
    for counts, says in ((real_again, np.log(critic)), (fake_again, np.log1p(-critic))):
        mean = counts @ says / n
        won, spread = won + mean, spread + counts @ (says - mean) ** 2 / n**2
    return float(won + np.log(4)) / 2, 4 * float(np.sqrt(spread)) / 2


def moved(theta: float, rng: np.random.Generator, *, n: int = DRAWS) -> tuple[float, float]:
    """The earth mover's distance by moving the smallest forged value to the smallest real one, and so on; its error."""
    real, fake = (np.sort(x) for x in drawn(n, theta, rng))
    return float(np.abs(fake - real).mean()), 4 * WIDTH / np.sqrt(6 * n)


def train(
    critic: NeuralCritic | StraightCritic, theta: float, rng: np.random.Generator, *, steps: int
) -> tuple[Sample, Sample]:
    """The game in turns: the critic learns for some steps, then the forger takes one down its slope.

    Returns:
        Where the forger is, and what the critic wins against it, before each turn and at the end: (TURNS + 1,) each.
    """
    for _ in range(10 * steps):
        critic.learn(*drawn(BATCH, theta, rng))
    where, won = [theta], []
    for _ in range(TURNS):
        won.append(critic.won(*drawn(10 * BATCH, theta, rng)))
        theta -= STEP * critic.push(drawn(10 * BATCH, theta, rng)[1])
        where.append(theta)
        for _ in range(steps):
            critic.learn(*drawn(BATCH, theta, rng))
    won.append(critic.won(*drawn(10 * BATCH, theta, rng)))
    return np.array(where), np.array(won)


def trained_slope(critic: NeuralCritic | StraightCritic, theta: float, rng: np.random.Generator) -> float:
    """The slope that a critic gives to the forger at `theta` once it has learned for 1000 steps."""
    for _ in range(1000):
        critic.learn(*drawn(BATCH, theta, rng))
    return critic.push(drawn(10 * BATCH, theta, rng)[1])


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Wasserstein:
    """The forgeries start `theta` away; the critics learn for `critic_steps` a turn."""

    theta: float = 1.0
    critic_steps: int = 100

    name: ClassVar[str] = "wasserstein"

    def run(self, seeds: Seeds) -> Told:
        """Find out, in two or three seconds.

        Raises:
            InputError: a knob is out of its range.
        """
        if not (0.05 <= abs(self.theta) <= REACH and 1 <= self.critic_steps <= 300):
            raise InputError(
                "lesson 'wasserstein': theta must lie in [0.05, 1.5] or [−1.5, −0.05] and critic_steps in [1, 300]; "
                "choose others."
            )
        overlap = abs(self.theta) < WIDTH
        careless = self.critic_steps < FEW_STEPS
        ways, losses = {}, {}
        for kind, critic in self._critics(seeds).items():
            ways[kind], losses[kind] = train(
                critic, self.theta, seeds(f"explain/wasserstein/{kind}"), steps=self.critic_steps
            )
        slopes = {x: self._slopes(x, seeds) for x in (*_SLOPES_AT, self.theta)}
        return Told(
            self._claims(ways, slopes[self.theta], seeds),
            {
                "theta": self.theta,
                "width": WIDTH,
                "step": STEP,
                "turns": TURNS,
                "critic_steps": self.critic_steps,
                "draws": DRAWS,
                "half": WIDTH / 2,
                "early": _EARLY,
                "end": float(ways["minimax"][-1]),
                "slope": slopes[self.theta][0],
            },
            (
                "two",
                "close" if overlap else "narrow" if abs(self.theta) < NARROW else "stuck",
                "mover",
                "careless" if careless else "played",
            ),
            {
                "reported": (losses["minimax"] + np.log(4)) / 2,
                "paid": losses["mover"],
                "stuck": np.array([0.0 if overlap or careless else 1.0]),
                "way": np.abs(way_home(self.theta)),
                "slopes": np.array([slopes[x] for x in _SLOPES_AT]),
                "counted": np.array(
                    [counted(x, seeds(f"explain/wasserstein/count/{x}"), n=DRAWN)[0] for x in _COUNTED_AT]
                ),
                "moved": np.array([moved(x, seeds(f"explain/wasserstein/move/{x}"), n=DRAWN)[0] for x in _COUNTED_AT]),
            },
        )

    def _claims(
        self, ways: dict[str, NDArray[np.float64]], slopes: tuple[float, float], seeds: Seeds
    ) -> tuple[Claim, ...]:
        half, error_of_half = counted(WIDTH / 2, seeds("explain/wasserstein/half"))
        apart, error_apart = counted(self.theta, seeds("explain/wasserstein/apart"))
        paid, error_paid = moved(self.theta, seeds("explain/wasserstein/paid"))
        home = way_home(self.theta)
        claims = [
            Claim("half", float(jensen_shannon(WIDTH / 2)), half, error_of_half, "sampling"),
            Claim("apart", float(jensen_shannon(self.theta)), apart, max(error_apart, 1e-9), "sampling"),
            Claim("paid", float(earth_mover(self.theta)), paid, error_paid, "sampling"),
            Claim("mover_slope", float(earth_mover_slope(self.theta)), slopes[1], 0.001, "training"),
        ]
        careless = self.critic_steps < FEW_STEPS
        if abs(self.theta) > WIDTH:
            flat = float(jensen_shannon_slope(self.theta))
            claims.insert(2, Claim("flat", flat, slopes[0], 0.02, "training"))
            if not careless:
                claims.append(Claim("stays", self.theta, float(ways["minimax"][-1]), 0.02, "training"))
        if not careless:
            late = float(np.abs(ways["mover"] - home).max())
            claims.append(Claim("early", home[_EARLY], float(ways["mover"][_EARLY]), 2 * STEP, "training"))
            claims.append(Claim("way", 0.0, late, 2 * STEP, "training"))
        return tuple(claims)

    def _critics(self, seeds: Seeds) -> dict[str, NeuralCritic | StraightCritic]:
        return {
            "minimax": NeuralCritic(seeds("explain/wasserstein/weights"), reach=REACH),
            "mover": StraightCritic(),
        }

    def _slopes(self, theta: float, seeds: Seeds) -> tuple[float, float]:
        """Of the Jensen–Shannon divergence and of the earth mover's distance, each by a critic trained for it."""
        critics = self._critics(seeds)
        rng = seeds(f"explain/wasserstein/slope/{theta}")
        return (
            trained_slope(critics["minimax"], theta, rng) / 2,  # the value of the game is 2 · JSD − log 4
            trained_slope(critics["mover"], theta, rng),
        )

    def draw(self, told: Told, words: Words) -> Picture:
        """Both distances over θ; their slopes; what both critics report while the forger learns."""
        with house_style():
            panels = tuple(
                Panel(f"panels.{key}", to_svg(drawing(told, words), key=key, label=words(f"panels.{key}")))
                for key, drawing in (("distance", _draw_distance), ("slope", _draw_slope), ("training", _draw_training))
            )
        return Picture(
            panels, (("dash first", "legend.divergence"), ("line second", "legend.mover"), ("ring", "legend.tried"))
        )


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────

_EARLY = 25
_COUNTED_AT = (-1.4, -1.0, -0.6, -0.2, -0.1, 0.1, 0.2, 0.6, 1.0, 1.4)
_SLOPES_AT = (-1.4, -1.0, -0.6, -0.1, 0.1, 0.6, 1.0, 1.4)


def _draw_distance(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    x = np.linspace(-REACH, REACH, 301)
    axes.plot(x, jensen_shannon(x), color=FIRST, linestyle=DASHED, linewidth=2.2)
    axes.plot(x, earth_mover(x), color=SECOND, linewidth=2.2)
    _rings(axes, _COUNTED_AT, told.drawn["counted"], FIRST)
    _rings(axes, _COUNTED_AT, told.drawn["moved"], SECOND)
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(0, REACH)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.theta"))
    axes.set_ylabel(words("axes.distance"))
    return axes


def _draw_slope(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    x = np.linspace(-REACH, REACH, 3001)
    axes.axhline(0, color=MUTED, linestyle=":", linewidth=1.4)
    axes.plot(x, jensen_shannon_slope(x), color=FIRST, linestyle=DASHED, linewidth=2.2)
    axes.plot(x, earth_mover_slope(x), color=SECOND, linewidth=2.2)
    _rings(axes, _SLOPES_AT, told.drawn["slopes"][:, 0], FIRST)
    _rings(axes, _SLOPES_AT, told.drawn["slopes"][:, 1], SECOND)
    axes.set_xlim(-REACH, REACH)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.theta"))
    axes.set_ylabel(words("axes.slope"))
    return axes


def _draw_training(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    turns = np.arange(TURNS + 1)
    if told.drawn["stuck"].all():
        axes.plot(turns, np.full(turns.size, np.log(2)), color=FIRST, linestyle=DASHED, linewidth=2.2)
    axes.plot(turns, told.drawn["way"], color=SECOND, linewidth=2.2)
    _rings(axes, turns[::5], told.drawn["reported"][::5], FIRST)
    _rings(axes, turns[::5], told.drawn["paid"][::5], SECOND)
    axes.set_xlim(0, TURNS)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.turn"))
    axes.set_ylabel(words("axes.reported"))
    return axes


def _rings(axes: Axes, x: ArrayLike, y: NDArray[np.float64], colour: str) -> None:
    """What was tried, in the colour of its formula."""
    axes.plot(x, y, "o", color=colour, markersize=6, markerfacecolor="none", markeredgewidth=1.6, clip_on=False)
