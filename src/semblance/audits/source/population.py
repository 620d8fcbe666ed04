"""From the table to everyone: who is alone in the population, and how surely an outsider could tell."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.source.views import QUESTIONS, THRESHOLD, View, rounded
from semblance.disclosure_risk import population as models
from semblance.disclosure_risk.population import Pitman
from semblance.evidence import Finding, Status

Ints = NDArray[np.int64]

TIMES = (1, 10, 100)
"""Sizes of the population, in tables like this one, that are told where none is stated."""
FEWEST_TOGETHER = 20
"""Patients not alone that a model needs to learn how classes fill up."""
BIAS = (
    "in trials with known populations, from one in ten of the people this was between a tenth too low and twice the "
    "truth, and far too high where all classes are alike in size; from one in a hundred it was further off, both ways"
)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A set of quasi-identifiers with its model, and the same for random halves of the patients."""

    sizes: Ints
    model: Pitman
    ewens: Pitman
    halves: list[tuple[Ints, Pitman]]

    @property
    def n(self) -> int:
        return int(self.sizes.sum())


def beyond(
    views: tuple[View, ...], n: int, rng: np.random.Generator, *, population: int | None, halves: int
) -> tuple[Finding, ...]:
    """Uniqueness in the population, and the risks from a journalist and a marketer.

    Args:
        population: Its size; below the number of patients it counts as that. None tells a range of sizes.
    """
    fitted = [_fit(view, rng, halves) for view in views]
    sizes = [n * t for t in TIMES] if population is None else [max(n, population)]
    detail = {
        "stated": population is not None,
        "threshold": THRESHOLD,
        "sets": [_told(view, f, sizes) for view, f in zip(views, fitted, strict=True)],
    }
    whole = fitted[0]
    if whole is not None:
        return tuple(_finding(name, whole, sizes, rounded(detail)) for name in MEASURES)
    status: Status = "underpowered"
    why = (
        f"fewer than {FEWEST_TOGETHER} patients look like any other, so nothing tells how many would in a larger "
        "population; take everyone as alone there, too"
    )
    told = rounded(detail)
    return tuple(Finding(name, QUESTIONS[name], status=status, why=why, n=n, detail=told) for name in MEASURES)


def _fit(view: View, rng: np.random.Generator, halves: int) -> Fitted | None:
    sizes = np.sort(view.classes.sizes)  # in order: the same whatever the order of the rows
    if sizes[sizes > 1].sum() < FEWEST_TOGETHER:
        return None
    model = models.fit(sizes)
    parts = [p for p in models.half_samples(sizes, rng, replicates=halves) if p.max() > 1]
    return Fitted(sizes, model, models.fit_ewens(sizes), [(p, models.fit(p, start=model)) for p in parts])


def _unique(sizes: Ints, model: Pitman, population: int) -> float:
    """Share of patients alone in the table, times the chance of one alone to stay so."""
    n = int(sizes.sum())
    return float((sizes == 1).sum() / n) * model.stays_alone(n, population)


def _journalist(sizes: Ints, model: Pitman, population: int) -> float:
    return float(model.match_chance(sizes.min(keepdims=True), int(sizes.sum()), population)[0])


def _marketer(sizes: Ints, model: Pitman, population: int) -> float:
    size, many = np.unique(sizes, return_counts=True)
    return float((many * size * model.match_chance(size, int(sizes.sum()), population)).sum() / sizes.sum())


MEASURES: dict[str, tuple[Callable[[Ints, Pitman, int], float], str, float, str]] = {
    "source.population_unique.share": (
        _unique,
        "share",
        0.0,
        "share of patients alone in the table and expected to be alone in the population",
    ),
    "source.journalist.risk": (
        _journalist,
        "risk",
        THRESHOLD,
        "expected 1 / people of the class in the population, for the patient most at risk",
    ),
    "source.marketer.risk": (
        _marketer,
        "share",
        THRESHOLD,
        "expected 1 / people of the class in the population, on average over patients",
    ),
}
"""How each is measured, its unit, its baseline, and the same in words."""


