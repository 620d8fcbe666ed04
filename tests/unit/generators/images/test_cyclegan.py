"""The recipe of CycleGAN: what it refuses, what it asks for, and that it turns what it should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.contracts import Run
from semblance.data.images import PATIENT, Images
from semblance.errors import FitError, InputError
from semblance.generators.images.cyclegan import CycleGAN
from semblance.image_schema import ImageSchema

TWO = ImageSchema(16, 16, label="sequence", classes=("T1", "T2"), patient=True)
SMALL: dict[str, Any] = {"steps": 12, "batch": 8, "width": 16, "critic_width": 16, "critic_depth": 2, "fold": 2}


def run(seed: int = 5) -> Run:
    return pipeline.begin(seed=seed)


def discs(n: int, *, seed: int, turned: bool) -> np.ndarray:
    """Bright or dark discs in a grey body on black: (n, 1, 16, 16)."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[:16, :16]
    middle, size, value = rng.uniform(5, 10, (2, n, 1, 1)), rng.uniform(1.5, 3, (n, 1, 1)), rng.uniform(160, 220, n)
    disc = np.hypot(down - middle[0], right - middle[1]) < size
    inside = np.where(disc, value[:, None, None], 90) + rng.normal(0, 4, (n, 16, 16))
    body = np.hypot(down - 7.5, right - 7.5) < 7
    return np.where(body, 280 - inside if turned else inside, 0).clip(0, 255).astype(np.float32)[:, None]


def both(n: int = 30, *, seed: int = 0) -> Images:
    """The first kind, and the second: 280 minus it, of other discs."""
    pixels = np.concatenate([discs(n, seed=seed, turned=False), discs(n, seed=seed + 1, turned=True)])
    about = pd.DataFrame(
        {"sequence": ["T1"] * n + ["T2"] * n, PATIENT: [f"p{i // 10}" for i in range(2 * n)]}, dtype=object
    )
    return Images(pixels, about, TWO)


def test_refuses_what_has_not_two_kinds() -> None:
    assert CycleGAN().refuses(TWO) is None
    assert "two sub-folders" in str(CycleGAN().refuses(ImageSchema(16, 16)))
    three = replace(TWO, classes=("T1", "T2", "FLAIR"))
    assert "'sequence' has 3 labels" in str(CycleGAN().refuses(three))
    sites = replace(three, attributes={"site": ("A", "B")})
    assert CycleGAN(domain="site").refuses(sites) is None
    assert "sequence or site" in str(CycleGAN(domain="view").refuses(sites))


@pytest.mark.parametrize(
    "wrong", [{"loss": "hinge"}, {"levels": "some"}, {"start": "noise"}, {"steps": 0}, {"cycle": -1}, {"width": 20}]
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        CycleGAN(**wrong)


def test_needs_images_of_both_kinds() -> None:
    images = both(4)
    with pytest.raises(FitError, match="fewer than 2 training images of the kind 'T2'"):
        CycleGAN().fit(images.take(np.arange(5)), run())


@pytest.mark.slow
def test_turns_bright_into_dark_and_says_what_is_dangerous() -> None:
    model = CycleGAN(**SMALL).fit(both(), run())
    assert model.facts["falls"] == 1.0
    assert any("never read a diagnosis" in note for note in model.notes)
    assert model.domain == "sequence"
    turned = model.translate(both(6, seed=9), run(), way="T1>T2")
    assert turned.pixels.shape == (6, 1, 16, 16)
    assert turned.about[PATIENT].tolist() == ["p0"] * 6
    assert model.training["cyclegan"] == [] or model.training["cyclegan"][-1].keys() >= {"cycle", "fooled", "gap"}


def test_two_sites_are_two_kinds_too() -> None:
    images = both(8)
    schema = ImageSchema(16, 16, attributes={"site": ("A", "B")})
    about = pd.DataFrame({"site": np.where(images.about["sequence"] == "T1", "A", "B")}, dtype=object)
    model = CycleGAN(domain="site", levels="none", start="same", identity=0.0, pool=0, jitter=0.0, **SMALL).fit(
        Images(images.pixels, about, schema), run()
    )
    assert model.ways == ("A>B", "B>A")
    assert model.facts["falls"] == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["lsgan", "relativistic"])
def test_learns_a_planted_line_without_pairs(loss: str) -> None:
    """The second kind is 280 minus the first, of other discs; what was held back shows whether it was learned."""
    model = CycleGAN(**{**SMALL, "steps": 150}, loss=loss).fit(both(60), run())
    first, truth = discs(40, seed=77, turned=False), discs(40, seed=77, turned=True)
    about = pd.DataFrame({"sequence": ["T1"] * 40, PATIENT: "new"}, dtype=object)
    made = model.translate(Images(first, about, TWO), run()).pixels
    inside = truth > 0
    assert np.corrcoef(made[inside], truth[inside])[0, 1] > 0.95
    assert np.abs(made - truth)[inside].mean() < 12
    back = pd.DataFrame({"sequence": ["T2"] * 40, PATIENT: "new"}, dtype=object)
    again = model.translate(Images(truth, back, TWO), run()).pixels
    assert np.abs(again - first)[inside].mean() < 12
