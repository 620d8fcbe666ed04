"""`images fit --epsilon` from the command line: declared, planned, charged, told whole, and refused at the cap."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semblance import image_schema_toml
from semblance.cli import main
from semblance.image_schema import ImageSchema
from semblance.privacy.ledger_file import CohortLedger

SCHEMA = ImageSchema(12, 12, format="npz", label="label", classes=("dark", "bright"), patient=True)
ASK = ("--epsilon", "2")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Sixty images of thirty patients, and a schema that a person declared."""
    rng = np.random.default_rng(0)
    bright = np.arange(60) // 2 % 2
    images = np.clip(60 + 120 * bright[:, None, None] + rng.normal(0, 9, (60, 12, 12)), 0, 255).astype(np.uint8)
    names = np.array([f"secret-{i // 2}" for i in range(60)])
    np.savez(tmp_path / "scans.npz", images=images, labels=np.array(["dark", "bright"])[bright], patients=names)
    (tmp_path / "schema.toml").write_text(image_schema_toml.dumps(SCHEMA), encoding="utf-8")
    return tmp_path


def fit(place: Path, model: str, *words: object) -> int:
    asked = ("images", "fit", place / "scans.npz", "--model", place / model, *words)
    return main([str(word) for word in asked])


def test_a_model_is_planned_charged_told_and_the_cap_refuses_another(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(place, "one", *ASK, "--schema", place / "schema.toml", "--ledger", place / "l.db", "--json") == 0
    said = capsys.readouterr()
    assert "this will cost ε = 2.00 of the cohort's 3.00" in said.err
    told = json.loads(said.out)
    assert told["generator"] == "features"
    assert told["images"] is None
    claim = told["claim"]
    assert 1.9 < claim["epsilon"] <= 2.0
    assert (claim["unit"], claim["relation"], claim["rows_per_unit"]) == ("patient", "add_or_remove", 1)
    card = json.loads((place / "one" / "model.json").read_text(encoding="utf-8"))
    assert card["ledger"]["claim"] == claim
    assert not {"images", "patients"} & set(card)
    assert not {"cohort", "head"} & set(card["ledger"])
    for file in (place / "one").rglob("*"):
        assert file.is_dir() or b"secret" not in file.read_bytes()
    (cohort,) = CohortLedger(place / "l.db").books().each()
    assert [release.status for release in cohort.private] == ["committed"]
    assert main(["images", "sample", str(place / "one"), "-n", "3", "-o", str(place / "drawn")]) == 0
    manifest = json.loads((place / "drawn" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["guarantee"].startswith(f"differential privacy: ε = {claim['epsilon']:.4g} at δ = 1e-06")
    assert fit(place, "two", *ASK, "--schema", place / "schema.toml", "--ledger", place / "l.db") == 13
    assert "nothing was drawn" in capsys.readouterr().err
    assert not (place / "two").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (ASK, 10, "--schema"),
        ((*ASK, "--schema", "inferred.toml"), 10, "declared"),
        ((*ASK, "--schema", "nameless.toml"), 10, "names no patients"),
        (("--epsilon", "2", "--delta", "0.05", "--schema", "schema.toml"), 10, "not below one over"),
        ((*ASK, "--schema", "schema.toml", "--unit", "site"), 10, "--unit"),
        ((*ASK, "--schema", "schema.toml", "--generator", "gan"), 11, "such as features"),
        ((*ASK, "--schema", "schema.toml", "--resume"), 11, "resume"),
    ],
)
def test_what_would_not_be_covered_is_refused_and_nothing_is_released(
    words: tuple[str, ...],
    code: int,
    said: str,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = (place / "schema.toml").read_text(encoding="utf-8")
    (place / "inferred.toml").write_text(plain.replace('bounds = "declared"', 'bounds = "inferred"'))
    (place / "nameless.toml").write_text(plain.replace("patient = true", "patient = false"))
    monkeypatch.chdir(place)
    assert fit(place, "model", *words, "--ledger", "l.db") == code
    assert said in capsys.readouterr().err
    assert not (place / "model").exists()
    if (place / "l.db").exists():
        assert not [
            r for c in CohortLedger(place / "l.db").books().each() for r in c.private if r.status == "committed"
        ]
