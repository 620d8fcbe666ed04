"""Painting around masks: the mask is kept, what lies in it looks as it should, and a killed training goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from semblance import pipeline
from semblance.checkpoint import work_on
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, FormatError, InputError
from semblance.generators.images.mask import Mask, few_note, folded
from semblance.image_contracts import MaskPainter
from semblance.image_schema import ImageSchema
from semblance.imaging.painting import PaintedModel
from semblance.nets import training

SCHEMA = ImageSchema(16, 20, structures=("organ", "lesion"), label="site", classes=("A", "B"), patient=True)
SMALL = Mask(
    kimg=0.32, mask_kimg=0.32, width=16, mask_width=16, told=16, solver_steps=4, batch=16, levels=2, precision="float32"
)


def shown(n: int, seed: int = 0) -> Images:
    """Grey discs with bright dots in or beside them, all darker at site B."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:16, :20]
    masks = np.zeros((n, 16, 20), dtype=np.uint8)
    for mask in masks:
        (a, c), (b, d) = rng.uniform(5, 11, (2, 2))
        mask[np.hypot(rows - a, columns - c) < rng.uniform(3, 5)] = 1
        mask[np.hypot(rows - b, columns - 2 - d) < 1.6] = 2
    site = rng.integers(0, 2, n)
    pixels = np.array([90.0, 130.0, 220.0])[masks] - 50 * site[:, None, None] + rng.normal(0, 8, masks.shape)
    about = pd.DataFrame({"site": np.array(["A", "B"])[site], "patient": [f"p{i // 2}" for i in range(n)]})
    return Images(pixels[:, None].clip(0, 255).astype(np.float32), about, SCHEMA, masks)


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=4)


@pytest.fixture(scope="module")
def model() -> PaintedModel:
    return SMALL.fit(shown(48), pipeline.begin(seed=4))


def test_a_painted_image_comes_with_the_very_mask(model: PaintedModel, run: Run) -> None:
    masks = shown(7, seed=9).masks
    assert masks is not None
    masks[0], masks[1] = 0, 2
    painted = model.paint(masks, run, given={"site": "B"})
    assert isinstance(model, MaskPainter)
    assert painted.masks is not None
    assert np.array_equal(painted.masks, masks)
    assert painted.masks is not masks
    assert painted.pixels.shape == (7, 1, 16, 20)
    assert np.isfinite(painted.pixels).all()
    assert set(painted.about["site"]) == {"B"}
    assert painted.about["patient"].str.startswith("SYN-").all()
    assert painted.origin == "augmented", "whose mask it was is not known"
    assert model.paint(masks, run, origin="synthetic").origin == "synthetic"
    assert model.paint(masks, run).about["site"].isna().all(), "what is not given is not made up"


def test_samples_come_with_masks_of_nobody(model: PaintedModel, run: Run) -> None:
    drawn = model.sample(9, run, given={"site": "A"})
    assert drawn.origin == "synthetic"
    assert drawn.masks is not None
    assert set(np.unique(drawn.masks)) <= {0, 1, 2}
    assert set(drawn.about["site"]) == {"A"}
    again = model.sample(9, run, given={"site": "A"})
    assert np.array_equal(drawn.pixels, again.pixels)
    assert np.array_equal(drawn.masks, again.masks)
    other = model.sample(9, pipeline.begin(seed=5))
    assert not np.array_equal(drawn.masks, other.masks)
    assert len(model.sample(0, run)) == 0


def test_the_labels_of_samples_are_as_often_as_in_training(model: PaintedModel, run: Run) -> None:
    share = (shown(48).about["site"] == "A").mean()
    assert (model.sample(200, run).about["site"] == "A").mean() == pytest.approx(share, abs=0.1)


def test_saved_and_read_back_it_draws_the_same(model: PaintedModel, run: Run, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert {p.suffix for p in tmp_path.rglob("*") if p.is_file()} == {".json", ".safetensors"}
    read = Mask.load(tmp_path, SCHEMA)
    one, other = model.sample(3, run), read.sample(3, run)
    assert np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.masks, other.masks)
    assert (read.notes, read.facts, read.training) == (model.notes, model.facts, model.training)
    (tmp_path / "masks" / "flow.safetensors").write_bytes(b"no")
    with pytest.raises(FormatError, match="'mask'"):
        Mask.load(tmp_path, SCHEMA)


