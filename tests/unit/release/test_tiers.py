"""The further a page travels, the less it says; what it says is never kinder, and decides the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.errors import BundleError, GateRefused, InputError
from semblance.evidence import Evidence, Finding
from semblance.release import bundle
from semblance.release.gate import Policy, decide
from semblance.release.overrides import Override
from semblance.release.share import share
from semblance.release.signing import Signer
from semblance.release.tiers import TIERS, for_tier, round_outward

POLICY = Policy.load(None)
SECRET = "held-by-one"
FACTS: dict[str, Any] = {
    "target": "death",
    "recipe": "chain",
    "seed": 7,
    "semblance": "0.1.0",
    "generator": {"name": "chain", "parameters": {"trees": 40}},
    "source": {"fingerprint": "a" * 64, "attribution": "The SUPPORT investigators"},
    "split": {"holdout_opened_for": ["audit"], "train_patients": 6374},
    "hashes": {"schema": "b" * 64, "split": "c" * 64, "model": "d" * 64},
    "holdout": {"uses": 2},
    "policy": {"name": POLICY.name, "version": POLICY.version, "sha256": POLICY.sha256},
}


def evidence(*, good: bool = True) -> Evidence:
    found = []
    for rule in POLICY.rules:
        value = (1.0 if rule.op == ">=" else 0.0) if good else (-1.0 if rule.op == ">=" else 2.0)
        columns = [{"name": SECRET, "edges": [1, 2], "holdout_counts": [40, 50]}]
        detail = {
            "columns": columns,
            "queries": 4321,
            "members": 0.12345,
            "groups": [{"name": "sex=f", "value": 0.1234}],
        }
        direction = "higher" if rule.op == ">=" else "lower"
        found.append(
            Finding(rule.finding, "?", value, value, value, n=9105, direction=direction, detail=detail)  # type: ignore[arg-type]
        )
    found.append(Finding("inference.income.advantage", "?", 0.01234, -0.00001, 0.03001, n=8000))
    found.append(Finding("source.unique.share", "?", 0.4321, 0.4, 0.5, n=8000))
    return Evidence(tuple(found), {"charges": []}, FACTS)


# ── what each tier may see ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_board_sees_everything() -> None:
    assert for_tier(evidence(), "board", policy=POLICY) == evidence()


def test_a_recipient_sees_every_finding_rounded_and_no_column_by_column_detail() -> None:
    cut = for_tier(evidence(), "recipient", policy=POLICY)
    assert [f.name for f in cut] == [f.name for f in evidence()]
    leak = cut.get("inference.income.advantage")
    assert leak is not None
    assert (leak.value, leak.low, leak.high, leak.n) == (0.01, -0.01, 0.04, 8000)
    first = cut.findings[0]
    assert first.n == 9100
    assert first.detail == {"queries": 4321, "members": 0.12, "groups": [{"name": "sex=f", "value": 0.12}]}


def test_the_public_sees_headlines_and_how_often_patients_were_asked() -> None:
    cut = for_tier(evidence(), "public", policy=POLICY)
    assert {f.name for f in cut} == {r.finding for r in POLICY.rules}
    assert all(set(f.detail) == {"queries"} for f in cut)
    assert cut.provenance["holdout"] == {"uses": 2}
    assert cut.provenance["split"] == {"holdout_opened_for": ["audit"]}


@pytest.mark.parametrize("tier", TIERS[1:])
def test_no_tier_but_the_boards_tells_how_to_make_the_table_again(tier: str) -> None:
    text = json.dumps(for_tier(evidence(), tier, policy=POLICY).to_dict())
    for inside in ("a" * 64, "b" * 64, "c" * 64, "d" * 64, '"seed"', "trees", "6374", SECRET, "holdout_counts"):
        assert inside not in text
    assert "The SUPPORT investigators" in text


def test_there_is_no_other_tier() -> None:
    with pytest.raises(InputError, match="board, recipient, public"):
        for_tier(evidence(), "press", policy=POLICY)


# ── rounding ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Number = st.floats(-2, 2, allow_nan=False)


@given(Number, Number, Number, st.integers(1, 6))
def test_an_interval_never_gets_narrower_and_moves_less_than_a_last_digit(a: float, b: float, c: float, d: int) -> None:
    low, value, high = sorted((a, b, c))
    rounded = round_outward(Finding("a.b", "?", value, low, high), d)
    assert rounded.low is not None
    assert rounded.high is not None
    assert rounded.low <= low
    assert rounded.high >= high
    assert max(low - rounded.low, rounded.high - high) <= 10.0**-d
    assert round_outward(rounded, d) == rounded


@given(Number, st.sampled_from(["higher", "lower"]), st.integers(1, 6))
def test_a_bare_number_is_never_made_better(value: float, direction: Any, d: int) -> None:
    rounded = round_outward(Finding("a.b", "?", value, direction=direction), d).value
    assert rounded is not None
    assert rounded <= value if direction == "higher" else rounded >= value


@st.composite
def near_the_limit(draw: st.DrawFn) -> Evidence:
    """Numbers that any rounding could push over."""
    found = []
    for rule in POLICY.rules:
        about = st.floats(-0.02, 0.02).map(lambda x, rule=rule: rule.limit + x * 10 ** -(abs(hash(rule.name)) % 4))
        low, value, high = sorted(draw(about) for _ in range(3))
        if draw(st.booleans()):
            low = value = high = draw(st.sampled_from([rule.limit, value]))
        found.append(Finding(rule.finding, "?", value, low, high, n=900))
    return Evidence(tuple(found), provenance=FACTS)


@settings(max_examples=25, deadline=None)
@given(near_the_limit(), st.sampled_from(TIERS[1:]))
def test_every_rule_comes_out_as_it_did_for_the_board(given: Evidence, tier: str) -> None:
    cut = for_tier(given, tier, policy=POLICY)
    before, after = decide(given, POLICY), decide(cut, POLICY)
    assert [r.status for r in before.rules] == [r.status for r in after.rules]
    for finding in cut:
        old = given.get(finding.name)
        assert old is not None
        assert (finding.low or 0) <= (old.low or 0)
        assert (finding.high or 0) >= (old.high or 0)


# ── the folder ───────────────────────────────────────────────────────────────────────────────────────────────────────

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SCHEMA = 'table = "t"\n\n[[column]]\nname = "age"\nkind = "integer"\n'


def board(out: Path, *, good: bool = True, policy: Policy = POLICY, overrides: tuple[Override, ...] = ()) -> Path:
    def table(folder: Path) -> str:
        (folder / "synthetic.csv").write_text("age\n61\n")
        return "synthetic.csv"

    def model(folder: Path) -> None:
        (folder / "fitted").mkdir(parents=True)
        (folder / "fitted" / "trees.txt").write_text("tree")

    given = evidence(good=good)
    return bundle.write(
        out,
        evidence=given,
        verdict=decide(given, policy, overrides=overrides),
        policy=policy,
        schema_text=SCHEMA,
        write_synthetic=table,
        write_model=model,
    )


@pytest.mark.parametrize("tier", TIERS[1:])
def test_a_shared_folder_verifies_by_itself_and_names_where_it_came_from(tmp_path: Path, tier: str) -> None:
    source = board(tmp_path / "board")
    made = share(source, tmp_path / tier, tier=tier, signer=SIGNER)
    found = bundle.verify(made)
    assert (found.tier, found.signed_by) == (tier, SIGNER.fingerprint)
    assert found.manifest["derived_from"] == json.loads((source / "manifest.json").read_text())["sha256"]
    assert found.verdict.decision == "RELEASE"
    assert (made / "synthetic.csv").read_bytes() == (source / "synthetic.csv").read_bytes()
    for file in made.iterdir():
        assert SECRET not in file.read_text()
        assert "a" * 64 not in file.read_text()
    again = share(source, tmp_path / "again", tier=tier, signer=SIGNER)
    assert {p.name: p.read_bytes() for p in made.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}


def test_who_overruled_the_policy_is_told_to_everybody(tmp_path: Path) -> None:
    override = Override(POLICY.rules[2].name, "Ann Lee", "only for a software test")
    source = board(tmp_path / "board", overrides=(override,))
    made = share(source, tmp_path / "public", tier="public")
    assert bundle.verify(made).verdict.overrides == (override,)
    assert "Ann Lee" in (made / "card.md").read_text()


def test_a_model_that_was_released_is_shared_too(tmp_path: Path) -> None:
    policy = Policy.loads(POLICY.text.replace('releases = ["table"]', 'releases = ["table", "model"]'))
    made = share(board(tmp_path / "board", policy=policy), tmp_path / "out", tier="recipient")
    assert (made / "model" / "fitted" / "trees.txt").read_text() == "tree"
    bundle.verify(made)


def test_what_cannot_be_shared(tmp_path: Path) -> None:
    refused = board(tmp_path / "refused", good=False)
    with pytest.raises(GateRefused, match="no table to share"):
        share(refused, tmp_path / "out", tier="public")
    source = board(tmp_path / "board")
    made = share(source, tmp_path / "recipient", tier="recipient")
    with pytest.raises(InputError, match="share from the board's folder"):
        share(made, tmp_path / "out", tier="public")
    with pytest.raises(InputError, match="recipient or public"):
        share(source, tmp_path / "out", tier="board")
    (source / "synthetic.csv").write_text("age\n62\n")
    with pytest.raises(BundleError, match=r"synthetic\.csv was changed"):
        share(source, tmp_path / "out", tier="public")
    assert not (tmp_path / "out").exists()


def test_a_tampered_share_is_found(tmp_path: Path) -> None:
    made = share(board(tmp_path / "board"), tmp_path / "out", tier="recipient")
    facts = json.loads((made / "evidence.json").read_text())
    facts["findings"][0]["value"] = 0.5
    (made / "evidence.json").write_text(json.dumps(facts))
    with pytest.raises(BundleError, match=r"evidence\.json was changed"):
        bundle.verify(made)


# ── where an epsilon is promised ─────────────────────────────────────────────────────────────────────────────────────

CLAIM = {
    "epsilon": 1.0,
    "delta": 1e-6,
    "allowed": 1.0,
    "unit": "patient",
    "relation": "add_or_remove",
    "rows_per_unit": 1,
    "accounts": {"pld": 1.0, "rdp": 1.1},
    "mechanisms": {"event": "gaussian", "noise_multiplier": 4.9},
}
PROMISED = {
    "cohort": "f" * 64,
    "head": "e" * 64,
    "guarantee": "stated per charge",
    "charges": [{"purpose": "fit", "mechanism": "Gaussian noise", "epsilon": 1.0, "delta": 1e-6}],
    "claim": CLAIM,
}


def promised(*, good: bool = True) -> Evidence:
    found = evidence(good=good)
    return Evidence(found.findings, PROMISED, {**FACTS, "guarantee": CLAIM})


@pytest.mark.parametrize("tier", TIERS[1:])
def test_beside_a_promise_nothing_read_off_patients_is_published(tier: str) -> None:
    cut = for_tier(promised(), tier, policy=POLICY)
    assert {f.name.split(".")[0] for f in cut} <= {"privacy", "canaries", "protocol"}
    assert cut.get("privacy.delta.patients") is None  # it tells how many patients there are
    text = json.dumps(cut.to_dict())
    assert "f" * 64 not in text
    assert "e" * 64 not in text
    assert SECRET not in text
    assert cut.ledger["claim"] == CLAIM
    verdict = decide(cut, POLICY)
    assert verdict.released
    statuses = {r.rule.name: r.status for r in verdict.rules}
    assert statuses["No copied patients"] == "withheld"
    assert statuses["Every touch of patients is charged"] == "pass"
    # what promises nothing is told as before
    assert len(list(for_tier(evidence(), tier, policy=POLICY))) > 20


def test_a_rule_that_was_not_met_is_not_withheld() -> None:
    """Withholding hides numbers, never a refusal."""
    bad = [f for f in promised() if f.name != "copies.near.excess"]
    near = Finding("copies.near.excess", "?", 0.5, 0.5, 0.5, n=9105, direction="lower")
    cut = for_tier(Evidence((*bad, near), PROMISED, {**FACTS, "guarantee": CLAIM}), "recipient", policy=POLICY)
    assert not decide(cut, POLICY).released
    assert {r.rule.name for r in decide(cut, POLICY).failures} == {"No near copies"}


def test_the_board_is_told_everything_and_withholds_nothing(tmp_path: Path) -> None:
    assert for_tier(promised(), "board", policy=POLICY) is not None
    hidden = Evidence(promised().findings, PROMISED, {**FACTS, "guarantee": CLAIM, "withheld": ["No copied patients"]})
    with pytest.raises(ValueError, match="withholds nothing"):
        bundle.write(
            tmp_path / "r",
            evidence=hidden,
            verdict=decide(hidden, POLICY),
            policy=POLICY,
            schema_text="",
            write_synthetic=lambda folder: "synthetic.csv",
        )
