"""The commands that make more images of the same patients, and try whether that is harmless."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semblance.cli import main


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty patients with a bright spot on one side; the label says on which."""
    rng = np.random.default_rng(0)
    n, (down, right) = 80, np.mgrid[:16, :16]
    label = np.arange(n) % 2
    column = np.where(label == 0, 4, 11)[:, None, None] + rng.uniform(-1, 1, (n, 1, 1))
    far = (down - rng.uniform(5, 10, (n, 1, 1))) ** 2 + (right - column) ** 2
    images = np.clip(60 + 120 * np.exp(-far / 8) + rng.normal(0, 8, far.shape), 0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("sides") / "sides.npz"
    np.savez(path, images=images, labels=label, class_names=np.array(["left", "right"]))
    return path


def call(*words: object) -> int:
    return main([str(word) for word in words])


def test_transformed_copies_are_written_with_their_labels(sides: Path, tmp_path: Path) -> None:
    words = (
        "images",
        "augment",
        sides,
        "--preset",
        "--with",
        "noise:share=0.1",
        "--copies",
        2,
        "--format",
        "png",
        "-o",
    )
    assert call(*words, tmp_path / "a") == 0
    assert call(*words, tmp_path / "b") == 0
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["origin"] == "augmented"
    assert "real patients" in manifest["notice"]
    assert manifest["images"] == 160
    assert {"name": "noise", "share": 0.1} in manifest["augmentations"]
    assert manifest["files"] == json.loads((tmp_path / "b" / "manifest.json").read_text())["files"]
    rows = (tmp_path / "a" / "labels.csv").read_text().splitlines()
    assert len(rows) == 161
    patients = [row.split(",")[rows[0].split(",").index("patient")] for row in rows[1:]]
    assert len(set(patients)) == 80  # two copies of an image are of one patient


def test_what_may_change_a_label_is_refused_unless_asked_for(
    sides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("images", "augment", sides, "--with", "flip", "-o", tmp_path / "no") == 10
    assert "makes left of right" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    assert call("images", "augment", sides, "--with", "flip", "--even-so", "-o", tmp_path / "yes") == 0
    manifest = json.loads((tmp_path / "yes" / "manifest.json").read_text())
    assert list(manifest["in_doubt"]) == ["flip"]


@pytest.mark.parametrize(
    ("words", "code"),
    [((), 10), (("--with", "nothing"), 11), (("--with", "rotate:wide=3"), 10), (("--with", "rotate:degrees=much"), 10)],
)
def test_mistakes_are_told_in_a_sentence(
    words: tuple[str, ...], code: int, sides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("images", "augment", sides, *words, "-o", tmp_path / "out") == code
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_flip_of_sides_is_found_to_change_them(
    sides: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("images", "invariance", sides, "--with", "flip", "--with", "shift:share=0.03")
    assert call(*words, "-o", tmp_path / "e.json", "--report", tmp_path / "r.html", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdicts"]["flip"].startswith("changes")
    assert told["verdicts"]["shift"].startswith(("keeps", "undecided"))
    page = (tmp_path / "r.html").read_text()
    assert "Real patients" in page
    assert page.count("<img") == 2
