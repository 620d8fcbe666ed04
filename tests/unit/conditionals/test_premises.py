"""What a net is told: combinations as often as they were seen, and honest weights under conditions."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.conditionals.premises import Premises, even_out

RNG = np.random.default_rng(3)
N = 3000
CODES = np.column_stack([RNG.choice(3, N, p=[0.9, 0.08, 0.02]), RNG.integers(0, 4, N), RNG.integers(0, 2, N)]).astype(
    np.int32
)
CODES[:, 2] = np.where(CODES[:, 0] == 2, 1, CODES[:, 2])  # the rare cell goes with one cell only
SIZES = (3, 4, 2)


def learned(codes: np.ndarray = CODES) -> Premises:
    return Premises.learn(codes, (0, 2), SIZES, np.arange(len(codes)), min_patients=11)


def test_drawn_freely_they_come_as_often_as_they_were_seen() -> None:
    cells, weights = learned().draw(60_000, np.random.default_rng(1), {})
    assert weights == pytest.approx(0.0, abs=1e-12)
    for cell in range(3):
        assert (cells[:, 0] == cell).mean() == pytest.approx((CODES[:, 0] == cell).mean(), abs=0.006)
    assert (cells[cells[:, 0] == 2, 1] == 1).all()


def test_a_combination_of_too_few_patients_is_not_kept_but_can_be_drawn() -> None:
    codes = CODES.copy()
    codes[np.flatnonzero(codes[:, 0] == 2)[:5], 2] = 0
    premises = learned(codes)
    assert [2, 0] not in premises.combinations.tolist()
    cells, _ = premises.draw(200_000, np.random.default_rng(1), {0: np.array([0, 0, 1.0]), 2: np.array([1.0, 0])})
    assert (cells == [2, 0]).all()


def test_weights_make_up_for_what_was_proposed() -> None:
    """A mean over weighted draws, counted with the shares again, is that over free draws that meet the conditions."""
    shares = {0: np.array([0.0, 0.5, 1.0])}
    premises = learned()
    cells, logs = premises.draw(50_000, np.random.default_rng(1), shares)
    weights = np.exp(logs) * shares[0][cells[:, 0]]
    chance = 0.5 * (CODES[:, 0] == 1).mean() + (CODES[:, 0] == 2).mean()
    assert weights.mean() == pytest.approx(chance, rel=0.02)
    expected = (CODES[:, 0] == 2).mean() / chance
    assert np.average(cells[:, 0] == 2, weights=weights) == pytest.approx(expected, rel=0.03)


def test_what_cannot_be_drawn_has_no_weight() -> None:
    _, logs = learned().draw(10, np.random.default_rng(1), {0: np.zeros(3)})
    assert np.isneginf(logs).all()


def test_rare_cells_are_shown_more_often_in_training() -> None:
    shown = even_out(CODES, (0,))
    assert shown.sum() == pytest.approx(1.0)
    by_cell = np.array([shown[CODES[:, 0] == cell].sum() for cell in range(3)])
    counts = np.bincount(CODES[:, 0])
    assert by_cell == pytest.approx(np.sqrt(counts) / np.sqrt(counts).sum())


def test_rows_that_cannot_be_told_are_not_shown() -> None:
    codes = CODES.copy()
    codes[:100, 0] = -1
    assert (even_out(codes, (0,))[:100] == 0).all()
