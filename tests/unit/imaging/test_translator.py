"""A translator around a net that is known: who is turned, what is carried over, what is said where it cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from semblance import pipeline
from semblance.contracts import Run
from semblance.data.images import FILE, PATIENT, Images
from semblance.errors import FormatError, InputError, Unsupported
from semblance.image_schema import ImageSchema
from semblance.imaging.levels import Levels
from semblance.imaging.translator import TranslatorModel, load_translator

SCHEMA = ImageSchema(
    8, 8, label="sequence", classes=("T1", "T2"), attributes={"site": ("A", "B")}, patient=True, structures=("tumour",)
)
NONE = Levels("none")


class Negative:
    """Forth: the negative; back: the same at half the brightness."""

    def turn(self, images: NDArray[np.float32], run: Run, *, forth: bool) -> NDArray[np.float32]:
        return -images if forth else (images - 1) / 2

    def save(self, folder: Path) -> None:
        (folder / "net.json").write_text("{}", encoding="utf-8")


@pytest.fixture
def model() -> TranslatorModel:
    return TranslatorModel("cyclegan", SCHEMA, "sequence", Negative(), (NONE, NONE), ("note",), {"steps": 2.0})


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=1)


def scans(labels: list[str | None], schema: ImageSchema = SCHEMA) -> Images:
    n = len(labels)
    pixels = np.random.default_rng(0).integers(0, 256, (n, 1, 8, 8)).astype(np.float32)
    about = pd.DataFrame(
        {"sequence": labels, "site": "B", PATIENT: [f"p{i}" for i in range(n)], FILE: [f"f{i}" for i in range(n)]},
        dtype=object,
    )
    return Images(pixels, about, schema, np.arange(n * 64, dtype=np.uint8).reshape(n, 8, 8) % 2)


def test_turns_those_of_the_first_kind_and_carries_over_what_is_known(model: TranslatorModel, run: Run) -> None:
    images = scans(["T1", "T2", "T1", None])
    turned = model.translate(images, run, way="T1>T2")
    rows = np.array([0, 2, 3])
    assert turned.origin == "augmented"
    assert np.array_equal(turned.pixels, 255 - images.pixels[rows])
    assert turned.about["sequence"].tolist() == ["T2"] * 3
    assert turned.about[PATIENT].tolist() == ["p0", "p2", "p3"]
    assert turned.about[FILE].tolist() == ["f0", "f2", "f3"]
    assert turned.about["site"].tolist() == ["B"] * 3
    assert turned.masks is not None
    assert images.masks is not None
    assert np.array_equal(turned.masks, images.masks[rows])
    assert images.about["sequence"].tolist() == ["T1", "T2", "T1", None], "what was given is left alone"


def test_the_way_is_found_where_all_are_of_one_kind(model: TranslatorModel, run: Run) -> None:
    assert model.ways == ("T1>T2", "T2>T1")
    assert set(model.translate(scans(["T2", "T2"]), run).about["sequence"]) == {"T1"}
    with pytest.raises(InputError, match="T1>T2 or T2>T1"):
        model.translate(scans(["T1", "T2"]), run)


def test_images_that_do_not_say_their_kind_are_turned_as_told(model: TranslatorModel, run: Run) -> None:
    plain = Images(
        np.zeros((2, 1, 8, 8), np.float32), pd.DataFrame(index=range(2)), ImageSchema(8, 8, low=-10.0, high=10.0)
    )
    turned = model.translate(plain, run, way="T2>T1")
    assert turned.schema.conditions == {"sequence": ("T1", "T2")}
    assert (turned.schema.low, turned.schema.high) == (0.0, 255.0), "values mean what they did in training"
    assert turned.about["sequence"].tolist() == ["T1", "T1"]
    with pytest.raises(InputError, match="say which way"):
        model.translate(plain, run)


def test_says_what_it_cannot_do(model: TranslatorModel, run: Run) -> None:
    with pytest.raises(Unsupported, match="images translate"):
        model.sample(3, run)
    with pytest.raises(InputError, match=r"no way 'T1>T3'.*T1>T2 and T2>T1"):
        model.translate(scans(["T1"]), run, way="T1>T3")
    with pytest.raises(InputError, match="none of the images is of the kind 'T2'"):
        model.translate(scans(["T1"]), run, way="T2>T1")
    small = Images(np.zeros((1, 1, 9, 8), np.float32), pd.DataFrame(index=range(1)), ImageSchema(9, 8))
    with pytest.raises(InputError, match=r"8 × 8 pixels in grey.*9 × 8"):
        model.translate(small, run, way="T1>T2")


def test_each_kind_has_its_own_levels(model: TranslatorModel, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def apply(self: Levels, images: Images, schema: ImageSchema) -> NDArray[np.float32]:
        seen.append(self.scale)
        return schema.to_unit(images.pixels)

    monkeypatch.setattr(Levels, "apply", apply)
    other = replace(model, levels=(Levels("gain"), Levels("landmarks")))
    other.translate(scans(["T1"]), run)
    other.translate(scans(["T2"]), run)
    assert seen == ["gain", "landmarks"]


def test_is_read_back_whole_or_not_at_all(model: TranslatorModel, run: Run, tmp_path: Path) -> None:
    model = replace(model, levels=(Levels("gain", (0.1,)), NONE), training={"cyclegan": [{"step": 1.0, "cycle": 0.5}]})
    model.save(tmp_path)
    again = load_translator("cyclegan", tmp_path, SCHEMA, Negative)
    for name in ("domain", "levels", "notes", "facts", "training"):
        assert getattr(again, name) == getattr(model, name), name
    told = tmp_path / "translator.json"
    found = json.loads(told.read_text(encoding="utf-8"))
    for broken in ("{", json.dumps({**found, "domain": "hospital"}), json.dumps({**found, "levels": []})):
        told.write_text(broken, encoding="utf-8")
        with pytest.raises(FormatError, match="fit it again"):
            load_translator("cyclegan", tmp_path, SCHEMA, Negative)
