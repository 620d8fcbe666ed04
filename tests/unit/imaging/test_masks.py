"""Masks as depths, and what is not a mask of these images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semblance.errors import InputError
from semblance.image_schema import ImageSchema
from semblance.imaging.masks import REACH, check_masks, depths_of, masks_of, planes_of


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, (2, 9, 8), elements=st.integers(0, 3)))
def test_depths_tell_any_mask(masks: np.ndarray) -> None:
    depths = depths_of(masks, 3)
    assert depths.shape == (2, 4, 9, 8)
    assert np.abs(depths).max() <= 1
    assert np.array_equal(masks_of(depths), masks)


def test_depth_is_distance_to_the_outline() -> None:
    mask = np.zeros((1, 9, 20), dtype=np.uint8)
    mask[:, :, 10:] = 1
    inside = depths_of(mask, 1)[0, 1, 4] * REACH
    assert inside[7:13] == pytest.approx([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert inside[0] == -REACH
    assert depths_of(mask, 1)[0, 0, 4] * REACH == pytest.approx(-inside)


def test_planes() -> None:
    mask = np.array([[[0, 1], [2, 2]]], dtype=np.uint8)
    assert planes_of(mask, 2).tolist() == [[[[0, 1], [0, 0]], [[0, 0], [1, 1]]]]


def test_refuses_what_is_not_a_mask_of_these_images() -> None:
    schema = ImageSchema(8, 9, structures=("organ",))
    check_masks(np.ones((2, 8, 9), dtype=np.uint8), schema)
    with pytest.raises(InputError, match="8 × 9"):
        check_masks(np.zeros((2, 9, 8), dtype=np.uint8), schema)
    with pytest.raises(InputError, match="1 organ"):
        check_masks(np.full((2, 8, 9), 2, dtype=np.uint8), schema)
    with pytest.raises(InputError, match="whole numbers"):
        check_masks(np.full((2, 8, 9), 0.5), schema)