def _told(view: View, fitted: Fitted | None, populations: list[int]) -> dict[str, Any]:
    if fitted is None:
        return {**view.label, "alpha": None, "theta": None, "ewens_theta": None, "populations": []}
    return {
        **view.label,
        "alpha": fitted.model.alpha,
        "theta": fitted.model.theta,
        "ewens_theta": fitted.ewens.theta,
        "populations": [_populations(fitted, size) for size in populations],
    }


def _populations(fitted: Fitted, population: int) -> dict[str, Any]:
    sizes, model, n = fitted.sizes, fitted.model, fitted.n
    size, many = np.unique(sizes, return_counts=True)
    risks = model.match_chance(size, n, population)
    return {
        "times": population / n,
        "population": population,
        "unique": _unique(sizes, model, population),
        "unique_by_model": model.uniques(population) / population,
        "unique_by_ewens": fitted.ewens.uniques(population) / population,
        "match": _match(sizes, n / population),
        "journalist": _journalist(sizes, model, population),
        "above": float((many * size)[risks > THRESHOLD * (1 + 1e-9)].sum() / n),
        "marketer": _marketer(sizes, model, population),
    }


def _match(sizes: Ints, fraction: float) -> float | None:
    """Chance that a match with someone alone in the table is right, whatever the population is like.

    Skinner and Elliot (2002): with a fraction f sampled, f n1 / (f n1 + 2 (1 − f) n2), from patients alone and pairs.
    """
    alone, pairs = float((sizes == 1).sum()), float((sizes == 2).sum())
    at_risk = fraction * alone + 2 * (1 - fraction) * pairs
    return fraction * alone / at_risk if at_risk else None


def _finding(name: str, whole: Fitted, populations: list[int], detail: dict[str, Any]) -> Finding:
    """One population: its estimate and interval. A range: ten times the table, between the ends of the range."""
    _, unit, baseline, words = MEASURES[name]
    found = [_estimate(name, whole, size) for size in populations]
    value = found[len(found) // 2].value
    low, high = min(e.low for e in found), max(e.high for e in found)
    if detail["stated"]:
        about = f"in a population of {populations[0]}, with its 95 % interval from {len(whole.halves)} half samples"
    else:
        about = (
            f"the population is not stated: the value is for {TIMES[1]} times the patients of the table, the interval "
            f"reaches from {TIMES[-1]} times to the table itself"
        )
    return Finding(
        name,
        QUESTIONS[name],
        value=value,
        low=min(low, value),
        high=max(high, value),
        n=whole.n,
        unit=unit,
        direction="lower",
        baseline=baseline,
        method=f"{words}, by the model of Pitman (1995) fitted to the sizes of classes; {about}; {BIAS}",
        detail=detail,
    )


def _estimate(name: str, whole: Fitted, population: int) -> stats.Estimate:
    """The estimate with the spread over halves of the patients; the halves speak of the same population."""
    measure = MEASURES[name][0]
    value = measure(whole.sizes, whole.model, population)
    if population <= whole.n:
        return stats.Estimate(value, value, value)  # the table itself: nothing is estimated
    replicates = np.array([measure(sizes, model, population) for sizes, model in whole.halves])
    return _on_logit(value, replicates)


def _on_logit(value: float, replicates: NDArray[np.float64]) -> stats.Estimate:
    """The delete-half jackknife on the logit scale, where shares near 0 or 1 have room on both sides."""
    inside = replicates[(replicates > 0) & (replicates < 1)]
    if not 0 < value < 1 or len(inside) < 2:
        return stats.Estimate(value, min(value, *replicates, 1.0), max(value, *replicates, 0.0))
    spread = float(np.std(np.log(inside / (1 - inside)), ddof=1))
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(middle + sign * 1.96 * spread))) for sign in (-1, 1))
    return stats.Estimate(value, low, high)
