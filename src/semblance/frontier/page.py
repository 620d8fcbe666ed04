"""The page of a frontier: one HTML file that opens offline, drawn from ``frontier.json`` and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment

from semblance.frontier import words
from semblance.frontier.plots import draw_curve, draw_rate, draw_trade
from semblance.frontier.record import PRIVACY, UTILITY
from semblance.report.draw import number
from semblance.report.language import Language
from semblance.report.language import language as language_of
from semblance.report.sheet import environment, style

Known = Mapping[str, Any]

FOLLOWED = (*UTILITY, *PRIVACY, "fidelity.pair.score", "copies.nearest.share")
"""What is drawn along the knob: what the pictures above it rest on, and two that move early."""


def render(record: Known, *, language: str = "en") -> str:
    """The whole page as text. Pure: the same record gives the same bytes.

    Args:
        language: "en" or "zh".

    Raises:
        InputError: there is no such language.
    """
    return render_in(language_of(language), record)


def render_in(say: Language, record: Known) -> str:
    """`render`, in a language that the caller holds: what it could not say is then in ``say.missing``."""
    trades = [(pair, draw_trade(record, pair, say, key=f"trade{i}")) for i, pair in enumerate(record["pareto"])]
    followed = [name for name in FOLLOWED if name in record["curves"]] + sorted(record["facts"])
    moving = [name for name in followed if name in record["curves"] or _moves(record["facts"][name])]
    curves = [(name, draw_curve(record, name, say, key=f"curve{i}")) for i, name in enumerate(moving)]
    return (
        _environment(say)
        .get_template("frontier.html")
        .render(
            record=record,
            chosen=record["choice"]["chosen"],
            headline=words.headline(record, say),
            how=words.how_chosen(record, say),
            command=words.confirmation(record),
            made_of=_made_of(record, say),
            trades=[(pair, svg) for pair, svg in trades if svg is not None],
            curves=[(name, svg, _curve(record, name)) for name, svg in curves if svg is not None],
            notes=words.notes(record, say),
            rate=draw_rate(record, say),
            main=[name for name in followed if name in record["curves"]],
            told=sorted(record["facts"]),
            style=style("frontier", "frontier.css"),
        )
    )


def _moves(fact: Known) -> bool:
    """Whether there is anything to see: some facts, such as a number of columns, are the same everywhere."""
    return len({p["estimate"] for p in fact["points"]}) > 1


def _curve(record: Known, name: str) -> Known:
    curve: Known = record["curves"].get(name) or record["facts"][name]
    return curve


def _made_of(record: Known, say: Language) -> list[str]:
    split = record["split"]
    return [
        say("generator “{name}”", name=record["generator"]["name"]),
        say("{n} values of “{name}”", n=len(record["values"]), name=record["knob"]),
        say("{n} fits at each", n=record["fits"]),
        say("{n} patients learned from", n=say.thousands(split["train_patients"])),
        say("{n} validation patients to judge", n=say.thousands(split["validation_patients"])),
        say("{n} held-out patients never opened", n=say.thousands(split["holdout_patients"])),
    ]


def _cell(curve: Known, value: float, say: Language) -> tuple[str, str]:
    """The estimate and the interval of one finding at one value of the knob; a word where it is not known."""
    point = next((p for p in curve["points"] if p["value"] == value), None)
    if point is None or point["estimate"] is None:
        return say("not known"), ""
    return say.figure(point["estimate"]), say.interval(point["low"], point["high"])


def _failures(record: Known, value: float) -> Sequence[Known]:
    found = next(v for v in record["choice"]["values"] if v["value"] == value)
    return words.unmet(found["rules"])


def _environment(say: Language) -> Environment:
    made = environment("frontier")
    made.filters.update(
        number=number,
        title=lambda name: words.title(name, say),
        follows=lambda curve, knob: words.follows(curve, knob, say),
    )
    made.globals.update(
        say=say,
        cell=lambda curve, value: _cell(curve, value, say),
        failures=_failures,
    )
    return made
