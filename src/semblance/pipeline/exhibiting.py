"""The demo of images: from the bundled chest X-rays to images of nobody, with a gallery to look at."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import image_model_folder, model_folder, provenance
from semblance.checkpoint import check_resumable, work_on
from semblance.clock import Clock
from semblance.contracts import Progress, Run, silent
from semblance.data import demo
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.evidence import canonical_json
from semblance.extras import need
from semblance.gallery.exhibit import Exhibit, Measured, Question, Tiles
from semblance.gallery.page import render
from semblance.generators.images.flow import Flow
from semblance.image_contracts import ImageGenerator, ImageModel
from semblance.imaging.manifold import PixelSpace, likeness, nearest
from semblance.pipeline.declared import fingerprint
from semblance.pipeline.picturing import (
    facts_of,
    gallery_beside,
    identity,
    learn_images,
    sample_images,
    write_images,
)
from semblance.pipeline.reading import begin
from semblance.scans.reading import read_images
from semblance.stats import auc_interval

PAGE, RECORD, IMAGES, MODEL, TRAINING = "gallery.html", "record.json", "images", "model", "training"
DRAWN = 1000
"""Images to draw."""
SHOWN, PAIRS, PICTURES = 24, 12, 3
KIMG = 40
"""Thousands of images that the net sees. No time limit: one that is near changes the result, and the demo is the same
everywhere.
"""
CLASSIFIER_STEPS = 400


@dataclass(frozen=True, slots=True)
class Exhibition:
    """What the demo made. `seconds` per stage is told here, not in the folder."""

    folder: Path
    exhibit: Exhibit
    notes: tuple[str, ...]
    seconds: Mapping[str, float]


def demo_images(
    out: Path | str,
    *,
    generator: ImageGenerator | None = None,
    drawn: int = DRAWN,
    seed: int = 0,
    language: str = "en",
    max_minutes: float | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> Exhibition:
    """Learn from the bundled chest X-rays, draw, measure, and write the folder `out` with its gallery.

    Args:
        generator: None for flow matching, for a few minutes of two processors.
        drawn: Images to draw.

    Raises:
        InputError: something else lives in `out`, or interrupted work that nobody asked to resume.
        MissingExtra: PyTorch, or what reads and writes images, is not installed.
    """
    clock, out = Clock(), Path(out)
    _check_free(out)
    check_resumable(out, resume=resume)
    need("images", "the demo of images")
    need("neural", "the demo of images")
    made = generator or Flow(kimg=KIMG)
    with clock("reading"):
        train, held, test = (chest_xrays(part) for part in ("train", "val", "test"))
        steps = begin(seed=seed, progress=progress, cohort=fingerprint(train), max_minutes=max_minutes)
        steps = replace(steps, gallery=gallery_beside(out))
    with work_on(out, identity("demo --images", train, made, steps), resume=resume) as work:
        steps = replace(steps, checkpoint=work)
        with clock("learning"):
            model = learn_images(train, steps, generator=made)
        with clock("drawing"):
            fake = sample_images(model, steps, n=drawn)
        with clock("measuring"):
            measured = [_worth(fake, train, test, steps), *_looks(fake, train, held)]
        with clock("writing"):
            exhibit = _exhibit(model, made, fake, train, measured, steps, asked_of=len(test))
            _write(out, exhibit, model, made, fake, train, steps, language=language)
    return Exhibition(out, exhibit, tuple(exhibit.facts["notes"]), clock.seconds)


def chest_xrays(part: str) -> Images:
    """The bundled chest X-rays of children, normal or with pneumonia: "train" (2,500), "val" (300), "test" (624)."""
    found = read_images(demo.chest_xrays(), split=part, classes=demo.XRAY_CLASSES, patient="none").images
    schema = replace(
        found.schema, label=demo.XRAY_LABEL, low=0.0, high=255.0, bounds="declared", modality="DX", format="png"
    )
    about = found.about.rename(columns={found.schema.label: demo.XRAY_LABEL})
    return replace(found, schema=schema, about=about)


# ── measured ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _worth(fake: Images, train: Images, test: Images, run: Run) -> Measured:
    """Classifiers that learned from synthetic and from real images alone, asked about real ones that neither saw."""
    from semblance.nets.images.classifier import learn_classes

    truth = test.codes(test.schema.label) == 1
    found = []
    for who, images in (("synthetic", fake), ("real", train)):
        apart = replace(run, seeds=run.seeds.within(f"classifier/{who}"), max_minutes=float("inf"))
        apart = replace(apart, checkpoint=_Apart(run.checkpoint, who))
        labels = images.codes(images.schema.label)
        judge = learn_classes(images.unit(), labels, apart, n_classes=2, steps=CLASSIFIER_STEPS)
        area = auc_interval(judge.chances(test.unit())[:, 1], truth)
        found.append((area.value, area.low, area.high))
    return Measured("learns", found[0], found[1])


@dataclass(frozen=True, slots=True)
class _Apart:
    """A Checkpoint for one of several trainings that would go by the same name."""

    inner: Any
    who: str

    def get(self, key: str) -> Path | None:
        found: Path | None = self.inner.get(f"{self.who}-{key}")
        return found

    def put(self, key: str, write: Any) -> None:
        self.inner.put(f"{self.who}-{key}", write)


def _looks(fake: Images, train: Images, held: Images) -> list[Measured]:
    """As many synthetic images as were held out, beside those; see ``imaging/manifold.py``."""
    space = PixelSpace.learn(train.unit())
    real, other, made = (space.of(images.unit()) for images in (train, held, fake))
    n = min(len(other), len(made))
    ours, floor = asdict(likeness(real[:n], made[:n])), asdict(likeness(real[:n], other[:n]))
    limit = float(np.quantile(nearest(other, real)[0], 0.01))
    copies = tuple(float((nearest(points, real)[0] < limit).mean()) for points in (made, other))
    rows = [Measured(name, (ours[name], None, None), (floor[name], None, None)) for name in _LIKENESS]
    return [*rows, Measured("copies", (copies[0], None, None), (copies[1], None, None))]


_LIKENESS: tuple[Question, ...] = ("precision", "recall", "coverage")


def closest(fake: Images, train: Images, *, n: int) -> tuple[Tiles, Tiles]:
    """The synthetic images that lie closest to one that was learned from, and those: both (n, …), -1 to 1.

    Privacy: shows real images; for those who may see them.
    """
    space = PixelSpace.learn(train.unit())
    near, at = nearest(space.of(fake.unit()), space.of(train.unit()))
    first = np.argsort(near, kind="stable")[:n]
    return fake.take(first.astype(np.int64)).unit(), train.take(at[first]).unit()


# ── shown ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _exhibit(
    model: ImageModel,
    recipe: ImageGenerator,
    fake: Images,
    train: Images,
    measured: Sequence[Measured],
    run: Run,
    *,
    asked_of: int,
) -> Exhibit:
    known = provenance.of_run(run)
    facts = {
        "generator": recipe.name,
        "parameters": asdict(recipe),
        "seed": run.seeds.root,
        "learned_from": len(train),
        "drawn": len(fake),
        "asked_of": asked_of,
        "classifier_steps": CLASSIFIER_STEPS,
        "model": model_folder.digest(model),
        "notes": list(getattr(model, "notes", ())),
        **{name: known[name] for name in ("semblance", "python")},
        "libraries": known["libraries"] | provenance.of_recipe(recipe).get("libraries", {}),
    }
    gallery = run.gallery
    assert gallery is not None
    pictures = sorted(gallery.glob("step-*.png"))
    chosen = [pictures[i] for i in _spread(len(pictures), PICTURES)]
    curves = gallery / "curves.png"
    return Exhibit(
        train.schema,
        first_of_each(fake, SHOWN),
        facts,
        real=first_of_each(train, SHOWN),
        pairs=closest(fake, train, n=PAIRS),
        steps=[(int(path.stem.removeprefix("step-")), path.read_bytes()) for path in chosen],
        curves=curves.read_bytes() if curves.is_file() else b"",
        measured=measured,
        attribution=demo.XRAY_ATTRIBUTION,
    )


def first_of_each(images: Images, n: int) -> dict[str, Tiles]:
    """The first `n` images of each class, -1 to 1; of all where there are no classes, under ""."""
    schema = images.schema
    if not schema.classes:
        return {"": images.take(np.arange(min(n, len(images)))).unit()}
    codes = images.codes(schema.label)
    return {name: images.take(np.flatnonzero(codes == k)[:n]).unit() for k, name in enumerate(schema.classes)}


def _spread(n: int, wanted: int) -> NDArray[np.int64]:
    """Positions from the first to the last of `n`, evenly."""
    return np.unique(np.round(np.linspace(0, n - 1, min(n, wanted))).astype(np.int64)) if n else np.empty(0, np.int64)


# ── written ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_free(out: Path) -> None:
    """An earlier demo is replaced; anything else is not."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / RECORD).is_file()):
        raise InputError(f"{out} exists and is not a demo of images; choose another place with --out.")


def _write(
    out: Path,
    exhibit: Exhibit,
    model: ImageModel,
    recipe: ImageGenerator,
    fake: Images,
    train: Images,
    run: Run,
    *,
    language: str,
) -> None:
    """Put the folder together beside its place, then rename: it is there whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        write_images(fake, building / IMAGES, model, run)
        facts = facts_of(model, train, recipe, run)
        image_model_folder.save(model, building / MODEL, recipe=recipe, facts=facts)
        record = {**exhibit.facts, "measured": [one.to_dict() for one in exhibit.measured]}
        (building / RECORD).write_text(canonical_json(record), encoding="utf-8")
        (building / PAGE).write_text(render(exhibit, language=language), encoding="utf-8")
        if run.gallery is not None and run.gallery.is_dir():
            shutil.copytree(run.gallery, building / TRAINING)
        building.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        building.replace(out)
        if run.gallery is not None:
            shutil.rmtree(run.gallery, ignore_errors=True)
    finally:
        shutil.rmtree(building, ignore_errors=True)
