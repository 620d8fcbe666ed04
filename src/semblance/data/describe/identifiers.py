"""Direct identifiers: which columns hold one, told by name and by content, and what a surrogate looks like.

The kinds are the 18 of HIPAA Safe Harbor (45 CFR 164.514(b)(2)). Postcodes and dates of care are left to the roles
(``data/describe/roles.py``): they are quasi-identifiers here, because a table without them is of little use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semblance.data.describe.column_words import (
    CHINESE,
    CHINESE_THINGS,
    CODES,
    MEASURES,
    NAMED,
    NUMBERING,
    PEOPLE,
    THINGS,
    words,
)
from semblance.data.describe.identifier_content import kind_of, mask, resident_id
from semblance.data.describe.roles import unit_of

NOT_NUMBERED = ("acid", "oid", "fluid", "lipid", "solid", "covid", "said", "paid", "aid", "valid", "carotid")
OF_CARE = frozenset({"stay", "encounter", "visit", "hadm", "admission", "icustay", "patient", "subject"})
LITERAL = 20  # cells that must agree before a constant part of a number is kept in its surrogates


@dataclass(frozen=True, slots=True)
class Cells:
    """The filled cells of a column: distinct texts (most frequent first) and how many cells.

    `increasing`: whole numbers that rise from row to row. `dated`: all are dates or times.
    """

    distinct: Sequence[str]
    n: int
    increasing: bool = False
    dated: bool = False

    @property
    def varied(self) -> bool:
        """Enough different values to tell people apart."""
        return len(self.distinct) > 20 or (len(self.distinct) >= 5 and len(self.distinct) >= 0.5 * self.n)

    def share(self, test: Callable[[str], object]) -> float:
        """Share of distinct cells (at most 2,000 of them) that pass a test."""
        sample = self.distinct[:2000]
        return sum(bool(test(text)) for text in sample) / max(1, len(sample))


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a column identifies by, the form of its surrogates, and how it was told."""

    what: str
    form: str
    why: str


def find(name: str, cells: Cells) -> Identifier | None:
    """The direct identifier that a column holds, or None."""
    what = by_name(name, cells)
    if what is not None:
        return Identifier(what, form_of(what, cells), f"its name and cells say {what}")
    what = None if cells.dated else kind_of(cells.distinct, n=cells.n, increasing=cells.increasing)
    if what == "unique code" and _speaks_against(name):
        what = None
    if cells.dated and _births(cells):
        what = "date of birth"
    if what is not None:
        return Identifier(what, form_of(what, cells), f"its cells look like {_article(what)}")
    return None


def _article(what: str) -> str:
    return f"{'an' if what[0] in 'aeioI' else 'a'} {what}"


def by_name(name: str, cells: Cells) -> str | None:
    """The kind that a column's name says, where the cells do not speak against it."""
    found = words(name)
    if any(word in name for word in CHINESE_THINGS):
        return None
    if cells.dated:
        phrases = (*NAMED["date of birth"], *CHINESE["date of birth"])
        born = any(_has(found, phrase) or (phrase in name and not phrase.isascii()) for phrase in phrases)
        return "date of birth" if born and not _excused(found, "date of birth") and cells.varied else None
    for what, phrases in CHINESE.items():
        if any(phrase in name.lower() for phrase in phrases) and _plausible(what, cells):
            return what
    for what, phrases in NAMED.items():
        if what in ("record number", "person's name"):
            continue
        if any(_has(found, phrase) for phrase in phrases) and not _excused(found, what) and _plausible(what, cells):
            return what
    if _names_a_person(found) and _plausible("person's name", cells):
        return "person's name"
    if _numbers_a_record(found, cells) and _plausible("record number", cells):
        frequent = len(cells.distinct) < 0.01 * cells.n
        return None if frequent and not set(found) & OF_CARE else "record number"
    return None


def could_mean(name: str) -> tuple[str, ...]:
    """The kinds of identifier that a column's name may speak of, whatever its cells hold."""
    found = words(name)
    spoken = [what for what, phrases in CHINESE.items() if any(phrase in name.lower() for phrase in phrases)]
    return tuple(spoken + [what for what, phrases in NAMED.items() if any(_has(found, phrase) for phrase in phrases)])


def _has(found: tuple[str, ...], phrase: str) -> bool:
    wanted = phrase.split()
    return any(list(found[i : i + len(wanted)]) == wanted for i in range(len(found)))


def _excused(found: tuple[str, ...], what: str) -> bool:
    """True for a measure of an identifier, such as `phone_calls_count` or `account_balance`."""
    if what == "date of birth":
        return bool({"weight", "order", "place", "country", "year", "control", "length", "type", "rate"} & set(found))
    return bool(set(found) & MEASURES) and not set(found) & NUMBERING


def _names_a_person(found: tuple[str, ...]) -> bool:
    if any(_has(found, phrase) for phrase in NAMED["person's name"]):
        return True
    if found in (("name",), ("first",), ("last",), ("maiden",), ("names",)):
        return True
    return "name" in found and bool(set(found) & PEOPLE)  # other names are told by their content


