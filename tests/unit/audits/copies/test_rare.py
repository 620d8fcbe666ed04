"""Exact amounts: most are one patient's own, and some come up again by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from semblance.audits.copies.rare import rare
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (Column("bill", "integer"), Column("ward", "category"))
DOLLARS = 60_000
"""So many that three in a hundred bills come up among other patients, which is more than columns together may."""


def patients(n: int, seed: int, *, dollars: int = DOLLARS) -> Dataset:
    rng = np.random.default_rng(seed)
    bill, ward = rng.integers(0, dollars, n).astype(float), rng.choice(np.array(["a", "b"], dtype=object), n)
    return Dataset(pd.DataFrame({"bill": bill, "ward": ward}), Schema(COLUMNS))


def judged(leaked: float, *, sizes: tuple[int, int] = (4_000, 2_000), dollars: int = DOLLARS, seed: int = 0) -> Finding:
    """Fresh patients, some of them with the bill of a training patient."""
    train, held, fresh = (patients(n, 10 * seed + i, dollars=dollars) for i, n in enumerate((*sizes, sizes[0])))
    k = round(leaked * train.n_rows)
    bills = np.concatenate([train.frame["bill"].to_numpy()[:k], fresh.frame["bill"].to_numpy()[k:]])
    fake = replace(fresh, frame=fresh.frame.assign(bill=bills), origin="synthetic")
    return rare(Comparison(train, held, fake), COLUMNS, Run(Seeds(seed), Ledger(), Local(1)))


def test_amounts_that_a_few_strangers_share_are_judged_by_themselves() -> None:
    leaky = judged(0.05)
    assert [part["name"] for part in leaky.detail["alone"]] == ["bill"]
    assert leaky.detail["left_out"] == []
    assert leaky.low > 0.01  # type: ignore[operator]
    assert leaky.high > 0.05  # type: ignore[operator]
    assert leaky.detail["p"] < 1e-6


def test_innocent_amounts_alarm_no_more_often_than_stated() -> None:
    found = [judged(0.0, seed=seed) for seed in range(1, 41)]
    assert sum(f.low > 0 for f in found) <= 4  # type: ignore[operator]
    assert sum(f.high < 0 for f in found) <= 4  # type: ignore[operator]


def test_amounts_that_chance_would_blur_are_left_out() -> None:
    """Of few patients, or on a coarse scale, an interval would say nothing but that chance is wide."""
    assert judged(0.0, sizes=(400, 200), dollars=6_000).detail["left_out"] == ["bill"]
    assert judged(0.0, dollars=6_000).detail["left_out"] == ["bill"]
