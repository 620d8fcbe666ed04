"""The command that asks whether augmentation really helped."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance.command import FILE, LANG, QUICK, RESUME, SEED, SET, settings_in, verb
from semblance.manner import Manner
from semblance.scan_options import READING, reading_in

if TYPE_CHECKING:
    from semblance.pipeline.experimenting import Experiment


def _numbers(kind: type) -> Any:
    """Numbers between commas; None where nobody said any."""

    def read(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Any, ...] | None:
        if text is None:
            return None
        try:
            return tuple(kind(word) for word in text.split(","))
        except ValueError:
            raise click.BadParameter("takes numbers between commas, such as 50,100.") from None

    return read


@verb("semblance images experiment scans --labels folder --generator flow --keep 100 --quick --out experiment")
@click.argument("source")
@click.option("--out", type=FILE, metavar="DIR", required=True, help="Folder to write.")
@click.option("--external", metavar="SOURCE", help="Images of another site, read alike: they judge as well.")
@click.option(
    "--generator",
    metavar="NAME|SOURCE",
    help="A recipe (see `list`), or images made elsewhere; default: flow.",
)
@SET
@click.option("--minority", metavar="CLASS", help="The class that is cut and added to; default: the rarest.")
@click.option("--keep", callback=_numbers(int), metavar="A,B,…", help="Its patients that are learned from.")
@click.option("--ratios", callback=_numbers(float), metavar="A,B,…", help="Images added for each real one of it.")
@click.option("--seeds", type=click.IntRange(min=2), help="Trainings of each setting; default: 5, with --quick 3.")
@click.option("--steps", type=click.IntRange(min=1), help="Of every training; default: 200, with --quick 120.")
@click.option("--margin", type=float, help="How much worse at the other site is not worse; default: 0.02.")
@click.option("--arms", metavar="A,B,…", help="Some arms only; default: all.")
@READING
@SEED
@LANG
@QUICK
@RESUME
@click.pass_obj
def experiment(
    manner: Manner,
    /,
    source: str,
    external: str | None,
    generator: str | None,
    settings: tuple[str, ...],
    minority: str | None,
    keep: tuple[int, ...] | None,
    arms: str | None,
    **asked: Any,
) -> None:
    """Did augmentation really help? Classifiers with and without it, under the same conditions, asked of real patients.

    Every arm adds as many images and takes as many steps: real images alone, with copies, transformed, with synthetic
    ones, and with as many further real ones. The verdict is HELPS, NO EVIDENCE or HARMS.
    """
    from semblance.pipeline import experimenting
    from semblance.progress import bars

    reading = reading_in(asked)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        images = experimenting.read_part(source, reading, progress)
        other = None if external is None else experimenting.read_alike(external, images, reading, progress)
        made = experimenting.experiment_images(
            images,
            external=other,
            synthetic=_made(generator, settings, images, reading, progress),
            rare=minority,
            keeps=keep,
            arms=None if arms is None else [name.strip() for name in arms.split(",")],
            progress=progress,
            **asked,
        )
    manner.tell(_facts(made), _sentences(made))


def _made(named: str | None, settings: tuple[str, ...], images: Any, reading: dict[str, Any], progress: Any) -> Any:
    """A recipe with its parameters, or images, where a folder or file of that name is there."""
    from semblance.pipeline.experimenting import read_alike
    from semblance.recipe import image_recipe

    if named is not None and Path(named.rpartition("@")[0] or named).exists():
        return read_alike(named, images, reading, progress)
    return image_recipe(named or "flow", settings_in(settings)) if settings else named


def _facts(made: Experiment) -> dict[str, Any]:
    return {
        "folder": str(made.folder),
        "record": str(made.folder / "experiment.json"),
        "page": str(made.folder / "experiment.html"),
        "verdict": made.record["verdict"],
        "judgements": made.record["judgements"],
        "seconds": dict(made.seconds),
    }


def _sentences(made: Experiment) -> str:
    from semblance.experiment import words
    from semblance.report.language import ENGLISH

    record = made.record
    lines = [f"{record['verdict']}: {words.headline(record, ENGLISH)}."]
    for found in record["judgements"]:
        name = words.setting(found, ENGLISH)
        gain = found["gain"]
        told = f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
        lines.append(
            f"{found['keep']:>6} {name}: {found['verdict']}, {told} over {words.setting(found['best'], ENGLISH)}"
        )
    lines += [f"{head} {text}" for head, text in words.doubts(record, ENGLISH)]
    return "\n".join([*lines, f"page            {made.folder / 'experiment.html'}"])
