"""A planted leak holds as many real patients as it says, and no other change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.leak import mix
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import row_keys
from semblance.engines.local import Local
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

RUN = Run(Seeds(4), Ledger(), Local(1))
COLUMNS = (
    Column("id", "code", role="subject", handling="surrogate"),
    Column("lab", "number", decimals=3),
    Column("seen", "date"),
    Column("sex", "category"),
)


def visits(patients: int, each: int, seed: int, name: str) -> Dataset:
    rng = np.random.default_rng(seed)
    n = patients * each
    seen = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    frame = pd.DataFrame(
        {
            "id": [f"{name}{i}" for i in np.repeat(np.arange(patients), each)],
            "lab": rng.normal(size=n).round(3),
            "seen": pd.Series(seen).astype("datetime64[us]"),
            "sex": rng.choice(["f", "m"], n).astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def comparison(rows: int = 200) -> Comparison:
    fake = replace(visits(rows, 1, 9, "made up "), origin="synthetic")
    return Comparison(visits(100, 3, 1, "real "), visits(40, 3, 2, "held "), fake, forge=lambda d, n, r: d)


def leaked(before: Comparison, after: Comparison) -> np.ndarray:
    modelled = before.train.schema.modelled
    return np.isin(row_keys(after.fake, modelled), row_keys(before.train, modelled))


def test_the_share_asked_for_is_real_and_one_row_of_each_patient():
    before = comparison()
    after = mix(before, 0.2, RUN)
    real = leaked(before, after)
    assert real.sum() == 40
    keys = row_keys(before.train, before.train.schema.modelled)
    owner = dict(zip(keys.tolist(), before.train.subjects.tolist(), strict=True))
    owners = [owner[int(k)] for k in row_keys(after.fake, before.train.schema.modelled)[real]]
    assert len(set(owners)) == 40
    pd.testing.assert_frame_equal(before.fake.frame[~real], after.fake.frame[~real])
    assert after.fake.frame["id"].equals(before.fake.frame["id"]), "identifiers stay made up"
    assert after.fake.origin == "synthetic"
    assert after.forge is None
    assert (after.fake.frame.dtypes == before.fake.frame.dtypes).all()


def test_a_larger_leak_contains_the_smaller_and_none_changes_nothing():
    before = comparison()
    small, large = (leaked(before, mix(before, share, RUN)) for share in (0.05, 0.2))
    assert (large | ~small).all()
    assert mix(before, 0.0, RUN).fake.frame.equals(before.fake.frame)


def test_patients_leak_twice_only_after_all_leaked_once():
    before = comparison(rows=1_000)
    after = mix(before, 0.2, RUN)  # 200 rows, 100 patients
    assert leaked(before, after).sum() == 200
    keys = row_keys(after.fake, before.train.schema.modelled)[leaked(before, after)]
    assert set(np.unique(keys, return_counts=True)[1]) == {2}


def test_a_table_with_other_kinds_and_a_column_gone():
    before = comparison()
    frame = before.fake.frame.drop(columns="sex").assign(seen=18_000.0)
    fake = Dataset(frame, Schema((COLUMNS[0], COLUMNS[1], Column("seen", "number"))), "synthetic")
    after = mix(replace(before, fake=fake), 0.1, RUN)
    assert (after.fake.frame["seen"] != 18_000.0).sum() == 20
    assert set(after.fake.frame["lab"]) & set(before.train.frame["lab"])


def test_nothing_to_leak_into_and_a_share_that_is_none():
    before = comparison()
    empty = replace(before, fake=before.fake.take(np.empty(0, dtype=np.int64)))
    assert mix(empty, 0.2, RUN).fake.n_rows == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        mix(before, 1.5, RUN)


def test_the_same_run_leaks_the_same_patients():
    before = comparison()
    assert mix(before, 0.1, RUN).fake.frame.equals(mix(before, 0.1, RUN).fake.frame)
    assert not mix(before, 0.1, RUN).fake.frame.equals(mix(before, 0.1, replace(RUN, seeds=Seeds(5))).fake.frame)
