"""Three ways to guess a secret from a table: learn it, look at the nearest row, or say the same of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.audits.inference.secrets import Secret, best_window
from semblance.data.boosting import boost
from semblance.data.dataset import Dataset
from semblance.data.encode import Bins, Features, Space, row_keys
from semblance.data.nearest import nearest_point
from semblance.schema import Column

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS, LEVELS = 16, 20
TREES, FEWEST_ROUNDS = 240, 8
"""Trees of one learner over all its classes, and rounds of growing at least."""


@dataclass(frozen=True)
class Options:
    """What a learner may answer: classes, the best answer within each, and how often that is right in the class.

    A number is cut at its quantiles, and the answer for a bin is the window of the tolerance that holds most of it; so
    the learner maximises hits, not a likelihood or a squared error.

    Attributes:
        code: Class of each row that it was made from: (n,).
        answer, worth: (n_classes,).
    """

    code: Ints
    answer: NDArray[Any]
    worth: Floats

    @classmethod
    def of(cls, secret: Secret, table: Dataset) -> Options:
        bins = Bins.fit([table], [secret.column], bins=BINS, common=LEVELS)
        code, n = bins(table)[:, 0], int(bins.sizes[0])
        if not secret.column.numeric:
            levels = list(bins.levels[secret.name])
            # Labels too rare for a class of their own are never the best answer.
            return cls(code, np.array([*levels, None], dtype=object), np.r_[np.ones(len(levels)), 0.0])
        values = secret.values(table)
        answer, worth = np.full(n, np.nan), np.zeros(n)
        for k in range(n - 1):
            inside = values[code == k]
            if len(inside):
                answer[k], hits = best_window(inside, secret.tolerance)
                worth[k] = hits / len(inside)
        worth[-1] = 1.0
        return cls(code, answer, worth)


def constant(secret: Secret, table: Dataset, exam: Sequence[Dataset]) -> NDArray[Any]:
    """The best single guess for everybody, read off `table`: (n_exam,)."""
    options = Options.of(secret, table)
    many = np.bincount(options.code, minlength=len(options.worth))
    return np.repeat(options.answer[[int(np.argmax(many * options.worth))]], sum(e.n_rows for e in exam))


def learned(
    secret: Secret, known: tuple[Column, ...], table: Dataset, exam: Sequence[Dataset], seed: int, *, trees: int = TREES
) -> NDArray[Any]:
    """Guesses of boosted trees that learn the secret from the known columns of `table`: (n_exam,)."""
    options = Options.of(secret, table)
    shown, target = np.unique(options.code, return_inverse=True)
    if len(shown) < 2 or not known:
        return constant(secret, table, exam)
    features = Features.fit([table], known)
    binary = len(shown) == 2
    model = boost(
        features(table),
        target.astype(np.float64),
        categorical=features.categorical,
        seed=seed,
        objective="binary" if binary else "multiclass",
        classes=1 if binary else len(shown),
        trees=max(FEWEST_ROUNDS, trees // (3 if binary else len(shown))),
        leaves=15,
        smallest_leaf=10,
    )
    chance = np.asarray(model.predict(np.vstack([features(e) for e in exam]), num_threads=1))
    chance = np.column_stack([1 - chance, chance]) if binary else chance
    return np.asarray(options.answer[shown[np.argmax(chance * options.worth[shown], axis=1)]])


def copied(
    secret: Secret, known: tuple[Column, ...], table: Dataset, exam: Sequence[Dataset], space: Space
) -> tuple[NDArray[Any], Floats]:
    """The secret of the row of `table` nearest to each patient by the known columns, and its distance: (n_exam,) each.

    Rows that agree in all of them speak with one voice: their commonest label, or their median. Of several such cells
    equally near, the one with most rows answers.
    """
    keys = np.concatenate([row_keys(e, known) for e in exam])
    _, asked, back = np.unique(keys, return_index=True, return_inverse=True)
    _, stands, cell = np.unique(row_keys(table, known), return_index=True, return_inverse=True)
    values = secret.values(table)
    spokesman, voices = _spokesmen(values, cell.astype(np.int64), len(stands), numeric=secret.column.numeric)
    queries = np.vstack([space(e) for e in exam])[asked]
    best, distance = nearest_point(queries, space(table.take(stands)), prefer=voices)
    return np.asarray(values[spokesman[best]][back]), distance[back]


def _spokesmen(values: NDArray[Any], cell: Ints, n: int, *, numeric: bool) -> tuple[Ints, Ints]:
    """For each cell, a row that holds its commonest label or its (lower) median, and its number of rows: (n,), (n,)."""
    size = np.bincount(cell, minlength=n).astype(np.int64)
    if numeric:
        order = np.lexsort((values, cell))  # NaN comes last, as the largest value
        return order[np.cumsum(size) - size + (size - 1) // 2].astype(np.int64), size
    code = np.unique(values.astype(str), return_inverse=True)[1]
    pairs, first, many = np.unique(cell * (int(code.max()) + 1) + code, return_index=True, return_counts=True)
    of = pairs // (int(code.max()) + 1)
    best = np.empty(n, dtype=np.int64)
    order = np.argsort(many, kind="stable")
    best[of[order]] = first[order]
    return best, size
