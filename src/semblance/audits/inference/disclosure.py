"""DiSCO and RepU: what a look into the synthetic table gives away about a person whose keys are known.

Raab, Nowok and Dibben (2024), "Practical privacy metrics for synthetic data", as in the R package synthpop. The keys q
are the quasi-identifiers taken together, t is the secret. Let d count original and s count synthetic records:

    disclosive cell of S    s(q, t) = s(q) for one t, s(q) > 0: all synthetic records of the cell hold the same secret
    DiS    = share of original records whose cell of S is disclosive
    DiSCO  = share of original records whose cell of S is disclosive and holds their own secret
    Dorig  = the same as DiSCO within the original: records whose own cell there is disclosive
    iS     = share of original records whose cell is in S at all
    RepU   = share of original records with d(q) = 1 and s(q) = 1: unique in both

What follows departs from synthpop where it must: everything is computed for held-out patients as well, since a secret
that follows from the keys in the population is disclosed by no table; a number is the same within its tolerance; a key
that is a number with many values is known as its percentile among real patients; a patient with several records is
asked about one of them and counts once. Held-out patients are unique in the original when no training patient shares
their keys: as if each had been one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.audits.inference.secrets import Secret
from semblance.data.dataset import Dataset
from semblance.data.encode import labels, numbers
from semblance.schema import Column

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

EXACT = 100
"""A number with more values than this among real patients is known only as one of so many quantile bands."""
EXPECTED = 0.9
"""A secret that so many of all patients, or of those with one value of one key, hold is expected to be known."""
SMALLEST = 11
"""Real patients below which a relation is nobody's common knowledge."""


@dataclass(frozen=True)
class Keys:
    """How the quasi-identifiers are known: numbers with many values as bands, all else as it is."""

    columns: tuple[Column, ...]
    cuts: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, columns: Sequence[Column], tables: Sequence[Dataset]) -> Keys:
        cuts = {}
        for column in (c for c in columns if c.numeric):
            values = np.concatenate([numbers(t, column.name) for t in tables])
            found = np.unique(values[~np.isnan(values)])
            if len(found) > EXACT:
                cuts[column.name] = np.unique(np.nanquantile(values, np.linspace(0, 1, EXACT + 1)[1:-1]))
        return cls(tuple(columns), cuts)

    def known(self, data: Dataset, column: Column) -> NDArray[Any]:
        """One key as others know it: (n_rows,)."""
        if not column.numeric:
            return labels(data, column.name)
        values = numbers(data, column.name)
        if column.name not in self.cuts:
            return np.asarray(np.round(values, 6) + 0.0)  # adding 0 makes -0 and 0 the same
        band = np.searchsorted(self.cuts[column.name], values, "right").astype(np.float64)
        return np.where(np.isnan(values), np.nan, band)

    def __call__(self, data: Dataset, *, but: str = "") -> NDArray[np.uint64]:
        """Equal for rows that share all keys but one: (n_rows,)."""
        parts = {str(i): self.known(data, c) for i, c in enumerate(self.columns) if c.name != but}
        return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(parts), index=False), dtype=np.uint64)


@dataclass(frozen=True)
class Disclosed:
    """What the cells of one table say of some patients: three masks (n,)."""

    present: Mask
    disclosive: Mask
    right: Mask


def disclosed(
    secret: Secret, cells: NDArray[np.uint64], table: Dataset, asked: NDArray[np.uint64], truth: NDArray[Any]
) -> Disclosed:
    """Look each patient's cell up in `table`.

    Args:
        cells, asked: Cell of each row of `table`, and of each patient: (n_rows,), (n,).
        truth: Each patient's secret: (n,).
    """
    if not len(cells):
        nobody = np.zeros(len(asked), dtype=bool)
        return Disclosed(nobody, nobody, nobody)
    order = np.argsort(cells, kind="stable")
    found, start = np.unique(cells[order], return_index=True)
    values = secret.values(table)[order]
    one, answer = _agree(secret, values, start)
    at = np.minimum(np.searchsorted(found, asked), len(found) - 1)
    present = found[at] == asked
    disclosive = present & one[at]
    return Disclosed(present, disclosive, disclosive & secret.right(answer[at], truth))


def _agree(secret: Secret, values: NDArray[Any], start: Ints) -> tuple[Mask, NDArray[Any]]:
    """Whether each run of `values` holds one secret only, and which: (n_cells,), (n_cells,)."""
    if not secret.column.numeric:
        code = np.unique(values.astype(str), return_inverse=True)[1]
        return np.minimum.reduceat(code, start) == np.maximum.reduceat(code, start), values[start]
    missing = np.isnan(values)
    some, every = np.logical_or.reduceat(missing, start), np.logical_and.reduceat(missing, start)
    low = np.minimum.reduceat(np.where(missing, np.inf, values), start)
    high = np.maximum.reduceat(np.where(missing, -np.inf, values), start)
    low, high = np.where(every, 0.0, low), np.where(every, 0.0, high)
    slack = 1e-9 * np.maximum(1.0, np.abs(low))
    near = ~some & (high - low <= 2 * secret.tolerance + slack)
    return every | near, np.where(every, np.nan, (low + high) / 2)


def alone(cells: NDArray[np.uint64], patients: Ints, asked: NDArray[np.uint64]) -> Ints:
    """How many patients of a table share the cell of each patient asked about: (n,)."""
    owned = np.unique(np.column_stack([cells, patients.astype(np.uint64)]), axis=0)[:, 0]
    return np.asarray(np.searchsorted(owned, asked, "right") - np.searchsorted(owned, asked, "left"), dtype=np.int64)


def replicated(keys: Keys, train: Dataset, fake: Dataset, members: Dataset, others: Dataset) -> tuple[Mask, Mask, Mask]:
    """Who is unique in the original, who in the synthetic table, who in both: masks, members first."""
    asked = np.concatenate([keys(members), keys(others)])
    among = alone(keys(train), train.subjects, asked)
    own = np.arange(len(asked)) < members.n_rows  # a training patient meets himself
    original = among == np.where(own, 1, 0)
    synthetic = alone(keys(fake), fake.subjects, asked) == 1
    return original, synthetic, original & synthetic


def expected(secret: Secret, keys: Keys, sides: Sequence[Dataset]) -> dict[str, Mask]:
    """Whose secret is common knowledge, by the key it follows from, "" for none: masks over both sides.

    One-way: at least `EXPECTED` of all real patients hold the secret. Two-way: at least so many of those who share one
    value of one key, and at least `SMALLEST` of them.
    """
    truth = np.concatenate([secret.values(s) for s in sides])
    code = np.unique(truth if secret.column.numeric else truth.astype(str), return_inverse=True)[1]
    found = {"": _common(np.zeros(len(code), dtype=np.int64), code)}
    for column in keys.columns:
        if column.name != secret.name:
            known = np.concatenate([keys.known(s, column) for s in sides])
            value = np.unique(known if column.numeric else known.astype(str), return_inverse=True)[1]
            found[column.name] = _common(value, code)
    return {name: mask for name, mask in found.items() if mask.any()}


def _common(value: Ints, secret: Ints) -> Mask:
    pair = value * (int(secret.max(initial=0)) + 1) + secret
    _, back, both = np.unique(pair, return_inverse=True, return_counts=True)
    share = both[back] / np.bincount(value)[value]
    return np.asarray((share >= EXPECTED) & (both[back] >= SMALLEST))
