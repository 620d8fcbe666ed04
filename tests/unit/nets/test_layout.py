"""Cells as one wide row and back."""

from __future__ import annotations

import numpy as np
import torch

from semblance.nets.layout import Layout, ranks


def test_unknown_cells_are_zeros_and_cost_nothing() -> None:
    layout = Layout([2, 3])
    codes = torch.tensor([[1, -1], [0, 2]])
    assert layout.one_hot(codes).tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 1]]
    likelihood = layout.log_likelihood(torch.zeros(2, 5), codes)
    assert torch.allclose(likelihood, torch.tensor([[np.log(0.5), 0.0], [np.log(0.5), np.log(1 / 3)]]).float())


def test_cells_are_drawn_as_often_as_the_softmax_says() -> None:
    layout = Layout([3, 2])
    logits = torch.log(torch.tensor([[0.2, 0.3, 0.5, 0.9, 0.1]])).repeat(20_000, 1)
    drawn = layout.draw(logits, torch.Generator().manual_seed(0))
    shares = [torch.bincount(drawn[:, j], minlength=s) / len(drawn) for j, s in enumerate(layout.sizes)]
    assert np.allclose(torch.cat(shares).numpy(), [0.2, 0.3, 0.5, 0.9, 0.1], atol=0.015)


def test_ranks_lie_in_the_middle_of_each_cells_mass() -> None:
    found = ranks([3, 2, 1], [np.array([1.0, 2.0, 1.0]), np.array([5.0, 5.0]), np.array([0.0])], [True, False, True])
    assert np.allclose(found, [-0.75, 0.0, 0.75, 0.0, 0.0, 0.0])
