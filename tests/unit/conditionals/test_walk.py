"""Masked walks against the probability of every cell, listed one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import chisquare

from semblance.conditionals import walk
from semblance.conditionals.bisection import Bisection, bisect
from semblance.conditionals.walk import draw_within, log_chance


@dataclass
class Oracle:
    """A link whose answers depend on the columns before, by a rule instead of trees; counts what it is asked."""

    questions: Bisection
    asked: int = 0

    def odds(self, before: np.ndarray, asked: np.ndarray, *, workers: int) -> np.ndarray:
        self.asked += len(asked)
        assert len(set(self.questions.depth[asked])) == 1
        return self.questions.prior[asked] + np.sin(before.sum(axis=1) * (1 + self.questions.cut[asked]))


def every_chance(link: Oracle, before: np.ndarray, n_cells: int) -> np.ndarray:
    """Probability of each cell for each row: (n, n_cells)."""
    chances = np.ones((len(before), n_cells))
    tree = link.questions
    for node in range(len(tree)):
        right = expit(link.odds(before, np.full(len(before), node), workers=1))[:, None]
        chances[:, tree.cut[node] : tree.high[node]] *= right
        chances[:, tree.low[node] : tree.cut[node]] *= 1 - right
    return chances


def oracle(counts: list[int]) -> Oracle:
    return Oracle(bisect(np.array(counts), last_apart=len(counts) > 2))


BEFORE = np.array([[0.0, 1.0], [2.0, 0.5], [3.0, 3.0]], dtype=np.float32)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.data())
def test_the_chance_of_a_cell_is_the_product_along_its_path(counts: list[int], data: st.DataObject) -> None:
    link = oracle(counts)
    cells = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=3, max_size=3)), dtype=np.int32)
    truth = every_chance(link, BEFORE, len(counts))[np.arange(3), cells]
    assert np.exp(log_chance(link, BEFORE, cells, workers=1)) == pytest.approx(truth)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.data())
def test_draws_keep_to_what_is_allowed_and_know_its_mass(counts: list[int], data: st.DataObject) -> None:
    link = oracle(counts)
    one = st.sampled_from([0.0, 0.0, 1.0, 0.25])
    share = np.array(data.draw(st.lists(one, min_size=len(counts), max_size=len(counts)).filter(any)))
    uniforms = np.array(data.draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3)))
    cells, log_mass = draw_within(link, BEFORE, share, uniforms, workers=1)
    assert (share[cells] > 0).all()
    assert np.exp(log_mass) == pytest.approx(every_chance(link, BEFORE, len(counts)) @ share)


def test_draws_are_in_proportion_to_chance_times_share(monkeypatch: pytest.MonkeyPatch) -> None:
    link = oracle([30, 5, 20, 1, 9, 14, 40, 3])
    share = np.array([1.0, 0.0, 0.5, 1.0, 0.0, 0.0, 1.0, 1.0])
    monkeypatch.setattr(walk, "ROOM", 5000)  # several parts, as with many rows
    n = 20_000
    before = np.repeat(BEFORE, n, axis=0)
    cells, _ = draw_within(link, before, share, np.random.default_rng(0).random(len(before)), workers=1)
    for row, wanted in enumerate(every_chance(link, BEFORE, 8) * share):
        seen = np.bincount(cells[row * n : (row + 1) * n], minlength=8)
        assert chisquare(seen[share > 0], n * (wanted / wanted.sum())[share > 0]).pvalue > 1e-4


def test_evenly_spread_uniforms_give_evenly_spread_cells() -> None:
    link = oracle([30, 5, 20, 1, 9])
    cells, _ = draw_within(link, np.repeat(BEFORE[:1], 1000, 0), np.ones(5), (np.arange(1000) + 0.5) / 1000, workers=1)
    wanted = every_chance(link, BEFORE[:1], 5)[0] * 1000
    assert np.abs(np.bincount(cells, minlength=5) - wanted).max() < 4


def test_answers_too_sure_for_a_float_still_keep_to_the_allowed() -> None:
    class Sure(Oracle):
        def odds(self, before: np.ndarray, asked: np.ndarray, *, workers: int) -> np.ndarray:
            return np.full(len(asked), 800.0)

    share = np.array([0.0, 1.0, 0.0, 0.0])
    cells, log_mass = draw_within(Sure(bisect(np.ones(4, int))), BEFORE, share, np.full(3, 0.9), workers=1)
    assert (cells == 1).all()
    assert (log_mass == -np.inf).all()


def test_a_bound_costs_about_one_walk_however_many_cells_it_leaves() -> None:
    link = oracle([10] * 257)
    share = (np.arange(257) >= 100).astype(float)
    before = np.repeat(BEFORE, 100, axis=0)
    draw_within(link, before, share, np.random.default_rng(0).random(300), workers=1)
    assert link.asked <= 2 * 300 * link.questions.n_levels
