"""Evidence in, verdict out: a pure function that releases only what every rule of a policy lets pass.

A rule reads a *bound* of a finding's interval, never its estimate alone, because a release must be safe for the
worst case the data still allow. Whatever is missing, skipped or underpowered counts against release. All rules must
be met at once, so that judging many needs no correction: each one alone keeps the error of its own interval
(an intersection-union test; Berger, Technometrics 1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from semblance.evidence import NOTHING_TO_ASK, Evidence, Finding
from semblance.release.overrides import Override, check_overrides
from semblance.release.policy import Condition, Policy, Rule

Status = Literal["pass", "fail", "underpowered", "not_run", "not_applicable", "withheld"]
Decision = Literal["RELEASE", "REFUSE"]

WITHHELD = "withheld"
"""Fact of a folder that is shared: which rules the board saw met, by findings that no epsilon covers."""
_ANSWERED = ("pass", "not_applicable", "withheld")

POLICY_CHANGED = "protocol.policy.changed"

_FALLS_AWAY: Mapping[Condition, str] = {
    "target": "There is no target, so this was not asked.",
    "recipe": "The table was made elsewhere: there is no recipe to refit, so this could not be asked.",
    "guarantee": "No epsilon is promised, so there is no promise to keep.",
    "anything to ask": "The table holds nothing that could leak in this way, so this was not asked.",
}

__all__ = ["Override", "Policy", "Rule", "Ruling", "Verdict", "decide"]


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
            "may_override": self.rule.may_override,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and every rule behind it in the policy's order.

    Attributes:
        policy: "name", "version" and "sha256" of the policy that was applied; "fixed", the same of the policy that
            was written down before the table was made (None where nobody did); "changed", whether the two differ.
        overrides: Who answers for which rule, met or not.
    """

    rules: tuple[Ruling, ...]
    policy: Mapping[str, Any]
    overrides: tuple[Override, ...] = ()

    @property
    def decision(self) -> Decision:
        """RELEASE only when at least one rule passed and each other one does, does not apply, or is overridden.

        In a folder that is shared and promises an epsilon, rules that the board saw met are withheld, and count as met.
        """
        answered = {o.rule for o in self.overrides}
        open_ = [r for r in self.failures if r.rule.name not in answered]
        return "RELEASE" if not open_ and any(r.status == "pass" for r in self.rules) else "REFUSE"

    @property
    def released(self) -> bool:
        return self.decision == "RELEASE"

    @property
    def failures(self) -> tuple[Ruling, ...]:
        """Every rule that is not met, whatever the reason, overridden or not."""
        return tuple(r for r in self.rules if r.status not in _ANSWERED)

    def to_dict(self) -> dict[str, Any]:
        statuses = {r.rule.name: r.status for r in self.rules}
        return {
            "decision": self.decision,
            "policy": dict(self.policy),
            "rules": [r.to_dict() for r in self.rules],
            "overrides": [{**o.to_dict(), "status": statuses[o.rule]} for o in self.overrides],
        }


def decide(evidence: Evidence, policy: Policy, *, overrides: Sequence[Override] = ()) -> Verdict:
    """Judge `evidence` by `policy`. Pure: no clock, no file, no chance; the same evidence gets the same verdict.

    Raises:
        InputError: an override is of a rule that the policy lacks, or lets nobody override.
    """
    check_overrides(policy, overrides)
    fixed = evidence.provenance.get("policy")
    changed = fixed.get("sha256") != policy.sha256 if isinstance(fixed, Mapping) else None
    findings = {f.name: f for f in (*evidence, *_policy_kept(changed))}
    rulings = tuple(_judge(rule, findings, evidence, policy.confidence) for rule in policy.rules)
    applied = {"name": policy.name, "version": policy.version, "sha256": policy.sha256}
    return Verdict(rulings, {**applied, "fixed": fixed, "changed": changed}, tuple(overrides))


def _policy_kept(changed: bool | None) -> tuple[Finding, ...]:
    """Only the gate can measure this one: which policy is applied is not known before."""
    if changed is None:
        return ()
    question = "Was the policy changed after the table was made?"
    return (Finding(POLICY_CHANGED, question, float(changed), method="SHA-256 of the policy, then and now"),)


def _judge(rule: Rule, findings: Mapping[str, Finding], evidence: Evidence, confidence: float) -> Ruling:
    found = [findings[name] for name in rule.findings if name in findings]
    if rule.name in (evidence.provenance.get(WITHHELD) or ()):
        why = "Read off the patients and covered by no ε: the board saw that it is met, and nobody else is told more."
        return Ruling(rule, rule.finding, "withheld", why)
    for condition in rule.applies_if:
        if _is_absent(condition, evidence, found):
            return Ruling(rule, rule.finding, "not_applicable", _FALLS_AWAY[condition])
    if not found:
        return Ruling(rule, rule.finding, "not_run", "This was not measured, so nothing is known about it.")
    # where a rule names an alternative and both are there, the worse of the two counts
    rulings = [_weigh(rule, finding, confidence) for finding in found]
    return next((r for r in rulings if r.status != "pass"), rulings[0])


def _is_absent(condition: Condition, evidence: Evidence, found: Sequence[Finding]) -> bool:
    """Only where the evidence says in so many words that the thing is absent; silence means that the rule applies."""
    if condition == "anything to ask":
        return bool(found) and all(f.status == "skipped" and f.detail.get(NOTHING_TO_ASK) is True for f in found)
    facts = evidence.provenance
    return condition in facts and facts[condition] is None


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
