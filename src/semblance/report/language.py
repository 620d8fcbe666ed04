"""What a page or a card says, in English or Chinese. English is the key; a table gives the other language.

A table is a folder ``languages/CODE/`` of TOML files: each entry is an English sentence with ``{slots}`` and the same
sentence in the other language with the same slots. Nothing else knows a second language: audits and policies write
English, and what arrives finished ("Its interval reaches 0.31; at most 0.2 is allowed.") is found by its pattern.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any, Literal, get_args

from semblance.errors import InputError

Code = Literal["en", "zh"]
CODES: tuple[str, ...] = get_args(Code)

_TAGS = {"en": "en", "zh": "zh-Hans"}
_ENDS = {"; ": "；", ". ": "。", ", ": "，"}  # where a text is cut when it is not known as a whole
_NUMBER = re.compile(r"[\s\d.,;:%·×⁻−+<>≤≥=/()\u202f^eE∞–-]*")


def language(code: str) -> Language:
    """The words of `code`, "en" or "zh".

    Raises:
        InputError: there is no such language.
    """
    if code not in CODES:
        raise InputError(f"there is no language {code!r}; choose one of {', '.join(CODES)}.")
    return Language(code)


@dataclass(frozen=True, slots=True)
class Language:
    """Says English texts in one language: ``say("{n} rows", n=5)``.

    Attributes:
        code: "en" or "zh".
        missing: Every text asked for that the table does not know; it was shown in English.
    """

    code: str = "en"
    missing: list[str] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return _TAGS[self.code]

    def __call__(self, text: str, /, **slots: Any) -> str:
        """`text` with its slots filled, in this language.

        With slots, or where the table holds `text` as it stands, the entry is used and the slots are filled as given:
        the caller translates what in them is words. Otherwise the text arrived finished, from evidence or a policy:
        it is compared with every pattern, and what it has in the pattern's slots is said in the same way. A slot called
        ``{name…}`` holds what nobody translates (a column, a label, a person), one of a single letter a number, and
        ``{clauses}`` more than one clause.
        """
        if self.code == "en" or not text:
            return text.format(**slots) if slots else text
        known = _table(self.code).get(text)
        if slots:
            return self._not_known(text).format(**slots) if known is None else known.format(**slots)
        return known if known is not None else self._find(text)

    def _find(self, text: str) -> str:
        if (found := self._match(text)) is not None:
            return found
        for cut, joint in _ENDS.items():
            whole = text.split(cut)
            parts = [p + cut.strip() if cut == ". " and i < len(whole) - 1 else p for i, p in enumerate(whole)]
            if len(parts) > 1 and all(self._knows(p) for p in parts):
                said = [self(p) for p in parts]
                return "".join(said) if cut == ". " else joint.join(said)
        return self._not_known(text)

    def _match(self, text: str) -> str | None:
        """By the most telling pattern of those that fit; None where none does."""
        for pattern, translation in _patterns(self.code):
            if (fit := pattern.fullmatch(text)) is not None:
                slots = fit.groupdict()
                if all(_is_a_name(v) if k.startswith("name") else self._knows(v) for k, v in slots.items()):
                    return translation.format(
                        **{k: v if k.startswith("name") else self._said(v) for k, v in slots.items()}
                    )
        return None

    def _knows(self, text: str) -> bool:
        if _NUMBER.fullmatch(text):
            return True
        attempt = Language(self.code)
        attempt(text)
        return not attempt.missing

    def _said(self, text: str) -> str:
        return text.replace(" %", "%") if _NUMBER.fullmatch(text) else self(text)

    def _not_known(self, text: str) -> str:
        if not _NUMBER.fullmatch(text) and text not in _translations(self.code):
            self.missing.append(text)
        return text

    # ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def figure(self, x: float | None) -> str:
        """A number for reading: three decimals, more for a small one, never a rounding to 0 or 1 that is not one."""
        if x is None:
            return "–"
        if x == 0:  # minus zero, too
            return "0"
        if 0 < abs(x) < 0.00005:
            text = f"{x:.0e}".replace("e-0", "e-")
        elif 0.9995 <= x < 1:
            text = "> 0.999"
        else:
            text = f"{x:.3f}" if 0.001 <= abs(x) < 10 else f"{x:.4f}" if abs(x) < 1 else f"{x:,.1f}"
            text = re.sub(r"\.0+$", "", text)
        return self._grouped(text.replace("-", "−"))

    def thousands(self, n: int) -> str:
        """6374 becomes "6 374" with a thin space that does not break; "6,374" in Chinese."""
        return self._grouped(f"{n:,}")

    def percent(self, share: float, *, decimals: int = 1) -> str:
        """0.0573 becomes "5.7 %"; "5.7%" in Chinese. Only what is all or nothing is written without decimals."""
        text = f"{100 * share:.{0 if share in (0, 1) else decimals}f}".replace("-", "−")
        return f"{text}%" if self.code == "zh" else f"{text} %"

    def interval(self, low: float | None, high: float | None) -> str:
        """Such as "0.49 to 0.53"; empty where an end is not known."""
        if low is None or high is None:
            return ""
        return self("{low} to {high}", low=self.figure(low), high=self.figure(high))

    def join(self, *sentences: str) -> str:
        """Whole sentences one after the other, as this language sets them."""
        return ("" if self.code == "zh" else " ").join(sentences)

    def listed(self, *items: str) -> str:
        """Items in a row: "a, b, c"."""
        return ("、" if self.code == "zh" else ", ").join(items)

    def _grouped(self, text: str) -> str:
        return text if self.code == "zh" else text.replace(",", "\u202f")


ENGLISH = Language("en")


def slots_of(text: str) -> set[str]:
    """The names of the slots in a pattern."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@cache
