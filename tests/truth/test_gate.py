"""The gate against every way in which evidence can fall short: nothing that got worse may ever be released."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.evidence import Evidence, Finding
from semblance.release.gate import Policy, decide
from semblance.release.policy import Rule

DEFAULT = Policy.load(None)
RULES = DEFAULT.rules


def rule_of(**changes: object) -> Rule:
    plain = Rule("r", "a.b", "high", "<=", 0.5, "because", "somewhere", "something")
    return replace(plain, **changes)  # type: ignore[arg-type]


def policy_of(*rules: Rule) -> Policy:
    return Policy("test", "1", "", 0.95, rules, "")


def measured(
    name: str = "a.b", value: float = 0.4, low: float | None = 0.3, high: float | None = 0.45, **more: object
) -> Finding:
    return Finding(name, "?", value, low, high, n=100, **more)  # type: ignore[arg-type]


def good_for(rule: Rule) -> Finding:
    """A finding that meets `rule` with room to spare."""
    value = rule.limit + (0.01 if rule.op == ">=" else -0.001) * (rule.bound != "value")
    return Finding(rule.finding, "?", value, value, value, n=5000)


GOOD = Evidence(tuple(good_for(r) for r in RULES), provenance={"target": "death", "recipe": "chain"})


# ── the truth table ──────────────────────────────────────────────────────────────────────────────────────────────────

TABLE = [
    # bound, op, limit, finding, status
    ("high", "<=", 0.5, measured(), "pass"),
    ("high", "<=", 0.45, measured(), "pass"),  # on the limit
    ("high", "<=", 0.449, measured(), "fail"),  # the estimate is fine, the bound is not
    ("low", ">=", 0.3, measured(), "pass"),
    ("low", ">=", 0.35, measured(), "fail"),
    ("value", ">=", 0.4, measured(), "pass"),
    ("value", ">=", 0.41, measured(), "fail"),
    ("value", "<=", 0.4, measured(low=None, high=None), "pass"),
    ("high", "<=", 0.5, measured(high=None), "underpowered"),
    ("low", ">=", 0.1, measured(low=None), "underpowered"),
    ("high", "<=", 0.5, measured(confidence=0.9), "underpowered"),
    ("value", "<=", 0.5, measured(confidence=0.9), "pass"),  # reads no interval
    ("high", "<=", 0.5, measured(value=0.6), "fail"),  # an interval that leaves its own estimate out
    ("low", ">=", 0.3, measured(value=0.2), "fail"),
    ("high", "<=", 0.5, Finding("a.b", "?", status="skipped", why="no time"), "underpowered"),
    ("high", "<=", 0.5, Finding("a.b", "?", status="underpowered", why="too few"), "underpowered"),
    ("high", "<=", 0.5, Finding("a.b", "?", 0.1, 0.1, 0.1, status="underpowered", why="too few"), "underpowered"),
    ("high", "<=", 0.5, measured(name="something.else"), "not_run"),
]


@pytest.mark.parametrize(("bound", "op", "limit", "finding", "status"), TABLE)
def test_each_rule_gets_the_status_it_deserves(
    bound: str, op: str, limit: float, finding: Finding, status: str
) -> None:
    verdict = decide(Evidence((finding,)), policy_of(rule_of(bound=bound, op=op, limit=limit)))
    assert [r.status for r in verdict.rules] == [status]
    assert verdict.decision == ("RELEASE" if status == "pass" else "REFUSE")
    assert all(r.why for r in verdict.rules)


def test_the_reason_tells_too_few_patients_from_a_bad_generator() -> None:
    rules = policy_of(rule_of(bound="low", op=">=", limit=0.9))

    def why(finding: Finding) -> str:
        return decide(Evidence((finding,)), rules).rules[0].why

    assert "with this few patients the claim cannot be made" in why(measured(value=0.95, low=0.85, high=0.99))
    assert "nobody could meet it" in why(measured(value=0.8, low=0.7, high=0.9, baseline=0.88))
    assert (
        why(measured(value=0.8, low=0.7, high=0.9, baseline=0.97))
        == "Its interval starts at 0.7; at least 0.9 is asked."
    )


def test_good_evidence_is_released() -> None:
    verdict = decide(GOOD, DEFAULT)
    assert verdict.decision == "RELEASE"
    assert {r.status for r in verdict.rules} == {"pass"}
    assert verdict.failures == ()


def test_no_evidence_is_refused() -> None:
    verdict = decide(Evidence(()), DEFAULT)
    assert verdict.decision == "REFUSE"
    assert {r.status for r in verdict.rules} == {"not_run"}


def test_a_policy_of_which_nothing_applies_refuses() -> None:
    nothing = Evidence((), provenance={"target": None})
    assert decide(nothing, policy_of(rule_of(applies_if=("target",)))).decision == "REFUSE"


# ── rules that may fall away ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_about_the_target_falls_away_only_where_the_evidence_says_there_is_none() -> None:
    rules = policy_of(rule_of(), rule_of(name="t", finding="u.gap", applies_if=("target",)))
    skipped = Finding("u.gap", "?", status="skipped", why="no target")
    for facts, expected in (({"target": None}, "RELEASE"), ({}, "REFUSE"), ({"target": "death"}, "REFUSE")):
        for findings in ((measured(),), (measured(), skipped)):
            assert decide(Evidence(findings, provenance=facts), rules).decision == expected


def test_a_rule_that_is_not_marked_never_falls_away() -> None:
    verdict = decide(Evidence((), provenance={"target": None, "recipe": None}), DEFAULT)
    marked = {r.name for r in RULES if {"target", "recipe"} & set(r.applies_if)}
    assert {r.rule.name for r in verdict.rules if r.status == "not_applicable"} == marked
    silent = [Finding(r.finding, "?", status="skipped", why="w", detail={"nothing_to_ask": True}) for r in RULES]
    verdict = decide(Evidence(tuple(silent), provenance={"target": "death", "recipe": "chain"}), DEFAULT)
    marked = {r.name for r in RULES if "anything to ask" in r.applies_if}
    assert {r.rule.name for r in verdict.rules if r.status == "not_applicable"} == marked
    assert verdict.decision == "REFUSE"


def test_only_a_skipped_finding_can_say_that_there_was_nothing_to_ask() -> None:
    rules = policy_of(rule_of(), rule_of(name="s", finding="s.o", applies_if=("anything to ask",)))
    said = {"nothing_to_ask": True}
    for finding, expected in (
        (Finding("s.o", "?", status="skipped", why="w", detail=said), "RELEASE"),
        (Finding("s.o", "?", status="skipped", why="w", detail={"nothing_to_ask": "yes"}), "REFUSE"),
        (Finding("s.o", "?", status="skipped", why="no time"), "REFUSE"),
        (Finding("s.o", "?", status="underpowered", why="w", detail=said), "REFUSE"),
        (measured("s.o", 0.9, 0.8, 0.95, detail=said), "REFUSE"),
        (None, "REFUSE"),
    ):
        found = (measured(),) if finding is None else (measured(), finding)
        assert decide(Evidence(found), rules).decision == expected


def test_a_table_made_elsewhere_is_judged_by_what_is_left_and_says_what_could_not_be_asked() -> None:
    needs = {r.finding for r in RULES if "recipe" in r.applies_if}
    found = tuple(f for f in GOOD if f.name not in needs)
    verdict = decide(Evidence(found, provenance={"target": "death", "recipe": None}), DEFAULT)
    assert verdict.decision == "RELEASE"
    unasked = [r for r in verdict.rules if r.status == "not_applicable"]
    assert {r.finding for r in unasked} == needs
    assert all("made elsewhere" in r.why for r in unasked)
    assert decide(Evidence(found, provenance={"target": "death"}), DEFAULT).decision == "REFUSE"


def test_a_policy_that_was_changed_after_the_table_was_made_is_told_from_one_that_was_not() -> None:
    def policy(provenance: object) -> object:
        return decide(replace(GOOD, provenance={**GOOD.provenance, "policy": provenance}), DEFAULT).policy["changed"]

    assert policy({"name": "open-release", "version": "1.0", "sha256": DEFAULT.sha256}) is False
    assert policy({"name": "open-release", "version": "1.0", "sha256": "0" * 64}) is True
    assert policy(None) is None
    assert decide(GOOD, DEFAULT).policy["changed"] is None


def test_a_policy_can_refuse_when_it_was_not_fixed_beforehand() -> None:
    rules = policy_of(rule_of(finding="protocol.policy.changed", bound="value", limit=0.0))
    for sha256, expected in ((rules.sha256, "RELEASE"), ("0" * 64, "REFUSE"), (None, "REFUSE")):
        facts = {} if sha256 is None else {"policy": {"sha256": sha256}}
        assert decide(Evidence((), provenance=facts), rules).decision == expected


def test_of_two_alternatives_the_one_that_is_there_is_read_and_the_worse_of_both() -> None:
    rules = policy_of(rule_of(or_finding="a.c"))
    good, bad = measured("a.b"), measured("a.c", 0.9, 0.8, 0.95)
    assert decide(Evidence((replace(good, name="a.c"),)), rules).decision == "RELEASE"
    assert decide(Evidence((bad,)), rules).decision == "REFUSE"
    verdict = decide(Evidence((good, bad)), rules)
    assert (verdict.decision, verdict.rules[0].finding) == ("REFUSE", "a.c")


# ── it fails closed ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.finding)
def test_each_rule_of_the_default_policy_can_refuse_alone(rule: Rule) -> None:
    others = tuple(f for f in GOOD if f.name != rule.finding)
    good = next(f for f in GOOD if f.name == rule.finding)
    worse = rule.limit + (-0.01 if rule.op == ">=" else 0.01)
    spoiled = [
        None,
        Finding(good.name, "?", status="skipped", why="w"),
        Finding(good.name, "?", status="underpowered", why="w"),
        replace(good, value=worse, low=worse, high=worse),
    ]
    if rule.bound != "value":
        spoiled += [
            replace(good, **{rule.bound: worse}),
            replace(good, **{rule.bound: None}),
            replace(good, confidence=0.8),
        ]
    for finding in spoiled:
        evidence = replace(GOOD, findings=others if finding is None else (*others, finding))
        verdict = decide(evidence, DEFAULT)
        assert verdict.decision == "REFUSE"
        assert [r.rule.name for r in verdict.failures] == [rule.name]


Number = st.floats(-1, 2, allow_nan=False)


@st.composite
def findings(draw: st.DrawFn, rule: Rule) -> Finding | None:
    """Absent, unmeasured or measured; most often near the limit, so that both verdicts happen."""
    kind = draw(st.sampled_from(["good", "good", "good", "near", "odd", "unmeasured", "absent"]))
    if kind == "good":
        return good_for(rule)
    if kind == "absent":
        return None
    if kind == "unmeasured":
        return Finding(rule.finding, "?", status=draw(st.sampled_from(["skipped", "underpowered"])), why="w")
    near = st.floats(rule.limit - 0.02, rule.limit + 0.02)
    value, low, high = (draw(near if kind == "near" else Number) for _ in range(3))
    return Finding(rule.finding, "?", value, low, high, confidence=draw(st.sampled_from([0.95, 0.95, 0.99, 0.9])), n=9)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    chosen = [draw(findings(rule)) for rule in RULES]
    facts = draw(st.sampled_from([{"target": "death"}, {"target": None}, {}]))
    return Evidence(tuple(f for f in chosen if f is not None), provenance=facts)


@st.composite
def worsened(draw: st.DrawFn) -> tuple[Evidence, Evidence]:
    """Evidence, and the same with one finding removed, unmeasured, or a number moved the wrong way."""
    before = draw(evidences().filter(lambda e: e.findings))
    i = draw(st.integers(0, len(before.findings) - 1))
    finding = before.findings[i]
    rule = next(r for r in RULES if r.finding == finding.name)
    step = draw(st.floats(0, 1)) * (-1 if rule.op == ">=" else 1)

    def moved(x: float | None) -> float | None:
        return None if x is None else x + step

    change = draw(st.sampled_from(["remove", "skip", "value", "bound", "no bound", "confidence", "all"]))
    after: Finding | None = {
        "remove": None,
        "skip": Finding(finding.name, "?", status="skipped", why="w"),
        "value": replace(finding, value=moved(finding.value)),
        "bound": replace(finding, low=moved(finding.low), high=moved(finding.high)),
        "no bound": replace(finding, low=None, high=None),
        "confidence": replace(finding, confidence=finding.confidence - 0.1),
        "all": replace(finding, value=moved(finding.value), low=moved(finding.low), high=moved(finding.high)),
    }[change]
    rest = [f for j, f in enumerate(before.findings) if j != i]
    return before, replace(before, findings=tuple(rest if after is None else [*rest, after]))


@settings(max_examples=150, deadline=None)
@given(worsened())
def test_making_evidence_worse_never_turns_a_refusal_into_a_release(pair: tuple[Evidence, Evidence]) -> None:
    before, after = pair
    first, second = decide(before, DEFAULT), decide(after, DEFAULT)
    assert not (first.decision == "REFUSE" and second.decision == "RELEASE")
    assert {r.rule.name for r in first.failures} <= {r.rule.name for r in second.failures}


@settings(max_examples=60, deadline=None)
@given(evidences(), st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(evidence: Evidence, random: object) -> None:
    shuffled = list(evidence.findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(replace(evidence, findings=tuple(shuffled)), DEFAULT) == decide(evidence, DEFAULT)


@settings(max_examples=60, deadline=None)
@given(evidences())
def test_release_means_that_every_rule_holds_at_the_bound_it_reads(evidence: Evidence) -> None:
    verdict = decide(evidence, DEFAULT)
    if verdict.decision == "RELEASE":
        for ruling in verdict.rules:
            finding = evidence.get(ruling.rule.finding)
            if ruling.status == "not_applicable":
                assert evidence.provenance["target"] is None
                continue
            assert finding is not None
            assert ruling.rule.holds(getattr(finding, ruling.rule.bound))
            assert finding.value is not None
            assert ruling.rule.holds(finding.value)


def test_a_table_without_anything_to_ask_says_so_in_the_audits_own_findings() -> None:
    """What the audits skip because there is nothing of the kind carries the word that the policies wait for."""
    from semblance.audits.inference import leaks
    from semblance.audits.linkage import _blank
    from semblance.audits.singling_out import _silent

    for skipped, few in (
        (_silent("univariate", "skipped", "w"), _silent("univariate", "underpowered", "w")),
        (_blank("declared", "skipped", "w"), _blank("declared", "underpowered", "w")),
        (leaks.blank_together("worst", "w", skipped=True), leaks.blank_together("worst", "w")),
    ):
        (rule,) = (r for r in RULES if r.finding == skipped.name)
        assert decide(Evidence((skipped,)), policy_of(rule)).rules[0].status == "not_applicable"
        assert decide(Evidence((few,)), policy_of(rule)).rules[0].status == "underpowered"
