"""Findings say what was measured or why not; evidence is bytes that do not change."""

from __future__ import annotations

import json
import math

import pytest

from semblance.errors import FormatError
from semblance.evidence import Evidence, Finding, canonical_json


def _evidence() -> Evidence:
    measured = Finding("a.b", "Is it so?", value=0.5, low=0.4, high=0.6, n=40, detail={"counts": [11, None]})
    skipped = Finding("a.c", "And this?", status="skipped", why="there is no target")
    return Evidence((measured, skipped), {"cohort": "ab"}, {"seed": 1})


@pytest.mark.parametrize(
    "broken",
    [
        lambda: Finding("a", "?"),
        lambda: Finding("a", "?", status="skipped"),
        lambda: Finding("a", "?", status="underpowered"),
        lambda: Finding("a", "?", value=math.nan),
        lambda: Finding("a", "?", value=1.0, low=-math.inf),
        lambda: Evidence((Finding("a", "?", value=1.0), Finding("a", "?", value=2.0))),
    ],
)
def test_a_claim_without_a_number_or_a_reason_is_refused(broken) -> None:
    with pytest.raises(ValueError, match=r"finding"):
        broken()


def test_evidence_survives_its_file() -> None:
    text = canonical_json(_evidence().to_dict())
    again = Evidence.from_dict(json.loads(text))
    assert canonical_json(again.to_dict()) == text
    assert again.get("a.b") is not None
    assert again.get("never.asked") is None


def test_a_verdict_beside_it_is_ignored() -> None:
    facts = {**_evidence().to_dict(), "verdict": {"decision": "RELEASE"}}
    assert Evidence.from_dict(facts).to_dict() == Evidence.from_dict(_evidence().to_dict()).to_dict()


@pytest.mark.parametrize(
    "damage",
    [
        {"schema_version": "0"},
        {"findings": [{"question": "no name"}]},
        {"findings": [{"name": "a", "question": "?", "status": "measured", "value": None}]},
        {"findings": 7},
        {"findings": ["a"]},
    ],
)
def test_damaged_evidence_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        Evidence.from_dict({**_evidence().to_dict(), **damage})


def test_equal_evidence_has_equal_bytes_and_no_nan() -> None:
    assert canonical_json({"b": 1, "a": "ε"}) == canonical_json({"a": "ε", "b": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": math.nan})
