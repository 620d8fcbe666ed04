"""The words by which a column's name says what it holds; the lists are in ``bundled/column_words.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_LISTS: dict[str, Any] = tomllib.loads(
    files("semblance.data").joinpath("bundled/column_words.toml").read_text(encoding="utf-8")
)
GLUED: tuple[str, ...] = tuple(_LISTS["glued"].split())
NUMBERING, PEOPLE, THINGS, MEASURES, GIVEN, FAMILY = (
    frozenset(str(_LISTS[key]).split()) for key in ("numbering", "people", "things", "measures", "given", "family")
)
QUASI, SENSITIVE, CODES = (frozenset(str(_LISTS[key]).split()) for key in ("quasi", "sensitive", "codes"))
QUASI_CHINESE, SENSITIVE_CHINESE = (tuple(_LISTS[key].split()) for key in ("quasi_chinese", "sensitive_chinese"))
SURNAMES, CLINICAL = frozenset(_LISTS["surnames"]), frozenset(_LISTS["clinical"])
COMPOUND_SURNAMES: tuple[str, ...] = tuple(_LISTS["compound_surnames"].split())
CHINESE_THINGS: tuple[str, ...] = tuple(_LISTS["chinese_things"].split())
NAMED: dict[str, tuple[str, ...]] = {kind: tuple(phrases) for kind, phrases in _LISTS["named"].items()}
CHINESE: dict[str, tuple[str, ...]] = {kind: tuple(phrases) for kind, phrases in _LISTS["chinese"].items()}

UNITS: dict[str, str] = _LISTS["units"]
UNITS_OF_TWO_WORDS: dict[str, str] = _LISTS["units_of_two_words"]


@cache
def words(name: str) -> tuple[str, ...]:
    """Lower-case words of a column name: cut at case, digits and signs, and where records glue words together.

    Chinese runs stay whole.
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", spaced)
    found = re.findall(r"[a-z]+|\d+|[\u4e00-\u9fff]+", spaced.lower())
    return tuple(part for word in found for part in _unglue(word))


def _unglue(word: str) -> list[str]:
    """The fewest known words that make up `word`, or the word itself."""
    best: dict[int, list[str]] = {0: []}
    for end in range(1, len(word) + 1):
        for part in GLUED:
            start = end - len(part)
            if start in best and word[start:end] == part:
                option = [*best[start], part]
                if end not in best or len(option) < len(best[end]):
                    best[end] = option
    return best.get(len(word), [word])
