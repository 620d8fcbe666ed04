"""What the commands share: how one is declared, and the options that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from semblance.manner import Manner

Command = TypeVar("Command", bound=Callable[..., Any])


def _set(field: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            setattr(ctx.ensure_object(Manner), field, True)

    return remember


def verb(example: str, *, name: str | None = None) -> Callable[[Command], click.Command]:
    """A command with an example in its help and the two options that every command has."""

    def make(function: Command) -> click.Command:
        for option, text in (
            ("debug", "Show the traceback of an error (it may quote patients' values)."),
            ("json", "Print one JSON object on stdout and nothing else."),
        ):
            function = click.option(
                f"--{option}", is_flag=True, is_eager=True, expose_value=False, callback=_set(option), help=text
            )(function)
        epilog = f"\b\nExample:\n  {example}"
        return click.command(name, epilog=epilog, context_settings={"help_option_names": ["-h", "--help"]})(function)

    return make


FILE = click.Path(path_type=Path)
SCHEMA = click.option("--schema", type=FILE, metavar="FILE", help="A schema that you edited; default: infer it.")
TARGET = click.option("--target", metavar="COL", help="Column to be predicted from the others.")
SUBJECT = click.option("--subject", metavar="COL", help="Column that names the patient, where one has several rows.")
SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same seed, same bytes.")
SET = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter; may be repeated.")
POLICY = click.option(
    "--policy", metavar="NAME|FILE", help="Rules of release: open-release (the usual ones), another's name, or a file."
)
GENERATOR = click.option(
    "--generator", metavar="NAME", help="See `list`; default: chain, or with --epsilon marginals (or vae, gan)."
)
QUICK = click.option("--quick", is_flag=True, help="Less precision for less time.")
MINUTES = click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="M",
    help="Time for learning; what is cut short is told, and depends on the clock.",
)
RESUME = click.option("--resume", is_flag=True, help="Continue where an interrupted run stopped; the same result.")
LANG = click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "zh"]),
    default="en",
    show_default=True,
    help="Language of report and card: English, or Simplified Chinese.",
)
OUT = click.option("--out", type=FILE, metavar="DIR", required=True, help="Release folder to write.")


_BUDGET = (
    click.option("--epsilon", type=click.FloatRange(min=0, min_open=True), metavar="E", help="Privacy to promise."),
    click.option("--delta", type=float, metavar="D", help="Its delta; default: 1e-6, must be below 1/patients."),
    click.option(
        "--unit", metavar="patient|COL", default="patient", show_default=True, help="Whose presence is hidden."
    ),
    click.option(
        "--rows-per-patient", type=click.IntRange(min=1), default=1, show_default=True,
        help="Learned from at most, with --epsilon.",
    ),
    click.option("--cohort", metavar="NAME", default="", help="Name of all extracts of these patients."),
    click.option("--ledger", type=FILE, metavar="FILE", help="Ledger of what was spent; default: the user's own."),
)  # fmt: skip


def with_budget(function: Command) -> Command:
    """The options of a promise; `budget_in` reads them."""
    for option in reversed(_BUDGET):
        function = option(function)
    return function


def budget_in(asked: dict[str, Any]) -> Any:
    """The budget of a call, out of its options; its plan is told on stderr before anything is spent."""
    from semblance.pipeline.spending import Budget

    names = {"epsilon": "epsilon", "delta": "delta", "unit": "unit", "rows_per_patient": "rows", "cohort": "cohort",
             "ledger": "ledger"}  # fmt: skip
    given = {name: asked.pop(option) for option, name in names.items()}
    return Budget(**given, show=lambda plan: click.echo(f"semblance: {plan}", err=True))


def settings_in(texts: Iterable[str]) -> dict[str, Any]:
    """``key=value`` of each, the value as TOML writes it (numbers, true, "text"); anything else is text."""
    return dict(_pair(text) for text in texts)


def _pair(text: str) -> tuple[str, Any]:
    import tomllib

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"--set takes KEY=VALUE, not {text!r}.")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value
