"""A lesson without its picture: for a terminal, and for a program."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Any

from semblance.explain.lesson import Lesson, Told, settings_of
from semblance.explain.page import figure
from semblance.explain.words import Words, words_of_lesson, words_of_page

WIDTH = 96


def facts(lesson: Lesson, told: Told, words: Words, *, seed: int) -> dict[str, Any]:
    """Everything that was claimed and found, for a program."""
    claims = [
        {
            "name": claim.name,
            "sentence": words(f"claims.{claim.name}", **told.numbers),
            "formula": claim.formula,
            "relation": claim.relation,
            "simulated": claim.simulated,
            "tolerance": claim.tolerance,
            "error": claim.error,
            "agrees": claim.agrees,
        }
        for claim in told.claims
    ]
    return {
        "lesson": lesson.name,
        "title": words("title"),
        "seed": seed,
        "settings": settings_of(lesson),
        "agrees": told.agrees,
        "claims": claims,
    }


def in_words(lesson: Lesson, told: Told, language: str) -> str:
    """The lesson as text of at most 96 columns: what it shows, how, the numbers, and what to try."""
    words, page = words_of_lesson(lesson.name, language), words_of_page(language)
    lines = [words("title"), "", *_wrapped(words("shows", **told.numbers)), ""]
    for name in told.paragraphs:
        lines += [*_wrapped(words(f"paragraphs.{name}", **told.numbers)), ""]
    lines += [f"    {text}" for name, text in words.entries.items() if name.startswith("formulas.")]
    lines += ["", page("twice" if told.agrees else "not_twice"), ""]
    for claim in told.claims:
        lines += _wrapped(words(f"claims.{claim.name}", **told.numbers), indent="  ")
        lines.append(
            f"    {page('formula')} {figure(claim.formula)}   {page('simulated')} {figure(claim.simulated)}   "
            f"{page('agrees' if claim.agrees else 'differs')} "
            f"({page(f'errors.{claim.error}', tolerance=f'{claim.tolerance:.1g}'.replace('-', '−'))})"
        )
    return "\n".join([*lines, "", *_wrapped(f"{page('try_it')}: {words('try_it', **told.numbers)}")])


def _wrapped(text: str, *, indent: str = "") -> list[str]:
    """`text` in lines; Chinese has no blanks to break at and is drawn twice as wide, so it is cut where it is full."""
    if not any(unicodedata.east_asian_width(c) == "W" for c in text):
        return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    lines, line, used = [], indent, len(indent)
    for character in text:
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used + width > WIDTH and character not in "，。；：、）”":
            lines.append(line)
            line, used = indent, len(indent)
        line, used = line + character, used + width
    return [*lines, line]
