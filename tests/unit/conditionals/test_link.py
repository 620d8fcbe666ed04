"""Rows that look alike to a classifier are asked about once, and get the answer each would have got."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.conditionals.link import alike


@pytest.mark.parametrize("levels", [2, 5, 400])
def test_every_row_is_in_the_group_of_its_likes(levels: int) -> None:
    rng = np.random.default_rng(0)
    parents = rng.integers(-1, levels, (3000, 3)).astype(np.float32)
    asked = rng.integers(0, 4, 3000).astype(np.int32)
    first, group = alike(parents, asked)
    assert (parents[first][group] == parents).all()
    assert (asked[first][group] == asked).all()
    rows = np.column_stack([parents, asked])
    if levels < 10:
        assert len(first) == len(np.unique(rows, axis=0))


def test_more_combinations_than_a_number_holds_are_left_apart() -> None:
    parents = np.full((50, 12), 300, dtype=np.float32)
    first, group = alike(parents, np.zeros(50, dtype=np.int32))
    assert first.tolist() == group.tolist() == list(range(50))


def test_no_rows() -> None:
    first, group = alike(np.empty((0, 2), dtype=np.float32), np.empty(0, dtype=np.int32))
    assert len(first) == len(group) == 0
