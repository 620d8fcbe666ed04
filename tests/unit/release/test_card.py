from __future__ import annotations

from semblance.evidence import Evidence, Finding
from semblance.release.card import write_card
from semblance.release.gate import Policy, decide

POLICY = Policy.load(None)


def evidence(value: float = 1.0, **facts: object) -> Evidence:
    found = tuple(
        Finding(r.finding, "?", v := (value if r.op == ">=" else 1 - value), v, v, n=900) for r in POLICY.rules
    )
    ledger = {"charges": [{"purpose": "fit", "mechanism": "none", "epsilon": None, "delta": None}]}
    return Evidence(found, ledger, {"target": "death", "synthetic_rows": 900, **facts})


def card(given: Evidence, synthetic: str | None) -> str:
    return write_card(given, decide(given, POLICY).to_dict(), synthetic=synthetic)


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
    ):
        assert line in text
    assert "## What stands in the way" not in text
    assert text.endswith("\n")


def test_a_refused_card_says_what_failed_and_what_to_try() -> None:
    text = card(evidence(-1.0), None)
    assert "may not be released" in text
    assert "synthetic table was not written" in text
    for rule in POLICY.rules:
        assert rule.name in text
    assert "Try: " in text


def test_a_source_that_nobody_named_is_not_left_blank() -> None:
    assert "not stated" in card(evidence(), "synthetic.csv")


def test_a_formal_guarantee_is_not_denied() -> None:
    given = evidence()
    formal = Evidence(
        given.findings, {"charges": [{"purpose": "fit", "epsilon": 1.0, "delta": 1e-6}]}, given.provenance
    )
    assert "No formal guarantee" not in card(formal, "synthetic.csv")


def test_names_cannot_break_the_table() -> None:
    text = card(evidence(generator={"name": "a|b\n# *bold* <b>"}), "synthetic.csv")
    assert "a\\|b \\# \\*bold\\* \\<b\\>" in text
