"""Sites that differ are told to differ, in what they differ; halves of one site no more often than stated."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from semblance.contracts import Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import InputError
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds
from semblance.shifting.between import same_fate
from semblance.shifting.columns import compare
from semblance.shifting.groups import Groups, of_table
from semblance.shifting.told import tell

COLUMNS = (
    Column("site", "category"),
    Column("age", "number", decimals=1),
    Column("lab", "number", decimals=2),
    Column("sex", "category"),
    Column("died", "boolean", role="target"),
)


def run(seed: int = 0) -> Run:
    return Run(Seeds(seed), Ledger(), Local(1), quick=True)


def patients(
    n: int, seed: int, *, older: float = 0.0, deadlier: float = 0.0, reversed_lab: bool = False, rows: int = 1
) -> Dataset:
    """Two sites of `n` patients together. At B people are older, die more often at the same age and lab, or the lab
    means the opposite.
    """
    rng = np.random.default_rng(seed)
    b = rng.random(n) < 0.5
    age, lab = 60 + 10 * rng.normal(size=n) + older * b, rng.normal(size=n)
    slope = np.where(b & reversed_lab, -1.5, 1.5)
    risk = 1 / (1 + np.exp(-(0.05 * (age - 60) + slope * lab + deadlier * b)))
    frame = pd.DataFrame(
        {
            "site": np.where(b, "B", "A"),
            "age": age.round(1),
            "lab": lab.round(2),
            "sex": rng.choice(["f", "m"], n),
            "died": np.where(rng.random(n) < risk, "1", "0"),
        }
    )
    columns = COLUMNS
    if rows > 1:
        frame = frame.loc[np.repeat(np.arange(n), rows)].reset_index(drop=True)
        frame["who"] = [f"p{i // rows}" for i in range(len(frame))]
        columns = (*COLUMNS, Column("who", "code", role="subject"))
    return Dataset(frame, Schema(columns))


def groups_of(data: Dataset, seed: int = 0) -> Groups:
    return of_table(data, "site", target="died", most=4000, rng=np.random.default_rng(seed))


@cache
def told(*, older: float = 0.0, deadlier: float = 0.0, reversed_lab: bool = False) -> dict[str, Finding]:
    data = patients(1200, 1, older=older, deadlier=deadlier, reversed_lab=reversed_lab)
    return {f.name: f for f in tell(groups_of(data), run())}


def value(found: dict[str, Finding], name: str) -> float:
    assert found[name].status == "measured"
    assert found[name].value is not None
    return float(found[name].value or 0.0)


def test_an_older_site_is_a_shift_of_its_patients_alone() -> None:
    found = told(older=8.0)
    domain = found["shift.domain.auc"]
    assert domain.low is not None
    assert domain.low > 0.6
    (age, *others) = found["shift.columns.share"].detail["columns"]
    assert age["column"] == "age"
    assert abs(age["smd"]) == pytest.approx(0.8, abs=0.15)
    assert all(c["p_bh"] > 0.01 for c in others)
    assert value(found, "shift.mmd.p") <= 0.01
    assert value(found, "shift.concept.p") > 0.05


def test_the_same_patients_who_fare_worse_are_a_shift_of_the_outcome_given_them() -> None:
    found = told(deadlier=1.5)
    assert value(found, "shift.concept.p") < 0.001
    assert value(found, "shift.label.p") < 0.001
    assert value(found, "shift.mmd.p") > 0.01
    detail = found["shift.concept.p"].detail
    assert 0.1 < abs(detail["more"]) < 0.4


def test_a_model_that_shines_at_one_site_and_fails_at_the_other_is_caught() -> None:
    found = told(reversed_lab=True)
    gap = found["shift.transfer.gap"]
    assert gap.high is not None
    assert gap.high < -0.2
    pair = gap.detail["pairs"][0]
    assert pair["at_home"] > 0.7
    assert pair["local"] > 0.7
    assert pair["abroad"] < 0.4
    drop = found["shift.transfer.drop"]
    assert drop.high is not None
    assert drop.high < -0.2
    assert "n" not in pair


def test_what_cancels_is_not_seen_by_the_covariance_as_is_said() -> None:
    assert value(told(reversed_lab=True), "shift.concept.p") > 0.001


def test_one_site_cut_in_two_is_quiet() -> None:
    found = told()
    domain, gap = found["shift.domain.auc"], found["shift.transfer.gap"]
    assert domain.low is not None
    assert gap.high is not None
    assert domain.low < 0.5
    assert value(found, "shift.columns.share") == 0
    assert gap.high > -0.02


@pytest.mark.slow
def test_one_site_cut_in_two_alarms_as_often_as_stated() -> None:
    """Of 60 tables 3 should alarm at 5 %; more than 9 would come once in 1,500."""
    alarms = dict.fromkeys(("domain", "columns", "mmd", "label", "concept", "transfer"), 0)
    for seed in range(60):
        found = {f.name: f for f in tell(groups_of(patients(400, 200 + seed)), run(seed))}
        domain, gap = found["shift.domain.auc"], found["shift.transfer.gap"]
        alarms["domain"] += domain.low is not None and domain.low > 0.5
        alarms["columns"] += value(found, "shift.columns.share") > 0
        alarms["mmd"] += value(found, "shift.mmd.p") <= 0.05
        alarms["label"] += value(found, "shift.label.p") <= 0.05
        alarms["concept"] += value(found, "shift.concept.p") <= 0.05
        alarms["transfer"] += gap.high is not None and gap.high < 0
    assert max(n for name, n in alarms.items() if name != "transfer") <= 9, alarms


@pytest.mark.slow
def test_older_patients_are_not_taken_for_another_fate() -> None:
    """The covariance measure leans on its forecasts; with 600 patients and a shift of age it must hold its level."""
    alarms = 0
    for seed in range(40):
        found = same_fate(groups_of(patients(600, 400 + seed, older=6.0)), run(seed))
        assert found is not None
        alarms += found.p <= 0.05
    assert alarms <= 7  # 2 are to be expected; more than 7 would come once in 1,500


def test_rows_of_a_patient_count_once() -> None:
    groups = groups_of(patients(120, 3, rows=5))
    assert len(groups) == 120
    assert "who" not in groups.names


def test_effects_by_hand() -> None:
    features = np.array([[0.0, 1], [1, 1], [2, 1], [3, 0], [10, 0], [11, 0], [12, 0], [13, 0]])
    groups = Groups(
        features, (1,), ("x", "label"), features, np.array([0] * 4 + [1] * 4), ("A", "B"), np.full(8, -1), 0
    )
    by_name = {c["column"]: c for c in compare(groups)}
    assert by_name["x"]["smd"] == pytest.approx(-10 / np.sqrt(5 / 3))
    assert by_name["x"]["tv"] == 1
    assert by_name["label"]["tv"] == 0.75
    a, b = np.array([0.25, 0.75]), np.array([1.0, 0.001])
    assert by_name["label"]["psi"] == pytest.approx(float(((a - b) * np.log(a / b)).sum()))


def test_time_is_cut_at_its_median_and_few_patients_are_refused() -> None:
    data = patients(200, 5)
    frame = data.frame.assign(seen=pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(200), unit="D"))
    frame["seen"] = frame["seen"].astype("datetime64[us]")
    dated = Dataset(frame, Schema((*COLUMNS, Column("seen", "date"))))
    groups = of_table(dated, "seen", target="died", most=4000, rng=np.random.default_rng(0))
    assert groups.sites == ("earlier half", "later half")
    assert np.bincount(groups.site).tolist() == [100, 100]
    assert "seen" not in groups.names
    with pytest.raises(InputError, match="no two sites with 30 patients"):
        groups_of(patients(40, 6))
