"""Cells as one wide row and back."""

from __future__ import annotations

import numpy as np
import torch

from semblance.nets.gan import gumbel
from semblance.nets.layout import Layout, count_cells, ranks, shares_of


def test_unknown_cells_are_zeros_and_are_not_counted() -> None:
    codes = np.array([[1, -1], [0, 2]], dtype=np.int32)
    assert Layout([2, 3]).one_hot(torch.from_numpy(codes)).tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 1]]
    counts = count_cells(codes, [2, 3])
    assert [c.tolist() for c in counts] == [[1, 1], [0, 0, 1]]
    assert shares_of([*counts, np.zeros(2)]).tolist() == [0.5, 0.5, 0, 0, 1, 0.5, 0.5]


def test_cells_are_drawn_as_often_as_the_softmax_says() -> None:
    layout = Layout([3, 2])
    logits = torch.log(torch.tensor([[0.2, 0.3, 0.5, 0.9, 0.1]])).repeat(20_000, 1)
    noisy = layout.split(logits + gumbel(logits, torch.Generator().manual_seed(0)))
    drawn = torch.stack([block.argmax(dim=1) for block in noisy], dim=1)
    shares = [torch.bincount(drawn[:, j], minlength=s) / len(drawn) for j, s in enumerate(layout.sizes)]
    assert np.allclose(torch.cat(shares).numpy(), [0.2, 0.3, 0.5, 0.9, 0.1], atol=0.015)


def test_ranks_lie_in_the_middle_of_each_cells_mass() -> None:
    found = ranks([3, 2, 1], [np.array([1.0, 2.0, 1.0]), np.array([5.0, 5.0]), np.array([0.0])], [True, False, True])
    assert np.allclose(found, [-0.75, 0.0, 0.75, 0.0, 0.0, 0.0])
