from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.audits.fidelity import Fidelity
from semblance.audits.fidelity.joint import _sample_triples, cramers_v
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("age", "integer", unit="years"),
    Column("lab", "number"),
    Column("stage", "ordinal", categories=("III", "II", "I")),
    Column("seen", "date"),
    Column("rare", "category"),
)


def table(n: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(40, 60, n).astype(float),
            "lab": pd.Series(rng.lognormal(size=n)).mask(rng.random(n) < 0.3),
            "stage": rng.choice(["I", "II", "III"], n, p=[0.6, 0.3, 0.1]).astype(object),
            "seen": pd.Series(pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")).astype(
                "datetime64[us]"
            ),
            "rare": np.where(rng.random(n) < 0.01, "only a few have this", "common").astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def run() -> Run:
    return Run(Seeds(1), Ledger(), Local(1), quick=True)


@pytest.fixture(scope="module")
def found() -> dict[str, Finding]:
    comparison = Comparison(table(400, 0), table(300, 1), table(400, 2))
    return {f.name: f for f in Fidelity().judge(comparison, run())}


class TestMarginalCharts:
    def chart(self, found: dict[str, Finding], name: str) -> dict[str, object]:
        return next(c for c in found["fidelity.marginal.score"].detail["columns"] if c["name"] == name)

    def test_counts_cover_every_row(self, found: dict[str, Finding]) -> None:
        for chart in found["fidelity.marginal.score"].detail["columns"]:
            assert sum(chart["holdout_counts"]) == 300
            assert sum(chart["synthetic_counts"]) == 400

    def test_bins_are_one_more_than_edges_with_missing_last(self, found: dict[str, Finding]) -> None:
        age, lab = self.chart(found, "age"), self.chart(found, "lab")
        assert len(age["holdout_counts"]) == len(age["edges"]) + 1  # type: ignore[arg-type]
        assert len(lab["holdout_counts"]) == len(lab["edges"]) + 2  # type: ignore[arg-type]
        assert lab["holdout_counts"][-1] == pytest.approx(90, abs=30)  # type: ignore[index]

    def test_edges_stay_inside_and_are_nobodys_value(self, found: dict[str, Finding]) -> None:
        real = pd.concat([table(400, 0).frame, table(300, 1).frame])
        for name in ("age", "lab"):
            edges = self.chart(found, name)["edges"]
            low, high = real[name].quantile([0.01, 0.99])
            assert min(edges) > low - 0.06 * (high - low)  # type: ignore[call-overload]
            assert max(edges) < high + 0.06 * (high - low)  # type: ignore[call-overload]
            for beyond in (real[name] < min(edges), real[name] > max(edges)):  # type: ignore[call-overload]
                assert beyond.sum() >= 7
        assert all(e % 1 == 0.5 for e in self.chart(found, "age")["edges"])  # type: ignore[attr-defined]

    def test_dates_are_written_as_dates(self, found: dict[str, Finding]) -> None:
        assert all(str(e).startswith("2021-") for e in self.chart(found, "seen")["edges"])  # type: ignore[attr-defined]

    def test_rare_labels_are_not_named(self, found: dict[str, Finding]) -> None:
        chart = self.chart(found, "rare")
        assert chart["labels"] == ["common", "(other)"]

    def test_ordinals_keep_their_order(self, found: dict[str, Finding]) -> None:
        assert self.chart(found, "stage")["labels"] == ["III", "II", "I"]

    def test_unit_and_kind(self, found: dict[str, Finding]) -> None:
        assert (self.chart(found, "age")["unit"], self.chart(found, "age")["kind"]) == ("years", "integer")


def test_map_counts_every_patient(found: dict[str, Finding]) -> None:
    detail = found["fidelity.map.overlap"].detail
    assert np.sum(detail["holdout_counts"]) == 300
    assert np.sum(detail["synthetic_counts"]) == 400
    assert np.shape(detail["holdout_counts"]) == (len(detail["y_edges"]) - 1, len(detail["x_edges"]) - 1)
    assert len(detail["axes"]) == 2


def test_matrices_are_square_and_symmetric(found: dict[str, Finding]) -> None:
    detail = found["fidelity.pair.score"].detail
    for side in ("holdout", "synthetic"):
        matrix = np.array(detail[side])
        assert matrix.shape == (5, 5)
        assert (matrix == matrix.T).all()
        assert (matrix >= 0).all()
        assert (matrix <= 1).all()


def test_missing_lists_only_columns_with_gaps(found: dict[str, Finding]) -> None:
    columns = found["fidelity.missing.score"].detail["columns"]
    assert [c["name"] for c in columns] == ["lab"]
    steps = columns[0]["holdout"] * found["fidelity.missing.score"].n / 11
    assert steps == pytest.approx(round(steps), abs=0.05)  # in steps of 11 patients: nobody can be counted


def test_nothing_missing_is_a_perfect_score() -> None:
    tables = [table(200, s) for s in range(3)]
    whole = [Dataset(t.frame[["age"]], Schema((COLUMNS[0],))) for t in tables]
    found = {f.name: f for f in Fidelity().judge(Comparison(*whole), run())}
    assert found["fidelity.missing.score"].value == 1
    assert found["fidelity.pair.score"].status == "skipped"


def test_a_perfect_copy_scores_the_floor() -> None:
    train, held = table(400, 0), table(300, 1)
    for finding in Fidelity().judge(Comparison(train, held, train), run()):
        if finding.unit == "score":
            assert finding.value == pytest.approx(finding.baseline)


def test_triples_are_distinct_columns_in_order_and_repeat_with_the_seed() -> None:
    triples = _sample_triples(33, run())
    assert len(set(triples)) == len(triples) == 120
    assert all(a < b < c for a, b, c in triples)
    assert triples == _sample_triples(33, run())
    assert len(_sample_triples(4, run())) == 4


def test_cramers_v() -> None:
    assert cramers_v(np.diag([50.0, 50])) == pytest.approx(1, abs=1e-9)
    assert cramers_v(np.full((2, 2), 25.0)) == 0
    assert cramers_v(np.array([[10.0, 20]])) == 0
    rng = np.random.default_rng(0)
    noise = np.histogram2d(rng.random(300), rng.random(300), bins=10)[0]
    assert cramers_v(noise) < 0.12


def test_visits_are_compared_when_patients_come_back() -> None:
    columns = (Column("id", "code", role="subject", handling="surrogate"), COLUMNS[0])

    def visits(patients: int, each: int, seed: int) -> Dataset:
        n = patients * each
        frame = table(n, seed).frame[["age"]].assign(id=np.repeat([f"p{seed}-{i}" for i in range(patients)], each))
        return Dataset(frame[["id", "age"]], Schema(columns))

    train, held = visits(100, 3, 0), visits(80, 3, 1)
    same = Fidelity().judge(Comparison(train, held, visits(100, 3, 2)), run())[-1]
    once = Fidelity().judge(Comparison(train, held, visits(300, 1, 2)), run())[-1]
    assert (same.name, same.value, same.baseline) == ("fidelity.visits.difference", 0, 0)
    assert once.value == -2
    assert once.detail["synthetic_counts"][0] == 300
    assert once.n == 80
