"""What every image generator in the catalog promises, on images of 16 × 16 pixels. To join, be in the catalog.

Those that draw nothing of their own but turn images into others keep the same promises by what they turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance import catalog, image_model_folder, model_folder
from semblance.contracts import Run
from semblance.data.images import PATIENT, Images
from semblance.engines.local import Local
from semblance.errors import FitError, InputError, MissingExtra, SemblanceError, Unsupported
from semblance.image_contracts import ImageGenerator, ImageModel, Translator
from semblance.image_schema import ImageSchema
from semblance.pipeline.picturing import learn_images, sample_images, translate_images
from semblance.privacy.ledger import Ledger
from semblance.seeds import Seeds

N = 64
SMALL = {
    "kimg": 1,
    "mask_kimg": 1,
    "steps": 12,
    "batch": 16,
    "width": 16,
    "mask_width": 16,
    "critic_width": 16,
    "told": 16,
    "ema": 0.9,
    "learning_rate": 0.002,
    "latent": 16,
    "solver_steps": 3,
    "precision": "float32",
}
"""Settings that make a training take a second, by any recipe that has them."""
PLAIN = ImageSchema(
    16, 16, label="shape", classes=("disc-unique", "ring-unique"), attributes={"site": ("A", "B")}, patient=True
)
MASKED = replace(PLAIN, structures=("body",))


def scans(schema: ImageSchema) -> Images:
    """Discs and rings at two sites, of 32 patients, in whole values from 0 to 255."""
    rng = np.random.default_rng(3)
    down, right = np.mgrid[:16, :16]
    ring, bright = np.arange(N) % 2 == 1, rng.random(N) < 0.5
    middle = rng.uniform(6, 9, (2, N))
    far = np.hypot(down - middle[0][:, None, None], right - middle[1][:, None, None])
    marked = np.where(ring[:, None, None], np.abs(far - 4) < 1.3, far < rng.uniform(3, 5, N)[:, None, None])
    values = 30 + marked * np.where(bright, 200, 120)[:, None, None] + rng.normal(0, 6, (N, 16, 16))
    about = pd.DataFrame(
        {
            "shape": np.where(ring, schema.classes[1], schema.classes[0]),
            "site": np.where(bright, "A", "B"),
            PATIENT: [f"secret-{i // 2}" for i in range(N)],
        },
        dtype=object,
    )
    pixels = np.clip(np.round(values), 0, 255).astype(np.float32)[:, None]
    return Images(pixels, about, schema, marked.astype(np.uint8) if schema.structures else None)


def run(seed: int = 5, **more: Any) -> Run:
    return Run(Seeds(seed), Ledger(), Local(workers=1), **more)


def small(name: str) -> ImageGenerator:
    kind = catalog.IMAGE_GENERATORS[name]
    return kind(**{key: SMALL[key] for key in {field.name for field in fields(kind)} & set(SMALL)})


def fitting(name: str) -> Images:
    """Images that the recipe does not refuse."""
    return next(scans(schema) for schema in (PLAIN, MASKED) if small(name).refuses(schema) is None)


def made(model: ImageModel, train: Images, seed: int = 9) -> Images:
    """What a model makes: 40 images drawn, or the first class of the training images turned."""
    if isinstance(model, Translator):
        return translate_images(model, train, run(seed), way=model.ways[0])
    return sample_images(model, run(seed), n=40)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def fitted() -> Callable[[str], tuple[Images, ImageModel]]:
    """Fit each generator once."""
    kept: dict[str, tuple[Images, ImageModel]] = {}

    def fit(name: str) -> tuple[Images, ImageModel]:
        if name not in kept:
            train = fitting(name)
            kept[name] = train, learn_images(train, run(), generator=small(name))
        return kept[name]

    return fit


every_generator = pytest.mark.parametrize("name", list(catalog.IMAGE_GENERATORS))


# ── before anything is learned ───────────────────────────────────────────────────────────────────────────────────────


def test_all_are_known_and_asked_without_torch() -> None:
    """Listing recipes, making one and asking what it refuses must not wait for PyTorch."""
    code = """
