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

LEVEL = 0.025
"""Of each of two tests, so that a measure that never changes is said to change five times in a hundred."""

DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Order:
    """How a measure follows the knob.

    Attributes:
        verdict: "rises" where a line that only rises fits and one that only falls does not, which a flat one is too;
            "falls" the other way round; "flat" where both fit; "turns" where neither does; "unknown" with fewer than
            two points, or without an error.
        p_rises, p_falls: Chance of points at least as far from the best line that only rises (falls), were it true.
        line: The best line of the verdict's kind, point by point; of the better kind where neither fits.
        turn: Where two points break the better order most, as (earlier value, later value); None unless it "turns".
    """

    verdict: Verdict
    p_rises: float | None = None
    p_falls: float | None = None
    line: tuple[float, ...] = ()
    turn: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "line": list(self.line), "turn": list(self.turn) if self.turn else None}


def order_of(places: Sequence[float], values: Sequence[float], errors: Sequence[float], *, freedom: int = 0) -> Order:
    """Judge one measure.

    Args:
        places: The knob's values, rising. values: The measure there. errors: Its standard errors; 0 is taken as exact,
            and then no step against the order is forgiven.
        freedom: Degrees of freedom from which all errors were learned together; 0 where they are known.
    """
    if len(values) < 2:
        return Order("unknown")
    x = np.asarray(values, dtype=np.float64)
    error = np.maximum(np.asarray(errors, dtype=np.float64), 1e-9 * max(1.0, float(np.abs(x).max())))
    weight = 1 / error**2
    up, down = rising(x[None], weight)[0], -rising(-x[None], weight)[0]
    far_up, far_down = (float((weight * (x - line) ** 2).sum()) for line in (up, down))
    p_rises, p_falls = _chance(far_up, weight, freedom), _chance(far_down, weight, freedom)
    verdict = _VERDICTS[p_rises >= LEVEL, p_falls >= LEVEL]
    flat = np.full(len(x), float((weight * x).sum() / weight.sum()))
    line = flat if verdict == "flat" else up if far_up <= far_down else down
    turn = _turn(list(places), x if far_up <= far_down else -x, error) if verdict == "turns" else None
    return Order(verdict, p_rises, p_falls, tuple(float(v) for v in line), turn)


_VERDICTS: dict[tuple[bool, bool], Verdict] = {
    (True, False): "rises",
    (False, True): "falls",
    (True, True): "flat",
    (False, False): "turns",
}


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


def _chance(far: float, weight: Floats, freedom: int) -> float:
    """Of points that lie so far from their best line that only rises, where in truth nothing changes.

    The same for a line that only falls: luck has no side.
    """
    drawn = _misfits(tuple(weight), freedom)
    return float((1 + (drawn >= far - 1e-9).sum()) / (1 + DRAWS))  # 1e-9: a line through every point is not quite 0


@lru_cache(maxsize=8)
def _misfits(weights: tuple[float, ...], freedom: int) -> Floats:
    """What the best rising line leaves of points that are nothing but luck; the same draws for every measure."""
    weight = np.array(weights)
    luck = Seeds(0)("frontier/order").standard_normal((DRAWS, len(weight))) / np.sqrt(weight)
    misfit = np.asarray(((luck - rising(luck, weight)) ** 2 * weight).sum(axis=1))
    if freedom:  # errors that were learned come out too small or too large, by luck of their own
        misfit /= Seeds(0)("frontier/order/errors").chisquare(freedom, DRAWS) / freedom
    return misfit


def _turn(place: Sequence[float], x: Floats, error: Floats) -> tuple[float, float]:
    """The two points that go down most, for their error, where they should rise."""
    drop = (x[:, None] - x[None, :]) / np.hypot(error[:, None], error[None, :])
    drop[np.tril_indices(len(x))] = -np.inf
    first, second = np.unravel_index(int(np.argmax(drop)), drop.shape)
    return place[int(first)], place[int(second)]
