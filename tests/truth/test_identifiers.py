"""Planted identifiers must be found, decoys and real lab columns must not be flagged."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from semblance.data import demo
from semblance.data.describe.infer import infer_schema
from semblance.data.parse import parse
from semblance.data.surrogates import fill
from semblance.formats.csv import Csv
from semblance.seeds import Seeds

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
RECALL = 0.95


@pytest.fixture(scope="module")
def planted() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "identifiers.py"))


@pytest.mark.parametrize("n", [60, 400])
def test_planted_identifiers_are_found(planted: dict[str, Any], n: int) -> None:
    assert len(planted["PLANTED"]) >= 30
    share, missed = planted["recall"](n=n, seed=11)
    assert share >= RECALL, missed


@pytest.mark.parametrize("n", [60, 400])
def test_decoys_are_left_alone(planted: dict[str, Any], n: int) -> None:
    assert planted["false_alarms"](n=n, seed=11) == []


def test_no_planted_value_survives_in_the_surrogates(planted: dict[str, Any]) -> None:
    raw = planted["table"]({name: planted["MAKERS"][maker] for name, maker in planted["PLANTED"]}, n=80, seed=2)
    schema = infer_schema(raw)
    real = parse(raw, schema)
    fresh = fill(real, Seeds(4), avoid=real)
    for column in schema:
        if column.handling == "surrogate" and column.kind != "date":  # days of birth may coincide by chance
            assert not set(fresh.frame[column.name].dropna()) & set(real.frame[column.name].dropna()), column.name


def test_the_bundled_patients_have_no_direct_identifier(planted: dict[str, Any]) -> None:
    assert planted["flagged"](infer_schema(Csv().read(demo.patients()))) == set()


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared real tables are not here")
@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("nhanes_2017_2018/nhanes.csv", {"seqn"}),
        ("support2/support2.csv", {"id"}),
        ("diabetes130/diabetic_data.csv.gz", {"encounter_id", "patient_nbr"}),
    ],
)
def test_no_false_alarm_on_real_tables(planted: dict[str, Any], path: str, keys: set[str]) -> None:
    assert planted["flagged"](infer_schema(Csv().read(DATA / path))) == keys