def _numbers_a_record(found: tuple[str, ...], cells: Cells) -> bool:
    named = any(_has(found, phrase) for phrase in NAMED["record number"])
    unique = len(cells.distinct) >= 0.98 * cells.n
    if set(found) & THINGS and not unique and not set(found) & (PEOPLE | OF_CARE):
        return False
    if set(found) & MEASURES and not set(found) & NUMBERING:
        return False
    if named:
        whole = cells.share(lambda text: re.fullmatch(r"\d+", text))
        # "patient" or "record" alone may count things; numbers that repeat a lot must be called a number or an id
        return bool(set(found) & NUMBERING) or len(found) == 1 or whole < 0.5
    glued = len(found) > 0 and found[-1].endswith("id") and not found[-1].endswith(NOT_NUMBERED)
    ends = glued or found[-1:] in (("no",), ("nr",), ("nbr",), ("identifier",), ("number",), ("key",))
    whole = cells.share(lambda text: re.fullmatch(r"[\w-]+", text)) > 0.9
    return unique and ends and whole and not set(found) & MEASURES


def _speaks_against(name: str) -> bool:
    """True where a name says that different values are amounts or medical codes, not numbers of people."""
    found = set(words(name))
    amounts = found & (MEASURES | CODES) and not found & (NUMBERING - {"code"})
    return bool(amounts) or bool(unit_of(name))


def _births(cells: Cells) -> bool:
    """Tell days that hardly repeat, spread evenly over sixty years or more, as dates of care never are."""
    years = sorted(int(found[0]) for text in cells.distinct if (found := re.search(r"(?:18|19|20)\d\d", text)))
    if len(years) < max(20, 0.9 * len(cells.distinct)) or len(cells.distinct) < 0.8 * cells.n:
        return False
    if any(":" in text for text in cells.distinct[:50]):
        return False
    span, quarter = years[-1] - years[0], len(years) // 4
    return span >= 60 and 0.25 * span <= years[3 * quarter] - years[quarter] <= 0.75 * span and years[-1] <= 2035


def _plausible(what: str, cells: Cells) -> bool:
    """Whether the cells could be what the name says: a flag called `phone` is no phone number."""
    if not cells.varied and not (what == "photograph" and cells.share(lambda t: "." in t) > 0.5):
        return False
    decimals = cells.share(lambda text: re.fullmatch(r"[+-]?\d*[.,]\d+", text))
    if what == "coordinates":
        return decimals > 0.5 or cells.share(lambda t: re.search(r"\d.*[°,;]", t)) > 0.5
    if decimals > 0.3:
        return False
    digits = cells.share(lambda text: sum(c.isdigit() for c in text) >= 7)
    letters = cells.share(lambda text: re.search(r"[^\W\d_]", text) is not None)
    return {
        "e-mail address": cells.share(lambda text: "@" in text) > 0.5,
        "IP address": cells.share(lambda text: text.count(".") == 3 or ":" in text) > 0.5,
        "web address": cells.share(lambda text: "." in text or "/" in text) > 0.5,
        "phone or fax number": digits > 0.5,
        "social security or national number": cells.share(lambda t: sum(c.isdigit() for c in t) >= 5) > 0.5,
        "date of birth": cells.share(lambda text: len(re.findall(r"\d", text)) >= 5 and len(text) <= 30) > 0.5,
        "address": letters > 0.5,
        "person's name": letters > 0.8 and cells.share(lambda text: len(text) <= 40) > 0.8,
        "record number": cells.share(lambda t: " " in t) < 0.3,
    }.get(what, cells.share(lambda text: re.search(r"\d", text) or len(text) > 12) > 0.5)


def form_of(what: str, cells: Cells) -> str:
    """The pattern from which ``data/surrogates.py`` writes fresh values.

    A form is a word ("email", "url", "name", "name-zh", "address", "address-zh", "uuid", "ipv4", "ipv6", "resident",
    "birthdate") or ``pattern:`` and a text in which # is a digit, A a capital, a a small letter, x a hexadecimal
    digit, C a Chinese character, and a backslash comes before any character that stands for itself.
    """
    chinese = cells.share(lambda text: re.search(r"[\u4e00-\u9fff]", text)) > 0.5
    simple = {"e-mail address": "email", "web address": "url", "date of birth": "birthdate"}
    if what in simple:
        return simple[what]
    if what in ("person's name", "address"):
        return ("name" if what == "person's name" else "address") + ("-zh" if chinese else "")
    if what == "IP address":
        return "ipv6" if cells.share(lambda text: ":" in text) > 0.5 else "ipv4"
    if cells.share(resident_id) > 0.5:
        return "resident"
    if cells.share(lambda t: re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", t)) > 0.8:
        return "uuid"
    form = pattern_of(cells.distinct[:2000])
    # The numbers 900 to 999 are never given out as the first part of a social security number.
    return "pattern:\\9##-##-####" if form == "pattern:###-##-####" else form


def pattern_of(texts: Sequence[str]) -> str:
    """The commonest shape of these texts; a part that never changes is kept when enough texts share it."""
    hexadecimal = all(re.fullmatch(r"[0-9a-f]{16,}", text) for text in texts)
    if hexadecimal:
        return "pattern:" + "x" * Counter(map(len, texts)).most_common(1)[0][0]
    if all(re.fullmatch(r"\d{1,18}", text) for text in texts):
        return "pattern:" + "#" * max(map(len, texts))
    shape = Counter(map(mask, texts)).most_common(1)[0][0]
    members = [text for text in texts if mask(text) == shape]
    parts = []
    for position, kind in enumerate(shape):
        seen = {text[position] for text in members}
        if kind in "9Aa" or "\u4e00" <= kind <= "\u9fff":
            constant = len(seen) == 1 and len(members) >= LITERAL
            symbol = {"9": "#", "A": "A", "a": "a"}.get(kind, "C")
            parts.append("\\" + next(iter(seen)) if constant else symbol)
        else:
            parts.append("\\" + kind if kind in "\\#AaxC" else kind)
    return "pattern:" + "".join(parts)
