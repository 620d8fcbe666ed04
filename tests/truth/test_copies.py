"""Repeated patients: what was planted is found, and strangers are not accused, at any split."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semblance.audits.copies import Copies
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.data.nearest import nearest
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("number", "code", role="identifier", handling="surrogate"),
    Column("age", "integer", role="quasi-identifier"),
    Column("lab", "number", decimals=2),
    Column("bill", "number", decimals=2),
    Column("sex", "category", role="quasi-identifier"),
    Column("diagnosis", "code"),
    Column("note", "text", handling="blank"),
    Column("died", "boolean", role="target"),
)
WORDS = np.array([f"word{i}" for i in range(400)], dtype=object)
BATTERY = ("exact", "near", "patients", "outliers", "groups", "rare", "text")


def patients(n: int, seed: int, *, noted: bool = True) -> Dataset:
    """A population with everything in it that may give a person away; nobody lived."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "number": [f"MRN{k:09d}" for k in rng.integers(0, 10**9, n)],
            "age": np.round(np.clip(60 + 15 * hidden + rng.normal(0, 8, n), 18, 99)),
            "lab": np.round(rng.lognormal(hidden / 2, 0.5, n), 2),
            "bill": np.round(rng.lognormal(9 + hidden / 2, 1.0, n), 2),
            "sex": rng.choice(np.array(["female", "male"], dtype=object), n),
            # A few common diagnoses and a long tail of rare ones.
            "diagnosis": [f"D{min(int(k), 90_000):05d}" for k in rng.zipf(1.5, n)],
            "note": [" ".join(rng.choice(WORDS, 12)) if noted and rng.random() < 0.5 else None for _ in range(n)],
            "died": np.where(hidden + rng.logistic(size=n) > 0, "1", "0").astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def judge(comparison: Comparison, seed: int = 0, *, quick: bool = False) -> dict[str, Finding]:
    found = Copies(permutations=200).judge(comparison, Run(Seeds(seed), Ledger(), Local(1), quick=quick))
    return {f.name.removeprefix("copies.").removesuffix(".excess"): f for f in found}


@cache
def parts() -> tuple[Dataset, Dataset, Dataset]:
    return patients(1400, 1), patients(600, 2), patients(1400, 3)


def with_planted(columns: list[str], many: int, source: Dataset, *, nudge: float = 0.0) -> Comparison:
    """Fresh patients; `many` rows take these cells from as many patients of `source`."""
    train, held, fresh = parts()
    frame, rng = fresh.frame.copy(), np.random.default_rng(4)
    taken = source.frame[columns].iloc[rng.choice(source.n_rows, many, replace=False)].reset_index(drop=True)
    if nudge:
        taken["lab"] = np.round(taken["lab"] + nudge, 2)
    frame.loc[: many - 1, columns] = taken
    return Comparison(train, held, Dataset(frame, fresh.schema, "synthetic"))


LEARNED = [c.name for c in COLUMNS if c.modelled]


