from __future__ import annotations

import pytest

from semblance.evidence import Evidence, Finding
from semblance.report import words


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (0.5, "0.500"),
        (0.9512, "0.951"),
        (0.99996, "> 0.999"),
        (-0.03, "−0.030"),
        (0.00047, "0.0005"),
        (0.00001, "1e−5"),
        (12345.6, "12\u202f345.6"),
        (-2.0, "−2"),
        (10.0, "10"),
    ],
)
def test_a_number(x: float | None, shown: str) -> None:
    assert words.figure(x) == shown


@pytest.mark.parametrize(("x", "shown"), [(0.573, "57"), (0.004, "0.4"), (0.997, "99.7"), (1.0, "100"), (0.0, "0")])
def test_in_a_hundred(x: float, shown: str) -> None:
    assert words.in_hundred(x) == shown


def verdict(*statuses: str, decision: str = "REFUSE") -> dict[str, object]:
    return {"decision": decision, "policy": {"name": "p"}, "rules": [{"status": s} for s in statuses]}


def test_the_verdict_is_one_sentence_that_counts_right() -> None:
    say = words.verdict_sentence
    assert say(verdict("pass", "pass", "not_applicable", decision="RELEASE")).endswith(
        "it met all 2 rules of the policy “p”."
    )
    assert say(verdict("pass", "fail")).endswith("1 of 2 rules of the policy “p” was not met.")
    assert say(verdict("fail", "fail", "pass")).endswith("2 of 3 rules of the policy “p” were not met.")
    assert "could not be shown" in say(verdict("fail", "underpowered"))
    assert say({}).startswith("This synthetic table may not be released")


def test_only_what_was_measured_may_be_promised() -> None:
    gap = Finding("utility.gap.auc", "?", -0.01, -0.02, 0.0)
    skipped = Finding("utility.gap.auc", "?", status="skipped", why="w")
    good = verdict("pass", decision="RELEASE")
    for finding, target, promised in ((gap, "death", True), (skipped, "death", False), (gap, None, False)):
        may, _ = words.uses(good, Evidence((finding,), provenance={"target": target}))
        assert any("predicts" in line for line in may) is promised
    assert words.uses(verdict("fail"), Evidence((gap,)))[0][0].startswith("Nothing yet")


def test_a_guarantee_is_claimed_only_where_every_charge_states_one() -> None:
    spent = {"epsilon": 1.0, "delta": 1e-6}
    unlimited = {"epsilon": None, "delta": None}
    claim = {**spent, "unit": "patient"}
    assert words.has_guarantee(Evidence((), {"charges": [spent], "claim": claim}))
    assert not words.has_guarantee(Evidence((), {"charges": [spent]})), "charged, but not promised"
    assert not words.has_guarantee(Evidence((), {"charges": [spent, unlimited], "claim": claim}))
    assert not words.has_guarantee(Evidence((), {"charges": [], "claim": None}))
    assert not words.has_guarantee(Evidence(()))
    assert "ε = ∞" in words.guarantee_sentence(Evidence(()))


def test_an_unknown_finding_still_has_a_title() -> None:
    assert words.title_of("linkage.row_pairs.excess") == "linkage · row pairs · excess"
    assert words.family_of("fairness.x") == "Fairness"
