"""Writing in the pixels: planted in several sizes, in what real machines wrote, and not where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file
from scipy import ndimage

from semblance.formats.dicom import Dicom
from semblance.scans.burned_in import SMALLEST_IMAGE, find_writing

Picture = NDArray[np.float32]


def body(size: int, *, seed: int) -> Picture:
    """A textured body on a dark ground, as in a CT or MR slice."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    inside = (x / 0.6) ** 2 + (y / 0.7) ** 2 < 1
    texture = ndimage.gaussian_filter(rng.normal(size=(size, size)), size / 40)
    return (
        np.where(inside, 120 + 60 * texture / texture.std(), rng.normal(5, 2, (size, size))).clip(0, 255).astype("f4")
    )


def write(image: Picture, text: str, height: int, corner: str) -> Picture:
    drawn = Image.fromarray(image.astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    font = ImageFont.load_default(height)
    _, _, right, bottom = pen.textbbox((0, 0), text, font=font)
    size = len(image)
    at = {"top left": (2, 2), "bottom right": (size - right - 2, size - bottom - 2)}[corner]
    pen.text(at, text, fill=255, font=font)
    return np.asarray(drawn).astype(np.float32)


@pytest.mark.parametrize(
    ("size", "height"),
    [
        *((128, 8), (128, 12), (256, 20)),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((256, 10), (512, 14), (512, 40))),
    ],
)
@pytest.mark.parametrize("corner", ["top left", "bottom right"])
def test_a_planted_name_is_found(size: int, height: int, corner: str) -> None:
    texts = ("DOE JANE", "ID 48151623", "1984-04-17", "MRN7F3K")
    images = [write(body(size, seed=k), text, height, corner) for k, text in enumerate(texts)]
    assert sum(bool(find_writing(image)) for image in images) >= 3


def test_its_place_is_told() -> None:
    (line,) = find_writing(write(body(256, seed=1), "DOE JANE", 20, "top left"))
    assert (line.top < 12, line.bottom < 32, line.left < 8) == (True, True, True)
    assert 5 <= line.signs <= 9


def test_clean_bodies_raise_no_alarm() -> None:
    alarms = sum(bool(find_writing(body(size, seed=k))) for size in (64, 128) for k in range(20))
    assert alarms <= 1


def test_dark_writing_on_bright_ground_is_found() -> None:
    image = 255 - write(np.zeros((128, 128), dtype=np.float32), "DOE JANE", 12, "top left")
    assert find_writing(image)


@pytest.mark.parametrize("name", ["examples_rgb_color.dcm", "examples_palette.dcm", "examples_jpeg2k.dcm"])
def test_what_ultrasound_machines_wrote_is_found(name: str) -> None:
    path = get_testdata_file(name, download=False)
    assert len(find_writing(Dicom().read(Path(str(path)))[0].pixels)) >= 5


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm", "693_J2KI.dcm"])
def test_clean_scans_raise_no_alarm(name: str) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom came without {name}")
    assert find_writing(Dicom().read(Path(str(path)))[0].pixels) == []


def test_small_and_even_images_are_passed_over() -> None:
    small = write(body(SMALLEST_IMAGE - 1, seed=0), "DOE", 8, "top left")
    assert find_writing(small) == []
    assert find_writing(np.full((64, 64), 7, dtype=np.float32)) == []