class TestPlanted:
    def test_each_copy_is_counted(self) -> None:
        found = judge(with_planted(LEARNED, 28, parts()[0]))
        assert found["exact"].value == pytest.approx(28 / 1400, abs=1e-9)
        assert found["exact"].low > 0  # type: ignore[operator]
        assert found["patients"].detail["exact"]["value"] == pytest.approx(28 / 1400, abs=1e-9)
        assert found["patients"].low > 0  # type: ignore[operator]

    def test_one_value_nudged_is_a_near_copy(self) -> None:
        found = judge(with_planted(LEARNED, 42, parts()[0], nudge=0.01))
        assert found["exact"].value == 0
        assert found["near"].low > 0  # type: ignore[operator]
        assert found["patients"].low > 0  # type: ignore[operator]

    def test_outliers_alone_are_noticed_among_outliers(self) -> None:
        """Forty lonely patients repeated with a nudge: an average over all would hide them."""
        train, held, fresh = parts()
        columns = train.schema.modelled
        space = Space.fit([train, held], columns)
        points = np.vstack([space(train), space(held)])
        everyone = np.arange(len(points))
        distance = nearest(points, points, everyone, own=everyone).distance
        lonely = np.argsort(-distance[: train.n_rows])[:40]
        frame = fresh.frame.copy()
        frame.loc[:39, LEARNED] = train.frame.loc[lonely, LEARNED].assign(lab=lambda f: f["lab"] + 0.01).to_numpy()
        frame = frame.astype(fresh.frame.dtypes.to_dict())
        found = judge(Comparison(train, held, Dataset(frame, fresh.schema, "synthetic")))
        assert found["outliers"].low > 0  # type: ignore[operator]
        # of all patients the same copies are so small a share that the two intervals lie apart
        assert found["outliers"].low > found["patients"].high  # type: ignore[operator]

    @pytest.mark.parametrize("column", ["diagnosis", "bill"])
    def test_rare_values_are_found_in_their_column(self, column: str) -> None:
        train = parts()[0]
        alone = ~pd.concat([t.frame[column] for t in parts()[:2]], ignore_index=True).duplicated(keep=False)
        holders = train.take(alone.to_numpy()[: train.n_rows])
        found = judge(with_planted([column], 70, holders))["rare"]
        assert found.low > 0  # type: ignore[operator]
        assert found.value == pytest.approx(70 / 1400, abs=0.02)
        assert found.detail["columns"][0]["name"] == column

    @pytest.mark.parametrize("column", ["number", "note"])
    def test_a_column_that_should_be_empty_or_fresh(self, column: str) -> None:
        train = parts()[0]
        noted = train.take(train.frame["note"].notna().to_numpy())
        found = judge(with_planted([column], 30, noted))["text"]
        assert found.low > 0  # type: ignore[operator]
        assert found.value == pytest.approx(30 / 1400, abs=1e-9)
        assert found.detail["naive"] == 0

    def test_a_sentence_in_another_note_and_in_capitals(self) -> None:
        train, held, fresh = parts()
        frame = fresh.frame.copy()
        notes = train.frame["note"].dropna().iloc[:30].str.split().str[1:11].str.join("  ").str.upper()
        frame.loc[:29, "note"] = ("quite another beginning " + notes).to_numpy()
        found = judge(Comparison(train, held, Dataset(frame, fresh.schema, "synthetic")))["text"]
        assert found.low > 0  # type: ignore[operator]
        assert found.detail["runs"]["members"] == pytest.approx(30 / 1400, abs=1e-9)

    def test_row_numbers_are_no_leak(self) -> None:
        """Patients numbered from 1 on, in train first: a synthetic table that counts its rows knows none of them."""
        made = [patients(n, s) for s, n in enumerate((600, 300, 600))]
        starts = (1, 601, 1)
        tables = [
            replace(t, frame=t.frame.assign(number=[str(k + i) for i in range(t.n_rows)]))
            for t, k in zip(made, starts, strict=True)
        ]
        found = judge(Comparison(tables[0], tables[1], replace(tables[2], origin="synthetic")))["text"]
        assert found.value == 0


def test_duplicates_of_training_patients_do_not_count() -> None:
    """Forty rows that three patients of train share: nobody is recognised by them."""
    train, held, fresh = parts()
    shared = train.frame.loc[:39, LEARNED].to_numpy()
    frames = [t.frame.copy() for t in (train, fresh)]
    for start in (100, 200, 300):
        frames[0].loc[start : start + 39, LEARNED] = shared
    frames[1].loc[:39, LEARNED] = shared
    tables = [
        Dataset(f.astype(t.frame.dtypes.to_dict()), t.schema) for f, t in zip(frames, (train, fresh), strict=True)
    ]
    found = judge(Comparison(tables[0], held, replace(tables[1], origin="synthetic")))
    assert found["exact"].value == 0
    assert found["patients"].low <= 0  # type: ignore[operator]


def test_rows_of_one_patient_are_one_piece_of_news() -> None:
    """Five visits each; every visit of four patients is repeated: four patients, not twenty rows."""
    columns = (Column("id", "code", role="subject", handling="surrogate"), *COLUMNS[1:6])

    def visits(n: int, seed: int) -> Dataset:
        once = patients(5 * n, seed).frame[[c.name for c in columns[1:]]]
        once.insert(0, "id", [f"p{seed}-{i}" for i in np.repeat(np.arange(n), 5)])
        return Dataset(once, Schema(columns))

    train, held, fresh = visits(300, 1), visits(200, 2), visits(300, 3)
    frame = fresh.frame.copy()
    frame.loc[:19, list(frame.columns[1:])] = train.frame.loc[:19, list(frame.columns[1:])]
    found = judge(Comparison(train, held, Dataset(frame, fresh.schema, "synthetic")))
    assert found["patients"].detail["exact"]["value"] == pytest.approx(4 / 300, abs=1e-9)
    assert found["exact"].value == pytest.approx(20 / 1500, abs=1e-9)
    assert found["exact"].low <= 0  # type: ignore[operator]


@pytest.mark.parametrize("sizes", [(240, 240), (400, 100)], ids=["50/50", "80/20"])
def test_strangers_are_not_accused(sizes: tuple[int, int]) -> None:
    """Forty innocent tables: how often an interval lies above nothing stays within what its level allows."""
    n, alarms = 40, dict.fromkeys(BATTERY, 0)
    for seed in range(n):
        train, held, fresh = (patients(k, 3 * seed + i, noted=False) for i, k in enumerate((*sizes, 300)))
        found = judge(Comparison(train, held, replace(fresh, origin="synthetic")), seed, quick=True)
        for name in BATTERY:
            low = found[name].low
            alarms[name] += low is not None and low > 0
    for name, count in alarms.items():
        assert count <= binom.ppf(0.995, n, 0.025), f"{name}: {count} of {n} at a stated rate of .025"
