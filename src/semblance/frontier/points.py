"""What was measured at one setting of a knob, and what is known of the setting from several fits.

A point is one fit: a value of the knob and the number of the fit. Fits at the same value differ by luck alone. How much
luck there is, is learned from all values of the knob together, so that two fits at each are enough to say something:
what is hard to measure at one value also varies more there, so luck is counted in lengths of a fit's own interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from scipy import stats as distributions

from semblance.evidence import Finding

ROWS = "rows"
EPSILON = "epsilon"
"""The knob that no recipe has: how many synthetic rows are drawn from one and the same model."""

STRONGEST = "membership.strongest.auc"
"""The worst of all membership attacks that were made: a finding of the sweep's own."""


@dataclass(frozen=True, slots=True)
class Point:
    """One fit, judged.

    Attributes:
        value: Of the knob. fit: Number of the fit at this value, from 0.
        findings: Everything that was asked; empty where learning failed.
        facts: Numbers that the model tells of itself, such as a rate in nats.
        failed: Why nothing could be learned; empty otherwise.
    """

    value: float
    fit: int
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failed: str = ""

    def get(self, name: str) -> Finding | None:
        return next((f for f in self.findings if f.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Without the findings' details, which only a report of one table has room for."""
        findings = [{k: v for k, v in asdict(f).items() if k != "detail"} for f in self.findings]
        return {**asdict(self), "findings": findings, "facts": dict(self.facts), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Point:
        known = {f.name for f in fields(cls)}
        findings = tuple(Finding(**f) for f in data["findings"])
        kept = {k: v for k, v in data.items() if k in known}
        return cls(**{**kept, "findings": findings, "notes": tuple(data["notes"])})


def is_attack(name: str) -> bool:
    """Whether a finding is one attack's answer on all patients: "membership.distance.auc", and no subgroup's."""
    return name.startswith("membership.") and name.endswith(".auc") and name.count(".") == 2


def strongest(findings: Sequence[Finding]) -> Finding | None:
    """The largest estimate, lower and upper end of the membership attacks; None where there is none.

    The largest upper end bounds every attack as surely as each of them bounds its own (Berger, Technometrics 1982).
    """
    attacks = [f for f in findings if is_attack(f.name)]
    if not attacks:
        return None
    blank = replace(
        attacks[0],
        name=STRONGEST,
        question="Can any of the attacks tell who was in the training data? 0.5 is a coin toss.",
        method="the largest estimate, lower end and upper end of all membership attacks that were made",
        n=min(f.n for f in attacks),
        detail={},
    )
    unknown = next((f for f in attacks if f.value is None or f.low is None or f.high is None), None)
    if unknown is not None:
        why = unknown.why or "one of the attacks came without an interval"
        return replace(blank, value=None, low=None, high=None, status="underpowered", why=why)
    ends = {end: max(getattr(f, end) for f in attacks) for end in ("value", "low", "high")}
    return replace(blank, **ends, status="measured", why="")


# ── several fits ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Luck:
    """How far fits at one value lie apart.

    Attributes:
        spread: Their standard deviation, in units of each value's own scale. freedom: Degrees of freedom behind it.
    """

    spread: float
    freedom: int

    @classmethod
    def of(cls, groups: Sequence[Sequence[float]], scales: Sequence[float]) -> Luck:
        """From the fits at each value, each value with its own mean and its own scale, which is above 0."""
        told = [(np.asarray(group), scale) for group, scale in zip(groups, scales, strict=True) if len(group) > 1]
        freedom = sum(len(group) - 1 for group, _ in told)
        squares = sum(float((((group - group.mean()) / scale) ** 2).sum()) for group, scale in told)
        return cls(math.sqrt(squares / freedom) if freedom else 0.0, freedom)

    def error(self, fits: int, scale: float = 1.0) -> float:
        """Standard error that luck alone gives the mean of so many fits; 0 where it is not known."""
        return self.spread * scale / math.sqrt(fits)

    def reach(self, fits: int, scale: float = 1.0) -> float:
        """Half of the 95 % interval that luck alone gives the mean of so many fits; 0 where it is not known."""
        return float(distributions.t.ppf(0.975, self.freedom)) * self.error(fits, scale) if self.freedom else 0.0


def pool(found: Sequence[Finding], luck: Luck, *, scale: float = 1.0) -> Finding:
    """One finding from the same finding of several fits.

    The value is their mean. To either side its interval adds, in squares, the mean reach of a single fit's interval
    (the same patients examine every fit, so fits do not narrow it) and the luck of the fits. Where a finding has no
    interval, the worst fit speaks. What one fit could not measure is not known.
    """
    unknown = next((f for f in found if f.status != "measured" or f.value is None), None)
    if unknown is not None:
        return replace(unknown, value=None, low=None, high=None, detail={})
    values = [float(f.value) for f in found if f.value is not None]
    first = replace(found[0], n=min(f.n for f in found), detail={})
    if any(f.low is None or f.high is None for f in found):
        worst = max if first.direction == "lower" else min
        return replace(first, value=worst(values), low=None, high=None)
    middle = float(np.mean(values))
    down = float(np.mean([max(0.0, v - f.low) for v, f in zip(values, found, strict=True) if f.low is not None]))
    up = float(np.mean([max(0.0, f.high - v) for v, f in zip(values, found, strict=True) if f.high is not None]))
    extra = luck.reach(len(found), scale)
    low, high = middle - math.hypot(down, extra), middle + math.hypot(up, extra)
    if first.unit == "AUC":  # no luck takes an area beyond these
        low, high = max(0.0, low), min(1.0, high)
    return replace(first, value=middle, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Fits:
    """One finding of every fit, by value of the knob, and the luck in it.

    Attributes:
        scales: By value, the mean length of a fit's interval; 1 everywhere where one is empty or not known.
        whole: By value, whether every fit there has the finding.
    """

    found: Mapping[float, Sequence[Finding]]
    luck: Luck
    scales: Mapping[float, float]
    whole: Mapping[float, bool]

    @classmethod
    def of(cls, name: str, points: Sequence[Point]) -> Fits:
        groups: dict[float, list[Finding | None]] = {}
        for point in sorted(points, key=lambda p: (p.value, p.fit)):
            groups.setdefault(point.value, []).append(point.get(name))
        found = {value: [f for f in group if f is not None] for value, group in groups.items()}
        known = [[float(f.value) for f in each if f.value is not None] for each in found.values()]
        scales = dict(zip(found, _scales(list(found.values())), strict=True))
        whole = {value: None not in group for value, group in groups.items()}
        return cls(found, Luck.of(known, list(scales.values())), scales, whole)


def pooled(points: Sequence[Point]) -> dict[float, dict[str, Finding]]:
    """For each value of the knob, in order, every finding of all its fits as one."""
    made: dict[float, dict[str, Finding]] = {value: {} for value in sorted({p.value for p in points})}
    for name in dict.fromkeys(f.name for point in points for f in point.findings):
        fits = Fits.of(name, points)
        for value, each in fits.found.items():
            if fits.whole[value]:
                made[value][name] = pool(each, fits.luck, scale=fits.scales[value])
    return made


def _scales(found: Sequence[Sequence[Finding]]) -> list[float]:
    """The mean length of an interval at each value; 1 everywhere where one is empty or not known."""
    lengths = [[f.high - f.low for f in each if f.low is not None and f.high is not None] for each in found]
    means = [float(np.mean(each)) if each else 0.0 for each in lengths]
    return means if all(mean > 0 for mean in means) else [1.0] * len(found)
