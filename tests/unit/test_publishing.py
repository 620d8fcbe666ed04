"""Keys, signatures, overrides and shared folders from the command line: exit codes, one sentence, one JSON object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semblance.cli import main
from semblance.evidence import Evidence, Finding
from semblance.release import bundle
from semblance.release.gate import Policy, decide
from semblance.release.overrides import Override

POLICY = Policy.load(None)
PAIRS = "Pairs of columns hang together"


def call(*words: object) -> int:
    return main([str(w) for w in words])


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("semblance: ")
    assert line.endswith(".")
    return line


@pytest.fixture
def keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    assert call("keys", "new", "-o", tmp_path / "keys", "--json") == 0
    told = said(capsys)
    return Path(str(told["private_key"])), Path(str(told["public_key"]))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    found = [Finding(r.finding, "?", v := float(r.op == ">="), v, v, n=900) for r in POLICY.rules]
    evidence = Evidence(tuple(found), {"charges": []}, {"target": "death", "recipe": "chain", "seed": 7})

    def table(folder: Path) -> str:
        (folder / "synthetic.csv").write_text("age\n61\n")
        return "synthetic.csv"

    return bundle.write(
        tmp_path / "release",
        evidence=evidence,
        verdict=decide(evidence, POLICY, overrides=(Override(PAIRS, "Ann Lee", "a test"),)),
        policy=POLICY,
        schema_text='table = "t"\n\n[[column]]\nname = "age"\nkind = "integer"\n',
        write_synthetic=table,
    )


def test_a_key_is_made_once(keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("keys", "new", "-o", keys[0].parent) == 10
    assert "never replaced" in one_line(capsys)


def test_sign_and_verify(release: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("verify", release, "--json") == 0
    before = said(capsys)
    assert (before["signed_by"], before["signature_checked"], before["policy_changed"]) == (None, False, None)
    assert call("verify", release, "--public-key", keys[1]) == 21
    assert "is not signed" in one_line(capsys)
    assert call("sign", release, "--key", keys[0], "--json") == 0
    fingerprint = said(capsys)["signed_by"]
    assert call("verify", release, "--public-key", keys[1], "--json") == 0
    after = said(capsys)
    assert (after["signed_by"], after["signature_checked"]) == (fingerprint, True)
    assert after["overrides"] == [{"rule": PAIRS, "by": "Ann Lee", "reason": "a test", "status": "pass"}]
    assert call("verify", release) == 0
    out = capsys.readouterr().out
    assert "not checked: give --public-key" in out
    assert "Ann Lee" in out


def test_what_is_wrong_with_a_signature_is_said_in_one_sentence(
    release: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("sign", release, "--key", keys[0], "--json") == 0
    assert call("keys", "new", "-o", tmp_path / "others", "--json") == 0
    capsys.readouterr()
    other = tmp_path / "others" / keys[1].name
    assert call("verify", release, "--public-key", other) == 21
    assert "another key" in one_line(capsys)
    signature = release / "signature.json"
    whole = signature.read_text()
    signature.write_text(whole.replace("signature", "signatura"))
    assert call("verify", release, "--public-key", keys[1]) == 21
    assert "does not fit" in one_line(capsys)
    signature.unlink()
    for words in (("--public-key", keys[1]), ()):
        assert call("verify", release, *words) == 21
        assert "signature.json is missing" in one_line(capsys)


def test_keys_that_are_none(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "note.txt").write_text("no key")
    for words in (
        ("verify", release, "--public-key", tmp_path / "note.txt"),
        ("verify", release, "--public-key", tmp_path / "absent.pem"),
        ("sign", release, "--key", tmp_path / "note.txt"),
        ("run", "absent.csv", "--out", tmp_path / "out", "--sign-with", tmp_path / "note.txt"),
        ("share", release, "--tier", "public", "--out", tmp_path / "out", "--sign-with", tmp_path / "absent.pem"),
    ):
        assert call(*words) == 10, words
        one_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tier", ["recipient", "public"])
def test_share(
    tier: str, release: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / tier
    assert call("share", release, "--tier", tier, "--out", out, "--sign-with", keys[0], "--lang", "zh", "--json") == 0
    assert said(capsys)["tier"] == tier
    assert call("verify", out, "--public-key", keys[1], "--json") == 0
    told = said(capsys)
    assert (told["tier"], told["decision"], told["signature_checked"]) == (tier, "RELEASE", True)
    assert json.loads((out / "manifest.json").read_text())["language"] == "zh"
    assert call("share", out, "--tier", "public", "--out", tmp_path / "again") == 10
    assert "board's folder" in one_line(capsys)


def test_an_override_is_checked_before_anything_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The source does not even exist, and is not what the error is about."""
    run = ("run", tmp_path / "absent.csv", "--out", tmp_path / "out")
    by, why = ("--by", "Ann Lee"), ("--because", "a test")
    for words, code, told in (
        (("--override", PAIRS), 2, "own --by"),
        (("--override", PAIRS, *by), 2, "own --because"),
        ((*by, *why), 2, "each --override"),
        (("--override", PAIRS, *by, *why, *why), 2, "each --override"),
        (("--override", PAIRS, "--by", " ", *why), 10, "names nobody"),
        (("--override", PAIRS, *by, "--because", ""), 10, "gives no reason"),
        (("--override", "Pairs hang together", *by, *why), 10, "Pairs of columns hang together"),
        (("--override", "No copied patients", *by, *why), 10, "lets nobody override"),
        (("--expires", "next year"), 10, "YYYY-MM-DD"),
        (("--policy", "closed-release"), 10, "open-release, controlled-access"),
    ):
        assert call(*run, *words) == code, words
        if code == 2:
            assert told in capsys.readouterr().err
        else:
            assert told in one_line(capsys)
    assert not list(tmp_path.iterdir())
