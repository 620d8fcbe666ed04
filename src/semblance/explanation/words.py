"""An explanation as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from semblance.explanation.explain import Explanation

WIDTH = 100


def in_words(explanation: Explanation) -> str:
    """Headings, and one thing a line under each."""
    width = max(map(len, explanation.facts))
    answers = [
        f"{a.answer:<3}  {a.question} {_sentence(a.because)}" for a in explanation.answers if a.answer != "not asked"
    ]
    overrides = [line for o in explanation.overrides for line in (f"# {o.effect}", *o.lines)]
    sections = (
        ("What the table holds", [f"{what:<{width}}  {told}" for what, told in explanation.facts.items()], width + 2),
        ("What was asked, in this order, until the first yes", answers, 5),
        ("Set by hand", explanation.by_hand, 2),
        ("What would change this", explanation.changes, 2),
        ("How to overrule it: lines for this column in the schema file", overrides, 2),
    )
    told = [f"{explanation.name}: {explanation.decision}", *_lines([explanation.why], 0)]
    for heading, items, hanging in sections:
        if items:
            told += ["", heading, *_lines(items, hanging)]
    return "\n".join(told)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _lines(items: Iterable[str], hanging: int) -> list[str]:
    """Each item wrapped, its later lines set in by `hanging`."""
    indent = " " * (2 + hanging)
    return [
        line
        for item in items
        for line in wrap(item, WIDTH, initial_indent="  ", subsequent_indent=indent, break_long_words=False)
    ]
