"""A column looks at the columns that matter, as far as strangers profit, and at no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.conditionals.allotment import Allotment, Spent
from semblance.conditionals.lessons import SEARCH
from semblance.contracts import Run
from semblance.data.boosting import lightgbm
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.generators.chain import Chain
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds


def table(n: int, n_noise: int) -> Dataset:
    rng = np.random.default_rng(0)
    noise = {f"noise{i}": rng.normal(size=n).round(3) for i in range(n_noise)}
    cause = rng.normal(size=n).round(3)
    effect = (cause + 0.3 * rng.normal(size=n)).round(3)
    frame = pd.DataFrame({**noise, "cause": cause, "effect": effect})
    return Dataset(frame, Schema(tuple(Column(name, "number", decimals=3) for name in frame)))


def run() -> Run:
    return Run(Seeds(0), Ledger(), Local(workers=1))


def test_a_column_looks_at_what_moves_it() -> None:
    alone, most = (Chain(parents=share).fit(table(3000, 12), run()).links[-1].parents for share in (0.7, 0.95))
    assert alone == (12,)
    assert set(alone) < set(most)


def test_columns_that_nothing_moves_stay_nearly_unlearned() -> None:
    model = Chain().fit(table(3000, 12), run())
    grown = [sum(lightgbm().Booster(model_str=b).num_trees() for b in link.boosters if b) for link in model.links]
    assert np.median(grown[:12]) < 0.1 * grown[-1]  # some luck is allowed for, but it is not the rule


def test_reach_grows_more_or_fewer_trees() -> None:
    def trees(reach: float) -> int:
        model = Chain(reach=reach).fit(table(1500, 1), run())
        return sum(lightgbm().Booster(model_str=b).num_trees() for b in model.links[-1].boosters if b)

    few, some, many = trees(0.5), trees(1.0), trees(1.5)
    assert few < some < many


def test_a_long_table_is_learned_from_some_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    real = table(3000, 1)
    whole = Chain().fit(real, run())
    monkeypatch.setattr("semblance.conditionals.lessons.GROWN", 500)
    part = Chain().fit(real, run())
    assert whole.links[0].boosters == part.links[0].boosters
    assert whole.links[-1].boosters != part.links[-1].boosters
    assert (whole.links[-1].questions.prior == part.links[-1].questions.prior).all()  # marginals: from every row
    fake = part.sample(3000, run()).frame
    assert fake["cause"].corr(fake["effect"]) > 0.8


def test_a_depth_of_which_the_lot_took_too_few_rows_keeps_its_plain_odds(monkeypatch: pytest.MonkeyPatch) -> None:
    real = table(3000, 1)
    monkeypatch.setattr("semblance.conditionals.lessons.GROWN", 60)  # fewer than a classifier may learn from
    model = Chain().fit(real, run())
    assert not any(any(link.boosters) for link in model.links)
    assert model.sample(50, run()).n_rows == 50


def test_the_search_takes_its_share_of_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    left, taken, part = 1.0, [], Allotment.part

    def watched(allotment: Allotment, share: float) -> Spent:
        nonlocal left
        taken.append(share * left)
        left -= taken[-1]
        return part(allotment, share)

    monkeypatch.setattr(Allotment, "part", watched)
    Chain().fit(table(3000, 0), run())  # of two columns, one is learned from the other
    searched = len(taken) // 2  # as many depths are searched as are grown
    assert searched > 2
    assert sum(taken[:searched]) == pytest.approx(SEARCH)
    assert sum(taken) == pytest.approx(1.0)
