"""The command about how the methods work: lessons that run. (Why a column was described so: `describe --explain`.)"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from semblance.command import FILE, LANG, SEED, SET, settings_in, verb
from semblance.errors import Unsupported
from semblance.manner import Manner


@verb("semblance explain gan-game -o gan-game.html")
@click.argument("topic", required=False)
@click.option("-o", "--output", type=FILE, metavar="FILE", help="Page to write, with the picture; opens offline.")
@LANG
@SET
@SEED
@click.pass_obj
def explain(
    manner: Manner, topic: str | None, output: Path | None, language: str, settings: tuple[str, ...], seed: int
) -> None:
    """Run a lesson on how a method works: a formula beside its simulation. Without TOPIC: which lessons there are.

    It runs in seconds and touches no patient. --set turns a knob of the lesson; its last lines say which.
    """
    if topic is None:
        if output is not None or settings:
            raise click.UsageError("-o and --set go with a TOPIC; `semblance explain` alone lists them.")
        return _list(manner, language)
    from semblance.destination import check_new, write_text
    from semblance.explain import page, terminal
    from semblance.explain.contents import LESSONS
    from semblance.explain.words import words_of_lesson
    from semblance.recipe import turned
    from semblance.seeds import Seeds

    if topic not in LESSONS:
        raise Unsupported(f"there is no lesson {topic!r}; there are {', '.join(LESSONS)}.")
    check_new(output)
    chosen = settings_in(settings)
    with redirect_stdout(sys.stderr):
        lesson = turned(LESSONS[topic], chosen, called=f"lesson {topic!r}")
        told = lesson.run(Seeds(seed))
        if output is not None:
            write_text(page.render(lesson, told, language=language, seed=seed), output)
        facts = terminal.facts(lesson, told, words_of_lesson(topic, language), seed=seed)
        text = terminal.in_words(lesson, told, language)
    agreed = sum(claim.agrees for claim in told.claims)
    said = f"{output}: {agreed} of {len(told.claims)} numbers agree with their closed form."
    manner.tell({**facts, "page": None if output is None else str(output)}, text if output is None else said)


def titles(language: str = "en") -> dict[str, str]:
    """What each lesson is called, by its topic."""
    from semblance.explain.contents import LESSONS
    from semblance.explain.words import words_of_lesson

    return {topic: words_of_lesson(topic, language)("title") for topic in LESSONS}


def _list(manner: Manner, language: str) -> None:
    found = titles(language)
    width = max(map(len, found))
    manner.tell({"lessons": found}, "\n".join(f"{topic:<{width}}  {title}" for topic, title in found.items()))
