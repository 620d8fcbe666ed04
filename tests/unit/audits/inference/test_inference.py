"""The audit as a whole: planted leaks, names, what is said where nothing can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.audits.inference import Inference
from semblance.audits.inference.leaks import TOGETHER, Leak
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
    Column("born", "date", role="quasi-identifier"),
    Column("debt", "number", role="sensitive"),
    Column("ill", "category", role="sensitive"),
    Column("since", "date", role="sensitive"),
)


def patients(n: int, seed: int) -> Dataset:
    """Secrets that nothing foretells: numbers below, at and above zero, dates before 1970, gaps."""
    rng = np.random.default_rng(seed)
    day = lambda low, high: pd.Series(  # noqa: E731
        pd.Timestamp("1970-01-01") + pd.to_timedelta(rng.integers(low, high, n), unit="D")
    ).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 90, n).astype(float),
            "sex": rng.choice(["f", "m"], n).astype(object),
            "born": day(-20_000, 10_000),
            "debt": np.where(rng.random(n) < 0.2, 0.0, np.round(rng.normal(-500, 100, n), 2)),
            "ill": pd.Series(rng.choice(["flu", "gout", "none"], n), dtype=object).mask(rng.random(n) < 0.2, None),
            "since": day(-5_000, 5_000).mask(rng.random(n) < 0.3),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def judged(train: Dataset, held: Dataset, fake: Dataset, *, seed: int = 3, quick: bool = False) -> dict[str, Finding]:
    run = Run(Seeds(seed), Ledger(), Local(2), quick=quick)
    return {f.name: f for f in Inference().judge(Comparison(train, held, replace(fake, origin="synthetic")), run)}


def test_a_table_that_is_the_training_table_gives_all_secrets_away() -> None:
    """The leak is one minus what strangers' secrets yield: negative numbers, zeros, dates and gaps alike."""
    train, held = patients(400, 0), patients(350, 1)
    found = judged(train, held, train)
    for name in ("debt", "ill", "since"):
        detail = found[f"inference.{name}.advantage"].detail
        assert detail["members"] == 1, name
        assert found[f"inference.{name}.advantage"].value == pytest.approx(1 - detail["others"])
        assert detail["others"] < 0.6
        assert max(detail["naive"], detail["naive_others"]) < 0.5  # without the table there is nothing to learn
        assert detail["p"] < 1e-6
    worst = found["inference.worst.advantage"]
    assert worst.low == pytest.approx(max(s["low"] for s in worst.detail["secrets"]))
    assert worst.low > 0.5  # type: ignore[operator]
    assert found["inference.groups.advantage"].low > 0.3  # type: ignore[operator]
    assert found["inference.disco.share"].value > 0.99  # type: ignore[operator]
    assert found["inference.disco.share"].baseline < 0.05  # type: ignore[operator]
    assert found["inference.repu.share"].value > 0.95  # type: ignore[operator]


def test_one_real_row_in_ten_is_found() -> None:
    train, held, fake = patients(700, 0), patients(600, 1), patients(700, 2)
    frame = pd.concat([train.frame[:70], fake.frame[70:]], ignore_index=True)
    found = judged(train, held, replace(fake, frame=frame))
    for name in ("debt", "ill", "since", "worst"):
        assert found[f"inference.{name}.advantage"].low > 0, name  # type: ignore[operator]
    assert found["inference.worst.advantage"].value == pytest.approx(0.1, abs=0.04)
    assert found["inference.repu.share"].detail["excess"]["low"] > 0


def test_other_patients_give_nothing_away() -> None:
    found = judged(patients(700, 0), patients(600, 1), patients(700, 2))
    for finding in found.values():
        assert finding.status == "measured", finding.name
        low = finding.detail["excess"]["low"] if "excess" in finding.detail else finding.low
        assert low <= 0, finding.name
    assert found["inference.worst.advantage"].high < 0.12  # type: ignore[operator]


def test_what_follows_in_the_population_is_no_leak() -> None:
    """Everybody's illness follows from sex: guessed right of strangers just as well, and DiSCO says it was expected."""

    def simple(n: int, seed: int) -> Dataset:
        data = patients(n, seed)
        ill = np.where(data.frame["sex"] == "f", "gout", "flu").astype(object)
        kept = ("sex", "debt", "ill")
        frame = data.frame.assign(ill=ill)[list(kept)]
        return Dataset(frame, Schema(tuple(c for c in COLUMNS if c.name in kept)))

    found = judged(simple(500, 0), simple(400, 1), simple(500, 2))
    ill = found["inference.ill.advantage"]
    assert (ill.detail["members"], ill.detail["others"], ill.detail["naive"]) == (1, 1, 1)
    assert ill.value == 0
    disco = {s["name"]: s for s in found["inference.disco.share"].detail["secrets"]}["ill"]
    assert (disco["value"], disco["others"], disco["expected"]) == (1, 1, 1)
    assert disco["expected_two_way"] == [{"key": "sex", "share": 1.0}]


