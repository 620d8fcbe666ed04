"""The game behind a GAN, small enough to solve: a forger with one knob against a critic of three categories.

Goodfellow et al. (2014), "Generative adversarial nets": the best critic, the value of the game, and the equilibrium.
How the game is played in turns, and why a large step never settles: the linear view of Mescheder, Geiger and Nowozin
(2018), "Which training methods for GANs do actually converge?".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from semblance.errors import InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.report.draw import DASHED, FAKE, FIRST, MUTED, SECOND, canvas, house_style, to_svg
from semblance.seeds import Seeds

Shares = NDArray[np.float64]  # (..., 3): of smooth, mixed, coarse; they add up to 1

REAL_SHARES: Shares = np.array([0.6, 0.3, 0.1])
EVEN_FORGERIES: Shares = np.array([0.8, 0.2, 0.0])  # what the forger makes with the knob at 0
ROUGH_FORGERIES: Shares = np.array([0.3, 0.45, 0.25])  # and at 1
CATEGORIES = ("smooth", "mixed", "coarse")

SMALL_STEP, LARGE_STEP = 1.0, 5.0
DRAWS = 100_000  # patients a sample, real and forged
GRID = np.linspace(0.0, 1.0, 1001)  # knob positions that are searched


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def forged_shares(theta: float | NDArray[np.float64]) -> Shares:
    """What the forger makes with its knob at `theta`: a mixture of its two kinds of forgeries."""
    return np.asarray(EVEN_FORGERIES + np.multiply.outer(theta, ROUGH_FORGERIES - EVEN_FORGERIES))


def best_critic(real: Shares, fake: Shares) -> Shares:
    """The chance that a patient of each category is real, if half of all patients are: p / (p + q)."""
    return real / (real + fake)


def best_knob() -> float:
    """Where the forgeries have the real shares: the real ones lie on the line between the two kinds."""
    line = ROUGH_FORGERIES - EVEN_FORGERIES
    return float((REAL_SHARES - EVEN_FORGERIES) @ line / (line @ line))


def jensen_shannon(real: Shares, fake: Shares) -> NDArray[np.float64]:
    """The Jensen–Shannon divergence in nats, over the last axis: 0 for equals, log 2 for strangers."""
    middle = (real + fake) / 2
    return (_relative(real, middle) + _relative(fake, middle)) / 2


def _relative(p: Shares, q: Shares) -> NDArray[np.float64]:
    """The Kullback–Leibler divergence in nats; a category that does not occur adds nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(p > 0, p * np.log(p / q), 0.0).sum(axis=-1))


def pace(step: float) -> float:
    """By which factor one round shrinks a small distance from the equilibrium; above 1 it grows and nothing settles.

    The largest eigenvalue of a round, the critic's move and then the forger's, made linear at the equilibrium, where
    the critic says ½: its second derivatives are −p/2 and, mixed, −q′/2.
    """
    slope = ROUGH_FORGERIES - EVEN_FORGERIES
    critic_moves = np.eye(4)
    critic_moves[:3, :3] -= step * np.diag(REAL_SHARES) / 2
    critic_moves[:3, 3] -= step * slope / 2
    forger_moves = np.eye(4)
    forger_moves[3, :3] += step * slope / 2
    return float(np.abs(np.linalg.eigvals(forger_moves @ critic_moves)).max())


# ── the game itself ──────────────────────────────────────────────────────────────────────────────────────────────────


def value(critic: Shares, real: Shares, fake: Shares) -> NDArray[np.float64]:
    """What the critic wins and the forger loses: E log D(real) + E log(1 − D(forged))."""
    with np.errstate(divide="ignore", invalid="ignore"):
        won = np.where(real > 0, real * np.log(critic), 0.0) + np.where(fake > 0, fake * np.log1p(-critic), 0.0)
    return np.asarray(won.sum(axis=-1))


def one_round(logits: Shares, theta: float, step: float) -> tuple[Shares, float]:
    """The critic moves up the slope of the value, then the forger down; each by `step` times its own slope."""
    critic = 1 / (1 + np.exp(-logits))
    logits = logits + step * (REAL_SHARES * (1 - critic) - forged_shares(theta) * critic)
    losing = -np.logaddexp(0.0, logits)  # log(1 − D)
    return logits, float(np.clip(theta - step * ((ROUGH_FORGERIES - EVEN_FORGERIES) @ losing), 0.0, 1.0))


