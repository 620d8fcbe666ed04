"""The command that turns one knob of a recipe: the frontier between utility and privacy."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semblance.command import (
    FILE,
    GENERATOR,
    MINUTES,
    POLICY,
    QUICK,
    RESUME,
    SCHEMA,
    SEED,
    SET,
    SUBJECT,
    TARGET,
    budget_in,
    settings_in,
    verb,
    with_budget,
)
from semblance.manner import Manner

if TYPE_CHECKING:
    from semblance.pipeline import Sweep


def _numbers(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """Numbers between commas; None where nobody said any."""
    if text is None:
        return None
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise click.BadParameter("takes numbers between commas, such as 0.5,1,2.") from None


@verb("semblance sweep patients.csv --knob reach --values 0.5,1,2 --out frontier --target died")
@click.argument("source")
@click.option("--out", type=FILE, metavar="DIR", required=True, help="Folder to write.")
@GENERATOR
@click.option("--knob", metavar="KEY", required=True, help="A numeric parameter of the generator, rows, or epsilon.")
@click.option("--values", callback=_numbers, metavar="A,B,…", help="Of the knob; default: a ladder around its own.")
@click.option("--seeds", "fits", type=click.IntRange(min=1), default=2, show_default=True, help="Fits at each value.")
@SET
@with_budget
@SCHEMA
@TARGET
@SUBJECT
@SEED
@POLICY
@click.option("--shadows", is_flag=True, help="Make the shadow-model attack too; it takes longer than all the rest.")
@click.option(
    "--lang", "language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the page."
)
@QUICK
@MINUTES
@RESUME
@click.pass_obj
def sweep(
    manner: Manner, /, source: str, generator: str | None, settings: tuple[str, ...], schema: Path | None, **asked: Any
) -> None:
    """Turn one knob of a generator, and draw what each value of it costs in privacy and buys in utility.

    Every point is judged by patients set aside from those that may be learned from: the held-out ones stay unseen, and
    `run` with the chosen value and the same seed confirms the choice by them.
    """
    from semblance import pipeline
    from semblance.progress import bars

    asked["budget"] = budget = budget_in(asked)
    private = budget.allowance is not None or asked["knob"] == "epsilon"
    recipe = pipeline.recipe(generator or ("marginals" if private else "chain"), settings_in(settings))
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        meaning = None if schema is None else pipeline.load_schema(schema)
        made = pipeline.sweep(source, generator=recipe, schema=meaning, progress=progress, **asked)
    manner.tell(_facts(made), _sentences(made))


def _facts(made: Sweep) -> dict[str, Any]:
    """The answer for machines; the rest of it stands in the file."""
    return {
        "folder": str(made.folder),
        "frontier": str(made.folder / "frontier.json"),
        "page": str(made.folder / "frontier.html"),
        "knob": made.frontier["knob"],
        "values": list(made.frontier["values"]),
        "chosen": made.chosen,
        "policy": made.frontier["choice"]["policy"]["name"],
        "met": [v["value"] for v in made.frontier["choice"]["values"] if v["met"]],
        "seconds": [dict(s) for s in made.seconds],
    }


def _sentences(made: Sweep) -> str:
    from semblance.frontier.words import confirmation, headline, how_chosen
    from semblance.report.language import ENGLISH

    lines = [headline(made.frontier, ENGLISH), how_chosen(made.frontier, ENGLISH)]
    if command := confirmation(made.frontier):
        lines += ["not confirmed yet: no point was judged by the held-out patients; this does:", f"  {command}"]
    return "\n".join([*lines, f"page            {made.folder / 'frontier.html'}"])
