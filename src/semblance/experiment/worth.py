"""What are the added images worth? As many further real ones as would have taught as much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.experiment.inference import Resampled
from semblance.experiment.plan import MORE, REAL, Setting

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Worth:
    """Further real images of the rare class.

    Attributes:
        images, low, high: 0 for none at all, `most` for that or more. most: As many as were tried.
    """

    images: float
    low: float
    high: float
    most: int


def worth(here: Resampled, one: Setting, counts: Mapping[Setting, int], *, confidence: float) -> Worth | None:
    """Where the arm lies on the curve of more real images, with a bootstrap interval; None without such a curve.

    Args:
        counts: Real images of the rare class in each of the settings that add real ones, and in the real arm.

    The curve goes through the real arm and all that add real images at this cut, on a logarithmic scale of counts, and
    is made to rise where it does not (a running maximum).
    """
    curve = sorted((n, s) for s, n in counts.items() if s.keep == one.keep and s.arm in (REAL, MORE))
    if len(curve) < 2:
        return None
    at = np.log([float(n) for n, _ in curve])
    own = here.samples(one)
    samples = np.stack([here.samples(s) for _, s in curve])
    found = [float(_place(own[k], samples[:, k], at)) for k in range(len(own))]
    value = _place(here.points[one].mean(), np.array([here.points[s].mean() for _, s in curve]), at)
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(found, [tail, 1 - tail])
    least, most = curve[0][0], curve[-1][0]
    low, high = min(value, float(low)), max(value, float(high))
    return Worth(value - least, low - least, high - least, most - least)


def _place(area: float, curve: Floats, at: Floats) -> float:
    """Count at which a rising curve reaches the area."""
    return float(np.exp(np.interp(area, np.maximum.accumulate(curve), at)))
