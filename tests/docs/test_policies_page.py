"""The page of policies says what the policies say."""

from __future__ import annotations

import re
from pathlib import Path

from semblance.release.gate import Status
from semblance.release.policy import _HEAD, _NEEDED, _OPTIONAL, BUNDLED, Policy

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]


def test_the_table_of_rules_is_the_policies() -> None:
    told = {row[0]: row[1:] for row in ROWS if len(row) == 6}
    policies = [Policy.load(name) for name in BUNDLED]
    assert told.pop("rule") == ["reads", *BUNDLED]
    told.pop("---")
    assert set(told) == {rule.name for policy in policies for rule in policy.rules}
    for policy, column in zip(policies, (1, 2, 3, 4), strict=True):
        for name, cells in told.items():
            rule = next((r for r in policy.rules if r.name == name), None)
            if rule is None:
                assert cells[column] == "–", (policy.name, name)
                continue
            sign, star = ("≥" if rule.op == ">=" else "≤"), ("" if rule.may_override else " ★")
            assert cells[column] == f"{sign} {rule.limit:g}{star}".replace("-", "−"), (policy.name, name)
            assert cells[0] == ", ".join([*(f"`{f}`" for f in rule.findings), rule.bound])


def test_every_key_has_a_row_and_the_example_uses_each() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    keys = _HEAD | _NEEDED | _OPTIONAL
    assert keys <= {word for row in ROWS for word in re.findall(r"`([^`]+)`", row[0])}
    policy = Policy.loads(example)
    assert keys - {"or_finding", "rules"} <= set(re.findall(r"^(\w+) =", example, re.MULTILINE))
    assert policy.rules[0].applies_if == ("anything to ask",)


def test_every_policy_and_every_status_has_a_row() -> None:
    first = {row[0].strip("`") for row in ROWS}
    assert set(BUNDLED) <= first
    assert set(Status.__args__) <= first  # type: ignore[attr-defined]