import sys
from semblance.catalog import IMAGE_GENERATORS
from semblance.image_schema import ImageSchema
for name, kind in IMAGE_GENERATORS.items():
    assert kind.name == name and kind.extra == "neural" and kind.about
    kind().refuses(ImageSchema(16, 16))
sys.exit("torch" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@every_generator
def test_what_it_refuses_it_says_in_a_sentence(name: str) -> None:
    """Asked of images with and without classes and masks; what is refused is not charged for."""
    recipe, taken = small(name), 0
    for schema in (PLAIN, MASKED, replace(PLAIN, classes=(), label=""), ImageSchema(16, 16)):
        reason = recipe.refuses(schema)
        taken += reason is None
        if reason is not None:
            assert reason.endswith(".")
            pixels = np.zeros((4, 1, 16, 16), dtype=np.float32)
            about = pd.DataFrame({k: [v[0]] * 4 for k, v in schema.conditions.items()} | {PATIENT: list("abcd")})
            masks = np.zeros((4, 16, 16), dtype=np.uint8) if schema.structures else None
            steps = run()
            with pytest.raises(Unsupported, match=name):
                learn_images(Images(pixels, about, schema, masks), steps, generator=recipe)
            assert not steps.ledger.charges
    assert taken, "refuses everything"


@every_generator
def test_an_unknown_setting_is_named(name: str) -> None:
    from semblance.recipe import image_recipe

    with pytest.raises(InputError, match="'magic'"):
        image_recipe(name, {"magic": 1})
    with pytest.raises(Unsupported, match=name):
        image_recipe("none of these")


@every_generator
def test_learns_nothing_from_no_images(name: str) -> None:
    with pytest.raises(FitError):
        small(name).fit(fitting(name).take(np.array([], dtype=np.int64)), run())


@every_generator
def test_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from semblance import extras

    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    with pytest.raises(MissingExtra, match=r"semblance\[neural\]"):
        small(name).fit(fitting(name), run())


# ── what is made ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@every_generator
def test_makes_what_the_schema_allows(fitted, name: str) -> None:
    train, model = fitted(name)
    fake = made(model, train)
    schema = fake.schema
    assert len(fake) == (N // 2 if isinstance(model, Translator) else 40)
    assert fake.pixels.dtype == np.float32
    assert fake.pixels.shape[1:] == train.schema.shape
    assert fake.pixels.min() >= schema.low
    assert fake.pixels.max() <= schema.high
    assert np.array_equal(fake.pixels, np.round(fake.pixels)), "whole values in, whole values out"
    assert np.ptp(fake.pixels) > 0, "something is to be seen"
    for condition, known in train.schema.conditions.items():
        assert set(fake.about[condition].dropna()) <= set(known), condition
    if not isinstance(model, Translator):
        assert fake.origin == "synthetic"
        assert len(np.unique(fake.pixels, axis=0)) == 40, "each is drawn anew"
        assert set(fake.about["shape"]) == set(train.schema.classes)
        assert fake.about[PATIENT].str.startswith("SYN-").all()
        assert fake.n_patients == 40
    else:
        assert fake.origin == "augmented", "it shows real patients' anatomy"
    assert (fake.masks is not None) == bool(train.schema.structures)


@pytest.mark.slow
@every_generator
def test_keeps_to_what_is_given(fitted, name: str) -> None:
    train, model = fitted(name)
    if isinstance(model, Translator):
        first, second = train.schema.classes
        turned = translate_images(model, train, run(), way=f"{second}>{first}")
        assert set(turned.about["shape"]) == {first}
        with pytest.raises(InputError, match="way"):
            translate_images(model, train, run(), way="up>down")
        with pytest.raises(Unsupported):
            sample_images(model, run(), n=3)
        return
    fake = sample_images(model, run(), n=12, given={"shape": "ring-unique"})
    assert set(fake.about["shape"]) == {"ring-unique"}
    with pytest.raises(InputError, match="'size'"):
        sample_images(model, run(), n=3, given={"size": "large"})
    with pytest.raises(InputError, match="'square'"):
        sample_images(model, run(), n=3, given={"shape": "square"})
    with pytest.raises(InputError, match="at least 1"):
        sample_images(model, run(), n=0)
    with pytest.raises(Unsupported, match="cyclegan"):
        translate_images(model, train, run())


@pytest.mark.slow
@every_generator
def test_same_seed_same_bytes(fitted, name: str, tmp_path: Path) -> None:
    train, model = fitted(name)
    again = learn_images(train, run(), generator=small(name))
    for place, one in (("a", model), ("b", again)):
        (tmp_path / place).mkdir()
        one.save(tmp_path / place)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert np.array_equal(made(model, train).pixels, made(again, train).pixels)
    if not isinstance(model, Translator):
        assert not np.array_equal(made(model, train, 1).pixels, made(model, train, 2).pixels)


@pytest.mark.slow
@every_generator
def test_another_seed_learns_another_model(fitted, name: str) -> None:
    train, model = fitted(name)
    other = learn_images(train, run(6), generator=small(name))
    assert not np.array_equal(made(model, train).pixels, made(other, train).pixels)


# ── the model ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@every_generator
def test_a_saved_model_makes_the_same(fitted, name: str, tmp_path: Path) -> None:
    train, model = fitted(name)
    image_model_folder.save(model, tmp_path / "model", recipe=small(name), facts={})
    loaded = image_model_folder.load(tmp_path / "model")
    assert loaded.schema == model.schema
    assert loaded.name == name
    assert model_folder.digest(loaded) == model_folder.digest(model)
    one, other = made(model, train), made(loaded, train)
    assert np.array_equal(one.pixels, other.pixels)
    pd.testing.assert_frame_equal(one.about, other.about)
    with pytest.raises(InputError, match="images"):
        model_folder.load(tmp_path / "model")


@pytest.mark.slow
@every_generator
def test_model_files_are_data(fitted, name: str, tmp_path: Path) -> None:
    _, model = fitted(name)
    model.save(tmp_path)
    found = files(tmp_path)
    assert found
    for file, content in found.items():
        assert Path(file).suffix in (".json", ".npz", ".safetensors"), file
        assert not content.startswith(b"\x80"), "a pickle begins like this"
        assert b"secret-" not in content, "a patient's name"
        if file.endswith(".json"):
            json.loads(content)
    next(p for p in tmp_path.rglob("*") if p.suffix == ".safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(SemblanceError):
        catalog.IMAGE_GENERATORS[name].load(tmp_path, model.schema)


@pytest.mark.slow
@every_generator
def test_shows_no_patient_and_changes_nothing(fitted, name: str) -> None:
    train, model = fitted(name)
    shown = repr(train) + repr(made(model, train))
    assert "unique" not in shown
    assert "secret" not in shown
    untouched = fitting(name)
    assert np.array_equal(train.pixels, untouched.pixels)
    pd.testing.assert_frame_equal(train.about, untouched.about)
    assert model.training, "its losses are kept"
    assert model.facts


# ── the training ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@every_generator
def test_can_be_watched_and_being_watched_changes_nothing(fitted, name: str, tmp_path: Path) -> None:
    train, model = fitted(name)
    told: list[str] = []
    seen = run(gallery=tmp_path / "gallery", progress=lambda stage, done, total: told.append(stage))
    watched = learn_images(train, seen, generator=small(name))
    present = {p.name for p in (tmp_path / "gallery").iterdir()}
    assert "latest.png" in present
    assert len([p for p in present if p.startswith("step-")]) >= 3
    assert told
    assert [charge.epsilon for charge in seen.ledger.charges] == [None]
    assert np.array_equal(made(watched, train).pixels, made(model, train).pixels)


@pytest.mark.slow
@every_generator
def test_says_that_the_clock_stopped_it(name: str) -> None:
    train = fitting(name)
    try:
        said = " ".join(learn_images(train, run(max_minutes=1e-6), generator=small(name)).notes)
    except FitError as refused:  # a recipe may find that what was learned by then is not worth handing out
        said = str(refused)
    assert "time limit" in said or "collapsed" in said
