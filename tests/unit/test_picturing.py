"""The commands for images: words in, one verb called, exit code out; and what they write."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from semblance import image_schema_toml
from semblance.cli import main

QUICK = ("--set", "kimg=1", "--set", "batch=16", "--set", "width=16", "--set", "told=16", "--set", "solver_steps=2")


def call(*words: object) -> int:
    return main([str(w) for w in words])


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert err.startswith("semblance: ")
    assert err.endswith(".\n")
    return err


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty PNGs in a folder for each class, of twenty patients; a table of their sites; masks in another folder."""
    place = tmp_path_factory.mktemp("scans")
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:16, :16]
    rows = []
    for kind in ("disc", "ring"):
        for folder in (place / "scans" / kind, place / "masks" / kind):
            folder.mkdir(parents=True)
        for i in range(20):
            far = np.hypot(down - rng.uniform(6, 9), right - rng.uniform(6, 9))
            marked = far < 4 if kind == "disc" else np.abs(far - 4) < 1.2
            values = np.clip(30 + 180 * marked + rng.normal(0, 8, (16, 16)), 0, 255)
            name = f"{kind}/p{i // 2:02d}-{i}.png"
            Image.fromarray(values.astype(np.uint8)).save(place / "scans" / name)
            Image.fromarray(np.where(marked, 255, 0).astype(np.uint8)).save(place / "masks" / name)
            rows.append({"file": name, "site": "AB"[i % 2]})
    pd.DataFrame(rows).to_csv(place / "sites.csv", index=False)
    return place


@pytest.fixture(scope="module")
def model(scans: Path) -> Path:
    place = scans / "model"
    reading = ("--labels", "folder", "--patient", "name:^(p[0-9]+)-", "--site", f"{scans / 'sites.csv'}:site")
    assert call("images", "fit", scans / "scans", "--model", place, "--generator", "flow", *reading, *QUICK) == 0
    return place


