"""The two nets of images: every size fits, labels count as far as they are let, sameness is seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from semblance.nets.images.beginnings import Beginning
from semblance.nets.images.blocks import begin
from semblance.nets.images.critic import Critic, spread
from semblance.nets.images.frame import Frame, Labels, frame_of
from semblance.nets.images.gan import ramped, steepness
from semblance.nets.images.generator import Forger
from semblance.nets.images.resample import double, halve


def nets(frame: Frame, sizes: tuple[int, ...] = (2,), *, group: int = 4) -> tuple[Forger, Critic]:
    noise = torch.Generator().manual_seed(1)
    forger, critic = Forger(frame, sizes, latent=6), Critic(frame, sizes, gain=8.0, group=group)
    begin(forger, noise)
    begin(critic, noise)
    return forger, critic


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 28, 28), (3, 30, 44), (1, 64, 48), (3, 130, 9)])
def test_images_of_any_size_come_out_and_go_in(shape: tuple[int, int, int]) -> None:
    frame = frame_of(shape, width=16)
    forger, critic = nets(frame)
    labels = torch.tensor([[0], [1], [-1]])
    images = forger(torch.randn(3, forger.hidden), labels)
    assert images.shape == (3, *shape)
    assert critic(images, labels).shape == (3,)
    high, wide = frame.maps[-1]
    assert min(high, wide) <= 8, "the coarsest map is small"
    assert (high * 2 ** (len(frame.maps) - 1) * frame.fold - shape[1]) < frame.fold * 2 ** (len(frame.maps) - 1)


def test_larger_images_have_more_maps_and_finer_ones_fewer_channels() -> None:
    assert frame_of((1, 28, 28), width=128).widths == (64, 128)
    assert frame_of((1, 64, 64), width=128).widths == (32, 64, 128)
    assert frame_of((1, 256, 256), width=128).maps == ((64, 64), (32, 32), (16, 16), (8, 8))
    assert frame_of((1, 64, 64), width=128, fold=4).widths == (64, 128)


def test_labels_add_up_and_unknown_ones_add_nothing() -> None:
    table = Labels((2, 3), 5)
    begin(table, torch.Generator().manual_seed(0))
    both, first, none = table(torch.tensor([[1, 2], [1, -1], [-1, -1]]))
    assert torch.equal(none, torch.zeros(5))
    assert torch.allclose(both, first + table.tables[1].weight[2])


def test_labels_count_only_as_far_as_the_ramp_lets_them() -> None:
    forger, critic = nets(frame_of((1, 16, 16), width=16))
    hidden, images = torch.randn(1, forger.hidden).repeat(2, 1), torch.randn(1, 1, 16, 16).repeat(2, 1, 1, 1)
    labels = torch.tensor([[0], [1]])
    for net, entering in ((forger, hidden), (critic, images)):
        off, on = net(entering, labels, 0.0), net(entering, labels, 1.0)
        assert torch.allclose(off[0], off[1], atol=1e-5)
        assert not torch.allclose(on[0], on[1], atol=1e-3)
    assert [ramped(share, 0.2) for share in (0.0, 0.1, 0.15, 0.2, 0.9)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert ramped(0.0, 0.0) == 1


def test_the_critic_sees_whether_neighbours_are_the_same() -> None:
    features = torch.tensor([[0.0], [2.0], [5.0], [5.0]])
    found = spread(features, 2)
    assert found.flatten().tolist() == pytest.approx([1.01**0.5 - 0.1, 1.01**0.5 - 0.1, 0, 0], abs=1e-6)
    assert spread(features[:3], 2).shape == (3, 1), "where two do not divide them, each is on its own"
    _, critic = nets(frame_of((1, 16, 16), width=16))
    labels = torch.zeros(4, 1, dtype=torch.int64)
    one = torch.randn(1, 1, 16, 16)
    alone = critic(one.repeat(4, 1, 1, 1), labels)[0]
    among = critic(torch.cat([one, torch.randn(3, 1, 16, 16)]), labels)[0]
    assert abs(float((alone - among).detach())) > 1e-4


def test_steepness_is_the_gradient_as_finite_differences_have_it() -> None:
    _, critic = nets(frame_of((1, 16, 16), width=16), group=1)
    critic = critic.double()
    critic.requires_grad_(True)
    with torch.no_grad():
        for block in critic.fall:
            block.second.weight.normal_(generator=torch.Generator().manual_seed(2), std=0.1)
    images = torch.randn(2, 1, 16, 16, dtype=torch.float64)
    labels = torch.tensor([[0], [1]])
    critic.score.float(), critic.weigh.float(), critic.gather.float(), critic.labels.float()  # the head is in float32
    found = steepness(critic, images, labels, 1.0)
    slopes = torch.zeros(2, 256, dtype=torch.float64)
    step = 1e-3
    for pixel in range(256):
        moved = torch.zeros(256, dtype=torch.float64)
        moved[pixel] = step
        up, down = (critic(images + sign * moved.reshape(1, 1, 16, 16), labels).detach() for sign in (1, -1))
        slopes[:, pixel] = (up - down).double() / (2 * step)
    assert torch.allclose(found.double(), slopes.square().sum(dim=1), rtol=0.02)


def test_steepness_itself_has_a_gradient() -> None:
    _, critic = nets(frame_of((1, 16, 16), width=16))
    steepness(critic, torch.randn(4, 1, 16, 16), torch.zeros(4, 1, dtype=torch.int64), 1.0).mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in (critic.enter.weight, critic.score.weight))


def test_resampling_is_smooth_and_keeps_what_is_even() -> None:
    x = torch.randn(2, 3, 6, 4)
    assert torch.allclose(double(x), functional.interpolate(x, scale_factor=2.0, mode="bilinear"), atol=1e-6)
    assert torch.allclose(halve(torch.full((1, 1, 8, 6), 0.7)), torch.full((1, 1, 4, 3), 0.7))
    one = torch.zeros(1, 1, 1, 8).repeat(1, 1, 8, 1)
    one[..., 3] = 1
    assert halve(one)[0, 0, 1].tolist() == pytest.approx([0, 3 / 8, 1 / 8, 0])


def test_it_begins_at_the_gaussian_of_the_training_images() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(3, 1, 20, 12))
    classes = rng.integers(2, size=(4000, 1))
    images = np.tensordot(rng.normal(size=(4000, 3)) * [1.0, 0.5, 0.2], patterns, axes=1)
    images = images * np.where(classes, 1.5, 0.5)[:, :, None, None]
    images = (images + 2.0 * classes[:, :, None, None] * patterns[:1] + 0.3).astype(np.float32)
    beginning = Beginning(Frame(1, 20, 12, 2, (16,)), (2,), latent=8)
    beginning.learn(images, classes)
    labels = torch.from_numpy(classes)
    made = beginning(torch.randn(4000, 8, generator=torch.Generator().manual_seed(1)), labels, 1.0).detach().numpy()
    for label in (0, 1):
        mine = classes[:, 0] == label
        assert np.allclose(made[mine].mean(axis=0), images[mine].mean(axis=0), atol=0.3)
        covariances = [np.cov(part[mine].reshape(-1, 240).T) for part in (images, made)]
        assert np.abs(covariances[0] - covariances[1]).max() < 0.15 * np.abs(covariances[0]).max()
    unknown = beginning(torch.zeros(1, 8), torch.tensor([[-1]]), 1.0).detach().numpy()
    assert np.allclose(unknown[0], images.mean(axis=0), atol=1e-4)


def test_few_images_lend_few_of_their_ways_and_large_ones_are_made_small_first() -> None:
    rng = np.random.default_rng(0)
    beginning = Beginning(frame_of((1, 130, 70), width=16), (), latent=8)
    assert beginning.high * beginning.wide <= 1024
    beginning.learn(rng.normal(size=(35, 1, 130, 70)).astype(np.float32), np.zeros((35, 0), dtype=np.int64))
    assert (beginning.ways.abs().sum(dim=1) > 0).tolist() == [True] * 3 + [False] * 5
    assert beginning(torch.randn(2, 8), torch.zeros(2, 0, dtype=torch.int64), 1.0).shape[2:] >= (130, 70)
