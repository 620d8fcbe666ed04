"""A first Schema, read off the data for a person to correct. Looking at real data has a privacy cost: category lists
and bounds come from the patients, so without differential privacy they carry no formal guarantee.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.data.bounds import Bounds, bounds_of, date_bounds
from semblance.data.codes.recognise import recognise
from semblance.data.dates import read_moment
from semblance.data.describe.identifiers import Cells, Identifier, find
from semblance.data.describe.labels import is_boolean, order_of
from semblance.data.describe.look import Look, Seen, look_at
from semblance.data.describe.roles import is_code, role_of
from semblance.data.numbers import (
    THOUSANDS,
    decimal_mark,
    looks_infinite,
    looks_numeric,
    notation,
)
from semblance.data.raw import Raw
from semblance.data.typed import family
from semblance.errors import InputError
from semblance.schema import Column, Kind, Schema

FEW_NUMBERS = 10  # distinct numbers up to which they are steps of a scale rather than a scale
FEW_LABELS = 100  # distinct labels above which a column is a code
UNIQUE = 0.9  # share of distinct texts from which a column says nothing that can be learned
WORDY = 4.0  # words per cell from which mostly different texts are free text
WORDY_CHINESE = 12.0  # the same in Chinese characters


def infer_schema(raw: Raw, *, name: str = "table", subject: str | None = None) -> Schema:
    """Kind, role, bounds, missing spellings and form of every column, each with its `why`.

    Args:
        subject: Column that numbers the patient, where a person has said so: bounds then count its patients.

    Raises:
        InputError: when the table has fewer than two rows, or a column holds infinity.
    """
    columns = tuple(first_answer(look)[1] for look in look_at(raw, subject=subject))
    return Schema(columns=columns, name=name, dialect=dict(raw.dialect))


def first_answer(look: Look) -> tuple[str, Column]:
    """The first of `QUESTIONS` that has an answer, and what it says of the column.

    Raises:
        InputError: when the column holds infinity.
    """
    infinite = {text for text in look.filled if looks_infinite(text)}
    if infinite and all(looks_numeric(t) for t in look.filled if t not in infinite):
        rows = look.seen.rows_of(infinite)
        raise InputError(
            f"column {look.name!r} holds infinity in {len(rows)} rows (first on {look.seen.place(int(rows[0]))}); "
            "replace it by a number or by nothing."
        )
    return next((name, found) for name, ask in QUESTIONS.items() if (found := ask(look)) is not None)


def _empty(look: Look) -> Column | None:
    if look.filled:
        return None
    return replace(look.base, handling="blank", unit="", why="no cell is filled, so there is nothing to learn")


def _increasing(column: Seen, filled: Mapping[str, int]) -> bool:
    """True when the cells are whole numbers that rise from row to row, as running numbers do."""
    if len(filled) < 20 or not all(text.isdigit() and len(text) <= 18 for text in filled):
        return False
    values = np.array([int(t) if t in filled else -1 for t in column.distinct])[column.codes]
    steps = np.diff(values[values >= 0])
    return bool((steps > 0).all() or (steps < 0).all())


def _because(base: Column, why: str) -> str:
    return f"{why}; {base.why}" if base.why else why


def _patient(look: Look) -> Column | None:
    base, filled = look.base, look.filled
    if base.name != look.subject:
        return None
    found = find(base.name, Cells(tuple(filled), sum(filled.values())))
    form = found.form if found is not None else f"pattern:{'#' * max(map(len, filled))}"
    why = "its name speaks of the patient and its values repeat: rows of one patient stay together"
    return replace(base, kind="code", role="subject", handling="surrogate", form=form, unit="", why=_because(base, why))


def _identifier(look: Look) -> Column | None:
    filled, written = look.filled, look.written
    found = _identifies(look)
    if found is None:
        return None
    base = replace(look.base, role="identifier", handling="surrogate", form=found.form, unit="")
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


def _identifies(look: Look) -> Identifier | None:
    if look.seen.storage and family(look.seen.storage) == "boolean":
        return None
    cells = Cells(
        tuple(look.filled), sum(look.filled.values()), _increasing(look.seen, look.filled), look.written is not None
    )
    return find(look.name, cells)


def _with_role(column: Column) -> Column:
    role, why = role_of(column.name, is_date=column.kind in ("date", "datetime"))
    if role == "feature":
        return column
    return replace(column, role=role, why=f"{column.why}; {role}: {why}")


def _boolean(look: Look) -> Column | None:
    filled = look.filled
    if not is_boolean(tuple(filled)):
        return None
    ordered = (
        tuple(sorted(filled, key=lambda text: text.strip().lower())) if set(filled) <= {"0", "1"} else tuple(filled)
    )
    why = _because(look.base, "two values that mean yes and no")
    return _with_role(replace(look.base, kind="boolean", categories=ordered, unit="", why=why))


def _scaled(texts: list[str], read: Callable[[str], Any], *, unit_days: bool) -> NDArray[np.float64]:
    moments = np.array([read(text) for text in texts], dtype="datetime64[us]").astype("int64").astype(np.float64)
    return np.floor(moments / 86_400e6) if unit_days else moments / 1e6


def _date(look: Look) -> Column | None:
    base, filled, found = look.base, look.filled, look.written
    if found is None or is_code(base.name):
        return None
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
    why = _because(base, why)
    return _with_role(replace(base, kind=kind, date_format=form, low=limits.low, high=limits.high, unit="", why=why))


def _number(look: Look) -> Column | None:
    base, column, filled, patients = look.base, look.seen, look.filled, look.patients
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
            only = _because(base, "one value only")
            return _with_role(replace(base, kind="category", categories=tuple(filled), why=only))
        ordered = tuple(sorted(values, key=lambda text: values[text]))
        why = f"{len(ordered)} different numbers, taken as steps of a scale"
        return _with_role(replace(base, kind="ordinal", categories=ordered, why=_because(base, why)))
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
    told = replace(
        base,
        kind="integer" if integer else "number",
        low=limits.low,
        high=limits.high,
        decimals=noted.decimals,
        min_decimals=noted.min_decimals,
        decimal_mark=mark,
        why=_because(base, f"{wording}{comma}{power}; {limits.why}{lone}"),
    )
    return _with_role(told)


def _labels(base: Column, filled: Mapping[str, int], why: str) -> Column:
    kind: Kind = "code" if len(filled) > FEW_LABELS or why.startswith(("numbers with", "its name")) else "category"
    told = f"{why}; {len(filled)} different"
    if (codes := recognise(base.name, filled)) is not None:
        base, kind = replace(base, code_system=codes.system), "code"
        told = f"labels; {len(filled)} different; {codes.why}"
    return _with_role(replace(base, kind=kind, categories=tuple(filled), why=_because(base, told)))


def _order(look: Look) -> Column | None:
    base, filled = look.base, look.filled
    graded = any(word in base.name.lower() for word in ("grade", "class", "stage", "级", "期"))
    ordered = order_of(tuple(filled), graded=graded) if len(filled) <= FEW_LABELS else None
    if ordered is None:
        return None
    categories, why = ordered
    return _with_role(replace(base, kind="ordinal", categories=categories, unit="", why=_because(base, why)))


def _free_text(look: Look) -> Column | None:
    base, filled = look.base, look.filled
    n = sum(filled.values())
    length, chinese = words_per_cell(filled)
    share = len(filled) / n
    wordy = (length >= WORDY or chinese >= WORDY_CHINESE) and share > 0.5
    if n >= 10 and len(filled) > 5 and (wordy or share >= UNIQUE):
        why = "free text, or texts that hardly repeat; it may name people, so it is left blank"
    elif _remarks(filled, n):
        why = "a few common labels among free text; it may name people, so it is left blank: code the text to keep it"
    else:
        return None
    return _with_role(replace(base, kind="text", handling="blank", unit="", why=_because(base, why)))


def words_per_cell(texts: Iterable[str]) -> tuple[float, float]:
    """Mean number of words, and of Chinese characters, over the first 2,000 texts."""
    sample = list(islice(texts, 2000))
    length = float(np.mean([len(text.split()) for text in sample]))
    return length, float(np.mean([sum("\u4e00" <= c <= "\u9fff" for c in text) for text in sample]))


def _label(look: Look) -> Column:
    base, filled = replace(look.base, unit=""), look.filled
    n = sum(filled.values())
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
    length, chinese = words_per_cell(rare)
    return length >= WORDY or chinese >= WORDY_CHINESE


QUESTIONS: dict[str, Callable[[Look], Column | None]] = {
    "empty": _empty,
    "patient": _patient,
    "identifier": _identifier,
    "date": _date,
    "boolean": _boolean,
    "number": _number,
    "order": _order,
    "text": _free_text,
    "label": _label,
}
"""Asked of every column in this order; the first answer stands, and the last question always has one."""
