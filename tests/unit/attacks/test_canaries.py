"""Canaries are alone where they should be, come with many rows, and show in what has seen them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from semblance.attacks.canaries import PATIENT, Canaries
from semblance.stats import auc


@pytest.mark.parametrize("columns", [2, 3, 5])
def test_any_two_columns_name_one_canary(columns: int) -> None:
    canaries = Canaries.pairs(90, np.random.default_rng(1), rows_each=3, columns=columns, crowd=4)
    own = canaries.everyone.frame.iloc[: 90 * 3]
    assert own.groupby(PATIENT, sort=False).ngroups == 90
    assert (own.groupby(PATIENT)[["c0", "c1"]].nunique() == 1).all().all()
    others = canaries.everyone.frame.iloc[90 * 3 :]
    for a, b in combinations([f"c{j}" for j in range(columns)], 2):
        assert own.groupby([a, b])[PATIENT].nunique().max() == 1
        assert not set(map(tuple, own[[a, b]].to_numpy())) & set(map(tuple, others[[a, b]].to_numpy()))
    for name in canaries.everyone.schema.names[1:]:
        column = canaries.everyone.schema[name]
        assert column.bounds == "declared"
        assert others[name].value_counts().reindex(column.categories).min() == 4  # no label is rare


def test_names_are_shared_with_nobody_and_declared_by_nobody() -> None:
    canaries = Canaries.names(50, np.random.default_rng(1), rows_each=2, crowd=10)
    counts = canaries.everyone.frame["label"].value_counts()
    assert counts["shared"] == 10
    assert (counts.drop("shared") == 2).all()
    assert canaries.everyone.schema["label"].categories == ()
    assert canaries.everyone.n_subjects == 60


def test_coins_are_fair_and_decide_who_is_trained_on() -> None:
    canaries = Canaries.pairs(2000, np.random.default_rng(2), rows_each=2, crowd=1)
    assert canaries.inside.mean() == pytest.approx(0.5, abs=0.05)
    taken = set(canaries.trained_on.frame[PATIENT])
    assert {f"p{i}" for i in range(2000) if canaries.inside[i]} == {p for p in taken if int(p[1:]) < 2000}
    assert canaries.trained_on.n_rows == 2 * canaries.inside.sum() + canaries.everyone.n_rows - 4000


@pytest.mark.parametrize("kind", ["pairs", "names"])
def test_a_table_of_the_patients_themselves_gives_every_coin_away(kind: str) -> None:
    canaries = getattr(Canaries, kind)(100, np.random.default_rng(3), rows_each=2)
    seen = replace(canaries.trained_on, origin="synthetic")
    assert auc(canaries.suspicion(seen), canaries.inside) == 1.0
    assert auc(canaries.suspicion(seen.take(np.zeros(seen.n_rows, bool))), canaries.inside) == 0.5


def test_a_grid_has_no_more_columns_than_it_is_wide() -> None:
    with pytest.raises(ValueError, match="no more than the grid is wide"):
        Canaries.pairs(6, np.random.default_rng(0), rows_each=1, columns=4)
