"""The image generator gan: what it learns, resumes, is told, and refuses to hand out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.checkpoint import work_on
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, InputError
from semblance.generators.images import gan
from semblance.generators.images.gan import LOSSES, ImageGAN, usual_gamma, usual_kimg
from semblance.image_schema import ImageSchema
from semblance.imaging.collapse import Variety
from semblance.imaging.model import DrawnModel
from semblance.nets import training
from semblance.nets.images import gan as nets_gan
from semblance.nets.images import schooling
from semblance.nets.images.gan import Match
from semblance.nets.images.gan_learning import HELD, hold_back

TINY = {"width": 16, "latent": 8, "batch": 16, "precision": "float32"}


def bars(n: int = 120, side: int = 16, seed: int = 0) -> Images:
    """A bright bar that lies or stands, anywhere, of two sites that differ in brightness; a few sites are unknown."""
    rng = np.random.default_rng(seed)
    stands = rng.integers(2, size=n)
    site = rng.integers(2, size=n)
    pixels = np.full((n, 1, side, side), 40.0, dtype=np.float32) + np.float32(30) * site[:, None, None, None].astype(
        np.float32
    )
    for i, at in enumerate(rng.integers(1, side - 3, size=n)):
        if stands[i]:
            pixels[i, 0, :, at : at + 2] += 150
        else:
            pixels[i, 0, at : at + 2] += 150
    about = pd.DataFrame(
        {
            "way": np.where(stands, "stands", "lies").astype(object),
            "site": np.where(rng.random(n) < 0.05, None, np.where(site, "B", "A")),
        },
        dtype=object,
    )
    schema = ImageSchema(
        height=side, width=side, label="way", classes=("lies", "stands"), attributes={"site": ("A", "B")}
    )
    return Images(pixels, about, schema)


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=4)


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of a few steps have learned nothing yet."""
    monkeypatch.setattr(gan, "REFUSE_BELOW", 0.0)


