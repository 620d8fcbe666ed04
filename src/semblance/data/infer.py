"""A first Schema, read off the data for a person to correct. Looking at real data has a privacy cost: category lists
and bounds come from the patients, so without differential privacy they carry no formal guarantee.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.bounds import Bounds, bounds_of, date_bounds
from semblance.data.dates import DateFormat, find_format, read_moment
from semblance.data.identifiers import Cells, Identifier, find
from semblance.data.labels import is_boolean, order_of
from semblance.data.missing import AMONG_NUMBERS, PLAIN, Missing, missing_of
from semblance.data.numbers import (
    THOUSANDS,
    decimal_mark,
    looks_infinite,
    looks_numeric,
    notation,
)
from semblance.data.raw import Raw
from semblance.data.roles import is_code, names_patient, role_of, unit_of
from semblance.data.typed import as_texts, family
from semblance.errors import InputError
from semblance.schema import Column, Kind, Schema

FEW_NUMBERS = 10  # distinct numbers up to which they are steps of a scale rather than a scale
FEW_LABELS = 100  # distinct labels above which a column is a code
UNIQUE = 0.9  # share of distinct texts from which a column says nothing that can be learned
MANY = 5000
WORDY = 4.0  # words per cell from which mostly different texts are free text


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


def infer_schema(raw: Raw, *, name: str = "table") -> Schema:
    """Kind, role, bounds, missing spellings and form of every column, each with its `why`.

    Raises:
        InputError: when the table has fewer than two rows, or a column holds infinity.
    """
    if len(raw.frame) < 2:
        raise InputError("the table has fewer than two rows; patients can only be learned from many.")
    seen = [_count(raw, str(column)) for column in raw.frame.columns]
    table = _table_spellings(seen)
    missing = {column.name: _missing(column, table) for column in seen}
    subject = _subject(seen, missing)
    patients = next((column.codes for column in seen if column.name == subject), None)
    columns = [_describe(column, missing[column.name], subject=subject, patients=patients) for column in seen]
    return Schema(columns=tuple(columns), name=name, dialect=dict(raw.dialect))


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


def _describe(column: Seen, missing: Missing, *, subject: str | None, patients: NDArray[np.int64] | None) -> Column:
    filled = {t: k for t, k in column.counts.items() if t not in missing.spellings}
    base = Column(
        column.name,
        "text",
        missing=missing.spellings,
        storage=column.storage,
        unit=unit_of(column.name),
        why=missing.why,
    )
    if not filled:
        return replace(base, handling="blank", unit="", why="no cell is filled, so there is nothing to learn")
    infinite = {text for text in filled if looks_infinite(text)}
    if infinite and all(looks_numeric(t) for t in filled if t not in infinite):
        rows = column.rows_of(infinite)
        raise InputError(
            f"column {column.name!r} holds infinity in {len(rows)} rows (first on {column.place(int(rows[0]))}); "
            "replace it by a number or by nothing."
        )
    if column.name == subject:
        return _subject_column(base, filled)
    written = find_format([text.strip() for text in filled])
    cells = Cells(tuple(filled), sum(filled.values()), _increasing(column, filled), written is not None)
    truth = bool(column.storage) and family(column.storage) == "boolean"
    identifier = None if truth else find(column.name, cells)
    if identifier is not None:
        return _identifier(base, filled, identifier, written)
    if written is not None and not is_code(column.name):
        return _with_role(_date(base, filled, written))
    for describe in (_boolean, _number):
        found = describe(base, column, filled, patients)
        if found is not None:
            return _with_role(found)
    return _with_role(_label(base, filled))


def _increasing(column: Seen, filled: Mapping[str, int]) -> bool:
    """True when the cells are whole numbers that rise from row to row, as running numbers do."""
    if len(filled) < 20 or not all(text.isdigit() and len(text) <= 18 for text in filled):
        return False
    values = np.array([int(t) if t in filled else -1 for t in column.distinct])[column.codes]
    steps = np.diff(values[values >= 0])
    return bool((steps > 0).all() or (steps < 0).all())


def _because(base: Column, why: str) -> str:
    return f"{why}; {base.why}" if base.why else why


def _subject_column(base: Column, filled: Mapping[str, int]) -> Column:
    found = find(base.name, Cells(tuple(filled), sum(filled.values())))
    form = found.form if found is not None else f"pattern:{'#' * max(map(len, filled))}"
    why = "its name speaks of the patient and its values repeat: rows of one patient stay together"
    return replace(base, kind="code", role="subject", handling="surrogate", form=form, unit="", why=_because(base, why))


def _identifier(base: Column, filled: Mapping[str, int], found: Identifier, written: DateFormat | None) -> Column:
    base = replace(base, role="identifier", handling="surrogate", form=found.form, unit="")
    if found.what == "coordinates":
        why = f"{found.why}; never modelled, left blank, because any place could be someone's home"
        return replace(base, kind="text", handling="blank", form="", why=_because(base, why))
    told = f"{found.why}; never modelled, fresh surrogates of the same form are written"
    if written is None or found.what != "date of birth":
        wordy = found.form.startswith(("name", "address", "email", "url"))
        return replace(base, kind="text" if wordy else "code", why=_because(base, told))
    days = _scaled(list(filled), lambda text: read_moment(text.strip(), written.text), unit_days=True)
    limits = date_bounds(days, unit=1.0)
    told += "; the fresh days are spread over the same years without a link to age: keep an age column for that"
    return replace(
        base, kind="date", low=limits.low, high=limits.high, date_format=written.text, why=_because(base, told)
    )


def _with_role(column: Column) -> Column:
    role, why = role_of(column.name, is_date=column.kind in ("date", "datetime"))
    if role == "feature":
        return column
    return replace(column, role=role, why=f"{column.why}; {role}: {why}")


def _boolean(base: Column, column: Seen, filled: Mapping[str, int], patients: Any) -> Column | None:
    if not is_boolean(tuple(filled)):
        return None
    ordered = (
        tuple(sorted(filled, key=lambda text: text.strip().lower())) if set(filled) <= {"0", "1"} else tuple(filled)
    )
    return replace(
        base, kind="boolean", categories=ordered, unit="", why=_because(base, "two values that mean yes and no")
    )


def _scaled(texts: list[str], read: Callable[[str], Any], *, unit_days: bool) -> NDArray[np.float64]:
    moments = np.array([read(text) for text in texts], dtype="datetime64[us]").astype("int64").astype(np.float64)
    return np.floor(moments / 86_400e6) if unit_days else moments / 1e6


def _date(base: Column, filled: Mapping[str, int], found: DateFormat) -> Column:
    kind: Kind = "datetime" if found.moment else "date"
    scale = _scaled(list(filled), lambda text: read_moment(text.strip(), found.text), unit_days=not found.moment)
    limits = date_bounds(scale, unit=1 / 86_400 if found.moment else 1.0)
    if not re.search("%[Yy]", found.text):
        limits = Bounds(0.0, 86_399.0, "seconds since midnight")
    why = f"{found.why}; {limits.why}"
    form = found.text
    if found.moment and len(filled) >= 20 and "f" not in form.split("%S")[-1] and not (scale % 60).any():
        form = form.replace("%S", "00")  # a clock that shows whole minutes: seconds of our own would give us away
    if base.storage and family(base.storage) in ("date", "datetime"):
        kind, form = ("date", "%Y-%m-%d") if family(base.storage) == "date" else ("datetime", "")
        why = f"stored as {base.storage}; {limits.why}"
    return replace(
        base, kind=kind, date_format=form, low=limits.low, high=limits.high, unit="", why=_because(base, why)
    )


def _number(base: Column, column: Seen, filled: Mapping[str, int], patients: Any) -> Column | None:
    mark = decimal_mark(filled)
    if not mark:
        return None
    noted = notation(filled, mark=mark)
    if noted.padded or is_code(base.name):
        why = "numbers with leading zeros are labels" if noted.padded else "its name says that these numbers are codes"
        return _labels(replace(base, unit=""), filled, why)
    values = {text: float(text.replace(mark, ".")) for text in filled}
    if noted.huge or not all(np.isfinite(value) for value in values.values()):
        return _labels(replace(base, unit=""), filled, "numbers too long to be amounts")
    n = sum(filled.values())
    if (
        len(values) <= FEW_NUMBERS
        and n >= (3 if noted.whole else 10) * len(values)
        and len(set(values.values())) == len(values)
    ):
        if len(values) == 1:
            return replace(base, kind="category", categories=tuple(filled), why=_because(base, "one value only"))
        ordered = tuple(sorted(values, key=lambda text: values[text]))
        why = f"{len(ordered)} different numbers, taken as steps of a scale"
        return replace(base, kind="ordinal", categories=ordered, why=_because(base, why))
    known = np.array([values.get(text, np.nan) for text in column.distinct] + [np.nan])
    scale = known[column.codes]
    limits = bounds_of(scale[~np.isnan(scale)], None if patients is None else patients[~np.isnan(scale)])
    integer = noted.whole or (family(column.storage) == "integer" if column.storage else False)
    wording = "whole numbers" if integer else f"numbers with up to {noted.decimals} decimal{'s' * (noted.decimals > 1)}"
    comma = ", decimal comma" if mark == "," else ""
    below = [text for text, value in values.items() if value < 0]
    lone = ""
    if len(below) == 1 and filled[below[0]] >= 3:
        lone = "; one negative value only: list it under `missing` if it means no value"
    power = ", some in powers of ten (written out in the output)" if noted.scientific else ""
    return replace(
        base,
        kind="integer" if integer else "number",
        low=limits.low,
        high=limits.high,
        decimals=noted.decimals,
        min_decimals=noted.min_decimals,
        decimal_mark=mark,
        why=_because(base, f"{wording}{comma}{power}; {limits.why}{lone}"),
    )


def _labels(base: Column, filled: Mapping[str, int], why: str) -> Column:
    kind: Kind = "code" if len(filled) > FEW_LABELS or why.startswith(("numbers with", "its name")) else "category"
    return replace(base, kind=kind, categories=tuple(filled), why=_because(base, f"{why}; {len(filled)} different"))


def _label(base: Column, filled: Mapping[str, int]) -> Column:
    n = sum(filled.values())
    graded = any(word in base.name.lower() for word in ("grade", "class", "stage", "级", "期"))
    ordered = order_of(tuple(filled), graded=graded) if len(filled) <= FEW_LABELS else None
    if ordered is not None:
        return replace(base, kind="ordinal", categories=ordered[0], unit="", why=_because(base, ordered[1]))
    sample = list(filled)[:2000]
    length = float(np.mean([len(text.split()) for text in sample]))
    chinese = float(np.mean([sum("\u4e00" <= c <= "\u9fff" for c in text) for text in sample]))
    share = len(filled) / n
    wordy = (length >= WORDY or chinese >= 12) and share > 0.5
    if n >= 10 and len(filled) > 5 and (wordy or share >= UNIQUE):
        why = "free text, or texts that hardly repeat; it may name people, so it is left blank"
        return replace(base, kind="text", handling="blank", unit="", why=_because(base, why))
    if _remarks(filled, n):
        why = "a few common labels among free text; it may name people, so it is left blank: code the text to keep it"
        return replace(base, kind="text", handling="blank", unit="", why=_because(base, why))
    base = replace(base, unit="")
    numeric = sum(k for text, k in filled.items() if looks_numeric(text))
    if numeric > 0.5 * n and not any(t.isalpha() for t in base.missing):
        grouped = sum(THOUSANDS.fullmatch(text.strip()) is not None for text in filled)
        why = "numbers with thousands separators" if grouped else "numbers mixed with other texts"
        cure = 'kept as labels; if the texts mean "no value", list them under `missing` and set the kind to number'
        return _labels(base, filled, f"{why}, {cure}")
    return _labels(base, filled, "labels" if len(filled) > 1 else "one label only")


def _remarks(filled: Mapping[str, int], n: int) -> bool:
    """Whether the cells that hardly repeat are sentences, and too many to be slips of the pen."""
    rare = [text for text, count in filled.items() if count <= 2]
    if len(rare) < max(10, 0.01 * n):
        return False
    words = float(np.mean([len(text.split()) for text in rare[:2000]]))
    chinese = float(np.mean([sum("\u4e00" <= c <= "\u9fff" for c in text) for text in rare[:2000]]))
    return words >= WORDY or chinese >= 12
