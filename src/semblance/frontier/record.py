"""``frontier.json``: everything that a sweep found, as one dict. The page is drawn from this and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from semblance.evidence import Finding
from semblance.frontier import pareto
from semblance.frontier.choice import INTERVAL, choose
from semblance.frontier.order import Order, order_of
from semblance.frontier.points import STRONGEST, Fits, Luck, Point, pooled
from semblance.release.gate import Policy

VERSION = "1"

UTILITY = ("utility.tstr.auc", "utility.tstr.r2", "fidelity.c2st.auc")
PRIVACY = (STRONGEST, "inference.worst.advantage")
"""What is drawn against each other, each with an interval."""


def build(
    points: Sequence[Point], *, policy: Policy, facts: Mapping[str, Any], head: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole record.

    Args:
        points: In any order; the record has them by value and fit. facts: "target" and "recipe", for the gate.
        head: What the points are of: goes into the record as it is.
    """
    points = sorted(points, key=lambda p: (p.value, p.fit))
    known = pooled(points)
    failed = sorted({p.value for p in points if p.failed})
    return {
        "schema_version": VERSION,
        **head,
        "points": [p.to_dict() for p in points],
        "failed": failed,
        "curves": {
            name: _curve(name, known, Fits.of(name, points))
            for name in dict.fromkeys(n for found in known.values() for n in found)
        },
        "facts": {name: _told(name, points) for name in dict.fromkeys(n for p in points for n in p.facts)},
        "pareto": list(_lines(known)),
        "choice": choose(known, policy, facts, failed).to_dict(),
    }


def _curve(name: str, known: Mapping[float, Mapping[str, Finding]], fits: Fits) -> dict[str, Any]:
    """One finding along the knob, and how it follows it: for any patients, and among those who examined all points."""
    at = {value: found[name] for value, found in known.items() if name in found}
    first = next(iter(at.values()))
    sure = {v: f for v, f in at.items() if f.value is not None and f.low is not None and f.high is not None}
    errors = [((f.high or 0.0) - (f.low or 0.0)) / (2 * INTERVAL) for f in sure.values()]
    order = order_of(list(sure), [f.value or 0.0 for f in sure.values()], errors)
    here = Order("unknown")
    if fits.luck.freedom and sure:
        luck = [fits.luck.error(len(fits.found[v]), fits.scales[v]) for v in sure]
        here = order_of(list(sure), [f.value or 0.0 for f in sure.values()], luck, freedom=fits.luck.freedom)
    points = [
        {"value": v, "estimate": f.value, "low": f.low, "high": f.high, "n": f.n, "status": f.status, "why": f.why,
         "baseline": f.baseline}
        for v, f in at.items()
    ]  # fmt: skip
    return {
        "question": first.question,
        "unit": first.unit,
        "direction": first.direction,
        "confidence": first.confidence,
        "points": points,
        "order": order.to_dict(),
        "order_among_these": here.to_dict(),
    }


def _told(name: str, points: Sequence[Point]) -> dict[str, Any]:
    """One number that the models tell of themselves, along the knob; its error is the luck of the fits."""
    groups: dict[float, list[float]] = {}
    for point in points:
        if name in point.facts:
            groups.setdefault(point.value, []).append(float(point.facts[name]))
    luck = Luck.of(list(groups.values()), [1.0] * len(groups))
    means = [float(np.mean(each)) for each in groups.values()]
    reaches = [luck.reach(len(each)) for each in groups.values()]
    known = luck.freedom > 0
    errors = [luck.error(len(each)) for each in groups.values()]
    order = order_of(list(groups), means, errors, freedom=luck.freedom) if known else Order("unknown")
    return {
        "points": [
            {"value": v, "estimate": m, "low": m - r if known else None, "high": m + r if known else None, "fits": each}
            for (v, each), m, r in zip(groups.items(), means, reaches, strict=True)
        ],
        "order": order.to_dict(),
    }


def _lines(known: Mapping[float, Mapping[str, Finding]]) -> Iterator[dict[str, Any]]:
    """The Pareto line of each utility against each risk, where both were measured at two values or more."""
    for utility, risk in product(UTILITY, PRIVACY):
        pairs = {v: (found.get(utility), found.get(risk)) for v, found in known.items()}
        sure = {v: (u, r) for v, (u, r) in pairs.items() if u and r and u.value is not None and r.value is not None}
        if len(sure) > 1:
            sign = [-1.0 if u.direction == "lower" else 1.0 for u, _ in sure.values()]
            up = [s * (u.value or 0.0) for s, (u, _) in zip(sign, sure.values(), strict=True)]
            on = pareto.line(list(sure), up, [r.value or 0.0 for _, r in sure.values()])
            yield {"utility": utility, "privacy": risk, "line": on}
