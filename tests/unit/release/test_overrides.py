"""A person may answer for a rule that is not met: by name, with a reason, in sight of everybody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.errors import BundleError, InputError
from semblance.evidence import Evidence, Finding, canonical_json
from semblance.release import bundle
from semblance.release.gate import Policy, decide
from semblance.release.manifest import MANIFEST, names_in, own_hash, sha256_of
from semblance.release.overrides import Override, check_overrides
from semblance.release.policy import Rule

STRICT = Rule("No copies", "copies.exact.excess", "high", "<=", 0.002, "because", "law", "more", may_override=False)
RULES = (
    Rule("Looks right", "fidelity.marginal.score", "low", ">=", 0.95, "because", "house", "more"),
    Rule("Is of use", "utility.gap.auc", "low", ">=", -0.05, "because", "house", "more", applies_if=("target",)),
    STRICT,
)
POLICY = Policy("mine", "1", "", 0.95, RULES, "")
GOOD = tuple(Finding(r.finding, "?", v := r.limit, v, v, n=900) for r in RULES)
BAD = tuple(replace(f, value=(v := f.value - 0.5 if f.value != 0.002 else 0.5), low=v, high=v) for f in GOOD if f.value)
ANN = Override("Looks right", "Ann Lee", "the recipient only tests software")


def judged(*bad: str, overrides: tuple[Override, ...] = ()) -> str:
    names = {r.name: r.finding for r in RULES}
    spoiled = {names[name] for name in bad}
    found = tuple(b if g.name in spoiled else g for g, b in zip(GOOD, BAD, strict=True))
    return decide(Evidence(found, provenance={"target": "death"}), POLICY, overrides=overrides).decision


def test_a_release_needs_every_rule_met_or_overridden() -> None:
    bob = replace(ANN, rule="Is of use")
    assert judged() == "RELEASE"
    assert judged("Looks right") == "REFUSE"
    assert judged("Looks right", overrides=(ANN,)) == "RELEASE"
    assert judged("Looks right", "Is of use", overrides=(ANN,)) == "REFUSE"
    assert judged("Looks right", "Is of use", overrides=(bob, ANN)) == "RELEASE"
    assert judged("No copies", overrides=(ANN, bob)) == "REFUSE"


def test_the_status_stays_and_the_person_stands_beside_it() -> None:
    evidence = Evidence((BAD[0], *GOOD[1:]), provenance={"target": "death"})
    verdict = decide(evidence, POLICY, overrides=(ANN, replace(ANN, rule="Is of use"))).to_dict()
    assert [r["status"] for r in verdict["rules"]] == ["fail", "pass", "pass"]
    assert [r["may_override"] for r in verdict["rules"]] == [True, True, False]
    assert [(o["rule"], o["by"], o["reason"], o["status"]) for o in verdict["overrides"]] == [
        ("Looks right", "Ann Lee", "the recipient only tests software", "fail"),
        ("Is of use", "Ann Lee", "the recipient only tests software", "pass"),  # not needed, and said so
    ]


def test_what_is_not_known_can_be_overridden_too_and_is_still_not_known() -> None:
    verdict = decide(Evidence(GOOD[1:], provenance={"target": "death"}), POLICY, overrides=(ANN,))
    assert (verdict.decision, verdict.rules[0].status) == ("RELEASE", "not_run")


def test_overriding_everything_is_no_release() -> None:
    policy = replace(POLICY, rules=RULES[:1])
    assert decide(Evidence(()), policy, overrides=(ANN,)).decision == "REFUSE"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ((replace(ANN, rule="No copies"),), "lets nobody override its rule 'No copies'"),
        ((replace(ANN, rule="Looks wright"),), "has no rule 'Looks wright'; perhaps 'Looks right' is meant"),
        ((ANN, ANN), "overridden twice"),
    ],
)
def test_an_override_that_cannot_be_is_one_clear_error(overrides: tuple[Override, ...], said: str) -> None:
    for attempt in (
        lambda: check_overrides(POLICY, overrides),
        lambda: decide(Evidence(GOOD), POLICY, overrides=overrides),
    ):
        with pytest.raises(InputError, match=said):
            attempt()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("", "Ann", "because"), "needs the name of a rule"),
        (("r", " \n", "because"), "names nobody"),
        (("r", "Ann", "\t"), "gives no reason"),
    ],
)
def test_an_override_without_a_name_or_a_reason_does_not_exist(words: tuple[str, str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Override(*words)


Spaced = st.text(alphabet="ab \n\t", min_size=1).filter(str.strip)


@given(Spaced, Spaced, Spaced)
def test_an_override_is_one_line_and_read_back_as_written(rule: str, by: str, reason: str) -> None:
    override = Override(rule, by, reason)
    assert "\n" not in "".join(override.to_dict().values())
    assert Override.from_dict({**override.to_dict(), "status": "fail"}) == override


# ── in the folder ────────────────────────────────────────────────────────────────────────────────────────────────────

USUAL = Policy.load(None)
FAILED = USUAL.rules[2].name
SAID = Override(FAILED, "Ann Lee", "the recipient only tests software")


@pytest.fixture
def overridden(tmp_path: Path) -> Path:
    found = [Finding(r.finding, "?", v := float(r.op == ">="), v, v, n=900) for r in USUAL.rules]
    found[2] = replace(found[2], value=0.5, low=0.4, high=0.6)
    evidence = Evidence(tuple(found), {"charges": []}, {"target": "death", "recipe": "chain"})

    def table(folder: Path) -> str:
        (folder / "synthetic.csv").write_text("age\n61\n")
        return "synthetic.csv"

    return bundle.write(
        tmp_path / "out",
        evidence=evidence,
        verdict=decide(evidence, USUAL, overrides=(SAID,)),
        policy=USUAL,
        schema_text='table = "t"\n\n[[column]]\nname = "age"\nkind = "integer"\n',
        write_synthetic=table,
    )


def test_an_override_is_in_evidence_manifest_and_card_and_verifies(overridden: Path) -> None:
    found = bundle.verify(overridden)
    assert found.verdict.released
    assert found.verdict.overrides == (SAID,)
    for file in ("evidence.json", "manifest.json"):
        held = json.loads((overridden / file).read_text())
        (said,) = (held["verdict"] if file == "evidence.json" else held)["overrides"]
        assert said == {**SAID.to_dict(), "status": "fail"}
    card = (overridden / "card.md").read_text()
    assert "Ann Lee" in card
    assert SAID.reason in card


def drop(out: Path) -> None:
    said = json.loads((out / "evidence.json").read_text())
    said["verdict"]["overrides"] = []
    (out / "evidence.json").write_text(canonical_json(said))


def put_in_another_mouth(out: Path) -> None:
    said = json.loads((out / "evidence.json").read_text())
    said["verdict"]["overrides"][0]["by"] = "Bob Ray"
    (out / "evidence.json").write_text(canonical_json(said))


def override_what_nobody_may(out: Path) -> None:
    said = json.loads((out / "evidence.json").read_text())
    said["verdict"]["overrides"].append({**SAID.to_dict(), "rule": "No copied patients", "status": "pass"})
    (out / "evidence.json").write_text(canonical_json(said))


@pytest.mark.parametrize("tamper", [drop, put_in_another_mouth, override_what_nobody_may])
def test_overrides_cannot_be_changed_in_one_place(overridden: Path, tamper: object) -> None:
    """Not even by somebody who fixes every hash."""
    tamper(overridden)  # type: ignore[operator]
    manifest = json.loads((overridden / MANIFEST).read_text())
    manifest["files"] = {n: sha256_of(overridden / n) for n in names_in(overridden) - {MANIFEST}}
    manifest["sha256"] = own_hash(manifest)
    (overridden / MANIFEST).write_text(canonical_json(manifest))
    with pytest.raises(BundleError):
        bundle.verify(overridden)