def rounds_of(step: float) -> int:
    """How many rounds are played: small steps need more of them."""
    return round(400 / min(step, 1.0))


def play(theta: float, step: float) -> tuple[NDArray[np.float64], Shares]:
    """The knob after each round, (rounds + 1,), and the critic at the end; the critic starts knowing nothing."""
    logits, knob = np.zeros(3), [theta]
    for _ in range(rounds_of(step)):
        logits, theta = one_round(logits, theta, step)
        knob.append(theta)
    return np.array(knob), 1 / (1 + np.exp(-logits))


def measured_pace(step: float, seeds: Seeds) -> float:
    """The pace by playing: start very near the equilibrium, and put the distance back to where it was each round."""
    near, start = 1e-6, np.append(np.zeros(3), best_knob())
    away = seeds("explain/gan-game/pace").normal(size=4)
    factors = []
    for _ in range(2 * rounds_of(step)):
        away *= near / np.linalg.norm(away)
        logits, theta = one_round((start + away)[:3], (start + away)[3], step)
        away = np.append(logits, theta) - start
        factors.append(float(np.linalg.norm(away) / near))
    return float(np.exp(np.mean(np.log(factors[rounds_of(step) :]))))


def counted(theta: float, rng: np.random.Generator) -> tuple[Shares, float, float]:
    """A critic that only counts drawn patients; what it wins on others; and the standard error of that."""
    real, fake, real_again, fake_again = (
        rng.multinomial(DRAWS, shares) / DRAWS for shares in (REAL_SHARES, forged_shares(theta)) * 2
    )
    critic = real / (real + fake)
    safe = np.clip(critic, 1e-6, 1 - 1e-6)  # what was never seen forged may be forged yet
    won, lost = np.log(safe), np.log1p(-safe)
    spread = _variance(real_again, won) + _variance(fake_again, lost)
    return critic, float(real_again @ won + fake_again @ lost), float(np.sqrt(spread / DRAWS))


def error_of_counting(real: Shares, fake: Shares) -> Shares:
    """The standard error of a share that was counted in two samples of fixed size, by the delta method."""
    spread = fake**2 * real * (1 - real) + real**2 * fake * (1 - fake)
    return np.asarray(np.sqrt(spread / DRAWS) / (real + fake) ** 2)


def _variance(shares: Shares, x: Shares) -> float:
    return float(shares @ x**2 - (shares @ x) ** 2)


