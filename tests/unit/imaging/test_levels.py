"""Patients' intensities on one scale, and the curve of brightness between two kinds of images."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.data.images import PATIENT, Images
from semblance.image_schema import ImageSchema
from semblance.imaging import levels as levels_module
from semblance.imaging.body import BLACK
from semblance.imaging.curves import KNOTS, find_curve
from semblance.imaging.levels import Levels

SCHEMA = ImageSchema(12, 12, patient=True)


def body(rng: np.random.Generator, n: int) -> np.ndarray:
    """Smooth insides on black: (n, 12, 12), 0 or 40 to 200."""
    down, right = np.mgrid[:12, :12]
    far = np.hypot(down - 5.5, right - 5.5)
    middle = rng.uniform(3, 8, (2, n, 1, 1))
    hill = np.exp(-((down - middle[0]) ** 2 + (right - middle[1]) ** 2) / 8)
    return np.where(far < 5, 60 + 120 * hill + rng.normal(0, 3, (n, 12, 12)), 0)


def scans(gains: dict[str, float], n: int = 10, seed: int = 0) -> Images:
    rng = np.random.default_rng(seed)
    pixels = np.concatenate([gain * body(rng, n) for gain in gains.values()])[:, None]
    about = pd.DataFrame({PATIENT: np.repeat(list(gains), n)}, dtype=object)
    return Images(pixels.astype(np.float32), about, SCHEMA)


@pytest.mark.parametrize("scale", ["landmarks", "gain"])
def test_a_patient_scanned_darker_comes_out_as_the_others(scale: str) -> None:
    levels = Levels.learn(scans({"a": 1.0, "b": 1.0}), scale)
    bright, dark = scans({"c": 1.0}, seed=4), scans({"c": 0.5}, seed=4)
    one, other = levels.apply(bright, SCHEMA), levels.apply(dark, SCHEMA)
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert np.abs(SCHEMA.to_unit(bright.pixels) - SCHEMA.to_unit(dark.pixels)).mean() > 0.1
    assert np.abs(one - SCHEMA.to_unit(bright.pixels)).mean() < 0.05, "the usual patient stays about as it was"


def test_each_patient_is_moved_by_its_own_images() -> None:
    levels = Levels.learn(scans({"a": 1.0}), "gain")
    both = levels.apply(scans({"b": 0.5, "c": 1.2}), SCHEMA)
    inside = both[:, :, 3:9, 3:9]
    assert abs(float(np.median(inside[:10]) - np.median(inside[10:]))) < 0.05


def test_background_stays_and_order_is_kept() -> None:
    images = scans({"a": 0.7})
    moved = Levels("landmarks", tuple(np.linspace(-0.5, 0.9, 10))).apply(images, SCHEMA)
    assert (moved[images.pixels <= 0] == -1).all()
    order = np.argsort(images.pixels, axis=None)
    assert (np.diff(moved.ravel()[order]) >= 0).all()


def test_where_nothing_can_be_known_nothing_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = Levels.learn(scans({"a": 1.0}), "landmarks")
    few = scans({"b": 0.5}, n=1)
    assert np.array_equal(levels.apply(few, SCHEMA), SCHEMA.to_unit(few.pixels))
    assert Levels.learn(few, "landmarks").aims == ()
    assert Levels.learn(scans({"a": 1.0}), "none").aims == ()
    monkeypatch.setattr(levels_module, "FEWEST", 10)
    assert not np.array_equal(levels.apply(few, SCHEMA), SCHEMA.to_unit(few.pixels))


def test_levels_are_read_back() -> None:
    levels = Levels.learn(scans({"a": 1.0}), "landmarks")
    assert Levels.from_dict(levels.to_dict()) == levels


# ── the curve ────────────────────────────────────────────────────────────────────────────────────────────────────────


def unit(seed: int, n: int = 60) -> np.ndarray:
    return SCHEMA.to_unit(body(np.random.default_rng(seed), n)[:, None].astype(np.float32))


@pytest.mark.parametrize("falls", [True, False])
def test_finds_whether_bright_becomes_dark_and_where_to(falls: bool) -> None:
    """The second kind is a line of the first, of other images."""
    first, second = unit(1), unit(2)
    change = (lambda x: 0.1 - 0.8 * x) if falls else (lambda x: 0.3 + 0.5 * x)
    second = np.where(second > BLACK, change(second), -1).astype(np.float32)
    curve = find_curve(first, second, np.random.default_rng(0))
    assert curve.falls == falls
    assert curve.distance < 0.7 * curve.other
    inside = first > BLACK
    assert np.abs(curve.apply(first) - change(first))[inside].mean() < 0.05
    assert (curve.apply(first)[first == -1] == -1).all()
    assert curve.places.shape == (KNOTS,)


def test_images_without_any_inside_give_a_curve_all_the_same() -> None:
    black = np.full((3, 1, 12, 12), -1, dtype=np.float32)
    assert np.isfinite(find_curve(black, black, np.random.default_rng(0)).places).all()
