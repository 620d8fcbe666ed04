"""Beside a known tool, anonymeter 1.1.0: alike where it is right, different where it is not.

Its numbers were made once by ``tests/fixtures/anonymeter/make.py`` and are kept there with the patients they are about.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from semblance import stats
from semblance.attacks.advantage import Tally, advantage
from semblance.audits.linkage import Linkage
from semblance.audits.singling_out import SinglingOut
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

FIXTURES = Path(__file__).parents[1] / "fixtures" / "anonymeter"
THEIRS: dict[str, Any] = json.loads((FIXTURES / "results.json").read_text())
LEAKS = {leak["share"]: leak for leak in THEIRS["leaks"]}
# The half of the columns that anonymeter was given stands for what outsiders know.
COLUMNS = (
    Column("weight", "number", role="quasi-identifier"),
    Column("height", "number"),
    Column("lactate", "number", role="quasi-identifier"),
    Column("stay", "number"),
    Column("sex", "category", role="quasi-identifier"),
    Column("ward", "category"),
)


@cache
def patients() -> dict[str, Dataset]:
    table = pd.read_csv(FIXTURES / "patients.csv.gz")
    names = [c.name for c in COLUMNS]
    return {
        str(part): Dataset(rows[names].astype({"sex": object, "ward": object}).reset_index(drop=True), Schema(COLUMNS))
        for part, rows in table.groupby("part")
    }


@cache
def ours(share: float) -> dict[str, Finding]:
    """Both audits on the synthetic table that the fixture describes."""
    train, held, fresh = (patients()[p] for p in ("train", "held", "fresh"))
    k = round(share * fresh.n_rows)
    frame = pd.concat([train.frame.iloc[:k], fresh.frame.iloc[k:]], ignore_index=True)
    comparison = Comparison(train, held, replace(fresh, frame=frame, origin="synthetic"))
    run = Run(Seeds(7), Ledger(), Local(1), quick=True)
    found = (
        *SinglingOut(attacks=4_000).judge(comparison, run),
        *Linkage(members=4_500, others=4_500).judge(comparison, run),
    )
    return {f.name: f for f in found}


def known_tool(successes: int, controls: int, n: int) -> tuple[float, float]:
    """Its risk and error, as published: Wilson's centres r, R = (r_T − r_H) / (1 − r_H), errors by the delta rule."""
    z = 1.959964
    rates, errors = [], []
    for hits in (successes, controls):
        rates.append((hits + z * z / 2) / (n + z * z))
        errors.append(z / (n + z * z) * math.sqrt(hits * (n - hits) / n + z * z / 4))
    a, b = rates
    return (a - b) / (1 - b), math.hypot(errors[0] / (1 - b), (a - 1) / (1 - b) ** 2 * errors[1])


class TestPort:
    def test_the_known_tools_arithmetic(self) -> None:
        kept = THEIRS["faults"]["port_check"]
        assert kept["attack_rate"][0] == pytest.approx(0.06335, abs=5e-6)
        assert kept["control_rate"][0] == pytest.approx(0.04351, abs=5e-6)
        risk, error = known_tool(30, 20, 500)
        assert (risk, error) == (pytest.approx(0.02075, abs=5e-6), pytest.approx(0.02832, abs=5e-6))
        assert kept["risk"][0] == pytest.approx(risk, abs=1e-6)
        assert kept["risk"][2] == pytest.approx(risk + error, abs=1e-6)

    def test_ours_beside_it(self) -> None:
        """Nearly the same numbers; but theirs cuts what is below zero off, and so hides how little 500 attacks say."""
        found = advantage("a.advantage", "Q?", members=Tally(30, 500), others=Tally(20, 500))
        risk, error = known_tool(30, 20, 500)
        assert found.value == pytest.approx(0.02)
        assert found.low == pytest.approx(risk - error, abs=0.002)
        assert found.high == pytest.approx(risk + error, abs=0.002)
        assert found.low is not None
        assert found.low < 0
        assert THEIRS["faults"]["port_check"]["risk"][1] == 0


