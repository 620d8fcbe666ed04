"""A rule that was not met, and a person who answers for releasing all the same.

An override changes no status: the rule still reads "fail", with a name and a reason beside it, in the evidence, in the
manifest and on the first screen of the report. A policy can forbid it for a rule (``may_override = false``).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from semblance.errors import InputError
from semblance.release.policy import Policy


@dataclass(frozen=True, slots=True)
class Override:
    """Release although `rule` is not met. `by` is the person who decided so, `reason` what that person would tell a
    patient.
    """

    rule: str
    by: str
    reason: str

    def __post_init__(self) -> None:
        for field in ("rule", "by", "reason"):
            object.__setattr__(self, field, " ".join(str(getattr(self, field)).split()))
        if not self.rule:
            raise InputError("an override needs the name of a rule; take it from the report or from policy.toml.")
        if not self.by:
            raise InputError(f"the override of rule {self.rule!r} names nobody; say who decided it.")
        if not self.reason:
            raise InputError(f"the override of rule {self.rule!r} gives no reason; say why it is justified.")

    def to_dict(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Override:
        """Read back what `to_dict` wrote; other keys are passed over."""
        return cls(str(said["rule"]), str(said["by"]), str(said["reason"]))


def check_overrides(policy: Policy, overrides: Sequence[Override]) -> None:
    """See, before any work is done, that each override is of a rule of `policy` that may be overridden.

    Raises:
        InputError: it is not, or a rule is named twice.
    """
    rules = {rule.name: rule for rule in policy.rules}
    seen: set[str] = set()
    for override in overrides:
        if override.rule not in rules:
            near = difflib.get_close_matches(override.rule, rules, n=1, cutoff=0)
            raise InputError(f"policy {policy.name!r} has no rule {override.rule!r}; perhaps {near[0]!r} is meant.")
        if not rules[override.rule].may_override:
            raise InputError(f"policy {policy.name!r} lets nobody override its rule {override.rule!r}.")
        if override.rule in seen:
            raise InputError(f"rule {override.rule!r} is overridden twice; give one name and one reason.")
        seen.add(override.rule)
