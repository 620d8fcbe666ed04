from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from semblance.evidence import Evidence, Finding
from semblance.release.card import write_card
from semblance.release.facts import Facts, Page, mark
from semblance.release.gate import Policy, decide
from semblance.report.language import language
from semblance.schema import Column, Schema

POLICY = Policy.load(None)


def evidence(value: float = 1.0, **facts: object) -> Evidence:
    found = tuple(
        Finding(r.finding, "?", v := (value if r.op == ">=" else 1 - value), v, v, n=900) for r in POLICY.rules
    )
    ledger = {"charges": [{"purpose": "fit", "mechanism": "none", "epsilon": None, "delta": None}]}
    return Evidence(found, ledger, {"target": "death", "synthetic_rows": 900, **facts})


SCHEMA = Schema(
    (
        Column("age", "integer", role="quasi-identifier", unit="years"),
        Column("icd10", "code", code_system="ICD-10"),
        Column("name", "text", role="identifier", handling="surrogate"),
        Column("note", "text", handling="blank"),
        Column("death", "boolean", role="target"),
    ),
    name="t",
)


def card(given: Evidence, synthetic: str | None, **cut: str) -> str:
    return write_card(given, decide(given, POLICY).to_dict(), schema=SCHEMA, synthetic=synthetic, **cut)


def test_a_released_card_names_source_uses_and_limits() -> None:
    text = card(evidence(source={"attribution": "The SUPPORT investigators", "licence": "CC BY 4.0"}), "synthetic.csv")
    assert "may be released" in text
    for line in (
        "The SUPPORT investigators · CC BY 4.0",
        "synthetic.csv",
        "## Intended uses",
        "## Uses that are forbidden",
        "no formal guarantee (ε = ∞)",
        "No formal guarantee (ε = ∞)",
        "predicts death",
        "| age | whole number | known to others | years |",
        "| icd10 | code | feature | – |",
        "never learned; replaced by freshly made values",
        "EMA Policy 0070",
        "ISO/IEC 27559:2022",
        "- 8.2.3 Adversarial testing: together the attacks would have seen a leak of a share of 0 of the rows.",
        "No day of expiry was set",
        "No contact was named",
    ):
        assert line in text
    assert "## What stands in the way" not in text
    assert text.endswith("\n")


def test_a_refused_card_says_what_failed_and_what_to_try() -> None:
    text = card(evidence(-1.0), None)
    assert "may not be released" in text
    assert "synthetic table was not written" in text
    for rule in POLICY.rules:
        assert rule.name in text or rule.finding == "privacy.epsilon"  # less than nothing is a fine epsilon
    assert "Try: " in text


def test_a_source_that_nobody_named_is_not_left_blank() -> None:
    assert "not stated" in card(evidence(), "synthetic.csv")


def test_a_formal_guarantee_is_not_denied() -> None:
    given = evidence()
    charges = [{"purpose": "fit", "mechanism": "Gaussian noise", "epsilon": 0.75, "delta": 1e-6}]
    claim = {
        "epsilon": 0.75,
        "delta": 1e-6,
        "unit": "household",
        "relation": "add_or_remove",
        "rows_per_unit": 3,
        "accounts": {"pld": 0.75, "rdp": 0.8125},
    }
    formal = Evidence(given.findings, {"charges": charges, "claim": claim}, given.provenance)
    told = card(formal, "synthetic.csv")
    assert "No formal guarantee" not in told
    for word in ("0.7500", "0.8125", "1e-06", "household", "one added or removed", "Gaussian noise", "Not covered"):
        assert word in told
    assert "No formal guarantee" in card(given, "synthetic.csv")


def test_names_cannot_break_the_table() -> None:
    text = card(evidence(generator={"name": "a|b\n# *bold* <b>"}), "synthetic.csv")
    assert "a\\|b \\# \\*bold\\* \\<b\\>" in text


def test_a_day_of_expiry_and_a_contact_are_printed() -> None:
    terms = {"contact": "privacy@hospital.example, room 12", "expires": "2027-06-30", "dated": "2026-01-02"}
    text = card(evidence(terms=terms), "synthetic.csv")
    assert "Expires on 2027-06-30" in text
    assert "Released on 2026-01-02" in text
    assert "Ask privacy@hospital.example, room 12." in text


def test_questions_to_the_holdout_and_its_reuse_are_told() -> None:
    given = evidence(holdout={"uses": 3})
    asked = tuple(replace(f, detail={"queries": 1200} if f.name == "copies.near.excess" else {}) for f in given)
    text = card(replace(given, findings=asked), "synthetic.csv")
    assert "| Are there copies? | 1\u202f200 |" in text
    assert "by these held-out patients so far, this one included: 3." in text


# ── every number resolves, or the card is not written ────────────────────────────────────────────────────────────────


def page_and_facts(code: str = "en") -> tuple[Page, Facts]:
    given, say = evidence(0.9625), language(code)
    return Page(say), Facts(given, decide(given, POLICY).to_dict(), SCHEMA, say)


def test_a_number_of_a_finding_may_stand_in_a_card() -> None:
    page, facts = page_and_facts()
    page.add("The columns score {score}.", score=facts.number("fidelity.marginal.score"))
    assert page.text() == "The columns score 0.963.\n"


@pytest.mark.parametrize("pattern", ["The columns score 0.963.", "{score} of 7", "The columns score ٣", "²", "Seen x5"])
def test_a_number_that_is_typed_in_stops_the_card(pattern: str) -> None:
    page, facts = page_and_facts()
    slots = {"score": facts.number("fidelity.marginal.score")} if "{" in pattern else {}
    page.add(pattern, **slots)
    with pytest.raises(ValueError, match="no finding vouches for"):
        page.text()


def test_a_number_that_is_passed_without_its_origin_stops_the_card() -> None:
    page, _ = page_and_facts()
    page.add("The columns score {score}.", score="0.963")
    with pytest.raises(ValueError, match="no finding vouches for"):
        page.text()


def test_a_finding_that_does_not_exist_stops_the_card() -> None:
    _, facts = page_and_facts()
    with pytest.raises(LookupError, match=r"fidelity\.marginal\.scores"):
        facts.number("fidelity.marginal.scores")
    with pytest.raises(LookupError, match=r"split\.train"):
        facts.said("split", "train")
    with pytest.raises(KeyError):
        facts.law("HIPAA")


def test_a_name_cannot_forge_the_mark() -> None:
    page, _ = page_and_facts()
    page.add("Column {name} scores 5", name=mark("a\ue001\ue000"))
    with pytest.raises(ValueError, match="no finding vouches for"):
        page.text()


def test_every_number_of_the_card_stands_in_the_evidence() -> None:
    """The whole card, against everything it may speak of, by an independent look at its digits."""
    given = evidence(0.9625, seed=7, semblance="0.1.0", notes=["Column x9: left out and never learned."])
    verdict = decide(given, POLICY).to_dict()
    text = card(given, "synthetic.csv")
    held = json.dumps([given.to_dict(), verdict], ensure_ascii=False)
    laws = "27559 2022 05 2014 0070 0.09 6 7.2 7.3 8.2.2 8.2.3 8.3.4 9.2 05/2014 icd10"
    known = {float(x) for x in re.findall(r"\d+(?:\.\d+)?", held + laws)}
    rounded = {round(x, digits) for x in known for digits in (0, 1, 2, 3, 4)}
    counted = {float(len(POLICY.rules)), *(float(n) for n in range(len(POLICY.rules) + 1))}
    for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", text.replace("\u202f", "")):
        assert float(number) in known | rounded | counted, number
