"""What a VAE keeps of a patient, and what raising beta takes away: everything linear, so that it can be written down.

The water that rises over the directions is Shannon's: Cover and Thomas (2006), "Elements of information theory",
theorem 10.3.3. That a linear VAE with one price for every nat stands on it: Higgins et al. (2017) for beta, Alemi et
al. (2018), "Fixing a broken ELBO", for rate and distortion, Lucas et al. (2019), "Don't blame the ELBO!", for what a
linear VAE learns; derived here anew with beta in it, see `kept`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from semblance.errors import InputError
from semblance.explain.lesson import Claim, Panel, Picture, Told
from semblance.explain.words import Words
from semblance.report.draw import FAKE, FIRST, MUTED, REAL, SECOND, SOFT, TRAIN, canvas, house_style, to_svg
from semblance.seeds import Seeds

Floats = NDArray[np.float64]

DIRECTIONS = ("ill", "kidneys", "pressure", "marker")
CARRIERS = 0.02  # share of patients who carry the marker
MARK = 5.0  # how far the marker moves those who carry it
VARIANCES: Floats = np.array([4.0, 2.0, 0.8, MARK**2 * CARRIERS * (1 - CARRIERS)])  # (d,), of the directions
NOISE = 0.25  # variance of what the decoder leaves open, in every direction

PRICES = (0.5, 1.0, 1.5, 2.5, 4.0, 6.0, 9.0, 12.0, 20.0)  # betas in the picture
STEPS, BATCH = 1_500, 200
JUDGED = 100_000  # patients drawn to measure what was learned


# ── closed forms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def kept(beta: float | Floats) -> Floats:
    """The share of each direction's variance that survives the code: 1 − θ/λ where λ > θ = beta·noise, else 0: (…, d).

    Along one direction the encoder says N(a·x, s²) and the decoder w·z, and training lowers
    [(1 − w·a)²·λ + w²·s²] / (2·noise) + beta·½·[a²·λ + s² − 1 − log s²]. Where its slopes in a, s² and w vanish:
    s² = θ / (w² + θ), a = w / (w² + θ), and w = 0 or w² = λ − θ. The second is lower wherever it exists.
    """
    return np.asarray(np.maximum(0.0, 1 - np.multiply.outer(beta, NOISE / VARIANCES)))


def rates(beta: float | Floats) -> Floats:
    """What the code spends on each direction, in nats: ½·log(λ/θ) above the water, 0 below it: (…, d)."""
    return -0.5 * np.log1p(-kept(beta))


def distortion(beta: float | Floats) -> Floats:
    """The mean squared error of a rebuilt patient: θ for each direction above the water, all of its variance below."""
    return np.asarray((VARIANCES * (1 - kept(beta))).sum(axis=-1))


def drawn_spread(beta: float) -> float:
    """The variance, summed over directions, of rows drawn from the trained VAE: w² + noise, with w² = λ − θ."""
    return float((VARIANCES * kept(beta) + NOISE).sum())


def carrier_rate(beta: float) -> float:
    """What the code spends on a patient who carries the marker, in nats, the other directions being average.

    KL(q(z|x) ‖ p(z)) along a direction is its rate + ½·(1 − θ/λ)·(x²/λ − 1): 1 on average over patients is x²/λ.
    """
    stands_out = (MARK * (1 - CARRIERS)) ** 2 / VARIANCES[-1] - 1
    return float(rates(beta).sum() + 0.5 * kept(beta)[-1] * stands_out)


# ── the same, by training ────────────────────────────────────────────────────────────────────────────────────────────


def draw_patients(n: int, rng: np.random.Generator) -> Floats:
    """Patients along their directions: (n, d), of mean 0. All are bell-shaped but the marker, which is there or not."""
    made = rng.normal(size=(n, len(VARIANCES))) * np.sqrt(VARIANCES)
    made[:, -1] = MARK * ((rng.random(n) < CARRIERS) - CARRIERS)
    return made


@dataclass(frozen=True)
class Nets:
    """Linear encoders and decoders, one pair for each of b prices, with as many codes as directions.

    Attributes:
        encoder: (b, d, d), from measurements to codes. log_noise: Log of the standard deviation of a code: (b, 1, d).
        decoder: (b, d, d), from codes to measurements.
        mixing: How the measurements mix the directions, which the nets are not told: (d, d), a rotation.
    """

    encoder: Floats
    log_noise: Floats
    decoder: Floats
    mixing: Floats


def slopes(nets: Nets, betas: Floats, x: Floats, draws: Floats) -> tuple[float, tuple[Floats, Floats, Floats]]:
    """What training lowers, summed over prices, and its slopes in encoder, log_noise and decoder.

    Args:
        x: Measured patients: (n, d). draws: Standard normal: (b, n, d).
    """
    price, n, noise = betas[:, None, None], len(x), np.exp(nets.log_noise)
    mean = x @ nets.encoder.swapaxes(1, 2)  # (b, n, d)
    code = mean + noise * draws
    error = code @ nets.decoder.swapaxes(1, 2) - x
    back = error @ nets.decoder / NOISE
    to_prior = 0.5 * (mean**2 + noise**2 - 1 - 2 * nets.log_noise)
    loss = ((error**2).sum() / (2 * NOISE) + (price * to_prior).sum()) / n
    of_encoder = (back + price * mean).swapaxes(1, 2) @ x / n
    of_noise = (back * draws).mean(axis=1, keepdims=True) * noise + price * (noise**2 - 1)
    of_decoder = error.swapaxes(1, 2) @ code / (n * NOISE)
    return float(loss), (of_encoder, of_noise, of_decoder)


def train(betas: Floats, seeds: Seeds) -> Nets:
    """A linear VAE for each price, by Adam (Kingma and Ba 2015), on new patients at every step: nothing to memorise."""
    rng, d = seeds("explain/vae/train"), len(VARIANCES)
    mixing = np.linalg.qr(rng.normal(size=(d, d)))[0]
    shapes = ((len(betas), d, d), (len(betas), 1, d), (len(betas), d, d))
    weights: list[Floats] = [0.1 * rng.normal(size=shape) for shape in shapes]
    first, second = ([np.zeros(shape) for shape in shapes] for _ in range(2))
    for step in range(1, STEPS + 1):
        x = draw_patients(BATCH, rng) @ mixing.T
        nets = Nets(weights[0], weights[1], weights[2], mixing)
        _, found = slopes(nets, betas, x, rng.normal(size=(len(betas), BATCH, d)))
        pace = 0.03 * min(1.0, 2 * (1 - step / STEPS))
        for i, slope in enumerate(found):
            first[i] += 0.1 * (slope - first[i])
            second[i] += 0.01 * (slope**2 - second[i])
            ahead, scale = first[i] / (1 - 0.9**step), np.sqrt(second[i] / (1 - 0.99**step))
            weights[i] = weights[i] - pace * ahead / (scale + 1e-8)
    return Nets(weights[0], weights[1], weights[2], mixing)


@dataclass(frozen=True)
class Measured:
    """One trained VAE, measured on patients that it has not seen.

    Attributes:
        rates: KL(q(z|x) ‖ p(z)) of each code, most first: (d,). kept: As `kept`, from rebuilt patients: (d,).
        distortion, drawn_spread, carrier_rate: As the functions of that name.
    """

    rates: Floats
    kept: Floats
    distortion: float
    drawn_spread: float
    carrier_rate: float


def encode(nets: Nets, which: int, patients: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """The mean of each patient's code, a code drawn, both (n, d), and the codes' standard deviations, (d,)."""
    mean = patients @ nets.mixing.T @ nets.encoder[which].T
    noise = np.exp(nets.log_noise[which, 0])
    return mean, mean + noise * rng.normal(size=mean.shape), noise


def measure(nets: Nets, which: int, rng: np.random.Generator) -> Measured:
    """What the VAE of one price came to."""
    decoder, patients = nets.decoder[which], draw_patients(JUDGED, rng)
    mean, code, noise = encode(nets, which, patients, rng)
    spent = 0.5 * (mean**2 + noise**2 - 1 - 2 * np.log(noise))  # (n, d)
    error = code @ decoder.T @ nets.mixing - patients
    drawn = rng.normal(size=mean.shape) @ decoder.T + np.sqrt(NOISE) * rng.normal(size=mean.shape)
    return Measured(
        np.sort(spent.mean(axis=0))[::-1],
        1 - (error**2).mean(axis=0) / (patients**2).mean(axis=0),
        float((error**2).sum(axis=1).mean()),
        float(drawn.var(axis=0).sum()),
        float(spent[patients[:, -1] > 0].sum(axis=1).mean()),
    )


def known(nets: Nets, which: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mutual information of patient and code in nats, and its standard error: mean of log q(z|x) − log q(z).

    q(z) is the average over a crowd of other patients, which makes the information a little too high, not too low.
    """
    mean, code, noise = encode(nets, which, draw_patients(8_000, rng), rng)
    told, crowd = code[:2_000] / noise, mean[2_000:] / noise
    own = -0.5 * ((told - mean[:2_000] / noise) ** 2).sum(axis=1)
    apart = (told**2).sum(axis=1)[:, None] + (crowd**2).sum(axis=1) - 2 * told @ crowd.T
    learned = own - np.log(np.exp(-0.5 * apart).mean(axis=1))
    return float(learned.mean()), float(learned.std() / np.sqrt(len(learned)))


