"""Simulated patients whose truth is known: brains of tissue maps, scanned by the equation of a spin echo.

Everything here is SIMULATED. A patient is the MNI152 template's tissues under a random affine map and a smooth warp,
with a random pattern of folds, tissue parameters of their own, and perhaps lesions in white matter. Two scans are made
of each, by S = PD (1 - exp(-TR / T1)) exp(-TE / T2), at twice the final resolution, so that voxels mix tissues; then
come the scanner's blur, its bias field, Rician noise (Gudbjartsson and Patz 1995), and the skull is taken away. Tissue
parameters are those measured at 3 T (Wansapura et al. 1999; Stanisz et al. 2005), rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]

SIZE, SPACING, FINE = 64, 3.2, 2
"""Pixels of a side, their size in mm, and how many fine pixels a side of one is made of."""
CENTRE = np.array([98.0, 116.0, 0.0])
"""Of the slices, in the template's voxels."""
LOWEST, HIGHEST = 55.0, 125.0
"""Between these of the template's voxels the slices lie: from the basal ganglia to the top of the ventricles."""
TISSUES = {"gm": (1330.0, 100.0, 0.82), "wm": (850.0, 75.0, 0.71), "csf": (4000.0, 1200.0, 1.0)}
LESION = (1700.0, 150.0, 0.80)
"""T1 and T2 in ms, and proton density."""


@dataclass(frozen=True)
class Hospital:
    """A scanner. `t1`, `t2`: TR and TE in ms. `bias`: sd of the field's logarithm. `noise`: sd, as a share of the
    brightest tissue. `blur`: sd in fine pixels."""

    name: str
    t1: tuple[float, float]
    t2: tuple[float, float]
    bias: float
    noise: float
    blur: float


NORTH = Hospital("north", (500.0, 12.0), (4500.0, 100.0), bias=0.04, noise=0.02, blur=0.5)
SOUTH = Hospital("south", (600.0, 15.0), (3500.0, 90.0), bias=0.08, noise=0.03, blur=0.9)


@dataclass(frozen=True)
class Patient:
    """Slices of one simulated patient.

    Attributes:
        t1, t2: (n, SIZE, SIZE), 0 to 1, scaled as real volumes are (99.7th percentile, times a gain of their own).
        brain: (n, SIZE, SIZE). wm: Share of white matter and lesion there. lesions: Share of lesion.
    """

    t1: Floats
    t2: Floats
    brain: NDArray[np.bool_]
    wm: Floats
    lesions: Floats


def simulate(
    maps: dict[str, Floats], rng: np.random.Generator, hospital: Hospital, *, ill: bool, slices: int = 16
) -> Patient:
    """One patient scanned twice. `ill`: whether there are lesions."""
    place = warp(rng, slices)
    brain, gm, wm = (ndimage.map_coordinates(maps[n], place, order=1) for n in ("brain", "gm", "wm"))
    shares = folded(rng, brain, gm, wm)
    lesion = draw_lesions(rng, shares["wm"]) if ill else np.zeros_like(brain)
    shares = {name: share * (1 - lesion) for name, share in shares.items()} | {"lesion": lesion * brain}
    known = {name: vary(rng, TISSUES.get(name, LESION), 0.12 if name == "lesion" else 0.04) for name in shares}
    inside = coarse(brain) > 0.6
    scans = [scan(rng, shares, known, hospital, echo) * inside for echo in (hospital.t1, hospital.t2)]
    t1, t2 = (np.clip(s / np.percentile(s, 99.7) * rng.uniform(0.75, 1.0), 0, 1).astype(np.float32) for s in scans)
    white, ill_share = coarse(shares["wm"] + shares["lesion"]), coarse(shares["lesion"])
    return Patient(t1, t2, inside, white, ill_share)


