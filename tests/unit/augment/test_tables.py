"""Rows repeated, and rows between rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.augment.tables import duplicate_rows, interpolate_rows
from semblance.data.dataset import Dataset
from semblance.errors import InputError
from semblance.schema import Column, Schema


def patients(n: int = 60, rare: int = 6) -> Dataset:
    rng = np.random.default_rng(0)
    died = np.array(["no"] * (n - rare) + ["yes"] * rare, dtype=object)
    died[0] = None
    frame = pd.DataFrame(
        {
            "who": [f"p{i // 2}" for i in range(n)],
            "age": np.round(rng.normal(60, 10, n)),
            "sodium": np.where(rng.random(n) < 0.2, np.nan, np.round(rng.normal(139, 4, n), 1)),
            "ward": rng.choice(["a", "b"], n).astype(object),
            "died": died,
        }
    )
    frame["who"] = frame["who"].astype(object)
    schema = Schema(
        (
            Column("who", "category", role="subject"),
            Column("age", "integer"),
            Column("sodium", "number", decimals=1),
            Column("ward", "category"),
            Column("died", "category"),
        )
    )
    return Dataset(frame, schema)


@pytest.mark.parametrize("more", [duplicate_rows, interpolate_rows])
def test_labels_are_balanced_and_nobody_is_invented(more: object) -> None:
    data = patients()
    made = more(data, "died", np.random.default_rng(1))  # type: ignore[operator]
    counts = made.frame["died"].value_counts()
    assert counts["no"] == counts["yes"] == 53
    assert made.origin == "augmented"
    pd.testing.assert_frame_equal(made.frame.iloc[:60], data.frame)
    assert set(made.frame["who"]) == set(data.frame["who"])
    assert made.frame.dtypes.equals(data.frame.dtypes)


def test_repeated_rows_are_the_rare_ones_evenly() -> None:
    made = duplicate_rows(patients(), "died", np.random.default_rng(1)).frame.iloc[60:]
    times = made.groupby(["who", "age"]).size()
    assert len(times) == 6
    assert times.max() - times.min() <= 1


def test_rows_between_lie_between() -> None:
    data = patients()
    rare = data.frame[data.frame["died"] == "yes"]
    made = interpolate_rows(data, "died", np.random.default_rng(1)).frame.iloc[60:]
    assert made["age"].between(rare["age"].min(), rare["age"].max()).all()
    assert (made["age"] == made["age"].round()).all()
    known = made["sodium"].dropna()
    assert np.allclose(known, known.round(1))
    assert made["sodium"].isna().any() == rare["sodium"].isna().any()
    assert not made[["age", "sodium"]].apply(tuple, axis=1).isin(rare[["age", "sodium"]].apply(tuple, axis=1)).all()


def test_what_holds_no_labels_is_refused() -> None:
    for name in ("age", "nothing"):
        with pytest.raises(InputError, match="no column of labels"):
            duplicate_rows(patients(), name, np.random.default_rng(0))
