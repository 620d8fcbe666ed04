"""The commands for images: the same verbs as for tables, below one name."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance.command import FILE, MINUTES, RESUME, SEED, SET, budget_in, settings_in, verb, with_budget
from semblance.manner import Manner
from semblance.scan_options import READING, pairs_in, reading_in

if TYPE_CHECKING:
    from semblance.contracts import Run
    from semblance.image_contracts import ImageModel
    from semblance.pipeline.picturing import Written
    from semblance.scans.reading import Read

# ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

GIVEN = click.option(
    "--given", multiple=True, metavar="NAME=LABEL", help="Only images of this label; may be repeated, all hold."
)
FORMAT = click.option("--format", "form", metavar="NAME", default="", help="Of the files; default: as was learned.")
OUTPUT = click.option(
    "-o", "--output", type=FILE, metavar="DIR|FILE.npz", required=True, help="New folder to write, or one file."
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  semblance images fit scans --labels folder --model model --json",
)
def images() -> None:
    """The same verbs for images: a folder of scans in, images of nobody out."""


@verb("semblance images describe scans --labels folder -o schema.toml")
@click.argument("source")
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Write the schema here; default: tell about it.")
@READING
@click.pass_obj
def describe(manner: Manner, /, source: str, output: Path | None, **asked: Any) -> None:
    """Say what a folder of scans holds: sizes, values, classes, patients, twins, text burned in, files that are bad."""
    from semblance import image_schema_toml
    from semblance.destination import check_new, write_text
    from semblance.pipeline import scanning
    from semblance.progress import bars
    from semblance.scans.words import tell

    check_new(output)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        found = scanning.describe_images(source, progress=progress, **reading_in(asked))
        text = image_schema_toml.dumps(found.schema)
        if output is not None:
            write_text(text, output)
    facts = {**found.to_dict(), "file": None if output is None else str(output)}
    said = [] if output is None else [f"{output}: read it, edit it, use --schema."]
    manner.tell(facts, "\n".join([tell(found), *said]))


@verb("semblance images fit scans --labels folder --model model --generator flow --set kimg=80")
@click.argument("source")
@click.option("--model", type=FILE, metavar="DIR", required=True, help="Folder to write the model to.")
@click.option("--generator", metavar="NAME", help="See `list image-generators`; default: gan, with --epsilon features.")
@SET
@READING
@with_budget
@SEED
@MINUTES
@RESUME
@click.pass_obj
def fit(
    manner: Manner, /, source: str, model: Path, generator: str | None, settings: tuple[str, ...], **asked: Any
) -> None:
    """Train on all images of SOURCE. How it goes can be seen in MODEL.gallery meanwhile; Ctrl-C, then --resume.

    With --epsilon the images must be declared by --schema, and --rows-per-patient counts images.
    """
    from semblance import model_folder
    from semblance.pipeline import picturing, scanning
    from semblance.progress import bars
    from semblance.recipe import image_recipe

    budget = budget_in(asked)
    usual = picturing.USUAL if budget.allowance is None else picturing.PRIVATE
    recipe = picturing.usual_images(image_recipe(generator or usual, settings_in(settings)), budget)
    told = {"generator": recipe, "budget": budget}
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        picturing.check_before(model, resume=asked["resume"])
        reading = reading_in(asked)
        read = scanning.read_images(source, progress=progress, **reading)
        told |= {"schema": reading.get("schema"), "notes": read.notes, "progress": progress}
        picturing.fit_images(read.images, model, **told, **asked)
    card = json.loads((model / model_folder.CARD).read_text(encoding="utf-8"))
    gallery = picturing.gallery_beside(model)
    facts: dict[str, Any] = {"model": str(model), "generator": recipe.name, "gallery": str(gallery)}
    said = f"{card['images']} images" if "images" in card else "images"
    lines = [f"{model}: a model of {said} by {recipe.name!r}; see {gallery / 'latest.png'}."]
    facts |= {"bad": _bad(read), **{key: card.get(key) for key in ("images", "patients", "notes")}}
    if claim := card["ledger"].get("claim"):
        facts["claim"] = claim
        lines.append(f"ε = {claim['epsilon']:.4g} at δ = {claim['delta']:g}, for each patient.")
    manner.tell(facts, "\n".join([*lines, *card["notes"]]))


@verb("semblance images sample model --images 200 -o synthetic --given label=pneumonia")
@click.argument("model", type=FILE)
@click.option("-n", "--images", "number", type=click.IntRange(min=1), required=True, help="How many to draw.")
@OUTPUT
@GIVEN
@FORMAT
@SEED
@click.pass_obj
def sample(
    manner: Manner, model: Path, number: int, output: Path, given: tuple[str, ...], form: str, seed: int
) -> None:
    """Draw images from a MODEL folder that `images fit` wrote. What is drawn here has not been judged."""
    from semblance.pipeline import picturing

    told = pairs_in(given, "--given", "NAME=LABEL")
    with _using(manner, model, output, form, seed) as (drawer, run):
        made = picturing.sample_images(drawer, run, n=number, given=told)
        done = picturing.write_images(made, output, drawer, run, form=form, facts={"given": told} if told else {})
    _tell(manner, done, f"{output}: {number} synthetic images, not judged; for research only.")


@verb('semblance images translate model scans -o as-t2 --way "T1>T2"')
@click.argument("model", type=FILE)
@click.argument("source")
@OUTPUT
@click.option("--way", metavar="A>B", default="", help="From which kind to which; default: as the images' labels say.")
@READING
@FORMAT
@SEED
@click.pass_obj
def translate(
    manner: Manner, /, model: Path, source: str, output: Path, way: str, form: str, seed: int, **asked: Any
) -> None:
    """Show the images of SOURCE as they would look taken another way. The result shows real patients' anatomy."""
    from semblance.pipeline import picturing, scanning

    with _using(manner, model, output, form, seed) as (turner, run):
        read = scanning.read_for(turner, source, run, reading_in(asked))
        made = picturing.translate_images(turner, read.images, run, way=way)
        facts = {"way": way} if way else {}
        done = picturing.write_images(made, output, turner, run, form=form, facts=facts)
    said = f"{output}: {len(made)} translated images; they show real patients' anatomy: guard them like the originals."
    _tell(manner, done, said, bad=_bad(read))


