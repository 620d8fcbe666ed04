"""What many runs of a bare mechanism on two neighbouring inputs prove about ε.

If it is (ε, δ)-differentially private, no event is more than e^ε times as likely (and δ more) with a patient than
without. An event is chosen on one half of the runs and counted on the other; exact intervals of its two shares
(Clopper and Pearson 1934), each at half the level, bound ε from below. Jagielski, Ullman and Oprea (2020), "Auditing
differentially private machine learning"; Nasr et al. (2021), "Adversary instantiation".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EVENTS = 200
"""Thresholds that are tried on the first half of the runs."""
CAUTION = 1 - 1e-5


@dataclass(frozen=True, slots=True)
class Counted:
    """How often an event happened: in runs with the patient (`hits` of `members`), without (`alarms` of `others`)."""

    hits: int
    members: int
    alarms: int
    others: int

    def __post_init__(self) -> None:
        if not (0 <= self.hits <= self.members and 0 <= self.alarms <= self.others):
            raise ValueError("an event cannot happen more often than the mechanism runs")


@dataclass(frozen=True, slots=True)
class Bound:
    """What was proved. `epsilon`: the lower bound. `provable`: what as many runs could have proved at best."""

    epsilon: float
    provable: float
    counted: Counted


def lower_bound(counted: Counted, delta: float, *, confidence: float = 0.95) -> float:
    """ε is at least this, with this confidence: ln((share with − δ) / share without), or that of not happening.

    Holds for an event that was chosen without looking at these runs, and that is likelier with the patient. Never
    below 0.
    """
    return float(_bounds(np.array([counted.hits]), np.array([counted.alarms]), counted, delta, confidence)[0])


def provable(members: int, others: int, delta: float, *, confidence: float = 0.95) -> float:
    """The largest bound that so many runs could give: an event that always happens with the patient, never without."""
    return lower_bound(Counted(members, members, 0, others), delta, confidence=confidence)


def audit(with_patient: Floats, without: Floats, delta: float, *, confidence: float = 0.95) -> Bound:
    """Bound ε of a mechanism from what it gave on two neighbouring inputs.

    Args:
        with_patient, without: One number for each run, higher where the patient is likelier in, independent of each
            other: (runs,) each. The first half of the runs chooses t, the second counts how often t is reached.

    Raises:
        ValueError: fewer than 20 runs of either.
    """
    half, half_without = len(with_patient) // 2, len(without) // 2
    if min(half, half_without) < 10:
        raise ValueError("at least 20 runs of each are needed")
    chosen = _best_event(with_patient[:half], without[:half_without], delta)
    counted = _count(with_patient[half:], without[half_without:], chosen)
    return Bound(
        lower_bound(counted, delta, confidence=confidence),
        provable(counted.members, counted.others, delta, confidence=confidence),
        counted,
    )


def _best_event(with_patient: Floats, without: Floats, delta: float) -> float:
    """Chosen with more caution than is asked of the answer: the luckiest of many thresholds is mostly lucky."""
    pooled = np.concatenate([with_patient, without])
    tail = np.geomspace(10 / len(pooled), 0.5, EVENTS // 2)  # the telling events are rare
    tried = np.unique(np.quantile(pooled, np.concatenate([tail, 1 - tail]), method="nearest"))
    counts = [_count(with_patient, without, t) for t in tried.tolist()]
    hits, alarms = np.array([c.hits for c in counts]), np.array([c.alarms for c in counts])
    return float(tried[int(np.argmax(_bounds(hits, alarms, counts[0], delta, CAUTION)))])


def _count(with_patient: Floats, without: Floats, threshold: float) -> Counted:
    hits, alarms = int((with_patient >= threshold).sum()), int((without >= threshold).sum())
    return Counted(hits, len(with_patient), alarms, len(without))


def _bounds(hits: Ints, alarms: Ints, runs: Counted, delta: float, confidence: float) -> Floats:
    """The bound of each of several events, counted on as many runs as `runs` was: (events,) each."""
    tail = (1 - confidence) / 2
    hit_low = np.where(hits > 0, beta.ppf(tail, np.maximum(hits, 1), runs.members - hits + 1), 0.0)
    alarm_high = np.where(alarms < runs.others, beta.isf(tail, alarms + 1, np.maximum(runs.others - alarms, 1)), 1.0)
    with np.errstate(divide="ignore"):
        likelier = np.log(np.maximum(hit_low - delta, 0.0) / alarm_high)
        unlikelier = np.log(np.maximum(1 - alarm_high - delta, 0.0) / (1 - hit_low))
    return np.asarray(np.maximum(0.0, np.maximum(likelier, unlikelier)))
