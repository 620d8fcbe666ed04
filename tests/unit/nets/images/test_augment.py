"""Augmentation: nothing at strength 0, gradients pass, anatomy is not turned over, the dial follows what is known."""

from __future__ import annotations

import pytest
import torch

from semblance.nets.images.augment import MOST, Dial, augment, hide, move, shade


@pytest.fixture
def noise() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def cross(n: int = 64, side: int = 20) -> torch.Tensor:
    """Dark images with a bright bar in the left half."""
    images = torch.full((n, 1, side, side), -1.0)
    images[:, :, 4:-4, 4:7] = 1
    return images


def test_at_strength_0_nothing_changes_and_nothing_is_drawn(noise: torch.Generator) -> None:
    before = noise.get_state()
    images = cross()
    assert augment(images, 0.0, noise) is images
    assert torch.equal(noise.get_state(), before)


@pytest.mark.parametrize("change", [move, shade, hide])
def test_each_change_is_made_as_often_as_asked(change: object, noise: torch.Generator) -> None:
    images = cross(2000)
    changed = change(images, 0.3, noise)  # type: ignore[operator]
    share = float((changed != images).flatten(1).any(dim=1).float().mean())
    ways = {move: 1 - 0.7**3, shade: 1 - 0.7**2, hide: 0.3}[change]  # type: ignore[index]
    assert share == pytest.approx(ways, abs=0.05)


def test_gradients_pass_through_all_changes(noise: torch.Generator) -> None:
    images = cross(8).requires_grad_(True)
    augment(images, 1.0, noise).sum().backward()
    assert images.grad is not None
    assert (images.grad != 0).flatten(1).any(dim=1).all()


def test_what_is_on_the_left_stays_on_the_left(noise: torch.Generator) -> None:
    moved = move(cross(200), 1.0, noise)
    left, right = moved[..., :10].mean(dim=(1, 2, 3)), moved[..., 10:].mean(dim=(1, 2, 3))
    assert (left > right).all()


def test_the_dial_turns_up_where_validation_images_score_like_made_ones_and_down_else() -> None:
    dial = Dial(0.4, speed=0.1)
    dial.turn(1.0, -1.0, -1.0)
    assert dial.r == pytest.approx(1.0)
    assert dial.strength == pytest.approx(0.5)
    fresh = Dial(0.4, speed=0.1)
    fresh.turn(1.0, 0.9, -1.0)
    assert fresh.r == pytest.approx(0.05)
    assert fresh.strength == pytest.approx(0.3)
    for _ in range(20):
        fresh.turn(1.0, -1.0, -1.0)
    assert fresh.strength == MOST, "beyond it changes would leak"


def test_the_dial_is_restored_whole() -> None:
    one, other = Dial(0.2, speed=0.1), Dial(0.0, speed=0.1)
    one.turn(1.0, 0.2, -1.0)
    other.restore(one.state())
    for dial in (one, other):
        dial.turn(0.5, 0.3, -0.5)
    assert (one.strength, one.r, one.looks) == (other.strength, other.r, other.looks)
