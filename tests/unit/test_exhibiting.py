"""The demo of images: what ships, what is written, and that nothing is claimed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from semblance.data import demo
from semblance.errors import InputError
from semblance.generators.images.flow import Flow
from semblance.image_contracts import ImageGenerator
from semblance.pipeline import exhibiting
from semblance.pipeline.exhibiting import chest_xrays, closest, demo_images, first_of_each

TINY = Flow(kimg=1, batch=100, width=16, told=16, solver_steps=2)


def test_the_bundled_images_are_as_said() -> None:
    sizes = {"train": 2500, "val": 300, "test": 624}
    for part, n in sizes.items():
        images = chest_xrays(part)
        assert len(images) == n
        assert images.schema.shape == (1, 28, 28)
        assert images.schema.classes == demo.XRAY_CLASSES
        assert (images.schema.low, images.schema.high, images.schema.bounds) == (0.0, 255.0, "declared")
        share = images.codes(demo.XRAY_LABEL).mean()
        assert 0.6 < share < 0.8, "more have pneumonia than have not"
    assert demo.chest_xrays().stat().st_size < 3e6


def test_what_is_shown_is_not_picked() -> None:
    images = chest_xrays("val")
    shown = first_of_each(images, 5)
    for number, (name, tiles) in enumerate(shown.items()):
        assert name == images.schema.classes[number]
        rows = np.flatnonzero(images.codes(demo.XRAY_LABEL) == number)[:5]
        assert np.array_equal(tiles, images.unit()[rows])


def test_a_planted_copy_is_the_closest() -> None:
    train, other = chest_xrays("train"), chest_xrays("val")
    fake = other.take(np.arange(40))
    fake.pixels[17] = train.pixels[1234]
    made, real = closest(fake, train, n=3)
    assert np.array_equal(made[0], train.unit()[1234])
    assert np.array_equal(real[0], made[0])


@pytest.mark.slow
def test_the_demo_writes_a_gallery_and_claims_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhibiting, "CLASSIFIER_STEPS", 4)
    out = tmp_path / "demo"

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as before:
        before.setattr(exhibiting, "sample_images", stopped)
        with pytest.raises(KeyboardInterrupt) as interrupted:
            _demo(out, TINY)
    assert "--resume" in interrupted.value.__notes__[0]
    assert not out.exists()
    made = _demo(out, TINY, resume=True, language="zh")
    assert {p.name for p in out.iterdir()} == {"gallery.html", "record.json", "images", "model", "training"}
    assert [p.name for p in tmp_path.iterdir()] == ["demo"], "nothing else is left"
    assert len(list((out / "images").rglob("*.png"))) == 30
    assert (out / "training" / "latest.png").is_file()
    page = (out / "gallery.html").read_text(encoding="utf-8")
    assert "ε = ∞" in page
    assert "未经评判" in page
    assert "Kermany" in page
    record = json.loads((out / "record.json").read_text(encoding="utf-8"))
    assert record["drawn"] == 30
    assert record["learned_from"] == 2500
    questions = {one["question"]: one for one in record["measured"]}
    assert set(questions) == {"learns", "precision", "recall", "coverage", "copies"}
    assert questions["copies"]["real"][0] == pytest.approx(0.01, abs=0.005)
    assert made.exhibit.facts["seed"] == 0
    with pytest.raises(InputError, match="not a demo"):
        _demo(tmp_path, TINY)


def _demo(out: Path, generator: ImageGenerator, *, language: str = "en", resume: bool = False) -> exhibiting.Exhibition:
    return demo_images(out, generator=generator, drawn=30, language=language, resume=resume)
