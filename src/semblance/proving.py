"""The commands that prove what images are worth, whoever made them."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from semblance.command import FILE, SEED, verb
from semblance.manner import Manner
from semblance.scan_options import READING, reading_in


@verb("semblance images audit --train scans --holdout others --synthetic made --labels folder -o evidence.json")
@click.option("--train", metavar="SOURCE", required=True, help="Real images that were learned from.")
@click.option("--holdout", metavar="SOURCE", required=True, help="Real images of patients that were never seen.")
@click.option("--synthetic", metavar="SOURCE", required=True, help="What was made.")
@click.option("-o", "--output", type=FILE, metavar="FILE", required=True, help="Evidence to write, as JSON.")
@click.option("--report", type=FILE, metavar="FILE", help="The page to write, for the board: it shows real patients.")
@click.option("--only", metavar="A,B,…", default="", help="Audits to ask; default: all.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the page.  [default: en]")
@click.option("--quick", is_flag=True, help="Less precision for less time.")
@READING
@SEED
@click.pass_obj
def audit(
    manner: Manner,
    /,
    train: str,
    holdout: str,
    synthetic: str,
    output: Path,
    report: Path | None,
    only: str,
    lang: str,
    quick: bool,
    seed: int,
    **asked: Any,
) -> None:
    """Judge synthetic images beside the real ones they were learned from and others."""
    from semblance.destination import check_new, write_text
    from semblance.evidence import canonical_json
    from semblance.gallery.examination import render
    from semblance.pipeline import examining, scanning
    from semblance.pipeline.reading import begin
    from semblance.progress import bars

    check_new(output)
    check_new(report)
    names = [name.strip() for name in only.split(",") if name.strip()]
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        run = begin(seed=seed, quick=quick, progress=progress)
        sources = {"train": train, "holdout": holdout, "synthetic": synthetic}
        comparison = scanning.comparison_of(sources, run, reading_in(asked))
        evidence, plates = examining.examine(comparison, run, only=names)
        write_text(canonical_json(evidence.to_dict()), output)
        if report is not None:
            write_text(render(evidence, plates, language=lang), report)
    asked_of = [f for f in evidence if f.status == "measured"]
    told = {"evidence": str(output), "report": None if report is None else str(report), "findings": len(asked_of)}
    page = [] if report is None else [f"report          {report}"]
    said = [f"{len(asked_of)} of {len(evidence.findings)} questions answered.", f"evidence        {output}", *page]
    manner.tell(told, "\n".join(said))
