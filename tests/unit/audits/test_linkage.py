"""Halves of records that meet in a synthetic row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semblance.attacks.leak import mix
from semblance.audits.linkage import Linkage
from semblance.audits.linkage.links import at_random, by_chance, closest, declared, linked
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("age", "integer", role="quasi-identifier"),
    Column("sex", "category", role="quasi-identifier"),
    Column("seen", "date", role="quasi-identifier"),
    Column("change", "number", decimals=3),
    Column("lab", "number", decimals=2),
    Column("ward", "category"),
)


def run_of(seed: int = 3) -> Run:
    return Run(Seeds(seed), Ledger(), Local(1), quick=True)


def patients(n: int, rng: np.random.Generator) -> Dataset:
    """Negative numbers, dates, a measurement missing for a third; one cause behind age and change."""
    cause = rng.normal(size=n)
    seen = pd.Timestamp("1969-12-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    frame = pd.DataFrame(
        {
            "age": np.round(50 + 12 * cause + 8 * rng.normal(size=n)),
            "sex": rng.choice(["f", "m"], n).astype(object),
            "seen": seen.astype("datetime64[us]"),
            "change": np.round(cause + rng.normal(size=n), 3),
            "lab": pd.Series(np.round(rng.exponential(size=n), 2)).mask(rng.random(n) < 0.3),
            "ward": rng.choice(["a", "b", "c"], n).astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def three(sizes: tuple[int, int, int], seed: int = 0) -> Comparison:
    rng = np.random.default_rng(seed)
    train, held, fake = (patients(n, rng) for n in sizes)
    return Comparison(train, held, replace(fake, origin="synthetic"))


def judged(comparison: Comparison) -> dict[str, Finding]:
    return {f.name.split(".")[1]: f for f in Linkage().judge(comparison, run_of())}


class TestHalves:
    def test_declared_are_what_outsiders_know_and_the_rest(self) -> None:
        halves = declared(COLUMNS)
        assert halves is not None
        assert [c.name for c in halves.one] == ["age", "sex", "seen"]
        assert [c.name for c in halves.other] == ["change", "lab", "ward"]
        assert declared(COLUMNS[3:]) is None
        assert declared(COLUMNS[:3]) is None

    def test_random_cuts_differ_and_lose_no_column(self) -> None:
        cuts = at_random(COLUMNS, 8, np.random.default_rng(0))
        assert len({frozenset((frozenset(c.one), frozenset(c.other))) for c in cuts}) == len(cuts) == 8
        assert all({*c.one, *c.other} == set(COLUMNS) and len(c.one) == len(c.other) == 3 for c in cuts)
        assert len(at_random(COLUMNS[:2], 8, np.random.default_rng(0))) == 1
        assert at_random(COLUMNS[:1], 8, np.random.default_rng(0)) == []


class TestLinks:
    def test_ties_are_broken_at_random(self) -> None:
        points = np.zeros((40, 3), dtype=np.float32)
        found = closest(points[:1].repeat(4_000, axis=0), points, 1, np.random.default_rng(0))
        # A fresh order for every few hundred queries: no row is the answer to all of them.
        assert len(np.unique(found)) > 5

    def test_nearest_first(self) -> None:
        points = np.array([[0.0], [1.0], [3.0]], dtype=np.float32)
        assert closest(np.array([[2.8]], dtype=np.float32), points, 3, np.random.default_rng(0)).tolist() == [[2, 1, 0]]

    @pytest.mark.parametrize("k", [1, 5])
    def test_halves_of_different_people_meet_by_chance(self, k: int) -> None:
        """One table about some patients, the other about strangers: k² / rows of the synthetic table."""
        rng = np.random.default_rng(1)
        n, rows = 3_000, 500
        some, others = patients(n, rng).frame, patients(n, rng).frame
        mixed = pd.concat([some[["age", "sex", "seen"]], others[["change", "lab", "ward"]]], axis=1)
        halves = declared(COLUMNS)
        assert halves is not None
        hits = linked(halves, [Dataset(mixed, Schema(COLUMNS))], patients(rows, rng), (k,), rng)[k].sum()
        assert by_chance(k, rows) == pytest.approx(k * k / rows, rel=0.03)
        # Nearest rows are not evenly spread over the table, hence a band somewhat wider than the binomial one.
        low, high = binom.ppf([0.001, 0.999], n, k * k / rows)
        assert 0.8 * low <= hits <= 1.2 * high

    def test_missing_agrees_with_missing(self) -> None:
        """Everything but one number is missing on either side; the copies of such rows are found all the same."""
        columns = tuple(Column(c, "number") for c in "abcd")
        rng = np.random.default_rng(0)
        frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
        frame.loc[:149, ["b", "d"]] = np.nan
        data = Dataset(frame, Schema(columns))
        halves = replace(at_random(columns, 1, rng)[0], one=columns[:2], other=columns[2:])
        assert linked(halves, [data], data, (1,), rng)[1].all()


class TestLeaks:
    @pytest.mark.parametrize("sizes", [(1_500, 1_500, 1_500), (2_400, 600, 2_400)], ids=["50/50", "80/20"])
    def test_a_planted_leak_is_found_at_its_size(self, sizes: tuple[int, int, int]) -> None:
        found = judged(mix(three(sizes), 0.1, run_of()))
        for which in ("declared", "random"):
            assert found[which].low > 0, which  # type: ignore[operator]
            assert found[which].low < 0.1 < found[which].high, which  # type: ignore[operator]
        assert found["groups"].high > 0.1  # type: ignore[operator]
        assert {g["name"] for g in found["groups"].detail["groups"]} >= {"sex = f", "sex = m"}

    def test_a_table_of_the_patients_themselves(self) -> None:
        c = three((1_200, 1_200, 10))
        found = judged(replace(c, fake=replace(c.train, origin="synthetic")))
        for which, finding in found.items():
            # Where a half is two labels and a date, the patient's own row is one of several equally near.
            assert finding.high > 0.9, which  # type: ignore[operator]
        assert found["declared"].value > 0.95  # type: ignore[operator]
        assert found["declared"].detail["naive"] < 0.03

    def test_the_groups_are_bounded_together(self) -> None:
        groups = judged(three((1_500, 1_500, 1_500)))["groups"]
        assert groups.value == max(g["value"] for g in groups.detail["groups"])
        assert groups.low == max(g["low"] for g in groups.detail["groups"])
        assert groups.high == max(g["high"] for g in groups.detail["groups"])


def test_too_little_to_link_is_said() -> None:
    c = three((60, 60, 60))
    assert judged(c)["random"].status == "underpowered"
    one = (COLUMNS[3],)
    alone = Comparison(*(Dataset(d.frame[["change"]], Schema(one), d.origin) for d in (c.train, c.held, c.fake)))
    assert {f.status for f in judged(alone).values()} == {"skipped"}
