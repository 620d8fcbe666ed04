"""The commands that use a fitted model: rows drawn from it, and gaps filled by it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from semblance.command import FILE, SEED, verb
from semblance.errors import Unsupported
from semblance.manner import Manner


@verb('semblance sample model --rows 1000 -o synthetic.csv --given sex=F --given "age>=65"')
@click.argument("model", type=FILE)
@click.option("--rows", type=click.IntRange(min=1), required=True, help="Rows to draw.")
@click.option("-o", "--output", type=FILE, metavar="FILE", required=True, help="Format by extension.")
@click.option(
    "--given",
    multiple=True,
    metavar="CONDITION",
    help='Only rows that meet it: COL=VALUE, "COL>=VALUE" (also !=, <=, >, <), "COL in A|B", "COL is missing", '
    '"COL is present". May be repeated; all hold.',
)
@click.option(
    "--balance",
    metavar="COL[=LABEL:SHARE,…]",
    default="",
    help="Equal numbers of each label of a column, or labels by share.",
)
@click.option(
    "--do",
    "intervene",
    multiple=True,
    metavar="COL=VALUE",
    help="Set a value as an intervention. Not yet in this version.",
)
@SEED
@click.pass_obj
def sample(
    manner: Manner,
    model: Path,
    rows: int,
    output: Path,
    given: tuple[str, ...],
    balance: str,
    intervene: tuple[str, ...],
    seed: int,
) -> None:
    """Draw rows from a MODEL folder that `fit` wrote. What is drawn here has not been judged."""
    if intervene:
        raise Unsupported("this version cannot intervene yet; leave out --do, or condition with --given.")
    from semblance import model_folder, pipeline
    from semblance.destination import check_new
    from semblance.progress import bars
    from semblance.source import format_of
    from semblance.streaming import Stream, draw_into

    format_of(output)
    check_new(output)

    facts: dict[str, Any] = {"file": str(output), "rows": rows}
    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        steps = pipeline.begin(seed=seed, progress=progress)
        stream = Stream(model_folder.load(model), steps, n=rows, given=given, balance=balance)
        draw_into(output, stream)
        if stream.accounts:
            facts["conditions"] = {said: asdict(account) for said, account in stream.accounts.items()}
            _caution(account.caution for account in stream.accounts.values())
    manner.tell(facts, f"{output}: {rows} synthetic rows, not judged; see `audit`.")


@verb("semblance impute model patients.csv -o completed.csv --column urine")
@click.argument("model", type=FILE)
@click.argument("table")
@click.option("-o", "--output", type=FILE, metavar="FILE", required=True, help="Format by extension.")
@click.option("--column", "columns", multiple=True, metavar="COL", help="Fill this only; may be repeated.")
@SEED
@click.pass_obj
def impute(manner: Manner, model: Path, table: str, output: Path, columns: tuple[str, ...], seed: int) -> None:
    """Fill the missing cells of TABLE with draws given the rest of their row.

    Every value that is there keeps its exact spelling. The result holds the real rows of TABLE: guard it like them.
    """
    from semblance import conditioning, model_folder, pipeline
    from semblance.destination import check_new, write_table
    from semblance.progress import bars
    from semblance.source import format_of

    format_of(output)
    check_new(output)

    with redirect_stdout(sys.stderr), bars(hidden=manner.json) as progress:
        steps = pipeline.begin(seed=seed, progress=progress)
        made, account = conditioning.complete(model_folder.load(model), table, steps, output=output, columns=columns)
        _caution([account.caution])
        write_table(made, output)
    said = f"{output}: {account.cells} missing cells filled in {account.rows} rows; it holds the rows of {table}."
    manner.tell({"file": str(output), **asdict(account)}, said)


def _caution(sentences: Iterable[str | None]) -> None:
    """Each different sentence once, on stderr."""
    for sentence in dict.fromkeys(sentences):
        if sentence is not None:
            click.echo(f"semblance: {sentence}", err=True)
