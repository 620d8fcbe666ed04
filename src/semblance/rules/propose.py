"""Rules that a table never breaks, for a person to consider. Nothing here is enforced unasked.

That a rule was never broken does not make it one: it may be chance, or a habit of this hospital. So proposals are
written as comments into the schema file, and only where many patients had the occasion to break them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data import parse
from semblance.data.dataset import Dataset
from semblance.data.raw import Raw
from semblance.errors import SchemaError
from semblance.language.agreement import check
from semblance.language.rule import Combination, Derived, MissingUnless, Order, Rule
from semblance.language.source import quoted
from semblance.rules.broken import inspect
from semblance.rules.values import in_days
from semblance.schema import Schema

ENOUGH = 100
"""Patients who could have broken a rule, and did not, before it is proposed."""

LOOK_AT = 20_000
"""Rows looked at, at most."""

MOST_COLUMNS = 60
"""Numeric columns among which sums are looked for, at most."""

Mask = NDArray[np.bool_]


def propose_rules(raw: Raw, schema: Schema) -> tuple[Rule, ...]:
    """`propose` for the first rows of a source; nothing where the schema must be mended before they can be read."""
    first = replace(raw, frame=raw.frame.head(LOOK_AT).reset_index(drop=True))
    try:
        return propose(parse.parse(first, schema))
    except SchemaError:  # reading the whole table says what is wrong
        return ()


def propose(data: Dataset) -> tuple[Rule, ...]:
    """Rules that no row breaks and that agree with each other.

    Dates in order, sums, days between dates, labels that settle others, gaps with a reason.

    Privacy: reads real rows without differential privacy. Each proposal speaks of at least 100 patients on either side
    of a condition, and quotes no label that fewer hold.
    """
    rows = data.take(np.arange(min(data.n_rows, LOOK_AT)))
    found: list[Rule] = []
    columns = {c.name: c for c in rows.schema}
    rules: list[Rule] = [*_sums(rows), *_orders(rows), *_combinations(rows), *_reasons(rows)]
    for rule in rules:
        try:
            check([*found, rule], columns)
        except SchemaError:  # it would fight with one proposed before, or a name in it cannot be written
            continue
        verdict = inspect(rows, rule, real=[rows])
        if not verdict.broken.any() and _patients(rows, verdict.applies) >= ENOUGH:
            found.append(rule)
    return tuple(found)


def _patients(rows: Dataset, chosen: Mask) -> int:
    return len(np.unique(rows.subjects[chosen]))


def _in_days(rows: Dataset) -> dict[str, NDArray[np.float64]]:
    """Dates and moments that are ever there, as days."""
    times = [c for c in rows.schema.modelled if c.kind in ("date", "datetime")]
    scaled = {c.name: in_days(rows.scale(c.name), c) for c in times}
    return {name: values for name, values in scaled.items() if not np.isnan(values).all()}


def _orders(rows: Dataset) -> Iterator[Order]:
    """Chains of dates, as long as they go, of which every pair is in order in every row."""
    days = _in_days(rows)
    names = sorted(days, key=lambda name: float(np.nanmean(days[name])))

    def in_order(one: str, other: str) -> bool:
        verdict = inspect(rows, Order((one, other), (False,)))
        return not verdict.broken.any() and _patients(rows, verdict.applies) >= ENOUGH

    left = list(names)
    while left:
        chain = [left.pop(0)]
        for name in list(left):
            if all(in_order(earlier, name) for earlier in chain):
                chain.append(name)
                left.remove(name)
        if len(chain) > 1:
            yield Order(tuple(chain), (False,) * (len(chain) - 1))


def _sums(rows: Dataset) -> Iterator[Derived]:
    """A number that is the sum of two others, or the days between two dates."""
    numbers = [c.name for c in rows.schema.modelled if c.kind in ("number", "integer")][:MOST_COLUMNS]
    values = {name: rows.scale(name) for name in numbers}
    slack = {name: 0.5 * 10.0 ** -rows.schema[name].decimals + 1e-9 for name in numbers}
    days = _in_days(rows)
    for total in numbers:
        for one, other in combinations([n for n in numbers if n != total], 2):
            if _equal(values[total], values[one] + values[other], slack[total]):
                yield Derived(total, f"{quoted(one)} + {quoted(other)}")
        for one, other in combinations(days, 2):
            for begin, end in ((one, other), (other, one)):
                if _equal(values[total], days[end] - days[begin], slack[total]):
                    yield Derived(total, f"{quoted(end)} - {quoted(begin)}")


def _equal(total: NDArray[Any], computed: NDArray[Any], slack: float) -> bool:
    """Whether they agree wherever both are there, tried on a few rows first; one that never varies does not count."""
    for few in (slice(0, 200), slice(None)):
        with np.errstate(invalid="ignore"):
            away = np.abs(total[few] - computed[few])
        if (away > slack).any():
            return False
    both = ~np.isnan(away)
    return bool(both.any() and np.ptp(total[both]) > 0 and (computed[both] != 0).mean() > 0.5)


def _combinations(rows: Dataset) -> Iterator[Combination]:
    """Two columns of labels of which one settles the other: a postcode its city, a code its group."""
    labels = [c.name for c in rows.schema.modelled if not c.numeric][:MOST_COLUMNS]
    codes = {name: pd.factorize(rows.frame[name])[0] for name in labels}
    levels = {name: int(found.max(initial=-1)) + 1 for name, found in codes.items()}
    for one, other in combinations(labels, 2):
        few, many = sorted((one, other), key=lambda n: (levels[n], n))
        both = (codes[few] >= 0) & (codes[many] >= 0)
        # With few rows to a label anything is settled by chance; two labels on either side settle little.
        if levels[few] >= 3 and levels[many] * 20 <= both.sum() and both.sum() > 0.5 * rows.n_rows:
            pairs = codes[many][both].astype(np.int64) * levels[few] + codes[few][both]
            if all(len(np.unique(p)) == len(np.unique(p // levels[few])) for p in (pairs[:1000], pairs)):
                yield Combination((few, many))


def _reasons(rows: Dataset) -> Iterator[MissingUnless]:
    """A column with gaps that is only ever filled where a label column holds one label, and mostly filled there."""
    labels = [c for c in rows.schema.modelled if not c.numeric and 2 <= len(c.categories) <= 12]
    for column in rows.schema.modelled:
        filled = rows.frame[column.name].notna().to_numpy()
        if _patients(rows, filled) < ENOUGH or _patients(rows, ~filled) < ENOUGH:
            continue
        for asked in labels:
            if asked.name == column.name:
                continue
            given = rows.frame[asked.name]
            holds = given[filled].unique()
            if len(holds) != 1 or holds[0] is None:
                continue
            there = (given == holds[0]).to_numpy()
            if filled[there].mean() > 0.5:
                yield MissingUnless(column.name, f"{quoted(asked.name)} == {_in_quotes(str(holds[0]))}")
                break


def _in_quotes(label: str) -> str:
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'
