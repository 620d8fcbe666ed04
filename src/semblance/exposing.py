"""The command about the real table: who could be found in it, before anything is synthesised."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from semblance.command import SCHEMA, SEED, SUBJECT, TARGET, verb
from semblance.manner import Manner


@verb("semblance source-risk patients.csv --subject patient_id --population 300000", name="source-risk")
@click.argument("source")
@SCHEMA
@TARGET
@SUBJECT
@click.option("--quasi", multiple=True, metavar="COL", help="What others may know; these instead of the schema's.")
@click.option("--sensitive", multiple=True, metavar="COL", help="What would harm; these instead of the schema's.")
@click.option("--population", type=click.IntRange(min=1), metavar="N", help="People the patients were drawn from.")
@SEED
@click.pass_obj
def source_risk(manner: Manner, /, source: str, schema: Path | None, **asked: Any) -> None:
    """Say how many patients of SOURCE stand alone in what others may know, and which columns point at them.

    This is the risk in the real table, names removed. It shows no patient's value and counts no fewer than eleven.
    """
    from semblance import pipeline
    from semblance.disclosure_risk.words import in_words

    with redirect_stdout(sys.stderr):
        meaning = None if schema is None else pipeline.load_schema(schema)
        evidence = pipeline.source_risk(source, schema=meaning, **asked)
    manner.tell(evidence.to_dict(), in_words(evidence))
