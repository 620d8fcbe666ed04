"""What of the patients is looked for in a model: strings, numbers, extremes and pieces of rows, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance import stats
from semblance.attacks.own import FEW, Held, Ints, Mask, betrayed, everyone
from semblance.audits.reconstruction.contents import (
    MISSING,
    SHORTEST_COLUMN,
    Contents,
    Tokens,
    among,
    number_tokens,
    once,
    tokens,
)
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import numbers
from semblance.data.parse import render
from semblance.schema import Column, Schema

Floats = NDArray[np.float64]

MOST = 60_000
"""Most rows looked for, drawn by whole patients."""
DIGITS = 5
"""Digits from which a number is not met by chance."""
TOGETHER = 4
"""Values next to each other that make a piece of a row."""
WORD, TELLING = 4, 10
"""Digits that a word counts for, and digits that a piece needs: short numbers stand next to each other everywhere."""
DECOYS = 5
VARIED = 0.9
"""Share of rows that the commonest value of a column may hold for its order to be recognised."""


@dataclass(frozen=True)
class Traces:
    """Real rows as tokens.

    Attributes:
        tables: Training and held-out rows.
        patients: Of each row, train first: (n_rows,). trained: Whether each patient is of train: (n_patients,).
        cells: Column → tokens of its cells, `MISSING` where empty: (n_rows,).
        spelled: Column of dates → tokens of its cells as the source writes them: (n_rows,).
        digits: Column → digits of its cells: how little each would be met by chance. (n_rows,)
    """

    tables: tuple[Dataset, Dataset]
    patients: Ints
    trained: Mask
    cells: dict[str, Tokens]
    spelled: dict[str, Tokens]
    digits: dict[str, Ints]

    @classmethod
    def of(cls, comparison: Comparison, run: Run) -> Traces:
        """Every column is looked for, also those that were never learned."""
        train, held = comparison.train, comparison.held
        rows = stats.sample_patients(everyone(comparison), MOST, run.seeds("audit/reconstruction/rows"))
        tables = (train.take(rows[rows < train.n_rows]), held.take(rows[rows >= train.n_rows] - train.n_rows))
        patients = np.concatenate([tables[0].subjects, tables[1].subjects + tables[0].n_subjects])
        trained = np.arange(tables[0].n_subjects + tables[1].n_subjects) < tables[0].n_subjects
        cells = {c.name: np.concatenate([_cells(t, c) for t in tables]) for c in train.schema}
        dates = [c for c in train.schema if c.kind in ("date", "datetime")]
        spelled = {c.name: np.concatenate([_spelled(t, c) for t in tables]) for c in dates}
        digits = {c.name: np.concatenate([_digits_of(t, c) for t in tables]) for c in train.schema}
        return cls(tables, patients, trained, cells, spelled, digits)

    @property
    def schema(self) -> Schema:
        return self.tables[0].schema

    @cached_property
    def common(self) -> Tokens:
        """Numbers that many rows hold in some column: a model may well hold them, whoever else has them. In order."""
        found = []
        for column in self.schema:
            if column.numeric:
                values, counts = np.unique(self.cells[column.name], return_counts=True)
                found.append(values[counts >= FEW])
        return once(found)

    def texts(self, column: Column) -> NDArray[Any]:
        """Cells of a column of labels or text, None where missing: (n_rows,)."""
        return np.concatenate([t.frame[column.name].to_numpy(dtype=object) for t in self.tables])


def _cells(table: Dataset, column: Column) -> Tokens:
    return number_tokens(numbers(table, column.name)) if column.numeric else tokens(table.frame[column.name])


def _spelled(table: Dataset, column: Column) -> Tokens:
    one = Dataset(table.frame[[column.name]], Schema((column,)))
    texts = render(one)[column.name].mask(table.frame[column.name].isna(), None)
    return tokens(texts)


def _digits_of(table: Dataset, column: Column) -> Ints:
    """Significant digits of a number, `WORD` for a label that is none, 0 where missing: (n_rows,)."""
    if column.numeric:
        values = numbers(table, column.name)
    else:
        values = pd.to_numeric(table.frame[column.name], errors="coerce").to_numpy(dtype=np.float64)
    distinct, codes = np.unique(values, return_inverse=True)
    digits = np.where(np.isnan(distinct), 0, _digits(distinct))[codes]
    worded = np.isnan(values) & table.frame[column.name].notna().to_numpy()
    return np.where(worded, WORD, digits).astype(np.int64)


# ---------------------------------------------------------------- strings


class Strings(NamedTuple):
    """Whom strings in the model betray.

    Attributes:
        own: Patients of whom a string that nobody else has stands there.
        rare: Training patients of whom a string that fewer than eleven of them share does; all False for others.
    """

    own: Mask
    rare: Mask


def find_strings(traces: Traces, contents: Contents) -> Strings:
    """Labels and texts, each column by itself, against whole strings of the model."""
    n = len(traces.trained)
    own, rare = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    of_train = traces.trained[traces.patients]
    for column in traces.schema:
        if column.numeric:
            continue
        codes, distinct = pd.factorize(traces.texts(column))
        codes, found = codes.astype(np.int64), _present([str(v) for v in distinct], contents)
        own |= betrayed(Held.of(codes, traces.patients), found, n)
        rare |= betrayed(Held.of(codes[of_train], traces.patients[of_train]), found, n, most=FEW - 1)
    return Strings(own, rare)


def _present(strings: list[str], contents: Contents) -> Ints:
    """Positions of the strings that stand in the model, whole, or anywhere in bytes of unknown kind."""
    found = {i for i, text in enumerate(strings) if text in contents.strings}
    long = {i: text.encode() for i, text in enumerate(strings) if i not in found and len(text.encode()) >= 8}
    if contents.raw and long:
        heads = {i: np.frombuffer(data[:8], dtype="<u8")[0] for i, data in long.items()}
        wanted = np.unique(np.array([*heads.values()], dtype=np.uint64))
        seen: set[int] = set()
        for data in contents.raw:
            for shift in range(min(8, len(data))):
                words = np.frombuffer(data, dtype="<u8", offset=shift, count=(len(data) - shift) // 8)
                seen.update(wanted[np.isin(wanted, words)].tolist())
        found |= {i for i, head in heads.items() if int(head) in seen and any(long[i] in data for data in contents.raw)}
    return np.array(sorted(found), dtype=np.int64)


# ---------------------------------------------------------------- numbers


def find_numbers(traces: Traces, contents: Contents) -> Mask:
    """Patients of whom a number of many digits, or a date as it is written, that nobody else has stands there."""
    n = len(traces.trained)
    hit = np.zeros(n, dtype=bool)
    for column in traces.schema:
        if not column.numeric:
            continue
        values = np.concatenate([numbers(t, column.name) for t in traces.tables])
        distinct, codes = np.unique(values, return_inverse=True)
        codes = np.where(np.isnan(values), -1, codes).astype(np.int64)
        telling = _digits(distinct) >= DIGITS
        # A model may keep single precision.
        single = contents.hold(number_tokens(distinct.astype(np.float32).astype(np.float64)))
        telling &= ~among(traces.common, number_tokens(distinct))
        made = np.flatnonzero(telling & (contents.hold(number_tokens(distinct)) | single)).astype(np.int64)
        hit |= betrayed(Held.of(codes, traces.patients), made, n)
        if column.name in traces.spelled:
            codes, days = pd.factorize(np.where(traces.spelled[column.name] == MISSING, 0, traces.spelled[column.name]))
            codes = np.where(traces.spelled[column.name] == MISSING, -1, codes).astype(np.int64)
            hit |= betrayed(Held.of(codes, traces.patients), np.flatnonzero(contents.hold(days)).astype(np.int64), n)
    return hit


def _digits(values: Floats) -> Ints:
    """Significant digits of each number, zeros at either end not counted; some for NaN."""
    shown = (f"{abs(v):.15g}".split("e")[0].replace(".", "").strip("0") for v in values)
    return np.fromiter((len(text) for text in shown), dtype=np.int64, count=len(values))


class Extremes(NamedTuple):
    """How many of the `n` smallest and largest values that fewer than eleven patients hold stand in the model."""

    found: int
    n: int
    columns: tuple[str, ...]


def find_extremes(traces: Traces, contents: Contents) -> tuple[Extremes, Extremes]:
    """Of training, and of held-out, patients.

    A number counts as found where it stands in the model and none of its neighbours beyond the range does, numbers as
    round that nobody has: among many numbers any would be met.
    """
    split = traces.tables[0].n_rows
    sides = []
    for rows in (slice(0, split), slice(split, None)):
        found: list[str] = []
        n = 0
        for column in traces.schema:
            if not column.numeric:
                continue
            values = np.concatenate([numbers(t, column.name) for t in traces.tables])[rows]
            patients = traces.patients[rows][~np.isnan(values)]
            values = values[~np.isnan(values)]
            for end, side in ((values.min(initial=np.inf), -1), (values.max(initial=-np.inf), 1)):
                if not np.isfinite(end) or len(np.unique(patients[values == end])) >= FEW:
                    continue
                n += 1
                there = contents.hold(number_tokens(end + side * _last_place(end) * np.arange(DECOYS + 1)))
                if there[0] and not there[1:].any() and not among(traces.common, number_tokens(np.array([end])))[0]:
                    found.append(column.name)
        sides.append(Extremes(len(found), n, tuple(sorted(set(found)))))
    return sides[0], sides[1]


def _last_place(value: float) -> float:
    """The power of ten of the last digit that is not 0: neighbours at this step are as round as the value."""
    exponent = Decimal(f"{value:.15g}").normalize().as_tuple().exponent
    return 10.0 ** int(exponent) if value else 1.0


# ---------------------------------------------------------------- rows


def find_rows(traces: Traces, contents: Contents, train: Dataset) -> tuple[Mask, int]:
    """Patients of whom a piece of a row stands in the model, and how many of its columns are stored as a list.

    A piece is a run of neighbouring values that nobody else has: of all columns, of the numbers, or of the labels. A
    list as long as the training table that repeats its values exactly where a column does is that column in another
    code (standardised, ranked, numbered): it gives every training patient away.
    """
    hit = np.zeros(len(traces.trained), dtype=bool)
    names = [[c.name for c in traces.schema if keep(c)] for keep in (_all, _numeric, _labelled)]
    versions = [traces.cells, *([traces.cells | traces.spelled] if traces.spelled else [])]
    widths = {min(TOGETHER, len(order)) for order in names if len(order) > 1}
    present = once([_windows(sequence, width) for width in widths for sequence in contents.sequences])
    for order in names:
        for version in versions:
            if len(order) < 2:
                continue
            table = np.column_stack([version[name] for name in order])
            digits = np.column_stack([traces.digits[name] for name in order])
            hit |= _pieces(table, digits, traces.patients, present, len(hit))
    stored = _stored_columns(train, contents)
    return hit | (traces.trained if stored else False), stored


def _all(column: Column) -> bool:
    return True


def _numeric(column: Column) -> bool:
    return column.numeric


def _labelled(column: Column) -> bool:
    return not column.numeric


def _mix(so_far: Tokens, token: Tokens) -> Tokens:
    """Fold one more token in. Round numbers differ in their upper bits only, so these are brought down each time."""
    mixed = (so_far ^ (token ^ (token >> np.uint64(32)))) * np.uint64(0xD6E8FEB86659FD93)
    return np.asarray(mixed ^ (mixed >> np.uint64(32)))


def _windows(sequence: Tokens, width: int) -> Tokens:
    """A number for each run of `width` neighbours: (n - width + 1,)."""
    n = len(sequence) - width + 1
    mixed = np.zeros(max(0, n), dtype=np.uint64)
    for i in range(width if n > 0 else 0):
        mixed = _mix(mixed, sequence[i : i + n])
    return mixed


def _pieces(table: Tokens, digits: Ints, patients: Ints, present: Tokens, n: int) -> Mask:
    """Patients with a run of their own among those present; a run of short or missing values says nothing."""
    width = min(TOGETHER, table.shape[1])
    hit = np.zeros(n, dtype=bool)
    for start in range(table.shape[1] - width + 1):
        part = table[:, start : start + width]
        keys = _windows_of_rows(part)
        # Files are full of empty places, so more than one of them in a piece says nothing.
        said = (digits[:, start : start + width].sum(axis=1) >= TELLING) & ((part == MISSING).sum(axis=1) <= 1)
        if not said.any():
            continue
        codes, distinct = pd.factorize(keys)
        codes = np.where(said, codes, -1).astype(np.int64)
        made = np.flatnonzero(among(present, distinct)).astype(np.int64)
        if len(made):
            hit |= betrayed(Held.of(codes, patients), made, n)
    return hit


def _windows_of_rows(part: Tokens) -> Tokens:
    mixed = np.zeros(len(part), dtype=np.uint64)
    for column in part.T:
        mixed = _mix(mixed, column)
    return mixed


def _stored_columns(train: Dataset, contents: Contents) -> int:
    """Lists of the model that are a training column in its order, whatever its values were turned into."""
    n = train.n_rows
    lists = [column for column in contents.columns if len(column) == n]
    if not lists or n < SHORTEST_COLUMN:
        return 0
    patterns = set()
    for column in train.schema:
        pattern = pd.factorize(_cells(train, column))[0]
        if np.bincount(pattern).max() <= VARIED * n:
            patterns.add(pattern.tobytes())
    return sum(pd.factorize(_codes_of(stored))[0].tobytes() in patterns for stored in lists)


def _codes_of(column: Any) -> Tokens:
    """Values of a list, not rounded: a code may be small."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        exact = column.astype(np.float64) + 0.0
        return np.where(np.isnan(exact), MISSING, exact.view(np.uint64))
    return tokens(column)
