"""Noisy sums of images: what is charged, what is kept, and that a model that was saved draws what it drew before."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import BudgetExceeded, FitError, InputError, Unsupported
from semblance.generators.images.features import Features
from semblance.generators.images.flow import Flow
from semblance.generators.images.gan import ImageGAN
from semblance.image_schema import ImageSchema
from semblance.imaging import crowd
from semblance.imaging.model import DrawnModel
from semblance.nets.images.embedding import REACH, Embedding, PaintedGaussian
from semblance.pipeline.picturing import learn_images
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.ledger import Allowance, Ledger
from semblance.privacy.linter import unlinted

SCHEMA = ImageSchema(16, 16, label="kind", classes=("dark", "bright"))
SMALL = Features(steps=8, batch=16, told=16, features=32)
FLOW = Flow(noisy_steps=4, told=16, looks=2, sampled=0.2, solver_steps=3)


def shown(n: int = 160) -> Images:
    """A ramp that is dark or bright, with noise on it."""
    rng = np.random.default_rng(0)
    bright = rng.integers(0, 2, n)
    ramp = np.linspace(0, 60, 16)[None, None, None, :]
    pixels = 30 + ramp + 120 * bright[:, None, None, None] + rng.normal(0, 8, (n, 1, 16, 16))
    about = pd.DataFrame({"kind": np.array(["dark", "bright"], dtype=object)[bright]})
    return Images(pixels.clip(0, 255).astype(np.float32), about, SCHEMA)


def promised(epsilon: float = 3.0, seed: int = 4) -> Run:
    return replace(pipeline.begin(seed=seed), ledger=Ledger(allowance=Allowance(epsilon, 1e-4)))


@pytest.fixture(scope="module", params=[SMALL, FLOW], ids=["features", "flow"])
def fitted(request: pytest.FixtureRequest) -> tuple[DrawnModel, Run]:
    run = promised()
    return learn_images(shown(), run, generator=request.param), run  # type: ignore[return-value]


def test_everything_is_charged_and_the_allowance_is_kept(fitted: tuple[DrawnModel, Run]) -> None:
    model, run = fitted
    assert 2.9 < run.ledger.epsilon <= 3.0
    assert epsilon_of(run.ledger.event, 1e-4).epsilon <= 3.0
    last = {"features": "images/features", "flow": "flow/training"}[model.name]
    assert [c.purpose for c in run.ledger.charges] == ["images/means", "images/links", "images/strengths", last]
    assert "ε = 3" in model.guarantee or "ε = 2.9" in model.guarantee
    assert "one patient" in model.guarantee


def test_a_saved_model_draws_the_same_and_says_what_it_promises(fitted: tuple[DrawnModel, Run], tmp_path: Path) -> None:
    model, _ = fitted
    run = pipeline.begin(seed=1)
    model.save(tmp_path)
    again = (Features if model.name == "features" else Flow).load(tmp_path, SCHEMA)
    assert np.array_equal(again.sample(9, run).pixels, model.sample(9, run).pixels)
    assert again.guarantee == model.guarantee
    assert again.sample(5, run, given={"kind": "dark"}).about["kind"].tolist() == ["dark"] * 5
    assert set(json.loads((tmp_path / "drawn.json").read_text())["facts"]) == {"patients", "steps"}


def test_a_second_fit_reads_nobody(fitted: tuple[DrawnModel, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    model, run = fitted
    recipe = SMALL if model.name == "features" else FLOW

    def never(*_: object, **__: object) -> None:
        raise AssertionError("looked at")

    for name in ("few_of_each", "shorten"):
        monkeypatch.setattr(crowd, name, never)
    charged = run.ledger.charges
    with pytest.raises(BudgetExceeded):
        learn_images(shown(), run, generator=recipe)
    assert run.ledger.charges == charged


def test_noise_is_not_from_the_seed() -> None:
    recipe = replace(SMALL, steps=0)
    one, other = (learn_images(shown(), promised(), generator=recipe).sample(4, pipeline.begin()) for _ in range(2))
    assert not np.array_equal(one.pixels, other.pixels)


@dataclass(frozen=True)
class Telling(Features):
    """Counts images beside what it is charged for."""

    def fit(self, train: Images, run: Run) -> DrawnModel:
        model = Features.fit(self, train, run)
        return replace(model, facts={"images": float(len(train))})


@pytest.mark.parametrize("recipe", [Features(), Flow()])
def test_the_linter_believes_it(recipe: Features | Flow) -> None:
    assert unlinted(recipe) == ()


def test_the_linter_finds_a_number_that_was_not_charged_for() -> None:
    assert unlinted(Telling())


def test_who_promises_nothing_is_refused_where_something_is_promised() -> None:
    run = promised()
    with pytest.raises(Unsupported, match="such as features"):
        learn_images(shown(), run, generator=ImageGAN())
    assert not run.ledger.charges


def test_classes_come_out_different_at_a_generous_budget() -> None:
    model = learn_images(shown(600), promised(12.0), generator=replace(SMALL, steps=0))
    made = model.sample(200, pipeline.begin(seed=2))
    dark, bright = (made.pixels[(made.about["kind"] == kind).to_numpy()].mean() for kind in SCHEMA.classes)
    assert 80 < bright - dark < 160
    assert 0.3 < (made.about["kind"] == "dark").mean() < 0.7


def test_what_is_told_of_an_image_is_seldom_cut_and_never_depends_on_another() -> None:
    run = pipeline.begin(seed=4)
    model = replace(SMALL, steps=0).fit(shown(), run)
    gaussian: PaintedGaussian = model.net.gaussian  # type: ignore[attr-defined]
    import torch

    embedding = Embedding.of(gaussian, ways=8, features=64, noise=torch.Generator().manual_seed(0))
    images, classes = shown().unit(), shown().codes("kind")
    told = embedding.told(images, classes)
    assert (np.linalg.norm(told, axis=1) < REACH).mean() > 0.7
    assert np.allclose(embedding.told(images[:3], classes[:3]), told[:3], atol=1e-5)
    with torch.no_grad():
        even = gaussian.even(torch.from_numpy(images), torch.from_numpy(classes))
        back = gaussian.uneven(even, torch.from_numpy(classes))
    assert np.allclose(back.numpy(), images, atol=1e-3)
    assert 0.5 < float(even.std()) < 2


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"width": 20}, {"steps": -1}, {"share": 1.0}, {"told": 0}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Features(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"sampled": 0.9}, {"noisy_width": 20}, {"looks": 0}, {"reach": 0.0}])
def test_noisy_parameters_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Flow(**wrong)  # type: ignore[arg-type]


def test_attributes_are_not_told_where_something_is_promised() -> None:
    images = shown()
    about = images.about.assign(site="A")
    sited = Images(images.pixels, about, replace(SCHEMA, attributes={"site": ("A", "B")}))
    run = promised()
    with pytest.raises(FitError, match="only the label"):
        learn_images(sited, run, generator=replace(FLOW, given="label,site"))
    assert not run.ledger.charges


def test_nobody_to_learn_from() -> None:
    with pytest.raises(FitError):
        SMALL.fit(shown().take(np.zeros(160, dtype=bool)), pipeline.begin())
