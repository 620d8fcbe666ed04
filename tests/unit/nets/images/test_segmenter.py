"""The segmenter that judges painted pairs: it learns a plain rule, and another key is another net."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance import pipeline
from semblance.nets.images.segmenter import Effort, learn_segmenter, segmentation_loss

EFFORT = Effort(steps=40, batch=16, learning_rate=5e-3, fold=1, widths=(16, 16), shift=1)


def pairs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright squares are structure 1, dark ones structure 2."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((n, 16, 16), dtype=np.uint8)
    for mask in masks:
        for structure in (1, 2):
            row, column = rng.integers(0, 12, 2)
            mask[row : row + 5, column : column + 5] = structure
    images = np.array([0.0, 0.7, -0.7])[masks] + rng.normal(0, 0.1, masks.shape)
    return images[:, None].clip(-1, 1).astype(np.float32), masks


def test_learns_what_is_bright_and_what_is_dark() -> None:
    run = pipeline.begin(seed=2)
    segmenter, log = learn_segmenter(*pairs(64, 0), 2, run, effort=EFFORT)
    images, masks = pairs(20, 1)
    found = segmenter.segment(images)
    assert found.shape == masks.shape
    assert found.dtype == np.uint8
    assert (found == masks).mean() > 0.95
    assert log.step == 40
    again, _ = learn_segmenter(*pairs(64, 0), 2, run, effort=EFFORT)
    assert np.array_equal(found, again.segment(images))


def test_the_loss_is_least_for_the_truth() -> None:
    masks = torch.tensor([[[0, 1], [2, 2]]])
    right = 20.0 * torch.nn.functional.one_hot(masks, 3).movedim(3, 1).float()
    assert float(segmentation_loss(right, masks)) == pytest.approx(0, abs=1e-4)
    assert float(segmentation_loss(right.roll(1, 1), masks)) > 5
    plain = float(segmentation_loss(torch.zeros(1, 3, 2, 2), masks))
    assert 0.5 < plain < 1.5


def test_images_are_moved_with_their_masks() -> None:
    from semblance.nets.images.segmenter import Learning
    from semblance.nets.images.unet import Shape, UNet

    images, masks = pairs(4, 3)
    learning = Learning(UNet(1, 3, shape=Shape(1, (16,), attention=False)), images, masks, Effort(shade=0.0, shift=3))
    noise = torch.Generator().manual_seed(0)
    moved, marked = learning._moved(torch.from_numpy(images), torch.from_numpy(masks), noise)
    assert not torch.equal(moved, torch.from_numpy(images))
    assert float(moved[:, 0][marked == 1].mean()) == pytest.approx(0.7, abs=0.05)
    assert float(moved[:, 0][marked == 2].mean()) == pytest.approx(-0.7, abs=0.05)
