"""The group that is told best: its upper bound speaks for every group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import stats
from semblance.attacks.targets import Targets
from semblance.audits.membership.worst import group
from semblance.data.dataset import Dataset
from semblance.evidence import Finding
from semblance.schema import Column, Schema

BLANK = Finding("membership.shadow.groups.auc", "?", status="underpowered", why="not measured")
LARGE, SMALL = 2_000, 100


def nobody(n: int) -> Dataset:
    return Dataset(pd.DataFrame({"x": np.zeros(n)}), Schema((Column("x", "number"),)))


def test_a_small_group_that_may_be_worse_off_is_not_hidden_behind_a_large_one() -> None:
    rng = np.random.default_rng(0)
    n = LARGE + SMALL
    small = np.tile(np.arange(n) < SMALL, 2)
    member = np.arange(2 * n) < n
    score = rng.normal(size=2 * n) + np.where(member & ~small, 0.3, 0.0)
    everyone = np.arange(n, dtype=np.int64)
    groups = {"large": ~small, "small": small}
    targets = Targets(nobody(n), nobody(n), np.zeros(2 * n, dtype=bool), groups, (everyone, everyone))
    found = group(BLANK, score, targets, method="by hand")
    own = {name: stats.auc_interval(score[mask], member[mask]) for name, mask in groups.items()}
    assert found.detail["group"] == "large"
    assert own["large"].high < own["small"].high
    assert found.value == pytest.approx(own["large"].value)
    assert found.high == pytest.approx(own["small"].high)
    assert 0.5 < found.low < own["large"].low  # type: ignore[operator]
