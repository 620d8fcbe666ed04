"""What a lesson says, in English and in Chinese: two TOML files with the same names and the same {slots}."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from semblance.report.language import Language
from semblance.report.language import language as language_of


def short(x: float) -> str:
    """A number in a sentence: three significant digits, no zeros after the last of them, a real minus sign."""
    return f"{x + 0.0:.3g}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Words:
    """The entries of one language by their dotted names: ``words("claims.value", theta=0.3)``.

    Attributes:
        say: The language: how it writes numbers and joins sentences.
        entries: Name → text.
    """

    say: Language
    entries: Mapping[str, str]

    def __call__(self, name: str, /, **numbers: float | int | str) -> str:
        """The text of that name, its slots filled as this language writes numbers.

        Raises:
            KeyError: there is no such text, or a slot that nothing fills; a mistake of the lesson's author.
        """
        return self.entries[name].format_map({slot: self._written(slot, x) for slot, x in numbers.items()})

    def _written(self, slot: str, x: float | int | str) -> str:
        if isinstance(x, str):
            return x
        if slot.endswith("_percent"):
            return self.say.percent(x, decimals=0)
        return self.say.thousands(x) if isinstance(x, int) else short(x)


def words_of_lesson(name: str, language: str) -> Words:
    """What the lesson of that name says in "en" or "zh".

    Raises:
        InputError: there is no such language.
    """
    return _read(resources.files("semblance.explain") / "lessons", name.replace("-", "_"), language)


def words_of_page(language: str) -> Words:
    """What every lesson's page says around it."""
    return _read(resources.files("semblance.explain") / "templates", "lesson", language)


def _read(folder: Traversable, stem: str, language: str) -> Words:
    say = language_of(language)
    told = tomllib.loads((folder / f"{stem}.{language}.toml").read_text("utf-8"))
    return Words(say, dict(_flat(told)))


def _flat(entries: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in entries.items():
        if isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield from _flat(value, f"{prefix}{key}.")
