"""Clipped sums by three ways: one patient after the other by hand, by Opacus' hooks, and without single gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.errors import Unsupported
from semblance.nets.private.clipping import learned
from semblance.nets.private.ghost import Ghost, knows
from semblance.nets.private.samples import Samples
from semblance.privacy.batches import Batch

Losses = Callable[[Tensor], Tensor]
REACH = 0.7


class Table(nn.Module):
    """Linear layers and norms, one of them used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.inner = nn.Linear(9, 12), nn.Linear(12, 12, bias=False)
        self.norm, self.leave = nn.LayerNorm(12), nn.Linear(12, 4)

    def forward(self, row: Tensor) -> Tensor:
        row = functional.silu(self.enter(row))
        for _ in range(2):
            row = row + functional.silu(self.inner(self.norm(row)))
        return self.leave(row)


class Picture(nn.Module):
    """What nets of images are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.norm, self.time, self.leave = nn.GroupNorm(2, 4), nn.Linear(3, 4), nn.Conv2d(4, 1, 1)

    def forward(self, image: Tensor, told: Tensor) -> Tensor:
        hidden = functional.silu(self.norm(self.first(image)) + self.time(told)[:, :, None, None])
        return self.leave(functional.silu(self.second(hidden)))


def of_table(net: nn.Module, n: int) -> Losses:
    torch.manual_seed(3)
    rows, wanted = torch.randn(n, 9) * torch.linspace(0.1, 8, n)[:, None], torch.randint(0, 4, (n,))
    return lambda at: functional.cross_entropy(net(rows[at]), wanted[at], reduction="none")


def of_pictures(net: nn.Module, n: int) -> Losses:
    torch.manual_seed(4)
    images, told = torch.randn(n, 1, 6, 6) * torch.linspace(0.1, 8, n)[:, None, None, None], torch.randn(n, 3)
    return lambda at: (net(images[at], told[at]) - images[at]).square().mean(dim=(1, 2, 3))


def by_hand(net: nn.Module, losses: Losses, batch: Batch, reach: float) -> np.ndarray:
    """The mean loss of each patient's rows, its gradient, its length: one patient after the other."""
    total = 0.0
    for patient in range(batch.patients):
        rows = torch.from_numpy(batch.rows[batch.owners == patient])
        found = torch.autograd.grad(losses(rows).mean(), learned(net), allow_unused=True)
        whole = [torch.zeros_like(p) if g is None else g for p, g in zip(learned(net), found, strict=True)]
        flat = torch.cat([g.reshape(-1) for g in whole]).double()
        total = total + flat * min(1.0, reach / float(flat.norm()))
    return np.asarray(total)


def patients(sizes: list[int]) -> Batch:
    rng = np.random.default_rng(5)
    return Batch(rng.permutation(sum(sizes)), np.repeat(np.arange(len(sizes)), sizes), len(sizes))


@pytest.mark.parametrize("sizes", [[1] * 12, [1, 7, 2, 1, 20, 3]])
@pytest.mark.parametrize("way", [Samples, Ghost])
def test_clipped_sums_of_a_table_are_those_made_by_hand(way: type, sizes: list[int]) -> None:
    torch.manual_seed(1)
    net, batch = Table(), patients(sizes)
    losses = of_table(net, sum(sizes))
    assert knows(net)
    expected = by_hand(net, losses, batch, REACH)
    assert np.linalg.norm(by_hand(net, losses, batch, 1e9)) > 2 * np.linalg.norm(expected), "or nothing is clipped"
    clipped = way(net, losses)
    for _ in range(2):  # and again: nothing is left over from the first time
        np.testing.assert_allclose(clipped(batch, REACH), expected, rtol=1e-5, atol=1e-5)
    clipped.close()
    copy.deepcopy(net)


