"""Fresh values for columns that are never learned: patient numbers, names, addresses, codes of the same form.

Nothing here looks at a patient's value except to stay away from it (`avoid`). Names and addresses are plainly made up,
e-mail and web addresses lie in domains that RFC 2606 sets aside, and resident numbers in a region that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from semblance.data.dataset import Dataset, from_scale, to_scale
from semblance.data.describe.identifier_content import resident_check
from semblance.errors import SchemaError
from semblance.schema import Column
from semblance.seeds import Seeds

Random = np.random.Generator
SYLLABLES = tuple(consonant + vowel for consonant in "bdklmnrstvz" for vowel in "aeo")
HAN = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
CAPITALS, SMALL, HEX = "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghjkmnpqrstuvwxyz", "0123456789abcdef"
ALPHABETS = {"#": "0123456789", "A": CAPITALS, "a": SMALL, "x": HEX, "C": HAN}


def fill(fake: Dataset, seeds: Seeds, *, avoid: Dataset | None = None) -> Dataset:
    """Write surrogates into `fake`: one fresh value per synthetic row, all different within a column.

    A subject column that already tells synthetic patients apart keeps its grouping; otherwise every row is a patient.
    Columns handled as "blank" become empty, those handled as "drop" leave the table and the schema. No surrogate
    equals a value of the same column in `avoid`. The same seeds give the same values.
    """
    return Surrogates(seeds, rows=fake.n_rows, avoid=avoid).fill(fake)


class Surrogates:
    """`fill` for a table that comes in blocks: no value comes twice, in whatever block.

    Remembers the texts it gave, so memory grows with identifier columns of text, and with them only.

    Args:
        rows: Of all blocks together.
    """

    def __init__(self, seeds: Seeds, *, rows: int, avoid: Dataset | None = None) -> None:
        self._seeds, self._rows, self._avoid = seeds, rows, avoid
        self._wells: dict[str, _Well] = {}

    def fill(self, fake: Dataset) -> Dataset:
        """The next block, filled."""
        frame = fake.frame.copy()
        subject = fake.schema.subject
        grouped = subject is not None and bool(fake.frame[subject].notna().any())
        for column in fake.schema:
            if column.handling == "blank":
                frame[column.name] = _empty(column, len(frame))
            elif column.handling == "surrogate":
                per_patient = column.name == subject and grouped
                places = fake.subjects if per_patient else np.arange(len(frame))
                wanted = int(places.max(initial=-1)) + 1
                if column.name not in self._wells:
                    whole = wanted if len(frame) == self._rows else self._rows
                    stream = self._seeds(f"surrogates/{column.name}")
                    self._wells[column.name] = _Well(column, whole, stream, _taken(self._avoid, column))
                fresh = self._wells[column.name].draw(wanted)
                frame[column.name] = fresh.take(places).reset_index(drop=True)
        kept = tuple(column for column in fake.schema if column.handling != "drop")
        schema = replace(fake.schema, columns=kept)
        return Dataset(frame[list(schema.names)], schema, fake.origin)


def _empty(column: Column, n: int) -> pd.Series[Any]:
    if column.kind in ("date", "datetime"):
        return pd.Series(np.full(n, np.datetime64("NaT", "us")))
    return pd.Series([np.nan] * n, dtype=np.float64) if column.numeric else pd.Series([None] * n, dtype=object)


def _taken(avoid: Dataset | None, column: Column) -> set[Any]:
    if avoid is None or column.name not in avoid.schema:
        return set()
    values = avoid.frame[column.name].dropna()
    numeric = column.numeric and avoid.schema[column.name].numeric
    return set(to_scale(values, column).tolist()) if numeric else set(values)


class _Well:
    """At most `n` different values of the column's form, drawn a few at a time."""

    def __init__(self, column: Column, n: int, random: Random, taken: Collection[Any]) -> None:
        self._column, self._n, self._random, self._taken = column, n, random, taken
        self._given: set[str] = set()
        self._drawn = 0
        self._numbers = np.empty(0)
        if column.kind in ("date", "datetime"):
            return
        if column.numeric:
            highest = max([10.0**6, *taken]) if taken else 10.0**6
            width = 10 ** len(str(int(highest)))
            self._numbers = width + random.permutation(max(9 * width if n > width else 2 * n, 1))[:n]
        else:
            self._make, capacity = _maker(column, taken)
            self._stretch = 0
            while capacity * 10**self._stretch < 4 * (n + len(taken)):
                self._stretch += 1

    def draw(self, n: int) -> pd.Series[Any]:
        """The next `n`. Raises SchemaError when the column's form leaves too few."""
        if self._column.kind in ("date", "datetime"):
            return _days(self._column, n, self._random)
        start, self._drawn = self._drawn, self._drawn + n
        if self._column.numeric:
            numbers = self._numbers[start : self._drawn]
            return pd.Series(numbers.astype(np.float64), name=self._column.name)
        return pd.Series(self._texts(n), name=self._column.name, dtype=object)

    def _texts(self, n: int) -> list[str]:
        found: dict[str, None] = {}
        for _ in range(200):
            for _ in range(n - len(found)):
                text = self._make(self._random)
                if self._stretch:
                    text += "".join(self._random.choice(list("0123456789"), self._stretch))
                if text not in self._taken and text not in self._given:
                    found[text] = None
            if len(found) == n:
                if self._drawn < self._n:  # more will be asked for
                    self._given.update(found)
                return list(found)
        name = self._column.name
        raise SchemaError(
            f"column {name!r}: its `form` leaves too few values for {self._n} rows; lengthen the pattern."
        )


