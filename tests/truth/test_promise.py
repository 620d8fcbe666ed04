"""A table with a promise, from the command line: planned, charged, told whole, shared, and refused at the cap."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.cli import main
from semblance.pipeline import judging
from semblance.privacy.ledger_file import CohortLedger

ASK = ("--target", "died", "--epsilon", "1", "--set", "method=mst", "--quick", "--policy")
NOTHING_TO_MEET = """
schema_version = "1"
name = "promise-only"
version = "1"

[[rules]]
name = "Every touch of patients is charged"
finding = "privacy.uncharged.count"
applies_if = "guarantee"
bound = "value"
op = "<="
limit = 0
reason = "A promise."
source = "A test."
try = "Nothing."

[[rules]]
name = "Each column looks right"
finding = "fidelity.marginal.score"
bound = "low"
op = ">="
limit = 0
reason = "Read off patients."
source = "A test."
try = "Nothing."
"""


@pytest.fixture
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is asked here: all questions take minutes, and have tests of their own."""
    monkeypatch.setattr(catalog, "AUDITS", {name: catalog.AUDITS[name] for name in ("validity", "fidelity")})
    monkeypatch.setattr(judging, "self_test", lambda *_, **__: ())


def patients(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    age = rng.integers(20, 90, n)
    ward = np.where(age > 60, "geriatrics", rng.choice(["surgery", "trauma"], n))
    return pd.DataFrame({"age": age, "ward": ward, "died": np.where(rng.random(n) < age / 150, "yes", "no")})


@pytest.mark.slow
@pytest.mark.usefixtures("few_questions")
def test_a_release_is_charged_and_the_cap_refuses_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, policy = tmp_path / "p.csv", tmp_path / "policy.toml"
    patients(1500).to_csv(source, index=False)
    policy.write_text(NOTHING_TO_MEET, encoding="utf-8")
    assert main(["run", str(source), "--out", str(tmp_path / "one"), *ASK, str(policy)]) == 0
    said = capsys.readouterr().err
    assert "this will cost ε = 1.00 of the cohort's 3.00" in said
    evidence = json.loads((tmp_path / "one" / "evidence.json").read_text(encoding="utf-8"))
    claim = evidence["ledger"]["claim"]
    assert 0.99 < claim["epsilon"] <= 1.0
    assert (claim["unit"], claim["relation"], claim["rows_per_unit"]) == ("patient", "add_or_remove", 1)
    assert claim["accounts"]["pld"] is None, "what votes found decided what was measured, and how"
    assert claim["epsilon"] == claim["accounts"]["rdp"]
    purposes = [charge["purpose"] for charge in evidence["ledger"]["charges"]]
    assert purposes == ["describe/votes", "marginals/cells", "marginals/columns", "marginals/links"]
    card = (tmp_path / "one" / "card.md").read_text(encoding="utf-8")
    assert f"Differential privacy: ε = {claim['epsilon']:.4g}" in card
    assert main(["ledger", "verify", str(tmp_path / "one")]) == 0
    assert main(["share", str(tmp_path / "one"), "--tier", "public", "--out", str(tmp_path / "public")]) == 0
    public = (tmp_path / "public" / "evidence.json").read_text(encoding="utf-8")
    assert "fidelity" not in {f["name"].split(".")[0] for f in json.loads(public)["findings"]}
    assert main(["verify", str(tmp_path / "public")]) == 0
    (cohort,) = CohortLedger().books().each()
    assert [r.status for r in cohort.private] == ["committed"]
    assert main(["ledger", "cap", cohort.name, "--epsilon", "1.2"]) == 0
    capsys.readouterr()
    assert main(["run", str(source), "--out", str(tmp_path / "two"), *ASK, str(policy)]) == 13
    assert "nothing was drawn" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()
    assert len(CohortLedger().books().each()[0].private) == 1


@pytest.mark.slow
def test_a_model_is_charged_too_and_a_patient_with_a_rare_label_leaves_no_trace(tmp_path: Path) -> None:
    """Fit on neighbouring tables: the label that one patient alone has is in no file of the model."""
    frame = patients(1500)
    odd = pd.DataFrame({"age": [41], "ward": ["ward of nobody else"], "died": ["no"]})
    source = tmp_path / "p.csv"
    pd.concat([frame, odd], ignore_index=True).to_csv(source, index=False)
    words = ["--epsilon", "1", "--set", "method=mst", "--target", "died"]
    assert main(["fit", str(source), "--model", str(tmp_path / "m"), *words]) == 0
    for file in (tmp_path / "m").rglob("*"):
        if file.is_file():
            assert b"nobody else" not in file.read_bytes(), file.name
    card = json.loads((tmp_path / "m" / "model.json").read_text(encoding="utf-8"))
    assert card["ledger"]["claim"]["epsilon"] <= 1.0
    assert [r.status for r in CohortLedger().books().each()[0].private] == ["committed"]
