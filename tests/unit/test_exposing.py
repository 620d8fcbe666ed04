"""The command `source-risk`, as a person and as a program calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from semblance.cli import main
from semblance.pipeline import source_risk


def test_a_page_for_a_person(patients_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["source-risk", str(patients_csv), "--quasi", "age", "--quasi", "ward", "--target", "died"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("400 patients. What others may know of them: age, ward.")
    for heading in (
        "Patients who are alone in",
        "Which columns point",
        "Groups of look-alikes",
        "state it with --population",
    ):
        assert heading in page
    assert "geriatrics" not in page


def test_one_object_for_a_program(patients_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--quasi", "age", "--quasi", "ward", "--sensitive", "sex", "--population", "4000", "--json"]
    assert main(["source-risk", str(patients_csv), *words]) == 0
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    frame = pd.read_csv(patients_csv)
    alone = frame.groupby(["age", "ward"]).size().eq(1).sum() / len(frame)
    assert findings["source.unique.share"]["value"] == pytest.approx(alone)
    assert findings["source.population_unique.share"]["detail"]["stated"] is True
    diversity = frame.groupby(["age", "ward"])["sex"].nunique().min()
    assert findings["source.l.minimum"]["value"] == diversity


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--population", "399"], "population is smaller than the table"),
        (["--quasi", "height"], "no column 'height'"),
        (["--quasi", "age", "--sensitive", "age"], "both"),
    ],
)
def test_what_cannot_be_answered_is_one_line(
    words: list[str], said: str, patients_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["source-risk", str(patients_csv), *words]) == 10
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_the_verb_in_python_takes_an_edited_schema(patients_csv: Path) -> None:
    from semblance import pipeline

    schema = pipeline.describe(patients_csv, target="died").with_role("pressure", "quasi-identifier")
    found = source_risk(patients_csv, schema=schema, quasi=["pressure"]).get("source.unique.share")
    assert found is not None
    assert found.detail["sets"][0]["columns"] == ["pressure"]