def test_it_says_that_it_may_know_few_patients_by_heart(model: PaintedModel) -> None:
    assert not any("anatomy" in note for note in model.notes), "24 patients"
    few = few_note(shown(6))
    assert few
    assert "3 patients" in few
    assert "anatomy" in few


@pytest.mark.parametrize("key", ["fit/mask/draw", "fit/mask/paint"])
def test_killed_in_either_training_it_ends_in_the_same_bytes(
    key: str, model: PaintedModel, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first training draws masks, the second paints; each is stopped on its way and goes on from what it kept."""
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    taken = {"fit/mask/draw": 0, "fit/mask/paint": 0}
    real_noise = training._Session.noise

    def noise(session: training._Session, log: training.Log) -> torch.Generator:
        taken[session._key] += 1
        if session._key == key and taken[key] == 7:
            raise KeyboardInterrupt
        return real_noise(session, log)

    monkeypatch.setattr(training._Session, "noise", noise)
    with pytest.raises(KeyboardInterrupt), work_on(tmp_path / "m", {"a": "b"}, resume=False) as work:
        SMALL.fit(shown(48), replace(run, checkpoint=work))
    with work_on(tmp_path / "m", {"a": "b"}, resume=True) as work:
        resumed = SMALL.fit(shown(48), replace(run, checkpoint=work))
    assert taken[key] == 21, "20 steps, and the one that was interrupted: what was kept is not done again"
    one, other = model.sample(4, run), resumed.sample(4, run)
    assert np.array_equal(one.masks, other.masks)
    assert np.array_equal(one.pixels, other.pixels)
    assert resumed.training == model.training


def test_leaves_pictures_of_both(run: Run, tmp_path: Path) -> None:
    SMALL.fit(shown(16), replace(run, gallery=tmp_path))
    assert (tmp_path / "latest.png").is_file()


def test_refuses_what_it_cannot_learn(model: PaintedModel, run: Run) -> None:
    bare = ImageSchema(16, 20)
    assert "no masks" in str(SMALL.refuses(bare))
    with pytest.raises(FitError, match="no masks"):
        SMALL.fit(Images(np.zeros((2, 1, 16, 20), dtype=np.float32), pd.DataFrame(index=range(2)), bare), run)
    with pytest.raises(FitError, match="no training images"):
        SMALL.fit(shown(4).take(np.zeros(4, dtype=bool)), run)
    with pytest.raises(InputError, match="16 × 20"):
        model.paint(np.zeros((1, 8, 8), dtype=np.uint8), run)
    with pytest.raises(InputError, match="no label 'C'"):
        model.paint(np.zeros((1, 16, 20), dtype=np.uint8), run, given={"site": "C"})


@pytest.mark.parametrize(
    "wrong",
    [{"kimg": -1.0}, {"batch": -1}, {"width": 20}, {"ema": 1.0}, {"focus": 0.5}, {"precision": "half"}, {"fold": -1}],
)
def test_refuses_parameters_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="image generator 'mask'"):
        Mask(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_lies_in_the_mask_looks_as_it_should(run: Run) -> None:
    """Planted: background 90, organ 130, lesion 220, all 50 darker at site B. Held-out masks, every site."""
    recipe = replace(SMALL, kimg=10, mask_kimg=0.1, width=32, batch=16, learning_rate=0.002, ema=0.99, solver_steps=10)
    model = recipe.fit(shown(300), run)
    masks = shown(60, seed=11).masks
    assert masks is not None
    for site, darker in (("A", 0), ("B", 50)):
        painted = model.paint(masks, run, given={"site": site}).pixels[:, 0]
        seen = [painted[masks == number].mean() for number in (0, 1, 2)]
        assert seen == pytest.approx([90 - darker, 130 - darker, 220 - darker], abs=20), site


def test_larger_images_are_learned_from_fewer_times_in_as_many_steps() -> None:
    small, large = (Mask()._plan(500, ImageSchema(h, w), kimg=0, width=32, fold=2) for h, w in ((64, 48), (128, 96)))
    assert (small.batch, large.batch) == (32, 8)
    assert small.steps == large.steps == 1250
    assert large.tuning.learning_rate == small.tuning.learning_rate / 2
    few = Mask()._plan(10, ImageSchema(64, 48), kimg=1, width=32, fold=0)
    assert (few.batch, few.steps) == (10, 100)


@pytest.mark.parametrize(("side", "fold"), [(28, 2), (64, 2), (128, 4), (256, 8)])
def test_what_enters_the_brush_as_one_stays_small(side: int, fold: int) -> None:
    assert folded(ImageSchema(side, side)) == fold