def recipe(steps: int, **more: object) -> ImageGAN:
    """A recipe of about so many steps."""
    return replace(ImageGAN(**{**TINY, "kimg": 1, **more}), batch=max(1, 1000 // steps))  # type: ignore[arg-type]


def digest(model: DrawnModel, run: Run, n: int = 20) -> str:
    return hashlib.sha256(model.sample(n, run).pixels.tobytes()).hexdigest()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_game_is_played_and_reports_its_facts(loss: str, run: Run, lenient: None) -> None:
    model = recipe(15, loss=loss).fit(bars(), run)
    made = model.sample(7, run)
    assert made.pixels.shape == (7, 1, 16, 16)
    assert np.isfinite(made.pixels).all()
    assert {"steps", "kimg", "gamma", "critic_gap", "augmentation", "variety"} <= set(model.facts)
    assert ("jsd_nats" in model.facts) == (loss in ("minimax", "non-saturating"))
    assert {"critic", "generator", "gap", "penalty"} <= set(model.training["gan"][0])


class Stop(Exception):
    """Stands for a kill."""


@contextmanager
def killed_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Training dies at that step; what was saved before stays."""
    taken, whole = [0], Match.step

    def step(self: Match, *args: object) -> object:
        if taken[0] == steps:
            raise Stop
        taken[0] += 1
        return whole(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Match, "step", step)
        try:
            yield
        except Stop:
            return
    raise AssertionError("it was to be killed")


@pytest.mark.parametrize("loss", ["relativistic", "wgan"])
def test_killed_anywhere_and_resumed_it_ends_in_the_same_bytes(
    loss: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lenient: None
) -> None:
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(training, "STRIDE", 4)
    monkeypatch.setattr(nets_gan, "DIAL_AFTER", 10.0)  # it turns slowly, so that every turn counts
    images = replace(bars(400), schema=replace(bars(8).schema, mirror="left-right"))
    asked = recipe(12, loss=loss, augment=0.3)
    whole = asked.fit(images, run)
    for n, steps in enumerate(np.random.default_rng(7).integers(1, 5, size=3).tolist()):
        with killed_after(steps, monkeypatch), work_on(tmp_path / "m", {"a": "b"}, resume=n > 0) as work:
            asked.fit(images, replace(run, checkpoint=work))
    with work_on(tmp_path / "m", {"a": "b"}, resume=True) as work:
        again = asked.fit(images, replace(run, checkpoint=work))
    assert again.facts == whole.facts
    assert 0 < again.facts["augmentation"] < 0.3 - 1e-6, "the strength of augmentation moved, and was kept"
    assert again.training == whole.training
    assert digest(again, run) == digest(whole, run)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(run: Run, tmp_path: Path, lenient: None) -> None:
    images, asked = bars(), recipe(20)
    one, two, other = asked.fit(images, run), asked.fit(images, run), asked.fit(images, pipeline.begin(seed=5))
    for name, model in (("one", one), ("two", two)):
        (tmp_path / name).mkdir()
        model.save(tmp_path / name)
    files = [{f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]
    assert digest(one, run) != digest(other, run)


def test_saved_and_loaded_it_draws_the_same(run: Run, tmp_path: Path, lenient: None) -> None:
    images = bars()
    model = recipe(20).fit(images, run)
    model.save(tmp_path)
    assert digest(ImageGAN.load(tmp_path, images.schema), run) == digest(model, run)


@pytest.mark.slow
def test_it_learns_what_its_labels_mean(run: Run) -> None:
    model = replace(ImageGAN(**TINY, given="label,site"), width=32, latent=32, kimg=8, learning_rate=0.001).fit(  # type: ignore[arg-type]
        bars(600), run
    )
    for way, axis in (("lies", 3), ("stands", 2)):
        made = model.sample(60, run, given={"way": way}).pixels
        along, across = made.mean(axis=axis).std(axis=2).mean(), made.mean(axis=5 - axis).std(axis=2).mean()
        assert along > 2 * across, f"a bar that {way} is one"
    dark, light = (model.sample(60, run, given={"site": site}).pixels.mean() for site in ("A", "B"))
    assert light > dark + 10
    assert model.facts["variety"] > 0.6


def test_without_conditions_labels_are_left_unknown(run: Run, lenient: None) -> None:
    told = recipe(20).fit(bars(), run).sample(30, run).about
    assert set(told["way"]) == {"lies", "stands"}
    assert told["site"].isna().all(), "it was not told the site"
    free = recipe(20, given="").fit(bars(), run).sample(30, run).about
    assert free["way"].isna().all()


def test_an_unknown_condition_is_refused_by_name() -> None:
    with pytest.raises(FitError, match="'ward'"):
        ImageGAN(given="label,ward").fit(bars(), pipeline.begin(seed=1))


def test_a_generator_that_makes_one_image_is_not_handed_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_image(self: Match, *args: object) -> dict[str, float]:
        for value in self.average.values():
            value.zero_()
        return {"critic": 0.0, "gap": 0.0, "penalty": 0.0, "generator": 0.0, "augmentation": 0.0, "by heart": 0.0}

    monkeypatch.setattr(Match, "step", one_image)
    with pytest.raises(FitError, match=r"collapsed: images of way (lies|stands)"):
        recipe(20).fit(bars(), run)


def test_too_little_variety_is_told() -> None:
    schema = bars(8).schema
    assert gan.collapse_note(Variety(0.95, (0, -1)), schema) is None
    note = gan.collapse_note(Variety(0.5, (0, -1)), schema)
    assert note
    assert "way lies" in note
    assert "50%" in note


def test_training_that_diverges_goes_back_and_says_how_often(
    run: Run, monkeypatch: pytest.MonkeyPatch, lenient: None
) -> None:
    whole, spoiled = Match.step, []

    def step(self: Match, *args: object) -> object:
        losses = dict(whole(self, *args))  # type: ignore[arg-type]
        if self.taken == 5 and not spoiled:
            spoiled.append(1)
            losses["critic"] = float("nan")
        return losses

    monkeypatch.setattr(Match, "step", step)
    assert recipe(20).fit(bars(), run).facts["rollbacks"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": "vanilla"},
        {"precision": "half"},
        {"batch": 0},
        {"ema": 1.0},
        {"ramp": -0.1},
        {"width": 24},
        {"fold": 3},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="image generator 'gan'"):
        ImageGAN(**wrong)  # type: ignore[arg-type]


def test_gamma_and_length_follow_the_size_of_images() -> None:
    small, large = ImageSchema(height=28, width=28), ImageSchema(height=56, width=56)
    assert usual_gamma("relativistic", large) == pytest.approx(4 * usual_gamma("relativistic", small))
    assert usual_gamma("wgan-gp", large) == 10
    assert usual_kimg(large) == pytest.approx(usual_kimg(small) / 2, abs=1)


def test_validation_images_are_whole_patients_and_few() -> None:
    patients = np.repeat(np.arange(200), 3)
    held = hold_back(patients, np.random.default_rng(0))
    assert held.sum() == HELD * len(patients)
    assert not set(patients[held]) & set(patients[~held])
    assert not hold_back(np.arange(40), np.random.default_rng(0)).any(), "too few to say anything"
    assert hold_back(np.arange(100_000), np.random.default_rng(0)).sum() == 256


def test_pictures_are_left_where_the_run_asks_for_them_and_change_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lenient: None
) -> None:
    monkeypatch.setattr(schooling, "LOOKS", 2)
    quiet = recipe(20).fit(bars(), run)
    watched = recipe(20).fit(bars(), replace(run, gallery=tmp_path))
    assert (tmp_path / "latest.png").is_file()
    assert digest(quiet, run) == digest(watched, run)
