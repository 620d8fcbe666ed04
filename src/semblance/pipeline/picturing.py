"""The verbs for images, from a folder of scans to images of nobody, under the names they have for tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import image_destination, image_model_folder, model_folder, provenance
from semblance.checkpoint import check_resumable
from semblance.contracts import Progress, Run, silent
from semblance.data.images import Images
from semblance.errors import InputError, Unsupported
from semblance.evidence import canonical_json
from semblance.image_contracts import ImageGenerator, ImageModel, MaskPainter, Translator
from semblance.image_schema import ImageSchema
from semblance.imaging.model import NO_GUARANTEE
from semblance.pipeline.declared import check_declared, extract_of
from semblance.pipeline.reading import begin
from semblance.pipeline.spending import NO_PROMISE, Budget, account_of, check_recipe, keep_work
from semblance.privacy.ledger import Charge
from semblance.recipe import image_recipe

USUAL, PRIVATE = "gan", "features"
"""Recipes that are used where nobody names one: without a promise, and with one."""
GALLERY = ".gallery"
"""Beside a model MODEL, its training's pictures lie in MODEL.gallery."""


def learn_images(train: Images, run: Run, *, generator: ImageGenerator | str = "gan") -> ImageModel:
    """Learn from `train`: what `fit` is for tables.

    Privacy: charged to the ledger before training; without differential privacy as epsilon = infinity. Where the
    ledger has an allowance, the recipe charges what it does, and one that does not is refused.

    Raises:
        Unsupported: the generator does not exist, cannot learn such images, or promises less than is asked.
        FitError: there was nothing to learn from, or training diverged.
    """
    made = image_recipe(generator) if isinstance(generator, str) else generator
    if (reason := made.refuses(train.schema)) is not None:
        raise Unsupported(f"image generator {made.name!r} cannot learn these images: {reason}")
    if run.ledger.allowance is not None:
        check_recipe(made, such_as=PRIVATE)
        return made.fit(train, run)
    run.ledger.charge(Charge(f"fit/images/{made.name}", mechanism="none"))
    return made.fit(train, run)


