"""What the counts of single columns betray, without any link between columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance import pipeline
from semblance.audits.membership.lira import Size
from semblance.audits.membership.marginal import floor, shuffled
from semblance.contracts import Comparison
from semblance.data.dataset import Dataset

SIZE = Size(models=16, rows=2_000, targets=400)


def patients(n: int, columns: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"q{i}": rng.choice(list("abcdef"), n) for i in range(columns)})
    return pipeline.read(frame, pipeline.describe(frame))


def area(columns: int) -> tuple[float, float]:
    data = patients(600, columns, seed=columns)
    run = pipeline.begin(seed=1)
    comparison = Comparison(data.take(np.arange(300)), data.take(np.arange(300, 600)), data.take(np.arange(300)))
    found = floor(comparison, data.schema.modelled, run, SIZE)
    return found.value, found.low


def test_columns_keep_their_counts_and_lose_their_links() -> None:
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], 4_000, p=[0.3, 0.7])
    data = pipeline.read(frame := pd.DataFrame({"sex": sex, "same": sex}), pipeline.describe(frame))
    fake = shuffled(data, 4_000, pipeline.begin(seed=2)).frame
    assert abs((fake["sex"] == "f").mean() - 0.3) < 0.03
    assert abs((fake["sex"] == fake["same"]).mean() - (0.3**2 + 0.7**2)) < 0.03


def test_many_columns_of_few_patients_betray_members_by_their_counts_alone() -> None:
    value, low = area(columns=60)
    assert low > 0.5
    assert value > area(columns=3)[0]
