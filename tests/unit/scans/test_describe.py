"""What is said of a set of images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semblance.scans.describe import Description, describe_images
from semblance.scans.reading import read_images
from semblance.scans.words import tell

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Description:
    """24 images of two classes, two sites and cut in two; a repeat across classes and patients, and one across cuts."""
    root = tmp_path_factory.mktemp("scans")
    rows = ["file,patient,site"]
    for k in range(24):
        cut, label = ("train", "val")[k % 2], ("sick", "well")[k % 3 == 0]
        path = root / cut / label / f"{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (16, 16)).astype(np.uint8)).save(path)
        rows.append(f"{k:02d}.png,SECRET{k // 2},{'north' if label == 'well' or k % 4 else 'south'}")
    first = root / "train" / "sick" / "02.png"
    (root / "train" / "well" / "06.png").write_bytes(first.read_bytes())
    (root / "val" / "sick" / "05.png").write_bytes((root / "train" / "sick" / "04.png").read_bytes())
    (root / "val" / "sick" / "07.png").write_bytes(b"")
    (root / "about.csv").write_text("\n".join(rows) + "\n")
    places = {"labels": "folder", "patient": "about.csv", "site": "about.csv:site"}
    return describe_images(read_images(root, split="all", on_bad="skip", **places))


def test_counts(described: Description) -> None:
    assert (described.images, described.patients) == (23, 12)
    assert described.conditions["label"] == {"sick": 15, "well": 8}
    assert described.lone_classes == ("well",)
    assert described.cut_off == 0


def test_repeats_and_where_they_lie(described: Description) -> None:
    repeats = described.repeats
    assert (repeats.exact, repeats.near) == (2, 0)
    assert (repeats.across_classes, repeats.across_patients, repeats.across_splits) == (1, 1, 1)
    assert ("train/sick/04.png", "val/sick/05.png") in repeats.examples


def test_bad_and_ignored_files(described: Description) -> None:
    assert [file for file, _ in described.bad] == ["val/sick/07.png"]
    assert described.ignored == 1


def test_words_and_json_quote_no_patient(described: Description) -> None:
    words, plain = tell(described), json.dumps(described.to_dict())
    assert "SECRET" not in words + plain
    assert "2 images repeat another one exactly" in words
    assert "only one site has the class well" in words
    assert "1 of these pairs lie in different cuts" in words
    assert "left and right are taken to differ" in words
    assert "too small to look for writing" in words


def test_images_without_anything_known(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=RNG.normal(size=(14, 50, 50)).astype(np.float32))
    found = describe_images(read_images(tmp_path / "x.npz"))
    assert found.conditions == {}
    assert found.repeats.across_classes is None
    assert found.writings.looked_at == 14
    assert 0.001 < found.cut_off < 0.003
    assert found.to_dict()["patients"] is None
    assert "each image counts as one" in tell(found)
