"""Bounds that the data suggest but that are no single patient's own value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CROWD = 11  # patients that must share a value before it may be shown; the usual small-count limit


@dataclass(frozen=True, slots=True)
class Bounds:
    low: float
    high: float
    why: str


def bounds_of(values: NDArray[np.float64], subjects: NDArray[np.int64] | None = None) -> Bounds:
    """Outward bounds of filled values (n,), n >= 1; an extreme stays only if at least 11 patients share it.

    Otherwise the bound moves outward to a round number, which a patient's value can only meet at a natural zero.
    Reads real data: without differential privacy this has no formal guarantee.
    """
    low, high = float(values.min()), float(values.max())
    step = _step(high - low, scale=max(abs(low), abs(high)))
    reasons = []
    ends = []
    for value, side in ((low, -1), (high, 1)):
        if _sharers(values, value, subjects) >= CROWD:
            ends.append(value)
            reasons.append("held by at least 11 patients")
            continue
        ends.append(_outward(value, step, side, natural=low >= 0 and side < 0))
        reasons.append("rounded outward")
    if reasons[0] == reasons[1]:
        return Bounds(ends[0], ends[1], f"both bounds {reasons[0]}")
    return Bounds(ends[0], ends[1], f"lower bound {reasons[0]}, upper bound {reasons[1]}")


def _sharers(values: NDArray[np.float64], value: float, subjects: NDArray[np.int64] | None) -> int:
    holding = values == value
    return int(holding.sum()) if subjects is None else len(np.unique(subjects[holding]))


def _step(spread: float, *, scale: float) -> float:
    """1, 2 or 5 times a power of ten: a tenth of the spread, or of the size where all values are alike."""
    tenth = (spread or scale or 1.0) / 10
    power = 10.0 ** np.floor(np.log10(tenth))
    return float(next(m * power for m in (5, 2, 1) if m * power <= tenth or m == 1))


def _outward(value: float, step: float, side: int, *, natural: bool) -> float:
    steps = np.floor(value / step) if side < 0 else np.ceil(value / step)
    bound = float(steps) * step
    if natural and bound <= 0:
        return 0.0
    if bound == value or abs(bound - value) < step * 1e-6:  # a round value may still be one patient's own
        bound = float(steps + side) * step
    places = max(0, int(-np.floor(np.log10(step)))) if step < 1 else 0
    bound = round(bound, places)
    return max(bound, 0.0) if natural else bound


def date_bounds(values: NDArray[np.float64], *, unit: float) -> Bounds:
    """Whole years around dates on the numeric scale (`unit` days per step: 1 for days, 1/86400 for seconds)."""
    days = np.array([values.min() * unit, values.max() * unit])
    years = (days.astype("int64").astype("datetime64[D]")).astype("datetime64[Y]").astype(int)
    first = np.datetime64(int(years[0]), "Y").astype("datetime64[D]")
    last = np.datetime64(int(years[1]) + 1, "Y").astype("datetime64[D]")
    low, high = float(first.astype("int64")) / unit, float(last.astype("int64")) / unit - 1.0
    return Bounds(low, high, "bounds are whole years")