# ── the lesson ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Vae:
    """Compression and reconstruction, and what raising beta removes.

    Attributes:
        beta: Price of a nat of code, in units of the usual VAE: 0.5 to 30.
    """

    name: ClassVar[str] = "vae"

    beta: float = 4.0

    def run(self, seeds: Seeds) -> Told:
        """Write down, and train, the VAE of the chosen price, the usual one of price 1, and those of the picture."""
        if not 0.5 <= self.beta <= 30:
            raise InputError("lesson 'vae': beta must lie in [0.5, 30]; choose another.")
        betas = np.array([1.0, self.beta, *PRICES])
        nets = train(betas, seeds)
        usual, dear, *others = (measure(nets, i, seeds(f"explain/vae/measure/{i}")) for i in range(len(betas)))
        learned, error = known(nets, 0, seeds("explain/vae/known"))
        now, left = kept(self.beta), int((kept(self.beta) > 0).sum())
        claims = (
            Claim("rate_usual", rates(1.0).sum(), usual.rates.sum(), 0.08, "training"),
            Claim("distortion_usual", float(distortion(1.0)), usual.distortion, 0.1, "training"),
            Claim("known", rates(1.0).sum(), learned, 4 * error, "sampling", "<="),
            Claim("carrier", carrier_rate(1.0), usual.carrier_rate, 0.5, "training"),
            Claim("rate", rates(self.beta).sum(), dear.rates.sum(), 0.08, "training"),
            Claim("distortion", float(distortion(self.beta)), dear.distortion, 0.1, "training"),
            Claim("strongest", rates(self.beta)[0], dear.rates[0], 0.08, "training"),
            *(Claim(f"kept_{DIRECTIONS[i]}", now[i], dear.kept[i], 0.05, "training") for i in (1, 2, 3)),
            Claim("drawn", drawn_spread(self.beta), dear.drawn_spread, 0.2, "training"),
        )
        drawn = "drawn" if self.beta > 1 else "drawn_cheap" if self.beta < 1 else "drawn_usual"
        numbers = {
            "beta": self.beta,
            "left": left,
            "judged": JUDGED,
            "noise": NOISE,
            "water": self.beta * NOISE,
            "average": float(rates(1.0).sum()),
            "carrier": carrier_rate(1.0),
            "all": float(VARIANCES.sum()),
            "drawn": drawn_spread(self.beta),
            **{f"variance_{name}": float(v) for name, v in zip(DIRECTIONS, VARIANCES, strict=True)},
            **{f"gone_{name}": float(v) for name, v in zip(DIRECTIONS, VARIANCES / NOISE, strict=True)},
        }
        return Told(
            claims,
            numbers,
            ("patients", "code", "water", drawn, "average"),
            {
                "kept": np.array([m.kept for m in others]),
                "rate": np.array([m.rates.sum() for m in others]),
                "distortion": np.array([m.distortion for m in others]),
                "beta": np.array([self.beta]),
            },
        )

    def draw(self, told: Told, words: Words) -> Picture:
        """The water over the directions; rate against distortion; what is kept of each direction over beta."""
        with house_style():
            panels = tuple(
                Panel(f"panels.{key}", to_svg(drawn(told, words), key=key, label=words(f"panels.{key}")))
                for key, drawn in (("water", _draw_water), ("plane", _draw_plane), ("kept", _draw_kept))
            )
        return Picture(panels, (("line first", "legend.solved"), ("ring second", "legend.trained")))


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────

