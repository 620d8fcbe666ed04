"""Likelihood ratios from pairs of shadow models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from semblance.audits.membership.odds import LEAST, Odds


def pairs(models: int, targets: int, *, shift: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Traces of unit scatter around each target's own centre, higher by `shift` where it was learned from."""
    rng = np.random.default_rng(seed)
    inside = np.zeros((models, targets), dtype=bool)
    inside[0::2] = rng.random((models // 2, targets)) < 0.5
    inside[1::2] = ~inside[0::2]
    centre = 10 * rng.normal(size=targets)
    traces = centre + rng.normal(size=(models, targets)) + np.where(inside, 0.5, -0.5) * shift
    return np.stack([traces, np.zeros_like(traces)], axis=2), inside, centre  # no row is the same


def test_it_is_the_log_ratio_of_two_normal_densities() -> None:
    traces, inside, centre = pairs(200, 300, shift=np.full(300, 2.0))
    odds = Odds.learn(traces, inside)
    assert odds.spread[0] == pytest.approx(1, abs=0.02)
    assert odds.shift[:, 0] == pytest.approx(2, abs=0.3)
    seen = centre + 0.7
    expected = norm.logpdf(seen, centre + 1, 1) - norm.logpdf(seen, centre - 1, 1)
    assert odds(np.column_stack([seen, 0 * seen])) == pytest.approx(expected, abs=0.8)


def test_eight_models_a_side_do_not_tell_one_targets_shift_from_another() -> None:
    """All targets are alike, so what differs between them is noise and is shrunk away."""
    traces, inside, _ = pairs(16, 2_000, shift=np.full(2_000, 0.5))
    assert Odds.learn(traces, inside).shift.std() < 0.1 < 0.45


def test_targets_that_do_differ_keep_their_own_shift() -> None:
    shift = np.where(np.arange(2_000) < 200, 5.0, 0.2)
    traces, inside, _ = pairs(16, 2_000, shift=shift)
    learned = Odds.learn(traces, inside).shift[:, 0]
    assert learned[:200].mean() > 4
    assert learned[200:].mean() < 0.6


def test_nobody_believes_that_being_learned_from_lowers_a_trace() -> None:
    traces, inside, _ = pairs(16, 500, shift=np.full(500, -1.0))
    odds = Odds.learn(traces, inside)
    assert odds.shift == pytest.approx(LEAST * odds.spread[0])


def test_a_trace_that_never_changes_is_left_out() -> None:
    traces, inside, _ = pairs(16, 500, shift=np.full(500, 1.0))
    both = np.concatenate([traces[:, :, :1], np.full_like(traces[:, :, :1], 3.0), traces[:, :, 1:]], axis=2)
    one, two = Odds.learn(traces, inside), Odds.learn(both, inside)
    assert np.allclose(one(traces[0]), two(both[0]))
    assert two.strength[1] == 0


def test_a_row_that_is_the_same_tells_much_unless_anybody_might_have_it() -> None:
    traces, inside, centre = pairs(16, 400, shift=np.full(400, 0.5))
    common = np.arange(400) < 100
    traces[:, common, 1] = 1.0
    odds = Odds.learn(traces, inside)
    without, with_copy = (odds(np.column_stack([centre, np.full(400, flag)])) for flag in (0.0, 1.0))
    assert (with_copy - without)[~common].min() > 3
    assert np.abs(with_copy[common]).max() < 1
