"""The commands that set hospitals beside each other, before anything is learned or made."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance.command import FILE, QUICK, SCHEMA, SEED, SUBJECT, TARGET, verb
from semblance.manner import Manner
from semblance.scan_options import READING, reading_in

if TYPE_CHECKING:
    from semblance.evidence import Evidence

OUTPUT = click.option("-o", "--output", type=FILE, metavar="FILE", help="Evidence to write, as JSON.")


@verb("semblance shift patients.csv --site hospital --target died -o evidence.json")
@click.argument("source")
@click.option("--site", metavar="COL", required=True, help="Column to compare by; numbers and dates: early and late.")
@OUTPUT
@SCHEMA
@TARGET
@SUBJECT
@SEED
@QUICK
@click.pass_obj
def shift(
    manner: Manner,
    /,
    source: str,
    site: str,
    output: Path | None,
    schema: Path | None,
    seed: int,
    quick: bool,
    **asked: Any,
) -> None:
    """Say how the patients of several hospitals, or times, differ, and whether a model of one fails at another."""
    from semblance import pipeline
    from semblance.destination import check_new
    from semblance.pipeline import comparing
    from semblance.progress import bars

    check_new(output)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        run = pipeline.begin(seed=seed, quick=quick, progress=progress)
        meaning = None if schema is None else pipeline.load_schema(schema)
        evidence = comparing.shift(source, run, site=site, schema=meaning, **asked)
    _answer(manner, evidence, output, None)


@verb("semblance images shift scans --labels folder --site tag:InstitutionName -o evidence.json", name="shift")
@click.argument("source")
@OUTPUT
@click.option("--report", type=FILE, metavar="FILE", help="The page to write, with pictures; it shows no image.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the page.  [default: en]")
@QUICK
@READING
@SEED
@click.pass_obj
def shift_images(
    manner: Manner,
    /,
    source: str,
    output: Path | None,
    report: Path | None,
    lang: str,
    quick: bool,
    seed: int,
    **asked: Any,
) -> None:
    """Say how images of several sites differ, and what a classifier could learn instead of the disease."""
    from semblance.destination import check_new, write_text
    from semblance.gallery.examination import render
    from semblance.pipeline import comparing
    from semblance.pipeline.reading import begin
    from semblance.progress import bars

    check_new(output, report)
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        run = begin(seed=seed, quick=quick, progress=progress)
        evidence, plates = comparing.shift_images(source, run, **reading_in(asked))
        if report is not None:
            write_text(render(evidence, plates, language=lang), report)
    _answer(manner, evidence, output, report)


def _answer(manner: Manner, evidence: Evidence, output: Path | None, report: Path | None) -> None:
    from semblance.destination import write_text
    from semblance.evidence import canonical_json
    from semblance.shifting.words import in_words

    if output is not None:
        write_text(canonical_json(evidence.to_dict()), output)
    written = [f"{name:<16}{path}" for name, path in (("evidence", output), ("report", report)) if path is not None]
    manner.tell(evidence.to_dict(), "\n".join([*in_words(evidence), *written]))
