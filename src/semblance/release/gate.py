"""Evidence in, verdict out: a pure function that releases only what every rule of a policy lets pass.

A rule reads a *bound* of a finding's interval, never its estimate alone, because a release must be safe for the
worst case the data still allow. Whatever is missing, skipped or underpowered counts against release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from semblance.evidence import Evidence, Finding
from semblance.release.policy import Policy, Rule

Status = Literal["pass", "fail", "underpowered", "not_run", "not_applicable"]
Decision = Literal["RELEASE", "REFUSE"]

__all__ = ["Policy", "Rule", "Ruling", "Verdict", "decide"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """How one rule came out. `seen` is the bound that was read, None when there was none to read."""

    rule: Rule
    finding: str
    status: Status
    why: str
    seen: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule.name,
            "finding": self.finding,
            "bound": self.seen,
            "reads": self.rule.bound,
            "op": self.rule.op,
            "limit": self.rule.limit,
            "status": self.status,
            "why": self.why,
            "reason": self.rule.reason,
            "source": self.rule.source,
            "try": self.rule.knob,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and every rule behind it in the policy's order."""

    rules: tuple[Ruling, ...]
    policy: Mapping[str, str]

    @property
    def decision(self) -> Decision:
        """RELEASE only when there are rules, each passed or does not apply, and at least one passed."""
        statuses = {r.status for r in self.rules}
        return "RELEASE" if "pass" in statuses and statuses <= {"pass", "not_applicable"} else "REFUSE"

    @property
    def released(self) -> bool:
        return self.decision == "RELEASE"

    @property
    def failures(self) -> tuple[Ruling, ...]:
        """Every rule that stands in the way, whatever the reason."""
        return tuple(r for r in self.rules if r.status not in ("pass", "not_applicable"))

    def to_dict(self) -> dict[str, Any]:
        return {
            "decision": self.decision,
            "policy": dict(self.policy),
            "rules": [r.to_dict() for r in self.rules],
        }


def decide(evidence: Evidence, policy: Policy) -> Verdict:
    """Judge `evidence` by `policy`. Pure: no clock, no file, no chance; the same evidence gets the same verdict."""
    rulings = tuple(_judge(rule, evidence, policy.confidence) for rule in policy.rules)
    return Verdict(rulings, {"name": policy.name, "version": policy.version, "sha256": policy.sha256})


def _judge(rule: Rule, evidence: Evidence, confidence: float) -> Ruling:
    if _does_not_apply(rule, evidence):
        return Ruling(rule, rule.finding, "not_applicable", f"There is no {rule.applies_if}, so this was not asked.")
    found = [f for name in rule.findings if (f := evidence.get(name)) is not None]
    if not found:
        return Ruling(rule, rule.finding, "not_run", "This was not measured, so nothing is known about it.")
    # where a rule names an alternative and both are there, the worse of the two counts
    rulings = [_weigh(rule, finding, confidence) for finding in found]
    return next((r for r in rulings if r.status != "pass"), rulings[0])


def _does_not_apply(rule: Rule, evidence: Evidence) -> bool:
    """Only where the provenance says in so many words that the thing is absent; silence means it applies."""
    facts = evidence.provenance
    return bool(rule.applies_if) and rule.applies_if in facts and facts[rule.applies_if] is None


def _weigh(rule: Rule, finding: Finding, confidence: float) -> Ruling:
    if finding.status != "measured":
        return Ruling(rule, finding.name, "underpowered", finding.why)
    if rule.bound != "value" and finding.confidence < confidence:
        why = f"Its interval holds with {finding.confidence:.0%} confidence; the policy asks for {confidence:.0%}."
        return Ruling(rule, finding.name, "underpowered", why)
    seen = read_bound(rule, finding)
    if seen is None:
        return Ruling(rule, finding.name, "underpowered", "It came without the interval that the policy reads.")
    holds = rule.holds(seen)
    return Ruling(rule, finding.name, "pass" if holds else "fail", _explain(rule, finding, seen, holds), seen)


def read_bound(rule: Rule, finding: Finding) -> float | None:
    """The number the rule reads; never better than the estimate, should an interval lie to one side of it."""
    if finding.value is None or rule.bound == "value":
        return finding.value
    if rule.bound == "low":
        return None if finding.low is None else min(finding.low, finding.value)
    return None if finding.high is None else max(finding.high, finding.value)


def _explain(rule: Rule, finding: Finding, seen: float, holds: bool) -> str:
    limit = _say(rule.limit)
    asked = f"at least {limit} is asked" if rule.op == ">=" else f"at most {limit} is allowed"
    what = {"low": "its interval starts at", "high": "its interval reaches", "value": "it is"}[rule.bound]
    if not holds and rule.bound != "value" and finding.value is not None and rule.holds(finding.value):
        return (
            f"The estimate, {_say(finding.value)}, meets the limit, but {what} {_say(seen)} and {asked}: "
            "with this few patients the claim cannot be made."
        )
    said = f"{what[0].upper()}{what[1:]} {_say(seen)}; {asked}."
    if not holds and finding.baseline is not None and not rule.holds(finding.baseline):
        said += (
            f" Real patients would score {_say(finding.baseline)} here, so with this few of them nobody could meet it."
        )
    return said


def _say(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")
