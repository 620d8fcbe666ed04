from __future__ import annotations

import numpy as np
import pytest

from semblance.attacks.sampling import poisson_p
from semblance.privacy.batches import Batch, Batches, coins

SUBJECTS = np.random.default_rng(1).permutation(np.repeat(np.arange(300), np.arange(300) % 5 + 1))


def test_each_patient_comes_by_a_coin_of_their_own() -> None:
    batches = Batches(SUBJECTS, 0.05)
    taken = np.zeros((300, 300), bool)
    for step in range(300):
        taken[step, np.unique(SUBJECTS[batches.draw().rows])] = True
    assert poisson_p(taken, 0.05) > 1e-5


def test_a_patient_comes_with_all_rows_or_none() -> None:
    batch = Batches(SUBJECTS, 0.2).draw()
    who = SUBJECTS[batch.rows]
    assert len(np.unique(batch.rows)) == len(batch.rows)
    assert len(batch.rows) == np.isin(SUBJECTS, who).sum()
    assert batch.patients == len(np.unique(who))
    for owner in range(batch.patients):
        assert len(np.unique(who[batch.owners == owner])) == 1
    assert (np.diff(batch.owners) >= 0).all()


def test_a_batch_may_be_empty() -> None:
    batch = Batches(np.arange(20), 1e-9).draw()
    assert (batch.patients, len(batch.rows), len(batch.owners)) == (0, 0, 0)
    assert batch.blocks(10) == []


def test_blocks_are_the_batch_and_take_nobody_apart() -> None:
    sizes = [3, 1, 12, 1, 1, 2]
    batch = Batch(np.arange(20), np.repeat(np.arange(6), sizes), 6)
    parts = batch.blocks(5)
    assert [part.patients for part in parts] == [2, 1, 3]
    np.testing.assert_array_equal(np.concatenate([part.rows for part in parts]), batch.rows)
    found = np.concatenate([np.bincount(part.owners, minlength=part.patients) for part in parts])
    assert found.tolist() == sizes


def test_coins_have_the_odds_they_are_told() -> None:
    for rate in (0.003, 0.5, 1.0):
        assert abs(coins(rate, 200_000).mean() - rate) <= 6 * np.sqrt(rate * (1 - rate) / 200_000)


@pytest.mark.parametrize("rate", [0.0, 1.5])
def test_no_other_rate_is_one(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Batches(SUBJECTS, rate)