@pytest.mark.parametrize("sizes", [[1] * 8, [2, 5, 1]])
def test_clipped_sums_of_pictures_are_those_made_by_hand(sizes: list[int]) -> None:
    torch.manual_seed(1)
    net, batch = Picture(), patients(sizes)
    losses = of_pictures(net, sum(sizes))
    assert not knows(net)
    expected = by_hand(net, losses, batch, 0.05)
    clipped = Samples(net, losses)
    np.testing.assert_allclose(clipped(batch, 0.05), expected, rtol=1e-5, atol=1e-5)
    clipped.close()


@pytest.mark.parametrize("way", [Samples, Ghost])
def test_blocks_change_nothing(way: type, monkeypatch: pytest.MonkeyPatch) -> None:
    net, batch = Table(), patients([3, 1, 4, 1, 5, 9, 2, 6])
    losses = of_table(net, len(batch.rows))
    whole = way(net, losses)
    expected = whole(batch, REACH)
    whole.close()
    monkeypatch.setattr("semblance.nets.private.ghost.ROWS", 5)
    monkeypatch.setattr("semblance.nets.private.samples.NUMBERS", 5 * sum(p.numel() for p in net.parameters()))
    np.testing.assert_allclose(way(net, losses)(batch, REACH), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", [Samples, Ghost])
def test_no_patient_moves_the_sum_further_than_the_reach(way: type) -> None:
    net = Table()
    losses = of_table(net, 60)
    clipped = way(net, losses)
    one = Batch(np.arange(10, 60), np.zeros(50, dtype=np.int64), 1)
    assert np.linalg.norm(clipped(one, 0.01)) == pytest.approx(0.01, rel=1e-4)
    empty = Batch(np.empty(0, np.int64), np.empty(0, np.int64), 0)
    assert not clipped(empty, 0.01).any()


@pytest.mark.parametrize("way", [Samples, Ghost])
def test_whoever_has_no_finite_gradient_is_left_out_and_nobody_else(way: type) -> None:
    net, batch = Table(), patients([1] * 6)
    losses = of_table(net, 6)

    def broken(rows: Tensor) -> Tensor:
        return losses(rows) * torch.where(rows == batch.rows[2], float("inf"), 1.0)

    others = Batch(np.delete(batch.rows, 2), np.arange(5), 5)
    expected = by_hand(net, losses, others, REACH)
    np.testing.assert_allclose(way(net, broken)(batch, REACH), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", [Samples, Ghost])
@pytest.mark.parametrize("layer", [nn.BatchNorm1d(9), nn.InstanceNorm1d(9, track_running_stats=True)])
def test_what_mixes_patients_is_refused(way: type, layer: nn.Module) -> None:
    net = nn.Sequential(layer, nn.Linear(9, 2))
    with pytest.raises(Unsupported, match="mixes the patients"):
        way(net, lambda rows: net(rows))


def test_what_gradients_by_row_are_not_known_of_is_refused() -> None:
    class Loose(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 1)

        def losses(self, rows: Tensor) -> Tensor:
            return (torch.ones(len(rows), 3) @ self.linear.weight.T)[:, 0]  # past the layer

    net = Loose()
    for way in (Samples, Ghost):
        clipped = way(net, net.losses)
        with pytest.raises(Unsupported):
            clipped(patients([1, 1]), REACH)
        clipped.close()
    with pytest.raises(Unsupported, match="linear layers"):
        Ghost(Picture(), net.losses)


@pytest.mark.parametrize("way", [Samples, Ghost])
@pytest.mark.parametrize("together", [2, 40])
def test_rows_that_all_but_cancel_do_not_slip_through_rounding(way: type, together: int) -> None:
    """What is left of two huge gradients is far below their rounding, and still far above the reach."""
    net = nn.Linear(3, 1)
    rows = torch.tensor([[1.0, 0.3, 0.1], [1.0, 0.3, 0.1 + 1e-4]]).repeat(together // 2, 1)
    signs = torch.tensor([1e6, -1e6]).repeat(together // 2)
    losses: Losses = lambda at: signs[at] * net(rows[at])[:, 0]  # noqa: E731
    alone = Batch(np.arange(together), np.zeros(together, np.int64), 1)
    assert np.linalg.norm(way(net, losses)(alone, 1.0)) < 1.0005
