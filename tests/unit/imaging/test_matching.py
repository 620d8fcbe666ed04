"""Whose copy is an image: known copies of made-up images, changed, are found, and strangers are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from semblance.data.images import Images
from semblance.image_schema import ImageSchema
from semblance.imaging.matching import SPACES, Album
from semblance.imaging.planting import CHANGES
from semblance.imaging.spaces.random_filters import RandomFilters
from semblance.imaging.spaces.windows import cut, view


def blobs(n: int, *, seed: int, patients: NDArray[np.int64] | None = None) -> Images:
    """Smooth random fields, 0 to 255: as different from each other as pictures of different things."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=(n, 28, 28)), (0, 2.5, 2.5))
    pixels = np.clip(127 + 60 * field / field.std(), 0, 255).round().astype(np.float32)[:, None]
    about = pd.DataFrame({} if patients is None else {"patient": patients.astype(str)}, index=range(n), dtype=object)
    return Images(pixels, about, ImageSchema(28, 28, patient=patients is not None))


@pytest.fixture(scope="module")
def album() -> Album:
    return Album.of(blobs(40, seed=0))


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_changed_copy_is_laid_over_its_source(album: Album, change: str) -> None:
    source = blobs(40, seed=0).unit()[:6]
    matches = album.match(CHANGES[change](source, np.random.default_rng(1)))
    assert album.kept[matches.image[:, 0]].tolist() == list(range(6))
    assert all(np.median(matches.ratio(space)) < 0.5 for space in SPACES)


def test_a_stranger_fits_the_next_patient_nearly_as_well(album: Album) -> None:
    matches = album.match(blobs(12, seed=9).unit())
    assert all(np.median(matches.ratio(space)) > 0.75 for space in SPACES)


def test_the_next_is_another_patient_and_repeats_count_once() -> None:
    """Every patient has two images that are nearly the same, and one image is there twice."""
    images = blobs(30, seed=0)
    pixels = np.concatenate([images.pixels, np.roll(images.pixels, 1, axis=3), images.pixels[:1]])
    patients = np.r_[np.arange(30), np.arange(30), 0]
    about = pd.DataFrame({"patient": patients.astype(str)}, dtype=object)
    album = Album.of(Images(pixels, about, ImageSchema(28, 28, patient=True)))
    assert len(album.kept) == 60
    assert album.n_patients == 30
    matches = album.match(images.unit()[:5])
    assert matches.ratio("pixels").max() < 0.5
    assert [len(set(album.patients[row])) for row in matches.image] == [10] * 5


def test_one_patient_is_no_album() -> None:
    with pytest.raises(ValueError, match="two patients"):
        Album.of(blobs(3, seed=0, patients=np.zeros(3, dtype=np.int64))).match(blobs(1, seed=1).unit())


def test_windows_do_not_see_brightness_and_agree() -> None:
    image = blobs(2, seed=3).unit()[:, 0]
    box = (0.45, 0.55, 0.8)
    assert np.allclose(cut(image, box), cut(image * 0.3 + 0.2, box), atol=1e-3)
    assert np.allclose(cut(image, box), view(image, np.array([box, box])), atol=1e-4)
    assert np.allclose(cut(np.zeros((1, 28, 28), np.float32), box), 0)


def test_everybody_draws_the_same_filters() -> None:
    one, again = RandomFilters.draw(11), RandomFilters.draw(11)
    assert all(np.array_equal(a, b) for a, b in zip(one.layers, again.layers, strict=True))
    assert not np.array_equal(one.layers[0], RandomFilters.draw(12).layers[0])
    found = one.of(blobs(3, seed=0).unit())
    assert found.shape == (3, 512)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
