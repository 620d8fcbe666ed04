from __future__ import annotations

from pathlib import Path

import pytest

from semblance.errors import InputError, SchemaError
from semblance.release.policy import BUNDLED, Policy

HEAD = 'schema_version = "1"\nname = "mine"\nversion = "3"\n'
RULE = """
[[rules]]
name = "few copies"
finding = "copies.exact.excess"
bound = "high"
op = "<="
limit = 0.01
reason = "because"
source = "the board, 2025"
try = "more patients"
"""


def test_a_policy_is_read_as_written() -> None:
    policy = Policy.loads(HEAD + RULE)
    assert (policy.name, policy.version, policy.confidence) == ("mine", "3", 0.95)
    (rule,) = policy.rules
    assert (rule.finding, rule.bound, rule.op, rule.limit, rule.knob) == (
        "copies.exact.excess",
        "high",
        "<=",
        0.01,
        "more patients",
    )


@pytest.mark.parametrize("name", BUNDLED)
def test_each_bundled_policy_gives_every_limit_a_reason_a_source_and_a_knob(name: str) -> None:
    policy = Policy.load(name)
    assert policy.name == name
    assert policy.about
    for rule in policy.rules:
        assert min(len(rule.reason), len(rule.source), len(rule.knob)) > 20, rule.name
        # what protects a patient is judged by the unfavourable end; only what was counted has none
        # (a promise is refuted by a bound, which is what canaries find, and never proven)
        counted = rule.finding.startswith(("validity.", "protocol.", "privacy.", "canaries."))
        counted = counted or rule.finding.endswith(".p")
        assert rule.bound == ("value" if counted else {">=": "low", "<=": "high"}[rule.op]), rule.name


def test_the_usual_policy_is_open_release_and_asks_about_everything() -> None:
    policy = Policy.load(None)
    assert policy == Policy.load("open-release") == Policy.load(Path("open-release"))
    families = {r.finding.split(".")[0] for r in policy.rules}
    assert families == {
        "validity", "fidelity", "utility", "protocol", "power", "copies", "membership", "singling_out", "linkage",
        "inference", "privacy", "canaries",
    }  # fmt: skip


def test_the_model_is_released_only_on_stricter_terms() -> None:
    table, model = Policy.load("open-release"), Policy.load("model-release")
    assert (table.releases, model.releases) == (("table",), ("table", "model"))
    assert set(table.rules) < set(model.rules)
    more = {r.finding for r in set(model.rules) - set(table.rules)}
    assert {f.split(".")[0] for f in more} == {"reconstruction", "protocol"}


def test_whoever_may_be_called_back_may_see_more_and_copies_are_copies_everywhere() -> None:
    limits = {name: {r.finding: r for r in Policy.load(name).rules} for name in BUNDLED}
    for looser in ("controlled-access", "internal-testing"):
        for finding, rule in limits[looser].items():
            strict = limits["open-release"][finding]
            assert rule.op == strict.op
            assert rule.limit >= strict.limit if rule.op == "<=" else rule.limit <= strict.limit
            if finding.startswith("copies.") and looser == "controlled-access":
                assert rule == strict
    for name in BUNDLED:
        fixed = {f for f, r in limits[name].items() if not r.may_override}
        assert {"protocol.holdout.early", "copies.exact.excess", "copies.text.excess"} <= fixed


def test_any_change_of_the_file_changes_its_hash() -> None:
    assert Policy.loads(HEAD + RULE).sha256 != Policy.loads(HEAD + RULE + "# a remark\n").sha256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not valid TOML"),
        (RULE, "missing"),
        (HEAD, "'rules' is missing"),
        (HEAD + "rules = []", "at least one"),
        (HEAD + "rules = 3", "at least one"),
        (HEAD + "surprise = 1\n" + RULE, "'surprise' is not a key"),
        (HEAD + RULE + "limits = 3\n", "'limits' is not a key"),
        (HEAD + RULE.replace('try = "more patients"\n', ""), "'try' is missing"),
        (HEAD + RULE.replace('"high"', '"upper"'), "bound must be one of"),
        (HEAD + RULE.replace('"<="', '"<"'), "op must be one of"),
        (HEAD + RULE.replace("0.01", '"0.01"'), "must be a finite number"),
        (HEAD + RULE.replace("0.01", "true"), "must be a finite number"),
        (HEAD + RULE.replace("0.01", "nan"), "must be a finite number"),
        (HEAD + RULE.replace("0.01", "inf"), "must be a finite number"),
        (HEAD + RULE.replace('"because"', '""'), "'reason' is empty"),
        (HEAD + RULE.replace('"because"', "3"), "must be text"),
        (HEAD + RULE + 'applies_if = "Tuesday"\n', "applies_if must be one of"),
        (HEAD + RULE + 'applies_if = ["target", "target"]\n', "applies_if must be one of"),
        (HEAD + RULE + "applies_if = 3\n", "applies_if must be one of"),
        (HEAD + RULE + 'may_override = "no"\n', "may_override: must be true or false"),
        (HEAD + 'releases = ["patients"]\n' + RULE, "releases must be one of"),
        (HEAD + 'releases = ["model"]\n' + RULE, "releases must hold"),
        (HEAD + RULE + RULE, "share a name"),
        (HEAD.replace('"1"', '"9"') + RULE, "schema_version"),
        (HEAD + "confidence = 0.2\n" + RULE, "confidence must lie"),
        (HEAD + "confidence = 1\n" + RULE, "confidence must lie"),
    ],
)
def test_what_is_not_understood_is_one_clear_error(text: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said) as caught:
        Policy.loads(text, where="policy p.toml")
    message = str(caught.value)
    assert message.startswith("policy p.toml")
    assert "\n" not in message
    assert message.endswith(".")


def test_a_rule_may_fall_away_for_several_reasons() -> None:
    def applies_if(text: str) -> tuple[str, ...]:
        return Policy.loads(HEAD + RULE + text).rules[0].applies_if

    assert applies_if("") == ()
    assert applies_if('applies_if = "recipe"') == ("recipe",)
    assert applies_if('applies_if = ["target", "anything to ask"]') == ("target", "anything to ask")


def test_a_file_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read.*controlled-access"):
        Policy.load(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(SchemaError, match="UTF-8"):
        Policy.load(tmp_path / "latin.toml")


def test_a_policy_file_keeps_its_bytes(tmp_path: Path) -> None:
    written = (HEAD + RULE).replace("\n", "\r\n").encode()
    (tmp_path / "p.toml").write_bytes(written)
    assert Policy.load(tmp_path / "p.toml").text.encode() == written