_COLOURS = (REAL, TRAIN, FIRST, FAKE)


def _draw_water(told: Told, words: Words) -> Axes:
    axes, at = canvas(340, 290, left=46, bottom=46, right=10, top=12), np.arange(len(VARIANCES))
    water = float(told.drawn["beta"][0]) * NOISE
    axes.bar(at, np.minimum(VARIANCES, water), 0.62, color=SOFT)
    axes.bar(at, np.maximum(VARIANCES - water, 0), 0.62, bottom=np.minimum(VARIANCES, water), color=FIRST)
    axes.axhline(water, color=REAL, linewidth=2.0)
    axes.annotate(
        f"βσ² = {water:.3g}", (len(at) - 0.5, water), (0, 5), textcoords="offset points", ha="right", color=REAL
    )
    axes.set_xticks(at, [words(f"directions.{name}") for name in DIRECTIONS])
    axes.set_xlim(-0.5, len(at) - 0.5)
    axes.set_ylim(0, max(4.3, 1.15 * water))
    axes.grid(axis="y")
    axes.set_ylabel(words("axes.variance"))
    return axes


def _draw_plane(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    along = np.geomspace(0.3, 30, 400)
    axes.plot(distortion(along), rates(along).sum(axis=-1), color=FIRST, linewidth=2.2)
    _rings(axes, told.drawn["distortion"], told.drawn["rate"])
    for beta, x, y in zip(PRICES, told.drawn["distortion"], told.drawn["rate"], strict=True):
        if y > 0.15:
            axes.annotate(f"{beta:g}", (x, y), (8, 4), textcoords="offset points", color=MUTED)
    axes.set_xlim(0, 8)
    axes.set_ylim(0, 5.5)
    axes.grid()
    axes.set_xlabel(words("axes.distortion"))
    axes.set_ylabel(words("axes.rate"))
    return axes


def _draw_kept(told: Told, words: Words) -> Axes:
    axes = canvas(340, 290, left=46, bottom=46, right=10, top=12)
    along = np.geomspace(0.4, 32, 400)
    for i, (name, colour) in enumerate(zip(DIRECTIONS, _COLOURS, strict=True)):
        axes.plot(along, kept(along)[:, i], color=colour, linewidth=2.0)
        _rings(axes, np.array(PRICES), told.drawn["kept"][:, i], colour=colour)
        # beside the line, where it keeps a quarter, and as steep as it is there
        at = (0.75 * VARIANCES[i] / NOISE, 0.25)
        axes.annotate(words(f"directions.{name}"), at, (10, 2), textcoords="offset points", color=colour, rotation=-64,
                      ha="center", va="center", rotation_mode="anchor")  # fmt: skip
    axes.axvline(float(told.drawn["beta"][0]), color=MUTED, linestyle=":", linewidth=1.4)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 4, 8, 16]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0.4, 32)
    axes.set_ylim(-0.02, 1)
    axes.grid(axis="y")
    axes.set_xlabel(words("axes.beta"))
    axes.set_ylabel(words("axes.kept"))
    return axes


def _rings(axes: Axes, x: Floats, y: Floats, *, colour: str = SECOND) -> None:
    """What was trained, always drawn in the same way."""
    axes.plot(x, y, "o", color=colour, markersize=6, markerfacecolor="none", markeredgewidth=1.7, clip_on=False)
