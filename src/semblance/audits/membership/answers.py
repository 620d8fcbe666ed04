"""From scores to findings: the area under the ROC curve, and the members found at a stated rate of false alarms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.audits.membership.game import PARTS
from semblance.evidence import Finding

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEW = 100
"""Members or non-members below which an area is noise."""


class Scored(NamedTuple):
    """One attack's answers. Scores of different parts are on one scale.

    Attributes:
        score: Of each patient: (n_patients,).
        alarm: Whether the patient is called a member at the stated rate of false alarms: (n_patients,).
        silent: True when a threshold part was too small for any alarm.
    """

    score: Floats
    alarm: Mask
    silent: bool


def ring(score: Floats, member: Mask, part: Ints, rate: float) -> Scored:
    """Alarms by thresholds from the held-out patients of the parts that are not judged: (n_patients,) each."""
    alarm, silent = np.zeros(len(score), dtype=bool), False
    for k in range(PARTS):
        threshold = stats.threshold_at(score[~member & (part != k)], rate)
        silent |= math.isinf(threshold)
        alarm[part == k] = score[part == k] > threshold
    return Scored(score, alarm, silent)


def area(blank: Finding, score: Floats, member: Mask, *, method: str, parts: bool = False) -> Finding:
    """The area under the ROC curve with DeLong's interval, and the curve for a chart.

    Args:
        parts: Whether the holdout was cut in three for the scores.
    """
    members, others = int(member.sum()), int((~member).sum())
    why = f"fewer than {FEW} members or non-members"
    if not members or not others:
        return replace(blank, n=members + others, status="underpowered", why=why)
    found = stats.auc_interval(score, member)
    few, among = min(members, others) < FEW, " in three rotating parts" * parts
    grid = np.unique(np.minimum(1.0, np.geomspace(min(1.0, 11 / others), 1.0, 31)))
    curve = stats.roc(score, member, grid)
    return replace(
        blank,
        value=found.value,
        low=found.low,
        high=found.high,
        n=members + others,
        status="underpowered" if few else "measured",
        why=why if few else "",
        method=f"{method}; {members} members, {others} non-members{among}; DeLong interval",
        detail={"roc": {"fpr": [float(f"{x:.4g}") for x in grid], "tpr": [round(float(y), 4) for y in curve]}},
    )


def hits(blank: Finding, scored: Scored, member: Mask, *, rate: float, method: str) -> Finding:
    """The share of members found where at most `rate` of the others are called members by mistake."""
    members, others = int(member.sum()), int((~member).sum())
    needed = stats.smallest_n(rate)
    short = scored.silent or others < needed
    share = float(scored.alarm[member].mean())
    tpr = _hit_interval(share, scored.score, member, rate=rate)
    fpr = stats.clopper_pearson(int(scored.alarm[~member].sum()), others)
    percent = f"{100 * rate:g}"
    return replace(
        blank,
        # Where no score could ever ring the alarm, silence is not a measurement.
        value=None if scored.silent else share,
        low=None if scored.silent else tpr[0],
        high=None if scored.silent else tpr[1],
        n=members + others,
        status="underpowered" if short else "measured",
        why=f"{percent} % false alarms need at least {needed} held-out patients to certify" if short else "",
        method=f"{method}; threshold set on held-out patients other than those judged, at a false-alarm rate "
        f"of at most {percent} % (conformal order statistic); Clopper–Pearson interval at the effective number "
        "of members, which allows for the luck of the threshold",
        detail={"false_alarm_rate": {"value": float(scored.alarm[~member].mean()), "low": fpr[0], "high": fpr[1]}},
    )


def _hit_interval(share: float, score: Floats, member: Mask, *, rate: float) -> tuple[float, float]:
    """Clopper–Pearson for fewer members than there were: the threshold was drawn too.

    Had other held-out patients set it, false alarms would scatter around `rate` with a binomial variance, and hits with
    them by the slope of the ROC curve there.
    """
    members, others = int(member.sum()), int((~member).sum())
    before, after = stats.roc(score, member, np.array([rate / 2, 1.5 * rate]))
    slope = float(after - before) / rate
    about = (share * members + 0.5) / (members + 1)
    own = about * (1 - about) / members
    effective = members * own / (own + slope**2 * rate * (1 - rate) / others)
    return stats.clopper_pearson(share * effective, effective)
