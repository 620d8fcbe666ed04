"""Every column of a source as the questions of ``data/describe/infer.py`` see it: counted, "no value" told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dates import DateFormat, find_format
from semblance.data.describe.missing import AMONG_NUMBERS, PLAIN, Missing, missing_of
from semblance.data.describe.roles import names_patient, unit_of
from semblance.data.numbers import decimal_mark, looks_infinite, looks_numeric
from semblance.data.raw import Raw
from semblance.data.typed import as_texts
from semblance.errors import InputError
from semblance.schema import Column

MANY = 5000  # distinct cells above which ties in frequency stay in file order


@dataclass(frozen=True, slots=True)
class Seen:
    """One column, counted. `codes` (n_rows,) point into `distinct`, -1 where a typed source has a null."""

    name: str
    codes: NDArray[np.int64]
    distinct: tuple[str, ...]
    counts: Mapping[str, int]  # commonest first
    storage: str
    lines: tuple[int, ...]
    on_scale: bool

    def rows_of(self, texts: set[str]) -> NDArray[np.int64]:
        return np.flatnonzero(np.isin(self.codes, [i for i, t in enumerate(self.distinct) if t in texts]))

    def place(self, row: int) -> str:
        return f"line {self.lines[row]}" if self.lines else f"row {row + 1}"


@dataclass(frozen=True)
class Look:
    """One column as the questions see it. `patients` (n_rows,) numbers the patient of each row; None: each row is one.

    `subject` is the column that was found to number the patient.
    """

    seen: Seen
    missing: Missing
    subject: str | None
    patients: NDArray[np.int64] | None

    @property
    def name(self) -> str:
        return self.seen.name

    @cached_property
    def filled(self) -> dict[str, int]:
        """Cells that hold a value, commonest first, and how many rows hold each."""
        return {t: k for t, k in self.seen.counts.items() if t not in self.missing.spellings}

    @cached_property
    def written(self) -> DateFormat | None:
        """How the cells are written as dates, when all of them are."""
        return find_format([text.strip() for text in self.filled])

    @property
    def base(self) -> Column:
        """What is known before any question: spellings of "no value", the unit that the name tells."""
        name, storage = self.seen.name, self.seen.storage
        return Column(
            name, "text", missing=self.missing.spellings, storage=storage, unit=unit_of(name), why=self.missing.why
        )


def look_at(raw: Raw, *, subject: str | None = None) -> tuple[Look, ...]:
    """Every column, counted, with its spellings of "no value" and who its patients are.

    Raises:
        InputError: when the table has fewer than two rows.
    """
    if len(raw.frame) < 2:
        raise InputError("the table has fewer than two rows; patients can only be learned from many.")
    seen = [_count(raw, str(column)) for column in raw.frame.columns]
    table = _table_spellings(seen)
    missing = {column.name: _missing(column, table) for column in seen}
    found = _subject(seen, missing)
    patients = next((column.codes for column in seen if column.name == (subject or found)), None)
    return tuple(Look(column, missing[column.name], found, patients) for column in seen)


def _count(raw: Raw, name: str) -> Seen:
    storage = raw.storage.get(name, "")
    series = raw.frame[name]
    texts = as_texts(series, storage) if storage else series
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object))
    sizes = np.bincount(codes[codes >= 0], minlength=len(distinct))
    labels = [str(text) for text in distinct]
    if len(labels) <= MANY:
        order = sorted(range(len(labels)), key=lambda i: (-sizes[i], labels[i]))
    else:  # ties stay in file order: sorting so many texts costs more than it tells
        order = np.argsort(-sizes, kind="stable").tolist()
    counts = {labels[i]: int(sizes[i]) for i in order}
    return Seen(name, codes.astype(np.int64), tuple(labels), counts, storage, raw.lines, _on_scale(counts))


def _table_spellings(seen: list[Seen]) -> frozenset[str]:
    """Undoubted spellings of "no value" that label columns of this table use."""
    found: set[str] = set()
    for column in seen:
        if not column.on_scale:
            found |= {text.strip() for text in column.counts if text.strip() in PLAIN}
    return frozenset(found)


def _on_scale(counts: Mapping[str, int]) -> bool:
    """Whether the cells, words for "no value" aside, are numbers or dates."""
    rest = [text for text in counts if text.strip() not in PLAIN | AMONG_NUMBERS]
    if not rest:
        return False
    numeric = looks_numeric(rest[0]) or looks_numeric(rest[0], mark=",") or looks_infinite(rest[0])
    return (
        bool(decimal_mark(t for t in rest if not looks_infinite(t))) if numeric else find_format(rest[:200]) is not None
    )


def _missing(column: Seen, table: frozenset[str]) -> Missing:
    found = missing_of(column.counts, scale=column.on_scale, table=table)
    if (column.codes < 0).any() and "" not in found.spellings:  # nulls of a typed source
        return replace(found, spellings=("", *found.spellings))
    return found


def _subject(seen: list[Seen], missing: Mapping[str, Missing]) -> str | None:
    """The column that numbers the patient: an id-like name, and values that repeat."""
    best: tuple[int, int, str | None] = (0, 0, None)
    for position, column in enumerate(seen):
        strength = names_patient(column.name)
        filled = {t: k for t, k in column.counts.items() if t not in missing[column.name].spellings}
        whole = all(t.isalnum() or "-" in t for t in list(filled)[:1000])
        rows = sum(filled.values())
        # A name that only hints at the patient must also be as varied as patients are: 17 "sources" are no patients.
        repeats = (20 if strength == 3 else max(20, rows // 50)) <= len(filled) < rows
        if strength and repeats and whole and (strength, -position) > best[:2]:
            best = (strength, -position, column.name)
    return best[2]