def test_findings_of_columns_called_like_others_keep_apart() -> None:
    columns = tuple(replace(c, name={"debt": "worst", "ill": "a.b c"}.get(c.name, c.name)) for c in COLUMNS)
    train, held, fake = (
        Dataset(p.frame.set_axis([c.name for c in columns], axis=1), Schema(columns))
        for p in (patients(150, 0), patients(150, 1), patients(150, 2))
    )
    found = judged(train, held, fake, quick=True)
    assert {"inference.column worst.advantage", "inference.worst.advantage", "inference.a.b c.advantage"} <= set(found)


def test_where_nothing_can_be_asked_it_is_said() -> None:
    few = judged(patients(15, 0), patients(300, 1), patients(300, 2))
    assert {f.status for f in few.values()} == {"underpowered"}
    assert set(few) >= {f"inference.{which}.advantage" for which in TOGETHER}
    known = ("debt", "ill")
    alone = [
        Dataset(p.frame[list(known)], Schema(tuple(c for c in COLUMNS if c.name in known)))
        for p in (patients(300, 0), patients(300, 1), patients(300, 2))
    ]
    found = judged(*alone)
    assert found["inference.disco.share"].status == "skipped"
    assert found["inference.repu.share"].status == "skipped"
    assert found["inference.debt.advantage"].status == "measured"


def test_questions_put_to_strangers_are_counted_once() -> None:
    found = judged(patients(300, 0), patients(200, 1), patients(300, 2), quick=True)
    assert found["inference.debt.advantage"].detail["queries"] == 9 * 200  # six attackers, three naive guesses
    assert found["inference.worst.advantage"].detail["queries"] == 0


def test_a_column_that_is_no_secret_is_looked_up_all_the_same() -> None:
    """Who leaks chooses what to leak: what stands beside the quasi-identifiers is asked for in every column."""
    flags = tuple(Column(f"flag{i}", "boolean") for i in range(4))

    def flagged(n: int, seed: int) -> Dataset:
        rng = np.random.default_rng(seed + 50)
        # The harder to guess, the sooner a column is attacked as a secret: the last is not.
        drawn = {c.name: np.where(rng.random(n) < 0.5 - 0.05 * i, "1", "0").astype(object) for i, c in enumerate(flags)}
        return Dataset(patients(n, seed).frame.assign(**drawn), Schema((*COLUMNS, *flags)))

    train, held, fresh = flagged(400, 0), flagged(350, 1), flagged(400, 2)
    innocent = judged(train, held, fresh)
    assert "inference.flag3.advantage" not in innocent
    assert innocent["inference.worst.advantage"].low < 0  # type: ignore[operator]
    leaked = ["age", "sex", "born", "flag3"]
    found = judged(train, held, replace(fresh, frame=fresh.frame.assign(**{c: train.frame[c] for c in leaked})))
    worst = found["inference.worst.advantage"]
    assert (worst.detail["name"], worst.detail["attacker"]) == (
        "flag3",
        "the nearest synthetic row by the quasi-identifiers",
    )
    assert worst.low > 0.2  # type: ignore[operator]
    assert worst.detail["queries"] == 2 * 350  # flag2 and flag3; the others are counted where they are told
    assert not any("flag3" in name for name in found)


def test_a_patient_asked_many_secrets_counts_as_one_to_many() -> None:
    rng = np.random.default_rng(0)
    member = np.arange(2_000) < 1_000
    everyone = np.ones(2_000, dtype=bool)
    apart = [rng.random(2_000) < 0.5 for _ in range(4)]
    for hits, worth in ((apart, 4), ([apart[0]] * 4, 1)):
        leak = Leak.of(hits, hits, everyone, member)
        assert leak.members.n == pytest.approx(1_000 * worth, rel=0.1)
        assert leak.asked == (1_000, 1_000)


def test_the_mean_over_secrets_is_covered_as_often_as_stated() -> None:
    """Secrets that hang together by half: a shared cause and a cause of their own."""
    rng = np.random.default_rng(1)
    member = np.arange(400) < 250
    everyone = np.ones(400, dtype=bool)
    covered = 0
    for _ in range(1_000):
        shared = rng.random(400) < 0.4
        hits = [np.where(rng.random(400) < 0.5, shared, rng.random(400) < 0.4) for _ in range(5)]
        found = Leak.of(hits, hits, everyone, member).estimate()
        covered += found.low <= 0 <= found.high
    assert 0.93 <= covered / 1_000 <= 0.975
