"""The blocks and the trunk."""

from __future__ import annotations

import pytest
import torch

from semblance.nets.images.blocks import Attention, Block, Context, Down, Up, begin
from semblance.nets.images.unet import Shape, UNet


def _begun(net: torch.nn.Module) -> torch.nn.Module:
    begin(net, torch.Generator().manual_seed(1))
    return net


def _stirred(net: torch.nn.Module) -> torch.nn.Module:
    """With no layer left at zero, as after some training."""
    noise = torch.Generator().manual_seed(2)
    for weight in net.parameters():
        weight.data.add_(0.1 * torch.randn(weight.shape, generator=noise))
    return net


@pytest.mark.parametrize("norm", [True, False])
def test_a_block_begins_as_its_past(norm: bool) -> None:
    image = torch.randn(3, 16, 6, 6)
    assert torch.equal(_begun(Block(16, 16, told=8, norm=norm))(image, torch.randn(3, 8)), image)


def test_a_block_makes_what_it_is_told() -> None:
    block = _stirred(_begun(Block(16, 32, told=8)))
    image = torch.randn(1, 16, 6, 6)
    one, other = block(image, torch.ones(1, 8)), block(image, -torch.ones(1, 8))
    assert one.shape == (1, 32, 6, 6)
    assert (one - other).abs().max() > 0.01


def test_attention_begins_as_nothing_and_then_sees_far_places() -> None:
    attention = _begun(Attention(16))
    image = torch.randn(1, 16, 5, 5)
    assert torch.equal(attention(image), image)
    attention = _stirred(attention)
    moved = image.clone()
    moved[:, :, 0, 0] += 1
    assert (attention(moved) - attention(image))[0, :, 4, 4].abs().max() > 1e-4


def test_up_undoes_down_for_flat_images() -> None:
    image = torch.randn(2, 3, 1, 1).expand(2, 3, 4, 6)
    assert torch.allclose(Up()(Down()(image)), image)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((28, 28), Shape(2, (16, 32))),
        ((45, 36), Shape(2, (16, 32, 32))),
        ((64, 64), Shape(4, (16, 32), blocks=2)),
        ((17, 9), Shape(1, (16,), attention=False)),
    ],
)
def test_an_image_of_any_size_comes_back_in_its_size(size: tuple[int, int], shape: Shape) -> None:
    net = _begun(UNet(2, 3, shape=shape, told=8))
    image, context = torch.randn(2, 2, *size), torch.randn(2, 8)
    assert (net(image, context) == 0).all()
    out = _stirred(net)(image, context)
    assert out.shape == (2, 3, *size)
    assert out.std() > 0


def test_images_of_a_batch_do_not_know_each_other() -> None:
    net = _stirred(_begun(UNet(1, 1, shape=Shape(2, (16, 32)), told=8)))
    images, context = torch.randn(3, 1, 12, 12), torch.randn(3, 8)
    alone = net(images[1:2], context[1:2])
    assert torch.allclose(net(images, context)[1:2], alone, atol=1e-5)


def test_an_unknown_label_adds_nothing_and_others_do() -> None:
    context = _begun(Context((3, 2), 8))
    unknown = context(torch.tensor([[-1, -1]]))
    assert torch.allclose(unknown, context.mix(torch.zeros(1, 8)))
    labels = torch.tensor([[0, -1], [1, -1], [-1, 0], [0, 0]])
    told = context(labels)
    assert len({tuple(row.tolist()) for row in torch.cat([told, unknown])}) == 5


def test_nets_begin_the_same_from_the_same_seed() -> None:
    one, other = (_begun(UNet(1, 1, shape=Shape(2, (16,)))) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
