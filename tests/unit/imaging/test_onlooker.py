"""Pictures of a training as it goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from semblance.image_schema import ImageSchema
from semblance.imaging.grid import MARKS, grid, picture_of
from semblance.imaging.onlooker import Onlooker, table_of

TWO = ImageSchema(16, 12, label="finding", classes=("sick", "well"), attributes={"site": ("A", "B")})
CURVES = [{"step": 50.0, "critic": 0.5}, {"step": 100.0, "critic": 0.25, "drawer": 3.0}]


def test_writes_what_a_person_wants_to_see(tmp_path: Path) -> None:
    onlooker = Onlooker(tmp_path / "gallery", TWO)
    labels = onlooker.labels(columns=3)
    assert labels.tolist() == [[0, -1]] * 3 + [[1, -1]] * 3
    tiles = np.zeros((6, 1, 16, 12), dtype=np.float32)
    onlooker.see(100, tiles, CURVES)
    onlooker.see(250, tiles + 1, CURVES)
    found = {p.name for p in (tmp_path / "gallery").iterdir()}
    assert found == {"step-000100.png", "step-000250.png", "latest.png", "curves.png", "curves.csv"}
    latest = (tmp_path / "gallery" / "latest.png").read_bytes()
    assert latest == (tmp_path / "gallery" / "step-000250.png").read_bytes()
    assert latest != (tmp_path / "gallery" / "step-000100.png").read_bytes()
    assert (tmp_path / "gallery" / "curves.csv").read_text() == "step,critic,drawer\n50,0.5,\n100,0.25,3\n"


def test_a_class_is_a_row(tmp_path: Path) -> None:
    """The dark class above the bright one, wherever the names leave room."""
    Onlooker(tmp_path, TWO).see(1, np.repeat([-1.0, 1.0], 5).reshape(10, 1, 1, 1).repeat(16, 2).repeat(12, 3), [])
    with Image.open(tmp_path / "latest.png") as picture:
        seen = np.asarray(picture.convert("L"))[:, -40]
    half = len(seen) // 2
    assert np.median(seen[:half]) == 0
    assert np.median(seen[half:]) == 255
    assert not (tmp_path / "curves.csv").exists(), "no losses yet"


def test_does_nothing_without_a_folder() -> None:
    Onlooker(None, TWO).see(1, np.zeros((1, 1, 16, 12), dtype=np.float32), CURVES)


def test_without_classes_and_in_colour(tmp_path: Path) -> None:
    schema = ImageSchema(8, 8, channels=3)
    onlooker = Onlooker(tmp_path, schema)
    assert onlooker.labels().shape == (32, 0)
    onlooker.see(7, np.random.default_rng(0).uniform(-1, 1, (32, 3, 8, 8)).astype(np.float32), [])
    assert (tmp_path / "step-000007.png").is_file()


def test_tiles_keep_their_place_value_and_outline() -> None:
    tiles = np.linspace(-1, 1, 5, dtype=np.float32).reshape(5, 1, 1, 1).repeat(80, 2).repeat(90, 3)
    sheet = np.asarray(grid(tiles, columns=3))
    assert sheet.shape == (2 * 83 + 3, 3 * 93 + 3, 3)
    assert [sheet[40, 40 + 93 * i, 0] for i in range(3)] == [0, 64, 128]
    assert sheet[83 + 40, 93 + 40, 0] == 255
    mask = np.zeros((80, 90), dtype=np.uint8)
    mask[20:40, 30:60] = 2
    drawn = np.asarray(picture_of(tiles[0], mask))
    assert tuple(drawn[20, 45]) == MARKS[1]
    assert tuple(drawn[30, 45]) == (0, 0, 0), "what is inside stays to be seen"
    assert table_of([]) == "step\n"
