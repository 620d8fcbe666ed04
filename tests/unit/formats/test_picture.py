"""Pictures of every kind that cameras, archives and students produce."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semblance.errors import FormatError
from semblance.formats.picture import read_picture

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 12)).astype(np.uint8)
DEEP = RNG.integers(0, 65536, (9, 12)).astype(np.uint16)
COLOUR = RNG.integers(0, 256, (9, 12, 3)).astype(np.uint8)


def png(depth: int, kind: int, row: bytes) -> bytes:
    """A PNG written by hand: 9 equal rows of 12 pixels."""

    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    head = struct.pack(">IIBBBBB", 12, 9, depth, kind, 0, 0, 0)
    body = zlib.compress((b"\0" + row) * 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_grey_of_8_bits(ending: str, tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / f"x.{ending}")
    shot = read_picture(tmp_path / f"x.{ending}")
    np.testing.assert_array_equal(shot.pixels, GREY[None].astype(np.float32))
    assert (shot.bits, shot.step, shot.name) == (8, 1.0, f"x.{ending}")


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_grey_of_16_bits_to_the_last_bit(ending: str, tmp_path: Path) -> None:
    Image.fromarray(DEEP).save(tmp_path / f"x.{ending}")
    shot = read_picture(tmp_path / f"x.{ending}")
    np.testing.assert_array_equal(shot.pixels[0], DEEP)
    assert shot.bits == 16


def test_floating_point(tmp_path: Path) -> None:
    values = RNG.normal(size=(9, 12)).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "x.tif")
    shot = read_picture(tmp_path / "x.tif")
    np.testing.assert_array_equal(shot.pixels[0], values)
    assert (shot.bits, shot.step) == (32, 0.0)
    values[3, 3] = np.nan
    Image.fromarray(values).save(tmp_path / "x.tif")
    with pytest.raises(FormatError, match="without a value"):
        read_picture(tmp_path / "x.tif")


def test_colour_comes_with_channels_first(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels, COLOUR.transpose(2, 0, 1))


def test_grey_saved_in_colour_is_grey(tmp_path: Path) -> None:
    Image.fromarray(np.repeat(GREY[..., None], 3, axis=2)).save(tmp_path / "x.png")
    assert read_picture(tmp_path / "x.png").pixels.shape == (1, 9, 12)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    picture = Image.fromarray(COLOUR).quantize(200)
    picture.save(tmp_path / "x.png")
    expected = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels, expected)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(GREY > 127).save(tmp_path / "x.png")
    assert set(np.unique(read_picture(tmp_path / "x.png").pixels)) == {0.0, 255.0}


def test_white_is_zero_is_turned_over_at_16_bits_too(tmp_path: Path) -> None:
    Image.fromarray(DEEP).save(tmp_path / "x.tif", tiffinfo={262: 0})
    np.testing.assert_array_equal(read_picture(tmp_path / "x.tif").pixels[0], 65535 - DEEP)


@pytest.mark.parametrize(("turn", "undo"), [(3, 2), (6, 3), (8, 1)])
def test_stands_upright_as_exif_says(turn: int, undo: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(GREY).save(tmp_path / "x.png", exif=exif)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels[0], np.rot90(GREY, undo))


def test_a_solid_alpha_is_dropped_and_a_clear_one_refused(tmp_path: Path) -> None:
    solid = np.dstack([COLOUR, np.full((9, 12), 255, dtype=np.uint8)])
    Image.fromarray(solid).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "x.png").pixels, COLOUR.transpose(2, 0, 1))
    solid[2, 2, 3] = 0
    Image.fromarray(solid).save(tmp_path / "x.png")
    with pytest.raises(FormatError, match="transparent parts"):
        read_picture(tmp_path / "x.png")


def test_what_pillow_would_cut_to_8_bits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(png(16, 2, bytes(range(72))))
    with pytest.raises(FormatError, match="16 bits for each colour"):
        read_picture(tmp_path / "x.png")


def test_pages_and_printers_colours_are_refused(tmp_path: Path) -> None:
    page = Image.fromarray(GREY)
    page.save(tmp_path / "x.tif", save_all=True, append_images=[page])
    with pytest.raises(FormatError, match="several pages"):
        read_picture(tmp_path / "x.tif")
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "x.jpg")
    with pytest.raises(FormatError, match="CMYK"):
        read_picture(tmp_path / "x.jpg")


def test_jpeg_is_read_as_it_looks(tmp_path: Path) -> None:
    smooth = np.tile(np.linspace(0, 255, 64), (64, 1)).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "x.jpg", quality=95)
    assert np.abs(read_picture(tmp_path / "x.jpg").pixels[0] - smooth).max() <= 4
