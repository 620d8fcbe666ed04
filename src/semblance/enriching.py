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


@verb("semblance images invariance scans --labels folder -o invariance.json --report invariance.html --with flip")
@click.argument("source")
@click.option("-o", "--output", type=FILE, metavar="FILE", required=True, help="Evidence to write, as JSON.")
@click.option("--report", type=FILE, metavar="FILE", help="The page to write, for the board: it shows real patients.")
@click.option("--with", "chosen", multiple=True, metavar="NAME[:KEY=VALUE,…]", help="Default: the preset, and a flip.")
@click.option("--margin", type=click.FloatRange(min=0, min_open=True), help="Nats a change may cost; default: 0.05.")
@click.option(
    "--net", is_flag=True, help="Ask small nets instead of logistic regressions: far slower, and they see more."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the page.  [default: en]")
@READING
@SEED
@click.pass_obj
def invariance(
    manner: Manner,
    /,
    source: str,
    output: Path,
    report: Path | None,
    chosen: tuple[str, ...],
    margin: float | None,
    net: bool,
    lang: str,
    seed: int,
    **asked: Any,
) -> None:
    """Try whether changes of the images of SOURCE keep their labels: keeps, changes, or undecided, for each.

    The margin is to be chosen before anything is looked at.
    """
    from semblance.destination import check_new, write_text
    from semblance.evidence import canonical_json
    from semblance.gallery.examination import render
    from semblance.pipeline import augmenting, scanning
    from semblance.pipeline.reading import begin
    from semblance.progress import bars

    changes = [_named(text) for text in chosen]
    check_new(output)
    check_new(report)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        run = begin(seed=seed, progress=progress)
        read = scanning.read_images(source, progress=progress, **reading_in(asked))
        evidence, plates = augmenting.try_changes(read.images, run, changes=changes, margin=margin, net=net)
        write_text(canonical_json(evidence.to_dict()), output)
        if report is not None:
            write_text(render(evidence, plates, language=lang), report)
    verdicts = augmenting.verdicts_in(evidence)
    told = {"evidence": str(output), "report": None if report is None else str(report), "verdicts": verdicts}
    width = max(map(len, verdicts))
    manner.tell(told, "\n".join(f"{name:<{width}}  {verdict}" for name, verdict in verdicts.items()))
