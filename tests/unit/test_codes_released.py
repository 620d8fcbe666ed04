"""Rare codes on their way out: they count as valid, the recipient's schema lists them, and the report says so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline, provenance
from semblance.audits.validity import Validity
from semblance.contracts import Comparison
from semblance.data.codes.hierarchy import hierarchy_of
from semblance.data.dataset import Dataset
from semblance.generators.independent import Independent
from semblance.schema import Column, Schema

COMMON = ["428", "250.02", "8", "V57"]
RARE = [str(number) for number in (*range(390, 398), *range(440, 448), *range(460, 466), 800, 805, 810)]


@pytest.fixture(scope="module")
def patients() -> Dataset:
    labels = [label for label in COMMON for _ in range(60)] + [label for label in RARE for _ in range(3)]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "diagnosis": rng.permutation(np.array(labels, dtype=object)),
            "pain": rng.choice(["none", "mild", "severe"], len(labels)),
        }
    )
    frame.loc[:3, "pain"] = "moderate"
    columns = (
        Column("diagnosis", "code", code_system="icd9cm", categories=(*COMMON, *RARE)),
        Column("pain", "ordinal", categories=("none", "mild", "moderate", "severe")),
    )
    return Dataset(frame, Schema(columns))


def test_drawn_codes_are_valid_and_known_to_the_recipient(patients: Dataset, tmp_path: Path) -> None:
    run = pipeline.begin()
    fake = pipeline.sample(Independent().fit(patients, run), run, n=2000)
    drawn = set(fake.frame["diagnosis"])
    codes = hierarchy_of("icd9cm")
    assert codes is not None
    assert all(codes.knows(label) for label in drawn)
    assert drawn - set(patients.schema["diagnosis"].categories), "only the patients' own list was drawn"
    found = {f.name: f for f in Validity().judge(Comparison(patients, patients, fake), run)}
    assert found["validity.rows.share"].value == 1
    evidence = pipeline.audit(Comparison(patients, patients, fake), run)
    folder = pipeline.release(fake, evidence, pipeline.decide(evidence), out=tmp_path / "release")
    told = pipeline.load_schema(folder / "schema.toml")["diagnosis"]
    assert set(told.categories) == drawn
    assert told.categories == tuple(sorted(drawn))


def test_what_is_no_code_of_the_system_is_not_valid(patients: Dataset) -> None:
    frame = patients.frame.copy()
    frame.loc[0, "diagnosis"] = "428.77"
    frame.loc[1, "diagnosis"] = "influenza"
    frame.loc[2, "diagnosis"] = "414"
    fake = Dataset(frame, patients.schema, "synthetic")
    (rows,) = (f for f in Validity().judge(Comparison(patients, patients, fake), pipeline.begin()) if "rows" in f.name)
    assert rows.value == pytest.approx(1 - 2 / len(frame))


def test_the_notes_say_what_became_of_rare_labels(patients: Dataset) -> None:
    blurred, pooled = provenance.rare_labels(patients)
    assert "nearest common step" in blurred
    assert "column pain" in blurred
    assert f"in column diagnosis, {len(RARE)} labels to 4 groups of ICD-9-CM" in pooled
    told = json.dumps([blurred, pooled])
    assert not any(f'"{label}"' in told or f" {label}" in told for label in RARE)
    plain = Schema((Column("diagnosis", "code"), patients.schema["pain"]))
    (never, _) = provenance.rare_labels(Dataset(patients.frame, plain))
    assert never.endswith("are never drawn; column diagnosis had such labels.")
