from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from semblance.data import nearest as module
from semblance.data.nearest import nearest, nearest_point, smallest_distance


@pytest.fixture(params=[16_000_000, 50], ids=["one block", "many blocks"], autouse=True)
def cells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS", request.param)


def points(n: int, seed: int, width: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).random((n, width)).astype(np.float32)


def test_agrees_with_brute_force() -> None:
    q, p, patients = points(40, 0), points(60, 1), np.repeat(np.arange(20), 3)
    expected = cdist(q, p)
    found = nearest(q, p, patients)
    assert found.distance == pytest.approx(expected.min(axis=1), abs=1e-5)
    assert smallest_distance(q, p) == pytest.approx(expected.min(axis=1), abs=1e-5)
    sure = found.share == 1  # two points may be as near as single precision can tell
    assert sure.mean() > 0.9
    assert found.point[sure].tolist() == expected.argmin(axis=1)[found.query[sure]].tolist()
    other = np.where(patients[None] == patients[expected.argmin(axis=1)][:, None], np.inf, expected).min(axis=1)
    assert found.second == pytest.approx(other, abs=1e-5)


def test_ties_are_split() -> None:
    p = np.vstack([np.zeros((3, 5)), np.ones((1, 5))]).astype(np.float32)
    found = nearest(np.zeros((1, 5), np.float32), p, np.arange(4))
    assert found.point.tolist() == [0, 1, 2]
    assert found.share.tolist() == pytest.approx([1 / 3] * 3)
    assert found.distance[0] == 0
    assert found.second[0] == 0


def test_equal_points_are_at_no_distance_in_single_precision() -> None:
    q = points(30, 3, width=300)
    assert (smallest_distance(q, q) == 0).all()


def test_own_rows_are_passed_over() -> None:
    p, patients = points(30, 4), np.repeat(np.arange(10), 3)
    found = nearest(p, p, patients, own=patients)
    assert (patients[found.point] != patients[found.query]).all()
    assert (found.distance > 0).all()


def test_a_lone_patient_has_no_second() -> None:
    found = nearest(points(4, 5), points(3, 6), np.zeros(3, int))
    assert np.isinf(found.second).all()
    alone = nearest(points(4, 5), points(3, 6), np.zeros(3, int), own=np.zeros(4, int))
    assert np.isinf(alone.distance).all()
    assert len(alone.point) == 0


def test_nothing_to_search() -> None:
    assert np.isinf(smallest_distance(points(3, 0), points(0, 1))).all()
    assert len(smallest_distance(points(0, 0), points(3, 1))) == 0


def test_the_preferred_of_equally_near_points_is_found() -> None:
    q, p = points(40, 0), points(60, 1)
    found, distance = nearest_point(q, np.vstack([p, p]), prefer=np.r_[np.zeros(60), np.ones(60)])
    expected = cdist(q, p)
    sure = expected.argmin(axis=1) == found - 60  # two points may be as near as single precision can tell
    assert sure.mean() > 0.9
    assert found.min() >= 60
    assert distance == pytest.approx(expected.min(axis=1), abs=1e-3)
    assert nearest_point(p, p, prefer=np.zeros(60))[1].max() == 0