def with_heavy_predicates(leak: float, control: float) -> float:
    """The difference that they see where ours is `leak`. Ours is measured with predicates too light to fit a stranger.

    Theirs fit m strangers in the mean, so that a control of m exp(−m) single one out. Of the training patients only
    those who did not leak can disturb: a predicate fits no synthetic row but its own, leaked patients among them.
    """
    m = float(brentq(lambda x: x * math.exp(-x) - control, 0, 1))
    rest = (1 - min(leak, 1.0)) * m
    return math.exp(-rest) * (min(leak, 1.0) + (1 - min(leak, 1.0)) * rest) - control


KINDS = {
    "univariate": "singling_out.univariate.advantage",
    "multivariate": "singling_out.multivariate.advantage",
    "linkability": "linkage.declared.advantage",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 1.0])
def test_both_see_the_same_leak(share: float, kind: str) -> None:
    theirs, found = LEAKS[share][kind], ours(share)[KINDS[kind]]
    n = theirs["attacks"]
    other = stats.newcombe(theirs["success"], n, theirs["control"], n)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    expected = found.value
    if kind == "multivariate":
        # Without a leak they see one all the same (next test): the luck of these very patients, in so far as they
        # did not leak.
        luck = (LEAKS[0.0][kind]["success"] - LEAKS[0.0][kind]["control"]) / n
        expected = with_heavy_predicates(found.value, theirs["control"] / n) + (1 - share) * luck
    halves = [(found.high - found.low) / 2, (other.high - other.low) / 2]
    assert abs(expected - other.value) <= math.hypot(*halves)


def test_fresh_patients_alarm_nobody_here_but_there() -> None:
    """They take 2,000 predicates for 2,000 coin tosses; one unusual patient meets many of them."""
    theirs = LEAKS[0.0]["multivariate"]
    assert theirs["risk"][1] > 0
    for name in KINDS.values():
        found = ours(0.0)[name]
        assert found.low <= 0 <= found.high, name  # type: ignore[operator]


def test_missing_is_near_to_missing_here_but_not_there() -> None:
    assert THEIRS["faults"]["missing"] == {"both missing": 1.0, "one missing": "nan"}
    frame = pd.DataFrame({"a": [0.5, 0.5, 0.5], "b": [np.nan, np.nan, 0.5]})
    columns = (Column("a", "number"), Column("b", "number"))
    data = Dataset(frame, Schema(columns))
    points = Space.fit([data], columns)(data)
    assert np.linalg.norm(points[0] - points[1]) == 0
    assert 0 < np.linalg.norm(points[0] - points[2]) < np.inf


def test_dates_are_used_here_but_stop_it_there() -> None:
    assert THEIRS["faults"]["dates"]["multivariate"] == {"error": "InvalidOperationError"}
    columns = (Column("sex", "category"), Column("ward", "category"), Column("born", "date"))
    days = pd.Series(pd.Timestamp("1930-01-01") + pd.to_timedelta(np.arange(2_000) * 7, unit="D"))

    def born(part: str, first: int) -> Dataset:
        frame = patients()[part].frame[["sex", "ward"]]
        days_here = days.iloc[first : first + 1_000].astype("datetime64[us]").reset_index(drop=True)
        return Dataset(frame.assign(born=days_here), Schema(columns))

    train = born("train", 0)
    comparison = Comparison(train, born("held", 1_000), replace(train, origin="synthetic"))
    run = Run(Seeds(7), Ledger(), Local(1), quick=True)
    found = {f.name: f for f in SinglingOut(attacks=4_000).judge(comparison, run)}
    assert found["singling_out.univariate.advantage"].low > 0.9  # type: ignore[operator]
    # The few whom sex, ward and a range of days single out: no more predicates than that, and every one is right.
    assert found["singling_out.multivariate.advantage"].value == 1


def test_negative_guesses_always_count_as_hits_there() -> None:
    """Moving every height by −1,000 changes nothing that is known about anybody, yet all guesses become right."""
    inference = THEIRS["faults"]["inference"]
    for leak in ("leak 0", "leak 0.5"):
        assert inference[f"sane, {leak}"]["success"] < 900
        moved = inference[f"negative, {leak}"]
        assert moved["success"] == moved["control"] == moved["attacks"]
    guesses = inference["guesses"]
    hits = dict(zip(zip(guesses["guess"], guesses["secret"], strict=True), guesses["hit"], strict=True))
    assert hits[-1.0, 500.0]
    assert not hits[0.0, 0.000001]
