"""Long strings and runs of words: a note, an address, a patient number that reappears is a patient's own.

All columns are read here, also those that were never learned: a column that should come out empty or with surrogates,
and yet repeats what one patient had, is a leak. Upper and lower case, and spaces, make no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from semblance import stats
from semblance.attacks.advantage import advantage
from semblance.attacks.own import Held, Ints, Mask, Scanned, everyone, scan, tally, telling, union
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import numbers
from semblance.evidence import Finding
from semblance.schema import Column

NAME = "copies.text.excess"
QUESTION = (
    "Do long strings or runs of words that one patient alone has come up again more often for training patients than "
    "for held-out ones?"
)
LONG = 12
"""Characters from which a string of a learned column is looked at; of other columns every string is."""
RUN = 8
"""Words, or Chinese characters, that make a run."""
NOTES = 20_000
"""Most rows of either kind whose runs of words are compared."""
RUNS = "runs of words"
_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u9fff\uf900-\ufaff]+")


def text(comparison: Comparison, run: Run) -> Finding:
    """Share of training patients betrayed by a string of their own minus share of held-out patients."""
    columns = tuple(c for c in comparison.train.schema if c.name in comparison.fake.schema and _spoken(c))
    patients = everyone(comparison)
    n_patients = comparison.train.n_subjects + comparison.held.n_subjects
    trained = np.arange(n_patients) < comparison.train.n_subjects
    rng = run.seeds("audit/copies/text")
    apart = rng.permutation(n_patients) < n_patients // 3
    real = {c.name: np.concatenate([_cells(t, c) for t in (comparison.train, comparison.held)]) for c in columns}
    fake = {c.name: _cells(comparison.fake, c) for c in columns}
    # A row number meets other numbers without having known them.
    sought = [c for c in columns if c.modelled or not _counts_up(fake[c.name])]
    scanned = [*_strings(sought, real, fake, patients, apart), _runs(columns, real, fake, patients, apart, rng)]
    used = telling(scanned, apart)
    members, others = tally(union([s.hit for s in used], n_patients), trained)
    by_runs = [tally(s.hit, trained) for s in used if s.name == RUNS]
    return advantage(
        NAME,
        QUESTION,
        members=members,
        others=others,
        naive=tally(union([s.naive for s in used], n_patients), trained & ~apart)[0],
        method=f"a patient counts once of whom a string of at least {LONG} characters, a value of a column that is "
        f"never learned, or a run of {RUN} words comes up in the synthetic table, where no other patient has it; "
        f"{len(used)} of {len(scanned)} columns of text, those in which it would hardly come up among other real "
        "patients",
        detail={
            "runs": {"members": by_runs[0][0].rate, "others": by_runs[0][1].rate} if by_runs else None,
            "left_out": sorted({c.name for c in columns} - {s.name for s in used}),
            "queries": int(others.n),
        },
    )


def _spoken(column: Column) -> bool:
    """Labels and texts, and whatever names a person."""
    return not column.numeric or not column.modelled


def _strings(
    columns: Sequence[Column], real: dict[str, Any], fake: dict[str, Any], patients: Ints, apart: Mask
) -> list[Scanned]:
    """Whole cells, each column a source.

    A long string is sought in every column of the synthetic table; a short one, of a column that is never learned, in
    its own column only, where a short number would otherwise meet any other.
    """
    long = np.unique([v for column in columns for v in set(fake[column.name]) if v is not None and len(v) >= LONG])
    scanned = []
    for column in columns:
        cells = real[column.name]
        if column.modelled:
            cells = np.array([v if v is not None and len(v) >= LONG else None for v in cells], dtype=object)
        short = [] if column.modelled else [v for v in pd.unique(fake[column.name]) if v is not None]
        code = pd.factorize(np.concatenate([cells, long.astype(object), np.array(short, dtype=object)]))[0]
        made = np.unique(code[len(cells) :]).astype(np.int64)
        scanned.append(scan(column.name, Held.of(code[: len(cells)].astype(np.int64), patients), made, apart))
    return scanned


def _cells(table: Dataset, column: Column) -> Any:
    """Text of each cell, None where missing: (n_rows,) of object."""
    if column.name not in table.schema:
        return np.full(table.n_rows, None, dtype=object)
    if table.schema[column.name].numeric:
        values = numbers(table, column.name)
        texts = {v: f"{v:.15g}" for v in np.unique(values[~np.isnan(values)])}
    else:
        values = table.frame[column.name].to_numpy(dtype=object)
        texts = {v: " ".join(str(v).casefold().split()) for v in pd.unique(values) if v is not None and v == v}
    return np.array([texts.get(v) or None for v in values], dtype=object)


def _counts_up(values: Any) -> bool:
    """Row numbers 0, 1, 2, … or 1, 2, 3, …: they meet real numbers without having known them."""
    present = [v for v in values if v is not None]
    if not present or len(set(present)) < len(present) or not all(v.isdecimal() for v in present):
        return False
    found = {int(v) for v in present}
    return min(found) in (0, 1) and max(found) - min(found) == len(found) - 1


def _runs(
    columns: Sequence[Column],
    real: dict[str, Any],
    fake: dict[str, Any],
    patients: Ints,
    apart: Mask,
    rng: np.random.Generator,
) -> Scanned:
    """Runs of words, from whatever column of text: one source."""
    number: dict[tuple[str, ...], int] = {}
    keys: list[int] = []
    owners: list[int] = []
    rows = stats.sample_patients(patients, NOTES, rng)
    drawn = rng.permutation(len(fake[columns[0].name]) if columns else 0)[:NOTES]
    spoken = [column.name for column in columns if not column.numeric]
    for name in spoken:
        for row, words in _words(real[name], rows):
            keys.append(number.setdefault(words, len(number)))
            owners.append(row)
    made = {number[words] for name in spoken for _, words in _words(fake[name], drawn) if words in number}
    held = Held.of(np.array(keys, dtype=np.int64), patients[np.array(owners, dtype=np.int64)])
    return scan(RUNS, held, np.array(sorted(made), dtype=np.int64), apart)


def _words(cells: Any, rows: Iterable[Any]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for row in rows:
        cell = cells[row]
        if cell is None or len(cell) < RUN:
            continue
        words = _WORD.findall(cell)
        for start in range(len(words) - RUN + 1):
            yield int(row), tuple(words[start : start + RUN])
