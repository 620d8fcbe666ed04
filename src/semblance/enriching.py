"""The command that makes more images of the same patients: classical augmentation, written down."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance.command import FILE, SEED, settings_in, verb
from semblance.manner import Manner
from semblance.scan_options import READING, reading_in

if TYPE_CHECKING:
    from semblance.image_contracts import Augmentation

ANATOMY = "they show real patients' anatomy: guard them like the originals"


@verb("semblance images augment scans --labels folder -o more --with rotate --with noise:share=0.02 --copies 3")
@click.argument("source")
@click.option("-o", "--output", type=FILE, metavar="DIR|FILE.npz", required=True, help="New folder, or one file.")
@click.option("--with", "chosen", multiple=True, metavar="NAME[:KEY=VALUE,…]", help="See `list augmentations`.")
@click.option("--preset", "usual", is_flag=True, help="What is usual for the images' modality; before any --with.")
@click.option("--copies", type=click.IntRange(min=1), default=1, show_default=True, help="Of each image.")
@click.option(
    "--balance",
    type=click.Choice(["duplicate", "interpolate"]),
    help="First bring all classes to the number of the most frequent one: by repeating, or between neighbours.",
)
@click.option("--even-so", is_flag=True, help="Also what says of itself that it may change a label.")
@click.option("--format", "form", metavar="NAME", default="", help="Of the files; default: as the images came.")
@READING
@SEED
@click.pass_obj
def augment(
    manner: Manner,
    /,
    source: str,
    output: Path,
    chosen: tuple[str, ...],
    usual: bool,
    copies: int,
    balance: str | None,
    even_so: bool,
    form: str,
    seed: int,
    **asked: Any,
) -> None:
    """Write transformed copies of the images of SOURCE, with their labels and masks; the originals are not among them.

    Transformations are made one after the other, in the order of the words. What comes out shows real patients.
    """
    from semblance import image_destination
    from semblance.pipeline import augmenting, scanning
    from semblance.pipeline.reading import begin
    from semblance.progress import bars

    named = [_named(text) for text in chosen]
    image_destination.check_free(output, form=form)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        run = begin(seed=seed, progress=progress)
        read = scanning.read_images(source, progress=progress, **reading_in(asked))
        presets = augmenting.usual_augmentations(read.images.schema) if usual else ()
        changes = [*presets, *named]
        made = augmenting.augment_images(
            read.images, run, changes=changes, copies=copies, balance=balance or "", even_so=even_so
        )
        facts = {"copies": copies, "balance": balance or "", "made_of": len(read.images)}
        files = augmenting.write_augmented(made, output, run, changes=changes, facts=facts, form=form)
    names = [change.name for change in changes]
    told = {"output": str(output), "images": len(made), "origin": made.origin, "augmentations": names, "files": files}
    done = ", ".join(names) or balance
    manner.tell(told, f"{output}: {len(made)} images of {made.n_patients} patients ({done}); {ANATOMY}.")


def _named(text: str) -> Augmentation:
    """A transformation as --with names it: rotate, or rotate:degrees=5."""
    from semblance.pipeline.augmenting import augmentation

    name, _, strengths = text.partition(":")
    return augmentation(name, settings_in(pair for pair in strengths.split(",") if pair))
