"""Which value of the knob a policy would choose: none, where at none its limits are met.

The gate itself decides (``release/gate.py``), value by value, by those rules of the policy that the sweep could ask.
Of the values that pass, all whose utility lies within one standard error of the best count as equally useful (the rule
of Breiman et al. 1984), and of these the one with the lowest upper bound on membership is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.frontier.points import STRONGEST
from semblance.release.gate import Policy, Ruling, decide

USEFUL = ("utility.tstr.auc", "utility.tstr.r2", "fidelity.c2st.auc")
"""What usefulness is read from: the first of these that was measured wherever the policy is met."""

INTERVAL = 1.959964  # standard errors to one side of a 95 % interval


@dataclass(frozen=True, slots=True)
class Choice:
    """What the policy says of each value, and which it would choose.

    Attributes:
        chosen: A value of the knob; None where the limits are met nowhere.
        rulings: By value, how each rule that was asked came out.
        useful: The finding by which usefulness was compared; empty where nothing was chosen.
        equals: Values that count as equally useful as the best, the chosen one among them.
        not_asked: Names of the policy's rules that a sweep does not ask.
    """

    policy: Policy
    chosen: float | None
    rulings: Mapping[float, tuple[Ruling, ...]]
    useful: str
    equals: tuple[float, ...]
    not_asked: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        rules = [
            {"value": value, "met": met(found), "rules": [r.to_dict() for r in found]}
            for value, found in self.rulings.items()
        ]
        return {
            "policy": {"name": self.policy.name, "version": self.policy.version, "sha256": self.policy.sha256},
            "chosen": self.chosen,
            "useful": self.useful,
            "equally_useful": list(self.equals),
            "not_asked": list(self.not_asked),
            "values": rules,
        }


def met(rulings: Sequence[Ruling]) -> bool:
    """Whether the limits are: some rule passed, and no other failed."""
    statuses = {r.status for r in rulings}
    return "pass" in statuses and statuses <= {"pass", "not_applicable"}


def choose(
    curves: Mapping[float, Mapping[str, Finding]],
    policy: Policy,
    facts: Mapping[str, Any],
    failed: Sequence[float] = (),
) -> Choice:
    """The value that `policy` would choose.

    Args:
        curves: By value of the knob, every finding of its fits as one. facts: "target" and "recipe", as the evidence of
            a release has them. failed: Values at which a fit failed; they are never chosen.
    """
    names = {name for found in curves.values() for name in found}
    asked = tuple(rule for rule in policy.rules if names & set(rule.findings))
    part = replace(policy, rules=asked)
    rulings = {}
    for value, found in curves.items():
        known = {} if value in failed else found
        rulings[value] = decide(Evidence(tuple(known.values()), {}, facts), part).rules
    good = [value for value, found in rulings.items() if met(found)]
    useful = next((name for name in USEFUL if good and all(_measured(curves[v].get(name)) for v in good)), "")
    equals = _as_useful([curves[v][useful] for v in good], good) if useful else good
    chosen = min(equals, key=lambda v: (_risk(curves[v]), v), default=None)
    not_asked = tuple(rule.name for rule in policy.rules if rule not in asked)
    return Choice(policy, chosen, rulings, useful, tuple(equals), not_asked)


def _measured(finding: Finding | None) -> bool:
    return finding is not None and finding.value is not None and finding.low is not None and finding.high is not None


def _as_useful(found: Sequence[Finding], values: Sequence[float]) -> list[float]:
    """The values whose utility lies within one standard error of the best."""
    sign = -1.0 if found[0].direction == "lower" else 1.0
    best = max(found, key=lambda f: sign * (f.value or 0.0))
    error = ((best.high or 0.0) - (best.low or 0.0)) / (2 * INTERVAL)
    least = sign * (best.value or 0.0) - error
    return [v for v, f in zip(values, found, strict=True) if sign * (f.value or 0.0) >= least]


def _risk(found: Mapping[str, Finding]) -> float:
    strongest = found.get(STRONGEST)
    return float("inf") if strongest is None or strongest.high is None else strongest.high
