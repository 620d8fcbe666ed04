"""Does a measure only rise, or only fall, as the knob is turned? Answered within the error of its points.

The best line that only rises is found by pooling adjacent violators (Ayer et al. 1955), weighted by the points'
precision; what it leaves unexplained is compared with what chance leaves where in truth nothing changes, which is the
hardest case of all that only rise (Robertson, Wright and Dykstra 1988, chapter 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semblance.seeds import Seeds

Floats = NDArray[np.float64]
Verdict = Literal["rises", "falls", "flat", "turns", "unknown"]

LEVEL = 0.05
DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Order:
    """How a measure follows the knob.

    Attributes:
        verdict: "rises" or "falls" where it does so within error and a flat line does not fit; "flat" where that fits;
            "turns" where neither order fits; "unknown" with fewer than two points.
        p_rises, p_falls, p_flat: Chance of points at least as far from the best such line, were it true.
        line: The best line of the verdict's kind, point by point.
        turn: Where two points break the better order most, as (earlier value, later value); None unless it "turns".
    """

    verdict: Verdict
    p_rises: float | None = None
    p_falls: float | None = None
    p_flat: float | None = None
    line: tuple[float, ...] = ()
    turn: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "line": list(self.line), "turn": list(self.turn) if self.turn else None}


def order_of(places: Sequence[float], values: Sequence[float], errors: Sequence[float]) -> Order:
    """Judge one measure.

    Args:
        places: The knob's values, rising. values: The measure there. errors: Its standard errors; 0 is taken as exact,
            and then no step against the order is forgiven.
    """
    if len(values) < 2:
        return Order("unknown")
    x, place = np.asarray(values, dtype=np.float64), list(places)
    error = np.maximum(np.asarray(errors, dtype=np.float64), 1e-9 * max(1.0, float(np.abs(x).max())))
    weight = 1 / error**2
    lines = {"rises": rising(x[None], weight)[0], "falls": -rising(-x[None], weight)[0]}
    lines["flat"] = np.full(len(x), float((weight * x).sum() / weight.sum()))
    p = _chances(x, weight, lines)
    better = "rises" if (p["rises"], _misfit(x, lines["falls"], weight)) >= (
        p["falls"], _misfit(x, lines["rises"], weight)
    ) else "falls"  # fmt: skip
    verdict: Verdict = "flat" if p["flat"] >= LEVEL else "turns"
    if verdict == "turns" and p[better] >= LEVEL:
        verdict = "rises" if better == "rises" else "falls"
    turn = _turn(place, x if better == "rises" else -x, error) if verdict == "turns" else None
    line = lines[better if verdict == "turns" else verdict]
    return Order(verdict, p["rises"], p["falls"], p["flat"], tuple(float(v) for v in line), turn)


def rising(values: Floats, weight: Floats) -> Floats:
    """The closest lines that only rise, of many rows at once: (rows, points) in and out.

    The min-max formula: the largest over starts of the smallest over ends of the weighted mean between them.
    """
    n = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values * weight, axis=1)], axis=1)
    mass = np.concatenate([[0.0], np.cumsum(weight)])
    best = np.full_like(values, -np.inf)
    for start in range(n):
        ends = np.arange(start, n)
        means = (sums[:, ends + 1] - sums[:, [start]]) / (mass[ends + 1] - mass[start])  # (rows, ends)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]  # over ends at or after each point
        best[:, start:] = np.maximum(best[:, start:], least)
    return best


def _misfit(x: Floats, line: Floats, weight: Floats) -> float:
    return float((weight * (x - line) ** 2).sum())


def _chances(x: Floats, weight: Floats, lines: dict[str, Floats]) -> dict[str, float]:
    """The p of each kind of line, by drawing points where nothing changes; the draws are the same for every measure."""
    drawn = _drawn(tuple(weight))
    # 1e-9: a line through every point leaves rounding errors, not misfit
    return {
        kind: float((1 + (drawn[kind] >= _misfit(x, line, weight) - 1e-9).sum()) / (1 + DRAWS))
        for kind, line in lines.items()
    }


@lru_cache(maxsize=8)
def _drawn(weights: tuple[float, ...]) -> dict[str, Floats]:
    """The misfit of each kind of line to points that are nothing but luck: (DRAWS,) each."""
    weight = np.array(weights)
    luck = Seeds(0)("frontier/order").standard_normal((DRAWS, len(weight))) / np.sqrt(weight)
    flat = (luck * weight).sum(axis=1, keepdims=True) / weight.sum()
    lines = {"rises": rising(luck, weight), "falls": -rising(-luck, weight), "flat": flat}
    return {kind: ((luck - line) ** 2 * weight).sum(axis=1) for kind, line in lines.items()}


def _turn(place: Sequence[float], x: Floats, error: Floats) -> tuple[float, float]:
    """The two points that go down most, for their error, where they should rise."""
    drop = (x[:, None] - x[None, :]) / np.hypot(error[:, None], error[None, :])
    drop[np.tril_indices(len(x))] = -np.inf
    first, second = np.unravel_index(int(np.argmax(drop)), drop.shape)
    return place[int(first)], place[int(second)]