# ── before anything is learned ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--generator", "magic"), 11, "cyclegan, features, flow, gan, mask"),
        (("--set", "magic=1"), 10, "'magic'"),
        (("--set", "kimg=many"), 10, "'kimg'"),
        (("--labels", "somewhere"), 10, "label"),
        (("--schema", "absent.toml"), 10, "absent.toml"),
        (("--labels", "folder", "--generator", "mask"), 11, "mask"),
        (("--size", "3"), 10, "8"),
    ],
)
def test_bad_wishes(
    words: tuple[str, ...], code: int, said: str, scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("images", "fit", scans / "scans", "--model", tmp_path / "model", *words) == code
    assert said in one_line(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("images", "dance"),
        ("images", "fit", "scans"),
        ("images", "sample", "model", "-o", "out"),
        ("images", "sample", "model", "-n", "0", "-o", "out"),
        ("images", "sample", "model", "-n", "3", "-o", "out", "--given", "label"),
        ("images", "fit", "scans", "--model", "m", "--size", "large"),
        ("images", "fit", "scans", "--model", "m", "--on-bad", "ignore"),
        ("images", "fit", "scans", "--model", "m", "--attribute", "view"),
    ],
)
def test_words_that_are_not_understood(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error:" in err


def test_what_is_there_is_left_alone(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.docx").write_text("ten years of work")
    assert call("images", "fit", scans / "scans", "--model", tmp_path) == 10
    one_line(capsys)
    assert call("images", "sample", tmp_path / "no-model", "-n", 3, "-o", tmp_path) == 10
    one_line(capsys)
    assert call("demo", "--images", "--out", tmp_path) == 10
    one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("list", "image-generators", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["image-generators"]
    assert set(listed) == {"cyclegan", "features", "flow", "gan", "mask"}
    assert call("list", "image-formats", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)["image-formats"]) == {"dicom", "nifti", "npz", "png", "tiff"}


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("describe", "fit", "sample", "translate", "paint"):
        assert call("images", name, "--help") == 0
        out = capsys.readouterr().out
        assert f"Example:\n    semblance images {name}" in out
        assert "--json" in out


def test_describe_says_what_is_there(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(scans / "scans", tmp_path / "scans")
    (tmp_path / "scans" / "disc" / "broken.png").write_bytes(b"no picture")
    words = ("images", "describe", tmp_path / "scans", "--labels", "folder", "--patient", "name:^(p[0-9]+)-")
    assert call(*words, "-o", tmp_path / "schema.toml") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "40 images (png), 10 patients" in out
    assert "label: disc 20, ring 20" in out
    assert "broken.png" in out
    schema = image_schema_toml.loads((tmp_path / "schema.toml").read_text(encoding="utf-8"), where="schema.toml")
    assert schema.classes == ("disc", "ring")
    assert call(*words, "--schema", tmp_path / "schema.toml", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["images"] == 40
    assert told["file"] is None
    assert call(*words, "--on-bad", "refuse") == 10
    assert "broken.png" in one_line(capsys)
    assert call(*words, "-o", tmp_path / "schema.toml") == 10, "edits are not written over"
    one_line(capsys)


def test_fit_refuses_bad_files_unless_told_to_skip(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(scans / "scans", tmp_path / "scans")
    (tmp_path / "scans" / "disc" / "broken.png").write_bytes(b"no picture")
    words = ("images", "fit", tmp_path / "scans", "--labels", "folder", "--model", tmp_path / "model")
    assert call(*words) == 10
    assert "broken.png" in one_line(capsys)
    seen = []
    monkeypatch.setattr("semblance.pipeline.picturing.learn_images", lambda train, *_, **__: seen.append(len(train)))
    with pytest.raises(AttributeError):  # nothing was learned
        call(*words, "--on-bad", "skip")
    assert seen == [40]


# ── fit, then sample ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_fit_leaves_a_model_and_pictures(model: Path) -> None:
    card = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert card["kind"] == "images"
    assert card["generator"] == "flow"
    assert card["parameters"]["kimg"] == 1
    assert card["images"] == 40
    assert card["patients"] == 10
    assert card["ledger"]["charges"] == [
        {"purpose": "fit/images/flow", "mechanism": "none", "epsilon": None, "delta": None}
    ]
    assert set(card["libraries"]) >= {"numpy", "torch"}
    schema = image_schema_toml.loads((model / "schema.toml").read_text(encoding="utf-8"), where="schema.toml")
    assert (schema.label, schema.classes) == ("label", ("disc", "ring"))
    assert schema.attributes == {"site": ("A", "B")}
    assert schema.patient
    gallery = model.parent / "model.gallery"
    assert {"latest.png", "curves.png", "curves.csv"} <= {p.name for p in gallery.iterdir()}
    assert not list(model.parent.glob(".model*"))


@pytest.mark.slow
def test_sample_writes_a_whole_folder(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("images", "sample", model, "-n", 6, "--given", "label=ring", "--seed", 4)
    for place in ("a", "b"):
        assert call(*words, "-o", tmp_path / place, "--json") == 0
        told = json.loads(capsys.readouterr().out)
    assert told["images"] == 6
    assert told["origin"] == "synthetic"
    written = _files(tmp_path / "a")
    assert written == _files(tmp_path / "b"), "same seed, same bytes"
    manifest = json.loads(written.pop("manifest.json"))
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in written.items()}
    assert sorted(manifest["files"]) == told["files"]
    assert manifest["seed"] == 4
    assert manifest["given"] == {"label": "ring"}
    assert manifest["origin"] == "synthetic"
    assert "research only" in manifest["notice"]
    assert manifest["guarantee"] == "no formal guarantee (ε = ∞)"
    table = pd.read_csv(tmp_path / "a" / "labels.csv")
    assert set(table["label"]) == {"ring"}
    assert table["file"].tolist() == [f"ring/SYN-{i:06d}.png" for i in range(1, 7)]
    with Image.open(tmp_path / "a" / table["file"][0]) as drawn:
        assert drawn.size == (16, 16)
    assert b"p01" not in b"".join(written.values()), "no source name"
    assert call(*words, "-o", tmp_path / "a") == 10, "what is there is left"
    one_line(capsys)


@pytest.mark.slow
def test_sample_writes_other_formats(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("images", "sample", model, "-n", 5, "-o", tmp_path / "s.npz") == 0
    with np.load(tmp_path / "s.npz", allow_pickle=False) as arrays:
        assert arrays["images"].shape == (5, 16, 16)
        assert len(arrays["labels"]) == 5
    assert call("images", "sample", model, "-n", 5, "-o", tmp_path / "d", "--format", "dicom") == 0
    assert len(list((tmp_path / "d").rglob("*.dcm"))) == 5
    capsys.readouterr()
    assert call("images", "sample", model, "-n", 5, "-o", tmp_path / "x", "--format", "gif") == 11
    assert "dicom" in one_line(capsys)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "s.npz"]


@pytest.mark.slow
def test_models_are_not_mixed_up(
    model: Path, patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("sample", model, "--rows", 3, "-o", tmp_path / "x.csv") == 10
    assert "images" in one_line(capsys)
    assert call("fit", patients_csv, "--model", tmp_path / "table", "--generator", "independent") == 0
    capsys.readouterr()
    assert call("images", "sample", tmp_path / "table", "-n", 3, "-o", tmp_path / "x") == 10
    assert "table" in one_line(capsys)
    assert call("images", "translate", model, tmp_path, "-o", tmp_path / "x") in (10, 11)
    one_line(capsys)
    assert call("images", "paint", model, tmp_path, "-o", tmp_path / "x") in (10, 11)
    one_line(capsys)
    assert call("images", "sample", model, "-n", 3, "-o", tmp_path / "x", "--given", "label=square") == 10
    assert "disc, ring" in one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["table"]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["bad json", "other version", "missing part", "bad schema"])
def test_a_damaged_model(damage: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "model"
    shutil.copytree(model, broken)
    match damage:
        case "bad json":
            (broken / "model.json").write_text("[")
        case "other version":
            (broken / "model.json").write_text('{"schema_version": "99", "kind": "images", "generator": "flow"}')
        case "missing part":
            next((broken / "fitted").iterdir()).unlink()
        case "bad schema":
            (broken / "schema.toml").write_text("kind = 1")
    assert call("images", "sample", broken, "-n", 3, "-o", tmp_path / "x") == 10
    one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


# ── translate and paint ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_translate_writes_what_shows_real_anatomy(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("--set", "steps=6", "--set", "width=16", "--set", "critic_width=16")
    source, turner = scans / "scans", tmp_path / "turner"
    fit = ("images", "fit", source, "--labels", "folder", "--model", turner, "--generator", "cyclegan", *settings)
    assert call(*fit) == 0
    words = ("images", "translate", turner, source, "-o", tmp_path / "turned", "--labels", "folder")
    assert call(*words, "--way", "disc>ring", "--json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["images"] == 20
    assert told["origin"] == "augmented"
    manifest = json.loads((tmp_path / "turned" / "manifest.json").read_text(encoding="utf-8"))
    assert "guard them" in manifest["notice"]
    assert manifest["way"] == "disc>ring"
    assert call("images", "sample", turner, "-n", 3, "-o", tmp_path / "x") == 11
    assert "translate" in one_line(capsys)


@pytest.fixture(scope="module")
def painter(scans: Path) -> Path:
    place = scans / "painter"
    words = ("--masks", scans / "masks", "--structures", "body", "--generator", "mask")
    settings = (*QUICK, "--set", "mask_kimg=1", "--set", "mask_width=16")
    assert call("images", "fit", scans / "scans", "--labels", "folder", "--model", place, *words, *settings) == 0
    return place


@pytest.mark.slow
def test_paint_keeps_the_mask(painter: Path, scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = tmp_path / "one"
    one.mkdir()
    real = np.zeros((16, 16), dtype=np.uint8)
    real[4:9, 5:12] = 255
    Image.fromarray(real).save(one / "m.png")
    assert call("images", "paint", painter, one, "-o", tmp_path / "painted", "--given", "label=disc") == 0
    capsys.readouterr()
    table = pd.read_csv(tmp_path / "painted" / "labels.csv")
    with Image.open(tmp_path / "painted" / table["mask"][0]) as kept:
        assert np.array_equal(np.asarray(kept) > 0, real > 0)
    manifest = json.loads((tmp_path / "painted" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["origin"] == "augmented", "a real patient's mask is that patient's anatomy"
    Image.fromarray(np.full((16, 16), 7, dtype=np.uint8)).save(one / "m.png")
    assert call("images", "paint", painter, one, "-o", tmp_path / "x") == 10
    assert "m.png" in one_line(capsys)
    assert call("images", "paint", painter, one, "-o", tmp_path / "x", "--lesion", "big") == 10
    one_line(capsys)


@pytest.mark.slow
def test_a_painter_draws_pairs(painter: Path, tmp_path: Path) -> None:
    assert call("images", "sample", painter, "-n", 4, "-o", tmp_path / "pairs") == 0
    table = pd.read_csv(tmp_path / "pairs" / "labels.csv")
    assert len(table) == 4
    assert all((tmp_path / "pairs" / name).is_file() for name in [*table["file"], *table["mask"]])
    assert call("images", "paint", painter, tmp_path / "pairs" / "absent", "-o", tmp_path / "x") == 10


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in _walk(folder)}


def _walk(folder: Path) -> Iterator[Path]:
    yield from sorted(p for p in folder.rglob("*") if p.is_file())
