"""Precision, recall, density and coverage: known answers on points whose overlap is known."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.imaging.manifold import PixelSpace, distances, likeness, nearest, radii


def test_distances_are_euclidean() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 3)), rng.normal(size=(5, 3))
    assert np.allclose(distances(a, b), np.linalg.norm(a[:, None] - b[None], axis=2))


def test_the_kth_neighbour_is_not_the_point_itself() -> None:
    points = np.array([[0.0], [1.0], [3.0], [6.0]])
    assert np.allclose(radii(points, k=1), [1, 1, 2, 3])
    assert np.allclose(radii(points, k=2), [3, 2, 3, 5])


def test_the_nearest_point_and_where_it_is() -> None:
    distance, at = nearest(np.array([[2.2], [9.0]]), np.array([[0.0], [1.0], [3.0], [6.0]]))
    assert np.allclose(distance, [0.8, 3.0])
    assert at.tolist() == [2, 3]


def test_by_hand() -> None:
    """Four real points on a line, two synthetic ones near the first: k = 1."""
    real = np.array([[0.0], [1.0], [3.0], [6.0]])
    fake = np.array([[0.4], [0.5], [20.0]])
    found = likeness(real, fake, k=1)
    assert found.precision == pytest.approx(2 / 3)  # 20 lies in no ball
    # 0.4 lies in the balls of 0 and 1 (radius 1), so does 0.5; 3's ball reaches from 1 to 5
    assert found.density == pytest.approx(4 / 3)
    assert found.coverage == pytest.approx(2 / 4)  # 3 and 6 hold none in their own balls
    # the synthetic balls: 0.1, 0.1 and 19.5; the last reaches down to 0.5
    assert found.recall == pytest.approx(3 / 4)


def test_alike_sets_overlap_wherever_blocks_end() -> None:
    rng = np.random.default_rng(1)
    real, fake = rng.normal(size=(1500, 4)), rng.normal(size=(1300, 4))
    found = likeness(real, fake)
    assert min(found.precision, found.recall, found.coverage) > 0.9
    assert found.density == pytest.approx(1.0, abs=0.1)


def test_a_lost_kind_of_image_costs_recall_and_coverage_but_no_precision() -> None:
    rng = np.random.default_rng(2)
    real = np.concatenate([rng.normal(size=(300, 4)), rng.normal(size=(300, 4)) + 20])
    found = likeness(real, rng.normal(size=(600, 4)))
    assert found.precision > 0.9
    assert found.recall < 0.55
    assert found.coverage < 0.55


def test_far_images_cost_precision() -> None:
    rng = np.random.default_rng(3)
    real = rng.normal(size=(400, 4))
    fake = np.concatenate([rng.normal(size=(200, 4)), rng.normal(size=(200, 4)) + 20])
    assert likeness(real, fake).precision == pytest.approx(0.5, abs=0.05)


def test_too_few_points_are_an_error() -> None:
    with pytest.raises(ValueError, match="more than 5"):
        likeness(np.zeros((5, 2)), np.zeros((9, 2)))


def test_the_space_keeps_what_varies_most() -> None:
    rng = np.random.default_rng(4)
    images = np.zeros((200, 1, 8, 8), dtype=np.float32)
    images[:, 0, 3, 4] = rng.normal(size=200) * 5
    images[:, 0, 1, 1] = rng.normal(size=200)
    space = PixelSpace.learn(images, components=2)
    points = space.of(images)
    assert points.shape == (200, 2)
    assert abs(np.corrcoef(points[:, 0], images[:, 0, 3, 4])[0, 1]) > 0.99
    assert abs(np.corrcoef(points[:, 1], images[:, 0, 1, 1])[0, 1]) > 0.99


def test_few_images_have_few_components() -> None:
    images = np.random.default_rng(5).normal(size=(10, 1, 8, 8)).astype(np.float32)
    assert PixelSpace.learn(images).of(images).shape == (10, 9)
