"""One record of each patient, as an intruder would see it: every quasi-identifier as codes of its recorded values.

Numbers and dates keep the precision at which they were recorded: an age in days points at a person where an age in
years does not. A missing value is a value of its own: whoever knows that it is missing knows something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.encode import labels, numbers, row_keys
from semblance.schema import Column

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Patients:
    """What is known of each patient.

    Attributes:
        columns: The quasi-identifiers.
        codes: Values as numbers 0…levels-1: (n_patients, n_columns).
        levels: How many different values each column has: (n_columns,).
        rows: The row of the table that stands for each patient: (n_patients,).
    """

    columns: tuple[Column, ...]
    codes: Ints
    levels: Ints
    rows: Ints

    @property
    def n(self) -> int:
        return len(self.codes)

    def classes(self, chosen: Sequence[int] | None = None) -> Classes:
        """Patients alike in the chosen columns (positions; None means all)."""
        return Classes.of(self.codes if chosen is None else self.codes[:, list(chosen)])


@dataclass(frozen=True, eq=False)
class Classes:
    """Patients grouped by what is known of them ("equivalence classes").

    Attributes:
        of_patient: Class number of each patient: (n_patients,).
        sizes: Patients in each class: (n_classes,).
    """

    of_patient: Ints
    sizes: Ints

    @classmethod
    def of(cls, codes: Ints) -> Classes:
        """Group rows of codes that agree in every column; without columns all are alike."""
        keys = np.zeros(len(codes), dtype=np.int64)
        for j in range(codes.shape[1]):
            keys = _dense(keys * (int(codes[:, j].max(initial=0)) + 1) + codes[:, j])
        return cls(keys, np.bincount(keys).astype(np.int64))

    @property
    def size_of_patient(self) -> Ints:
        """How many patients share each patient's class, the patient counted: (n_patients,)."""
        return np.asarray(self.sizes[self.of_patient])


def one_record_each(data: Dataset, columns: Sequence[Column]) -> Patients:
    """The record of each patient of `data`.

    Of a patient with several rows one row stands for all, picked by a hash of its content and of the patient's name in
    the table: as good as random, yet the same whatever the order of the rows. `visible_in_any_row` asks about all.
    """
    rows = _representatives(data, columns)
    table = data.take(rows) if len(rows) < data.n_rows else data
    codes = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for j, column in enumerate(columns):
        codes[:, j] = coded(table, column)
    levels = codes.max(axis=0, initial=-1) + 1
    return Patients(tuple(columns), codes, levels.astype(np.int64), rows)


def coded(data: Dataset, column: Column) -> Ints:
    """A column as numbers 0…levels-1 in the order of its values; missing comes last: (n_rows,)."""
    if column.numeric:
        values = np.round(numbers(data, column.name), 6) + 0.0  # adding 0 makes −0 and 0 the same
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    values = labels(data, column.name).astype(str)
    return np.asarray(pd.factorize(values, sort=True)[0], dtype=np.int64)


def alone_in_bands(patients: Patients, bands: int) -> float:
    """Share of patients alone once every number and date is told in at most so many bands of equally many patients."""
    codes = patients.codes.copy()
    for j, column in enumerate(patients.columns):
        if column.numeric and patients.levels[j] > bands:
            below = np.cumsum(np.bincount(codes[:, j])) - 1  # rank of the last patient with each value
            codes[:, j] = (below * bands // patients.n)[codes[:, j]]
    return float((Classes.of(codes).sizes == 1).sum() / max(1, patients.n))


def visible_in_any_row(data: Dataset, columns: Sequence[Column]) -> float:
    """Share of patients of whom at least one row is like no row of any other patient."""
    keys, subjects = pd.factorize(row_keys(data, columns))[0], data.subjects
    owned = np.unique(keys.astype(np.int64) * (int(subjects.max(initial=0)) + 1) + subjects)
    key, subject = np.divmod(owned, int(subjects.max(initial=0)) + 1)
    alone = np.bincount(key)[key] == 1
    return float(len(np.unique(subject[alone])) / max(1, data.n_subjects))


def _representatives(data: Dataset, columns: Sequence[Column]) -> Ints:
    subjects = data.subjects
    if data.schema.subject is None:
        return np.arange(data.n_rows, dtype=np.int64)
    whose = pd.Series(labels(data, data.schema.subject).astype(str))
    salt = np.asarray(pd.util.hash_pandas_object(whose, index=False), dtype=np.uint64)
    content = pd.Series(row_keys(data, columns) ^ salt)  # the same content lands elsewhere for another patient
    drawn = np.asarray(pd.util.hash_pandas_object(content, index=False), dtype=np.uint64)
    order = np.lexsort((drawn, subjects))
    return np.asarray(order[np.unique(subjects[order], return_index=True)[1]], dtype=np.int64)


def _dense(keys: Any) -> Ints:
    return np.asarray(pd.factorize(keys)[0], dtype=np.int64)
