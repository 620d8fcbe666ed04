from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.conditionals.bisection import Bisection, bisect


def leaves_by_walking(tree: Bisection, n: int) -> list[list[int]]:
    """For each cell the turns that lead to it, found by walking from the root."""
    found: dict[int, list[int]] = {}

    def walk(node: int, turns: list[int]) -> None:
        for turn, child, low, high in (
            (0, tree.left[node], tree.low[node], tree.cut[node]),
            (1, tree.right[node], tree.cut[node], tree.high[node]),
        ):
            if child < 0:
                assert high - low == 1
                found[int(low)] = [*turns, turn]
            else:
                walk(int(child), [*turns, turn])

    walk(0, [])
    return [found[i] for i in range(n)]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=40), st.booleans())
def test_every_cell_is_reached_by_exactly_the_path_it_is_told(counts: list[int], last_apart: bool) -> None:
    tree = bisect(np.array(counts), last_apart=last_apart)
    nodes, turns = tree.paths(len(counts))
    assert len(tree) == len(counts) - 1
    for cell, walked in enumerate(leaves_by_walking(tree, len(counts))):
        asked = nodes[cell] >= 0
        assert list(turns[cell][asked]) == walked
        assert asked[: len(walked)].all()
        assert not asked[len(walked) :].any()


def test_one_cell_needs_no_question() -> None:
    assert len(bisect(np.array([7]))) == 0
    assert bisect(np.array([7])).n_levels == 0


def test_priors_are_the_log_odds_of_the_counts() -> None:
    tree = bisect(np.array([30, 10]), smoothing=0.0)
    assert tree.prior[0] == pytest.approx(np.log(10 / 30))


def test_missing_is_asked_first() -> None:
    tree = bisect(np.array([50, 50, 50, 50, 1]), last_apart=True)
    assert tree.cut[0] == 4


def test_common_cells_are_reached_in_few_steps() -> None:
    counts = np.array([900, 40, 30, 20, 10])
    nodes, _ = bisect(counts).paths(5)
    steps = (nodes >= 0).sum(axis=1)
    entropy = -(counts / 1000 * np.log2(counts / 1000)).sum()
    assert steps[0] == 1
    assert (steps * counts).sum() / 1000 <= entropy + 1


def test_round_trip_through_plain_data() -> None:
    tree = bisect(np.array([3, 1, 4, 1, 5, 9]))
    again = Bisection.from_dict(tree.to_dict())
    assert again.to_dict() == tree.to_dict()
