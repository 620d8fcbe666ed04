"""The exposed: patients who are like nobody else, and every subgroup. An average over all patients hides both."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance import stats
from semblance.attacks.advantage import FEW, Tally, advantage
from semblance.attacks.own import tally
from semblance.attacks.targets import Targets, choose
from semblance.audits.copies.pool import Floats, Made, Mask, Pool
from semblance.contracts import Comparison, Run
from semblance.data.nearest import nearest, smallest_distance
from semblance.evidence import Finding
from semblance.schema import Column

OUTLIERS, GROUPS = "copies.outliers.excess", "copies.groups.excess"
QUESTIONS = {
    OUTLIERS: "Are training patients who are like nobody else repeated more closely than such held-out patients?",
    GROUPS: "In the subgroup that is worst off, are more training patients nearly repeated than held-out ones?",
}
CLOSE = 0.2
"""Distance to a synthetic row, as a share of that to the nearest other real patient, which strangers hardly reach."""
MOST = 3_000
"""Most training, and held-out, patients looked at."""


def exposed(
    comparison: Comparison, columns: tuple[Column, ...], pool: Pool, made: Made, naive: Made, radius: float, run: Run
) -> tuple[Finding, Finding]:
    """Near copies of isolated patients, and of the subgroup that is worst off."""
    targets = choose(comparison, columns, run, members=MOST, others=MOST)
    points = np.vstack([pool.space(targets.members), pool.space(targets.others)])
    to_fake = smallest_distance(points, made.points)
    return _outliers(targets, points, to_fake, naive), _groups(targets, to_fake <= radius, len(made.points))


def _outliers(targets: Targets, points: Any, to_fake: Floats, naive: Made) -> Finding:
    """A synthetic row a fifth as far from an isolated patient as any real one is: what else would have put it there?"""
    at = np.flatnonzero(targets.outliers)
    to_real = nearest(points[at], points, np.arange(len(points)), own=at).distance
    member = targets.member[at]
    members, others = tally(to_fake[at] < CLOSE * to_real, member)
    guess = smallest_distance(points[at], naive.points) < CLOSE * to_real
    return advantage(
        OUTLIERS,
        QUESTIONS[OUTLIERS],
        members=members,
        others=others,
        naive=tally(guess, member)[0],
        method="of the tenth of patients who are farthest from any other, those to whom a synthetic row is less than "
        "a fifth as far as the nearest other real patient",
        detail={"queries": int(others.n)},
    )


def _groups(targets: Targets, hit: Mask, queries: int) -> Finding:
    """The largest excess of any subgroup, its ends simultaneous over all of them (Bonferroni)."""
    sizes = targets.members.n_rows + targets.others.n_rows
    if not targets.groups:
        why = f"no subgroup has {FEW} training and {FEW} held-out patients"
        return Finding(GROUPS, QUESTIONS[GROUPS], n=sizes, unit="share", status="underpowered", why=why)
    confidence = 1 - 0.05 / len(targets.groups)
    found: list[tuple[str, stats.Estimate, Tally, Tally]] = []
    for name, mask in targets.groups.items():
        members, others = tally(hit[mask], targets.member[mask])
        bounds = stats.newcombe(members.hits, members.n, others.hits, others.n, confidence=confidence)
        found.append((name, bounds, members, others))
    worst, bounds, members, others = max(found, key=lambda f: (f[1].value, f[1].high))
    return Finding(
        GROUPS,
        QUESTIONS[GROUPS],
        value=bounds.value,
        low=max(f[1].low for f in found),
        high=max(f[1].high for f in found),
        n=sizes,
        unit="share",
        direction="lower",
        baseline=0.0,
        method="share of patients with a synthetic row within the distance of the near copies, training minus "
        f"held-out; the largest of {len(found)} subgroups, interval simultaneous over all of them (Bonferroni)",
        detail={
            "worst": worst,
            "members": members.rate,
            "others": others.rate,
            "groups": [{"name": n, "value": e.value, "low": e.low, "high": e.high} for n, e, _, _ in found],
            "queries": queries,
        },
    )
