"""The recipe: what it takes, what it refuses, and that a model that was saved draws what it drew before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, FormatError, InputError
from semblance.generators.images.flow import Flow
from semblance.image_schema import ImageSchema
from semblance.imaging.model import DrawnModel
from semblance.nets.images import flow_net
from semblance.nets.images.flow_learning import Plan

SCHEMA = ImageSchema(12, 18, label="kind", classes=("dark", "bright"), attributes={"site": ("A", "B")}, patient=True)
SMALL = Flow(kimg=0.16, batch=16, width=16, told=16, solver_steps=4, precision="float32")


def shown(n: int = 96, schema: ImageSchema = SCHEMA) -> Images:
    """A ramp that is dark or bright, with noise on it."""
    rng = np.random.default_rng(0)
    bright, site = rng.integers(0, 2, n), rng.integers(0, 2, n)
    ramp = np.linspace(0, 60, schema.width)[None, None, None, :]
    pixels = 30 + ramp + 120 * bright[:, None, None, None] + rng.normal(0, 5, (n, *schema.shape))
    about = pd.DataFrame(
        {
            "kind": np.array(["dark", "bright"], dtype=object)[bright],
            "site": np.array(["A", "B"], dtype=object)[site],
            "patient": [f"p{i // 2}" for i in range(n)],
        }
    )
    return Images(pixels.clip(0, 255).astype(np.float32), about, schema)


@pytest.fixture(scope="module")
def run() -> Run:
    return pipeline.begin(seed=4)


@pytest.fixture(scope="module")
def model(run: Run) -> DrawnModel:
    return SMALL.fit(shown(), run)


def test_samples_are_synthetic_images_of_the_schema(model: DrawnModel, run: Run) -> None:
    made = model.sample(10, run)
    assert made.origin == "synthetic"
    assert made.pixels.shape == (10, 1, 12, 18)
    assert made.pixels.min() >= 0
    assert made.pixels.max() <= 255
    assert made.pixels.std() > 10
    assert made.about["patient"].str.startswith("SYN-").all()
    assert not model.keeps_real_values


def test_a_saved_model_draws_the_same(model: DrawnModel, run: Run, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = Flow.load(tmp_path, SCHEMA)
    assert np.array_equal(again.sample(9, run).pixels, model.sample(9, run).pixels)
    assert again.facts == model.facts
    assert again.training == model.training
    (tmp_path / flow_net.WEIGHTS).write_bytes(b"no tensors")
    with pytest.raises(FormatError, match="fit it again"):
        Flow.load(tmp_path, SCHEMA)


def test_the_same_seed_gives_the_same_images_and_another_others(model: DrawnModel, run: Run) -> None:
    again = SMALL.fit(shown(), pipeline.begin(seed=4))
    assert np.array_equal(again.sample(6, run).pixels, model.sample(6, run).pixels)
    assert not np.array_equal(model.sample(6, pipeline.begin(seed=5)).pixels, model.sample(6, run).pixels)


def test_it_tells_what_it_did(model: DrawnModel) -> None:
    assert model.facts["kimg"] == 0.16
    assert model.facts["steps"] == 10
    assert model.notes == ()


def test_what_it_was_not_told_it_does_not_pretend(model: DrawnModel, run: Run) -> None:
    made = model.sample(40, run)
    assert made.about["site"].isna().all()
    assert set(made.about["kind"]) == {"dark", "bright"}
    assert set(model.sample(5, run, given={"kind": "dark"}).about["kind"]) == {"dark"}
    with pytest.raises(InputError, match="not told 'site'"):
        model.sample(5, run, given={"site": "A"})


def test_attributes_can_be_told_too(run: Run) -> None:
    told = replace(SMALL, given="label, site", kimg=0.032).fit(shown(), run)
    made = told.sample(12, run, given={"site": "B"})
    assert set(made.about["site"]) == {"B"}


def test_it_refuses_conditions_that_images_do_not_have(run: Run) -> None:
    recipe = replace(SMALL, given="label,view")
    assert "'view'" in str(recipe.refuses(SCHEMA))
    with pytest.raises(FitError, match="view"):
        recipe.fit(shown(), run)
    with pytest.raises(FitError, match="no training images"):
        SMALL.fit(shown().take(np.zeros(96, dtype=bool)), run)


@pytest.mark.parametrize(
    "wrong",
    [
        {"solver": "guess"},
        {"precision": "float8"},
        {"kimg": 0},
        {"solver_steps": 0},
        {"width": 20},
        {"ema": 1.0},
        {"drop": -0.1},
        {"guidance": -1.0},
        {"fold": -1},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float | str]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Flow(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_shows_how_it_goes_and_looking_on_changes_nothing(model: DrawnModel, run: Run, tmp_path: Path) -> None:
    watched = SMALL.fit(shown(), replace(run, gallery=tmp_path))
    assert (tmp_path / "latest.png").is_file()
    assert len(list(tmp_path.glob("step-*.png"))) == 10
    assert np.array_equal(watched.sample(4, run).pixels, model.sample(4, run).pixels)


def test_a_time_limit_ends_it_and_is_told(run: Run) -> None:
    cut = SMALL.fit(shown(), replace(run, max_minutes=1e-6))
    assert cut.facts["steps"] < 10
    assert "time limit" in cut.notes[0]


def test_coloured_images_without_classes(run: Run) -> None:
    schema = ImageSchema(16, 16, channels=3)
    pixels = np.random.default_rng(0).uniform(0, 255, (40, 3, 16, 16)).astype(np.float32)
    images = Images(pixels, pd.DataFrame(index=range(40)), schema)
    made = replace(SMALL, pairing=True, guidance=0.5).fit(images, run).sample(5, run)
    assert made.pixels.shape == (5, 3, 16, 16)


@pytest.mark.parametrize(("side", "fold", "levels"), [(12, 2, 2), (28, 2, 2), (64, 4, 2), (128, 4, 3), (256, 4, 4)])
def test_the_size_of_the_net_follows_from_the_size_of_the_images(side: int, fold: int, levels: int) -> None:
    plan: Plan = SMALL._plan(100, ImageSchema(side, side + 4))
    shape = plan.shape(side, side + 4)
    assert (shape.fold, len(shape.widths)) == (fold, levels)
    assert max(shape.widths) <= 4 * SMALL.width