def _table(code: str) -> Mapping[str, str]:
    return dict(_entries(code))


@cache
def _translations(code: str) -> frozenset[str]:
    """What is said already, should someone ask for it again."""
    return frozenset(_table(code).values())


def _entries(code: str) -> Iterator[tuple[str, str]]:
    """Every entry of every file of the language, in the order of their names."""
    folder = resources.files("semblance.report") / "languages" / code
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for section in tomllib.loads(file.read_text("utf-8")).values():
                yield from section.items()


@cache
def _patterns(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Entries with slots as regular expressions, those with most words of their own first.

    A pattern that is little more than names ("{name} and {name_2}") would fit anything: it serves only who asks for it.
    """
    found = [(text, said) for text, said in _table(code).items() if slots_of(text)]
    found = [(t, said) for t, said in found if _own_words(t) >= 8 or not any(s.startswith("name") for s in slots_of(t))]
    found.sort(key=lambda entry: -_own_words(entry[0]))
    return tuple((_expression(text), said) for text, said in found)


def _own_words(text: str) -> int:
    """Letters that a pattern has besides its slots."""
    return sum(c.isalpha() for literal, *_ in Formatter().parse(text) for c in literal)


def _is_a_name(text: str) -> bool:
    """Names come alone or in a list; what has sentences in it is none."""
    return not re.search(r"[.;:?!] ", text)


def _expression(text: str) -> re.Pattern[str]:
    made, seen = [], set()
    for literal, name, _, _ in Formatter().parse(text):
        made.append(re.escape(literal))
        if name is not None:
            made.append(f"(?P={name})" if name in seen else f"(?P<{name}>{_inside(name)})")
            seen.add(name)
    return re.compile("".join(made), re.DOTALL)


def _inside(slot: str) -> str:
    """What a slot may hold, as a regular expression."""
    if len(slot) == 1:
        return r"(?:fewer than )?[^A-Za-z;]+?"
    return ".+?" if slot.startswith(("name", "clauses")) else "(?:(?!; ).)+?"