def _days(column: Column, n: int, random: Random) -> pd.Series[Any]:
    """Days spread evenly over the column's bounds; days repeat, as birthdays do."""
    first = -25_567.0 if column.low is None else column.low  # 1900
    last = 14_609.0 if column.high is None else column.high  # 2009
    return from_scale(np.floor(random.uniform(first, last + 1.0, n)), column)


def _maker(column: Column, taken: Collection[Any]) -> tuple[Callable[[Random], str], int]:
    """How to write one value, and how many different ones there are."""
    makers: dict[str, tuple[Callable[[Random], str], int]] = {
        "email": (lambda r: f"{_word(r, 4)}{_digits(r, 4)}@example.org", 10**9),
        "url": (lambda r: f"https://example.org/{_word(r, 4)}{_digits(r, 4)}", 10**9),
        "name": (lambda r: f"Syn{_word(r, 2)} {_word(r, 3).capitalize()}", 33**5),
        "name-zh": (lambda r: f"合成{_pick(r, HAN, 4)}", len(HAN) ** 4),
        "address": (lambda r: f"{int(r.integers(1, 9999))} Synthetic {_word(r, 3).capitalize()} Street", 10**8),
        "address-zh": (lambda r: f"合成市{_pick(r, HAN, 3)}路{int(r.integers(1, 9999))}号", 10**8),
        "uuid": (_uuid, 10**18),
        "ipv4": (lambda r: "198.18." + ".".join(str(int(v)) for v in r.integers(0, 256, 2)), 65_536),  # RFC 2544
        "ipv6": (lambda r: "2001:db8:" + ":".join(_pick(r, HEX, 4) for _ in range(6)), 10**18),  # RFC 3849
        "resident": (_resident, 10**8),
        "birthdate": (lambda r: str(date(1920, 1, 1) + timedelta(days=int(r.integers(0, 36_000)))), 36_000),
    }
    if column.form in makers:
        return makers[column.form]
    if column.form and not column.form.startswith("pattern:"):
        known = ", ".join([*makers, "pattern:…"])
        raise SchemaError(f"column {column.name!r}: the form {column.form!r} is not known; use one of {known}.")
    return _pattern(column.form.removeprefix("pattern:") or "\\S" + "#" * 9)


def _pattern(pattern: str) -> tuple[Callable[[Random], str], int]:
    pieces: list[str] = []  # alphabets, or one fixed character
    capacity, position = 1, 0
    while position < len(pattern):
        symbol = pattern[position]
        if symbol == "\\" and position + 1 < len(pattern):
            position += 1
            pieces.append(pattern[position])
        else:
            alphabet = ALPHABETS.get(symbol, symbol)
            if symbol == "#" and position == 0:
                alphabet = alphabet[1:]  # numbers that start with zero change their width in other programs
            pieces.append(alphabet)
        capacity *= len(pieces[-1])
        position += 1
    return lambda r: "".join(p if len(p) == 1 else p[int(r.integers(len(p)))] for p in pieces), capacity


def _pick(random: Random, alphabet: str, k: int) -> str:
    return "".join(alphabet[int(i)] for i in random.integers(0, len(alphabet), k))


def _digits(random: Random, k: int) -> str:
    return _pick(random, "0123456789", k)


def _word(random: Random, k: int) -> str:
    return "".join(SYLLABLES[int(i)] for i in random.integers(0, len(SYLLABLES), k))


def _uuid(random: Random) -> str:
    text = _pick(random, HEX, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(random.integers(4))]}{text[17:20]}-{text[20:]}"


def _resident(random: Random) -> str:
    """A resident number with a right check character, in region 99, which does not exist."""
    day = date(1920, 1, 1) + timedelta(days=int(random.integers(0, 36_000)))
    first = f"99{_digits(random, 4)}{day:%Y%m%d}{_digits(random, 3)}"
    return first + resident_check(first)
