"""A lesson's page: one HTML file that opens offline, in the report's own style."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from semblance.explain.lesson import Claim, Lesson, Told, settings_of
from semblance.explain.words import Words, words_of_lesson, words_of_page
from semblance.report.sheet import environment, style


def render(lesson: Lesson, told: Told, *, language: str = "en", seed: int = 0) -> str:
    """The whole page as text. Pure: the same arguments give the same bytes.

    Args:
        language: "en" or "zh".
        seed: What the lesson was run with, for the footer.

    Raises:
        InputError: there is no such language.
    """
    words, page = words_of_lesson(lesson.name, language), words_of_page(language)
    picture = lesson.draw(told, words)
    return environment("explain").get_template("lesson.html").render(
        tag=page.say.tag,
        page=page,
        title=words("title"),
        shows=_inline(words("shows", **told.numbers)),
        paragraphs=[_inline(words(f"paragraphs.{name}", **told.numbers)) for name in told.paragraphs],
        formulas=[text for name, text in words.entries.items() if name.startswith("formulas.")],
        caption=_inline(words("caption", **told.numbers)),
        panels=[(words(panel.heading), panel.svg) for panel in picture.panels],
        legend=[(swatch, words(name)) for swatch, name in picture.legend],
        claims=[_row(claim, told, words, page) for claim in told.claims],
        agrees=told.agrees,
        try_it=_inline(words("try_it", **told.numbers)),
        footer=_inline(page("footer", name=lesson.name, seed=str(seed), settings=_settings(lesson, page))),
        style=style("explain", "lesson.css"),
    )  # fmt: skip


def figure(x: float) -> str:
    """A number of the table: five significant digits, a real minus sign, and never "-0"."""
    return f"{x + 0.0:.5g}".replace("-", "−")


def _row(claim: Claim, told: Told, words: Words, page: Words) -> dict[str, Any]:
    allowed = f"{claim.tolerance:.1g}".replace("-", "−")
    return {
        "sentence": _inline(words(f"claims.{claim.name}", **told.numbers)),
        "formula": {"=": "", "<=": "≤ ", ">=": "≥ "}[claim.relation] + figure(claim.formula),
        "simulated": figure(claim.simulated),
        "apart": f"{claim.apart:.1g}".replace("-", "−"),
        "allowed": page(f"errors.{claim.error}", tolerance=allowed),
        "agrees": claim.agrees,
    }


def _settings(lesson: Lesson, page: Words) -> str:
    return page.say.listed(*(f"{key} = {value}" for key, value in settings_of(lesson).items()))


def _inline(text: str) -> Markup:
    """Text with `what stands in backticks` set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first
