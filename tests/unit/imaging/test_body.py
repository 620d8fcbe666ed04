"""What is body and what is background: dark folds and holes belong to the body."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.imaging.body import black_of, body_of, core_of


def disc(side: int = 32) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(rows**2 + columns**2 < (0.4 * side) ** 2, 0.2, -1.0)[None, None].astype(np.float32)


def test_holes_and_narrow_folds_belong_to_the_body() -> None:
    whole = disc()
    hollow = whole.copy()
    hollow[..., 12:16, 12:16] = -1  # a hole
    hollow[..., :16, 20] = -1  # a fold that opens outwards
    body = body_of(hollow)
    assert body[..., 12:16, 12:16].all()
    assert (body != (whole > -1)).mean() < 0.01
    assert not body[0, 0, 0, 0]


def test_an_image_without_background_is_all_body() -> None:
    images = np.random.default_rng(0).uniform(-0.9, 1, (3, 2, 8, 8)).astype(np.float32)
    assert body_of(images).shape == (3, 1, 8, 8)
    assert body_of(images).all()


def test_a_body_at_the_edge_is_not_worn_away() -> None:
    images = np.full((1, 1, 32, 32), -1, np.float32)
    images[..., 10:] = 0.5
    assert (body_of(images) == (images > -1)).all()


def test_only_what_was_cut_away_is_black_where_something_was() -> None:
    cut = disc()
    assert black_of(cut) == -1.0
    noisy = np.where(cut == -1, -1 + 0.02 * np.random.default_rng(0).random(cut.shape), cut).astype(np.float32)
    assert black_of(noisy) == pytest.approx(-0.96)
    assert (body_of(noisy) == body_of(cut)).all()


def test_a_core_lies_within_its_body_and_is_never_empty() -> None:
    small = np.full((1, 1, 32, 32), -1, np.float32)
    small[..., 10, 10] = 0.5
    body = body_of(np.concatenate([disc(), small]))
    core = core_of(body)
    assert (body | ~core).all()
    assert 0.6 < core[0].sum() / body[0].sum() < 0.95
    assert core[1].any()


def test_what_is_dark_between_a_body_and_the_frame_is_no_gap() -> None:
    rows, columns = np.mgrid[:16, :16] - 7.5
    near = np.where(rows**2 + columns**2 < 49, 0.2, -1.0)[None, None].astype(np.float32)
    assert np.array_equal(body_of(near), near > -1)