@verb("semblance images paint model masks -o painted --lesion lesion:brain:4")
@click.argument("model", type=FILE)
@click.argument("masks")
@OUTPUT
@click.option(
    "--lesion",
    "lesions",
    multiple=True,
    metavar="A:B:RADIUS[@ROW,COLUMN]",
    help="Put a new lesion A, of a radius in mm (or pixels: 4px), somewhere in structure B, or there; may be repeated.",
)
@GIVEN
@FORMAT
@SEED
@click.pass_obj
def paint(
    manner: Manner,
    /,
    model: Path,
    masks: str,
    output: Path,
    lesions: tuple[str, ...],
    given: tuple[str, ...],
    form: str,
    seed: int,
) -> None:
    """Paint an image around each mask of MASKS (a folder, a file, or an .npz with masks); writes image and mask.

    `images sample` draws masks of its own, which are nobody's.
    """
    from semblance.pipeline import picturing, scanning

    told = pairs_in(given, "--given", "NAME=LABEL")
    with _using(manner, model, output, form, seed) as (painter, run):
        found = scanning.read_masks(masks, painter.schema)
        found = scanning.put_lesions(found, lesions, painter.schema, run)
        made = picturing.paint_masks(painter, found, run, given=told)
        facts = {"given": told, "lesions": list(lesions)}
        done = picturing.write_images(made, output, painter, run, form=form, facts=facts)
    said = f"{output}: {len(made)} images painted around masks; a real patient's mask is that patient's anatomy."
    _tell(manner, done, said)


def show_demo(manner: Manner, out: Path, *, language: str, resume: bool) -> None:
    """`semblance demo --images`."""
    from semblance.pipeline.exhibiting import IMAGES, PAGE, demo_images
    from semblance.progress import bars

    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        made = demo_images(out, language=language, resume=resume, progress=progress)
    facts = made.exhibit.facts
    stages = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in made.seconds.items())
    lines = [
        f"{facts['drawn']} chest X-rays that show nobody, by {facts['generator']!r}; no formal guarantee (ε = ∞).",
        "Not judged: the gate does not judge images yet. For research only.",
        *made.notes,
        f"gallery         {out / PAGE}",
        f"images          {out / IMAGES}",
        f"time            {stages}",
    ]
    told = {
        "folder": str(out),
        "gallery": str(out / PAGE),
        "images": facts["drawn"],
        "generator": facts["generator"],
        "judged": False,
        "measured": [one.to_dict() for one in made.exhibit.measured],
        "notes": list(made.notes),
        "seconds": dict(made.seconds),
    }
    manner.tell(told, "\n".join(lines))


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _using(manner: Manner, model: Path, output: Path, form: str, seed: int) -> Iterator[tuple[ImageModel, Run]]:
    """A model from its folder and a run to use it in, once it is clear that the result can be written."""
    from semblance import image_destination, image_model_folder
    from semblance.pipeline.reading import begin
    from semblance.progress import bars

    image_destination.check_free(output, form=form)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        yield image_model_folder.load(model), begin(seed=seed, progress=progress)


def _tell(manner: Manner, done: Written, said: str, **facts: Any) -> None:
    told = {"output": str(done.place), "images": len(done.images), "origin": done.images.origin, "files": done.files}
    manner.tell({**told, **facts}, said)


def _bad(read: Read) -> list[dict[str, str]]:
    """The files that were left out, told on stderr too."""
    for one in read.bad:
        click.echo(f"semblance: left out {one.file}: {one.reason}", err=True)
    return [{"file": one.file, "reason": one.reason} for one in read.bad]


for command in (describe, fit, sample, translate, paint):
    images.add_command(command)
