"""The brush: told of the mask to the pixel, images and masks turned over together, small structures counted more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.imaging.masks import planes_of
from semblance.nets.images.blocks import begin
from semblance.nets.images.flow import Tuning
from semblance.nets.images.mask_flow import Brush, Painting
from semblance.nets.images.mask_learning import weigh
from semblance.nets.images.unet import Shape

TUNING = Tuning(
    learning_rate=0.01, ema=0.9, drop=0.0, spread=1.0, centre=0.0, pairing=False, mirror="any", precision="float32"
)


def test_rare_structures_count_more_and_all_together_as_much_as_before() -> None:
    masks = np.zeros((1, 10, 10), dtype=np.uint8)
    masks[0, :5] = 1
    masks[0, 0, :2] = 2
    plain, structure, rare = weigh(masks, 2, 4.0)
    assert (plain * 50 + structure * 48 + rare * 2) / 100 == pytest.approx(1)
    assert rare / plain == pytest.approx(4), "not more than the focus"
    assert structure / plain == pytest.approx((50 / 48) ** 0.5)
    assert weigh(masks, 2, 1.0).tolist() == [1, 1, 1]
    assert np.isfinite(weigh(np.zeros((1, 4, 4), dtype=np.uint8), 2, 10.0)).all(), "a structure that never occurs"


def test_what_is_told_of_a_place_moves_that_place() -> None:
    """Before any learning the net says nothing; with random last weights a plane changes the velocity near it only."""
    brush = Brush((1, 16, 16), 2, (), shape=Shape(1, (16,), attention=False), told=8)
    noise = torch.Generator().manual_seed(0)
    begin(brush, noise)
    brush.trunk.leave.weight.data.normal_(generator=noise)
    point, none = torch.randn(1, 1, 16, 16, generator=noise), torch.zeros(1, 0, dtype=torch.int64)
    planes = torch.zeros(1, 2, 16, 16)
    before = brush(torch.cat([point, planes], dim=1), torch.tensor([0.5]), none)
    planes[0, 1, 3, 3] = 1
    change = (brush(torch.cat([point, planes], dim=1), torch.tensor([0.5]), none) - before).abs()[0, 0].detach()
    assert float(change[2:5, 2:5].max()) > 0
    assert float(change[2:5, 2:5].mean()) > 10 * float(change[10:, 10:].mean())


def test_images_and_masks_are_turned_over_together() -> None:
    """Every image is its own mask, so a brush that reads the mask alone can tell each image; apart it could not."""
    rng = np.random.default_rng(0)
    masks = (rng.random((8, 8, 8)) < 0.5).astype(np.uint8)
    planes = torch.from_numpy(planes_of(masks, 1))

    class Reading(Brush):
        def forward(self, point: torch.Tensor, time: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            t = time[:, None, None, None]
            return (point[:, 1:] - point[:, :1]) / (1 - t)

    painting = Painting(
        Reading((1, 8, 8), 1, (), shape=Shape(1, (16,), attention=False), told=8),
        planes.clone(),
        planes,
        torch.zeros(8, 0, dtype=torch.int64),
        weights=torch.ones(2),
        tuning=TUNING,
        start=torch.Generator().manual_seed(0),
    )
    losses = painting.losses(torch.arange(8), torch.Generator().manual_seed(1))
    assert float(losses.detach().max()) < 1e-6