def fit_images(
    source: Images,
    folder: Path | str,
    *,
    generator: ImageGenerator | str | None = None,
    schema: ImageSchema | None = None,
    budget: Budget = NO_PROMISE,
    notes: Sequence[str] = (),
    seed: int = 0,
    max_minutes: float | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> ImageModel:
    """Fit on every image of `source` and save the model; pictures of how it goes lie in ``FOLDER.gallery`` meanwhile.

    No holdout is kept: the result cannot be judged fairly by images it has seen.

    Args:
        source: As `read_images` returns it. notes: What was decided in reading, to be kept with the model.
        generator: None for the usual one: "gan", or with a budget "features".
        schema: What a person declared, and the images were read by; needed where something is promised.
        budget: What is promised, and on whose account; see ``spending.py``. The usual one promises nothing.
        max_minutes, resume: As in `run`; what an interrupted call kept lies beside `folder`.

    Privacy: with an epsilon every touch of patients up to the model is charged first, and nothing that was read off
    them beside that, such as how many there are, is kept with the model.

    Raises:
        BudgetExceeded: the cohort's cap does not allow it; nothing was drawn.
        InputError: `folder` holds something else, or interrupted work that nobody asked to resume; or something is
            promised of images that nobody declared.
        Unsupported, FitError: see `learn_images`.
    """
    folder = Path(folder)
    check_before(folder, resume=resume)
    made = usual_images(generator, budget)
    if budget.allowance is not None:
        check_declared(source, schema, budget)
    with account_of(extract_of(source, budget), budget, purpose=f"images fit/{made.name}") as account:
        steps = begin(seed=seed, progress=progress, ledger=account.ledger, max_minutes=max_minutes)
        steps = replace(steps, gallery=gallery_beside(folder))
        with keep_work(account.ledger, folder, identity("images fit", source, made, steps), resume=resume) as work:
            if not resume:
                _clear(gallery_beside(folder))
            model = learn_images(source, replace(steps, checkpoint=work), generator=made)
            facts = facts_of(model, source, made, steps)
            if account.ledger.allowance is None:
                facts["notes"] = [*notes, *facts["notes"]]
            scratch = getattr(work, "scratch", None)
            image_model_folder.save(model, folder, recipe=made, facts=facts, scratch=scratch)
            account.released = True
    return model


def usual_images(generator: ImageGenerator | str | None, budget: Budget) -> ImageGenerator:
    """The recipe that was asked for, or the usual one. Raises Unsupported where it promises less than is asked."""
    named = (USUAL if budget.allowance is None else PRIVATE) if generator is None else generator
    made = image_recipe(named) if isinstance(named, str) else named
    if budget.allowance is not None:
        check_recipe(made, such_as=PRIVATE)
    return made


def sample_images(model: ImageModel, run: Run, *, n: int, given: Mapping[str, str] | None = None) -> Images:
    """Draw `n` images that show nobody.

    Args:
        given: Labels that all of them have, by the name of the label or attribute; the rest as often as in training.

    Privacy: reads no real image; spends nothing.

    Raises:
        InputError: `n` is less than 1, or the images cannot be asked for by that.
        Unsupported: the model does not draw from nothing; translate or paint with it.
    """
    if n < 1:
        raise InputError("the number of images to draw must be at least 1.")
    return model.sample(n, run, given=given)


def translate_images(model: ImageModel, images: Images, run: Run, *, way: str = "") -> Images:
    """The same scenes as they would look taken another way. Origin "augmented": they show real patients' anatomy.

    Args:
        way: Such as "T1>T2"; may be left out where the images say of which kind they are, all of one.

    Raises:
        Unsupported: the model does not translate.
        InputError: it knows no such way, or the images cannot go it.
    """
    if not isinstance(model, Translator):
        raise Unsupported("this model does not translate images; fit one with the image generator 'cyclegan'.")
    return model.translate(images, run, way=way)


def paint_masks(
    model: ImageModel, masks: NDArray[np.uint8], run: Run, *, given: Mapping[str, str] | None = None
) -> Images:
    """An image around each mask, (n, height, width), with the mask beside it.

    The masks count as real patients', and what is painted around them as their anatomy: origin "augmented".

    Raises:
        Unsupported: the model does not paint masks.
        InputError: the masks are not those of the model's images.
    """
    if not isinstance(model, MaskPainter):
        raise Unsupported("this model does not paint masks; fit one with the image generator 'mask'.")
    return model.paint(masks, run, given=given)


@dataclass(frozen=True, slots=True)
class Written:
    """Where images were written, and what they are. `files` without the manifest."""

    place: Path
    images: Images
    files: tuple[str, ...]


def write_images(
    images: Images,
    out: Path | str,
    model: ImageModel,
    run: Run,
    *,
    form: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Written:
    """Write what a model made, whole or not at all: a folder, or one file where `out` ends in .npz.

    Args:
        form: Name of an image format; by default what the real images came as.
        facts: For the manifest, besides seed, versions and the SHA-256 of the model.

    Raises:
        InputError: something is there already, or the place cannot be written to.
    """
    digest = model_folder.digest(model)
    made_by = {"generator": model.name, "model": digest, "seed": str(run.seeds.root)}
    told = {
        "generator": model.name,
        "model": digest,
        "guarantee": getattr(model, "guarantee", NO_GUARANTEE),
        "notes": list(getattr(model, "notes", ())),
        **provenance.of_run(run),
        **(facts or {}),
    }
    files = image_destination.write_images(images, Path(out), form=form, made_by=made_by, facts=told)
    return Written(Path(out), images, tuple(files))


# ── what a fit is of ─────────────────────────────────────────────────────────────────────────────────────────────────


def check_before(folder: Path, *, resume: bool) -> None:
    """See early that a model may be written to `folder`. Raises InputError."""
    model_folder.check_free(folder)
    check_resumable(folder, resume=resume)
    if gallery_beside(folder).is_file():
        raise InputError(f"{gallery_beside(folder)} is a file; the pictures of the training go there: move it away.")


def gallery_beside(folder: Path) -> Path:
    """Where the pictures of a training lie."""
    return folder.parent / f"{folder.name}{GALLERY}"


def identity(verb: str, images: Images, recipe: ImageGenerator, run: Run) -> dict[str, str]:
    """What must be the same for two calls to learn the same model; see ``provenance.identity``."""
    known = provenance.of_run(run)
    return {
        "command": verb,
        "source": run.ledger.cohort,
        "schema": canonical_json(images.schema.to_dict()),
        "generator": canonical_json(provenance.of_recipe(recipe)),
        "seed": str(run.seeds.root),
        "version": canonical_json({key: known[key] for key in ("semblance", "python", "libraries")}),
    }


def facts_of(model: ImageModel, images: Images, recipe: ImageGenerator, run: Run) -> dict[str, Any]:
    """What model.json tells beside the recipe: of patients, with a promise, only what was charged for."""
    promised = run.ledger.allowance is not None
    ledger = run.ledger.to_dict()
    if promised:  # the model may travel: what names the patients' images stays here
        ledger = {key: value for key, value in ledger.items() if key not in ("cohort", "head")}
    counted = {} if promised else {"images": len(images), "patients": images.n_patients}
    return {
        **provenance.of_run(run),
        "libraries": provenance.of_run(run)["libraries"] | provenance.of_recipe(recipe).get("libraries", {}),
        "ledger": ledger,
        **counted,
        "notes": list(getattr(model, "notes", ())),
        "learned": dict(getattr(model, "facts", {})),
    }


def _clear(gallery: Path) -> None:
    """Remove the pictures of an earlier training; anything else stays."""
    if gallery.is_dir():
        ours: Sequence[Path] = [
            *gallery.glob("step-*.png"),
            *(gallery / n for n in ("latest.png", "curves.png", "curves.csv")),
        ]
        for file in ours:
            file.unlink(missing_ok=True)