def warp(rng: np.random.Generator, slices: int) -> Floats:
    """Where in the template each fine pixel of each slice lies: (3, slices, SIZE × FINE, SIZE × FINE)."""
    side = SIZE * FINE
    line = (np.arange(side) - (side - 1) / 2) * SPACING / FINE
    z = np.linspace(LOWEST, HIGHEST, slices) + rng.uniform(-2, 2)
    # Rows go from front to back, columns from left to right.
    grid = np.stack(np.meshgrid(z, -line, line, indexing="ij")).astype(np.float32)
    x, y, height = grid[2], grid[1], grid[0]
    angle, size = rng.normal(0, 0.06), np.exp(rng.normal(0, 0.05, 2))
    c, s = np.cos(angle), np.sin(angle)
    place = np.stack([size[0] * (c * x - s * y), size[1] * (s * x + c * y), height])
    place += (CENTRE + np.append(rng.normal(0, 3, 2), 0)).reshape(3, 1, 1, 1)
    return (place + np.stack([smooth(rng, place.shape[1:], 10, 3.0) for _ in range(3)])).astype(np.float32)


def smooth(rng: np.random.Generator, shape: tuple[int, ...], width: float, size: float) -> Floats:
    """A random field: Gaussian of that standard deviation, as smooth as `width` fine pixels (slices: an eighth)."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), (width / 8, width, width), mode="wrap")
    return (size * field / field.std()).astype(np.float32)


def folded(rng: np.random.Generator, brain: Floats, gm: Floats, wm: Floats) -> dict[str, Floats]:
    """The template's soft shares made into one person's: a random field decides where they waver, and few do then."""
    csf = np.clip(brain - gm - wm, 0, 1)
    logits = [4 * np.log(share + 0.02) + smooth(rng, brain.shape, 2.5, 1.2) for share in (gm, wm, csf)]
    powers = np.exp(np.stack(logits) - np.max(logits, axis=0))
    return dict(zip(("gm", "wm", "csf"), brain * powers / powers.sum(axis=0), strict=True))


def draw_lesions(rng: np.random.Generator, wm: Floats) -> Floats:
    """Shares of lesion: soft ellipses in deep white matter, one or two in most slices."""
    n, side = len(wm), wm.shape[1]
    rows, columns = np.mgrid[:side, :side]
    lesion = np.zeros_like(wm)
    for number in range(n):
        deep = np.argwhere(ndimage.uniform_filter(wm[number], 9) > 0.85)
        for _ in range(min(int(rng.poisson(1.5)), len(deep))):
            y, x = deep[rng.integers(len(deep))]
            radii, turn = rng.uniform(4.5, 9.0, 2) * FINE / SPACING, rng.uniform(0, np.pi)
            u = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
            v = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
            far = np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2)
            lesion[number] = np.maximum(lesion[number], 1 / (1 + np.exp((far - 1) * 8)))
    return lesion * (wm > 0.5)


def vary(rng: np.random.Generator, known: tuple[float, ...], share: float) -> tuple[float, ...]:
    """A patient's own T1, T2 and proton density."""
    return tuple(value * float(np.exp(rng.normal(0, share * (0.25 if i == 2 else 1)))) for i, value in enumerate(known))


def scan(
    rng: np.random.Generator,
    shares: dict[str, Floats],
    known: dict[str, tuple[float, ...]],
    hospital: Hospital,
    echo: tuple[float, float],
) -> Floats:
    """What the scanner shows: (slices, SIZE, SIZE)."""
    tr, te = echo
    signals = {name: pd * (1 - np.exp(-tr / t1)) * np.exp(-te / t2) for name, (t1, t2, pd) in known.items()}
    whole = sum(share * np.float32(signals[name]) for name, share in shares.items())
    assert isinstance(whole, np.ndarray)
    blurred = ndimage.gaussian_filter(whole, (0, hospital.blur, hospital.blur))
    field = np.exp(smooth(rng, blurred.shape, 40, hospital.bias))
    clean, sd = coarse(blurred * field), hospital.noise * max(signals.values())
    noise = rng.normal(0, sd, (2, *clean.shape))
    return np.hypot(clean + noise[0], noise[1]).astype(np.float32)


def coarse(fine: Floats) -> Floats:
    """Means of FINE × FINE pixels."""
    n, side = len(fine), fine.shape[1] // FINE
    return fine.reshape(n, side, FINE, side, FINE).mean(axis=(2, 4)).astype(np.float32)
