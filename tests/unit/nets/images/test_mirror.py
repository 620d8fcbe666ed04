"""Images turned over only as their schema allows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semblance.nets.images.mirror import mirrored


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def numbered(height: int, width: int) -> Tensor:
    """400 images whose pixels all differ."""
    return torch.arange(float(height * width)).reshape(1, 1, height, width).repeat(400, 1, 1, 1)


def kinds(images: Tensor) -> dict[tuple[float, ...], int]:
    found: dict[tuple[float, ...], int] = {}
    for image in images:
        key = tuple(image.flatten().tolist())
        found[key] = found.get(key, 0) + 1
    return found


def test_where_nothing_is_allowed_nothing_is_done_or_drawn() -> None:
    images, drawn = numbered(3, 3), noise()
    assert mirrored(images, "none", drawn) is images
    assert torch.equal(torch.rand(3, generator=drawn), torch.rand(3, generator=noise()))


@pytest.mark.parametrize("size", [(3, 3), (3, 4)])
def test_half_are_flipped_left_to_right(size: tuple[int, int]) -> None:
    images = numbered(*size)
    found = kinds(mirrored(images, "left-right", noise()))
    assert set(found) == set(kinds(images)) | set(kinds(images.flip(3)))
    assert min(found.values()) > 150


@pytest.mark.parametrize(("size", "ways"), [((3, 3), 8), ((3, 4), 4)])
def test_where_all_is_allowed_all_ways_are_as_likely(size: tuple[int, int], ways: int) -> None:
    """A square has eight: as it is or flipped, in each of four directions."""
    found = kinds(mirrored(numbered(*size), "any", noise()))
    assert len(found) == ways
    assert min(found.values()) > 0.5 * 400 / ways


def test_what_is_beside_an_image_goes_with_it() -> None:
    image = numbered(3, 3)
    both = mirrored(torch.cat([image, -image], dim=1), "any", noise())
    assert torch.equal(both[:, :1], -both[:, 1:])