def searched_knob() -> float:
    """The knob at which the critic wins least, both by trying positions one after the other."""
    critics = np.linspace(0.0005, 0.9995, 2000)
    most = [
        (np.multiply.outer(fake, np.log1p(-critics)) + real * np.log(critics)).max(axis=-1)
        for real, fake in zip(REAL_SHARES, forged_shares(GRID).T, strict=True)
    ]  # per category, (1001,)
    return float(GRID[np.argmin(np.sum(most, axis=0))])


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class GanGame:
    """The forger starts with its knob at `theta`; both sides move by `step` times their slope."""

    theta: float = 0.9
    step: float = 1.0

    name: ClassVar[str] = "gan-game"

    def run(self, seeds: Seeds) -> Told:
        """Find out, in well under a second.

        Raises:
            InputError: the knob is not in [0, 1], or the step not in [0.05, 20].
        """
        if not (0 <= self.theta <= 1 and 0.05 <= self.step <= 20):
            raise InputError("lesson 'gan-game': theta must lie in [0, 1] and step in [0.05, 20]; choose others.")
        real, fake = REAL_SHARES, forged_shares(self.theta)
        solved = best_critic(real, fake)
        found, won, error = counted(self.theta, seeds("explain/gan-game/start"))
        allowed = 4 * error_of_counting(real, fake)
        every = forged_shares(GRID)
        identity = 2 * jensen_shannon(real, every) - np.log(4)
        slack = np.abs(value(best_critic(real, every), real, every) - identity).max()
        floor, divergence = -np.log(4), float(jensen_shannon(real, fake))
        knob, critic = play(self.theta, self.step)
        factor = pace(self.step)
        other = LARGE_STEP if factor < 1 else SMALL_STEP
        claims = [
            *(
                Claim(f"critic_{category}", solved[i], found[i], allowed[i], "sampling")
                for i, category in enumerate(CATEGORIES)
            ),
            Claim("value", 2 * divergence + floor, won, 4 * error, "sampling"),
            Claim("identity", 0.0, float(slack), 1e-12, "rounding"),
            Claim("knob", best_knob(), searched_knob(), 0.001, "search"),
            Claim("pace", factor, measured_pace(self.step, seeds), 0.001, "training"),
        ]
        if factor < 1:
            furthest = critic[np.argmax(np.abs(critic - 0.5))]
            claims += [
                Claim("played", best_knob(), knob[-1], 1e-4, "training"),
                Claim("half", 0.5, furthest, 1e-4, "training"),
                Claim("floor", floor, float(value(critic, real, forged_shares(knob[-1]))), 1e-4, "training"),
            ]
        return Told(
            tuple(claims),
            {
                "theta": self.theta,
                "best": best_knob(),
                "step": self.step,
                "other": other,
                "pace": factor,
                "rounds": len(knob) - 1,
                "draws": DRAWS,
                "swing": float(np.ptp(knob[-100:])),
            },
            ("players", "critic", "value", "settles" if factor < 1 else "circles"),
            {
                "solved": solved,
                "found": found,
                "identity": identity,
                "knob": knob,
                "sampled": np.array([counted(t, seeds(f"explain/gan-game/{t:.2f}"))[1] for t in _TRIED]),
                "other": play(self.theta, other)[0],
            },
        )

    def draw(self, told: Told, words: Words) -> Picture:
        """The best critic; the value over the knob; the knob as the game goes on."""
        with house_style():
            panels = (
                Panel("panels.critic", to_svg(_draw_critic(told, words), key="critic", label=words("panels.critic"))),
                Panel("panels.value", to_svg(_draw_value(told, words), key="value", label=words("panels.value"))),
                Panel("panels.play", to_svg(_draw_play(told, words), key="play", label=words("panels.play"))),
            )
        legend = (("line first", "legend.solved"), ("ring second", "legend.tried"), ("dash fake", "legend.other"))
        return Picture(panels, legend)


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────

_TRIED = np.linspace(0.0, 1.0, 11)


def _draw_critic(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    at = np.arange(3)
    axes.axhline(0.5, color=MUTED, linestyle=":", linewidth=1.4)
    axes.hlines(told.drawn["solved"], at - 0.3, at + 0.3, color=FIRST, linewidth=2.4)
    _rings(axes, at, told.drawn["found"])
    axes.set_xticks(at, [words(f"categories.{category}") for category in CATEGORIES])
    axes.set_xlim(-0.5, 2.5)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.category"))
    axes.set_ylabel(words("axes.critic"))
    return axes


def _draw_value(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=66, bottom=46, right=10, top=12)
    axes.axhline(-np.log(4), color=MUTED, linestyle=":", linewidth=1.4)
    axes.axvline(best_knob(), color=MUTED, linestyle=":", linewidth=1.4)
    axes.plot(GRID, told.drawn["identity"], color=FIRST, linewidth=2.2)
    _rings(axes, _TRIED, told.drawn["sampled"])
    axes.set_xlim(-0.03, 1.03)
    axes.annotate("−log 4", (1.0, -np.log(4)), (0, 5), textcoords="offset points", ha="right", color=MUTED)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.knob"))
    axes.set_ylabel(words("axes.value"))
    return axes


def _draw_play(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    shown = np.arange(61)
    axes.plot(shown, told.drawn["other"][shown], color=FAKE, linestyle=DASHED, linewidth=1.2)
    axes.axhline(best_knob(), color=FIRST, linewidth=2.2)
    axes.plot(shown, told.drawn["knob"][shown], color=SECOND, linewidth=1.4)
    _rings(axes, shown[::3], told.drawn["knob"][shown[::3]])
    axes.set_xlim(0, 60)
    axes.set_ylim(-0.03, 1.03)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.round"))
    axes.set_ylabel(words("axes.knob"))
    return axes


def _rings(axes: Axes, x: NDArray[np.float64] | NDArray[np.int64], y: NDArray[np.float64]) -> None:
    """What was tried, always drawn in the same way."""
    axes.plot(x, y, "o", color=SECOND, markersize=6.5, markerfacecolor="none", markeredgewidth=1.7, clip_on=False)
