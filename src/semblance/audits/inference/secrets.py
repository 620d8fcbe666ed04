"""What is guessed: the columns whose leak would hurt, and when a guess counts as right.

A label is guessed right when it is the same label. A number or a date is guessed right within a fixed distance in the
column's own units, the same for every patient: a distance relative to the value would let every guess of a negative
number pass and none of a zero. A missing value is an answer like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.encode import labels, numbers
from semblance.schema import Column

Mask = NDArray[np.bool_]

NEAR = 0.05
"""How far a guess may lie off, in interquartile ranges of the real patients, training and held-out pooled."""
MOST = 8
"""Sensitive columns attacked at most: those hardest to guess."""
ENOUGH = 5
"""Columns attacked where fewer are marked sensitive: the target is added, then others that are hard to guess."""


@dataclass(frozen=True)
class Secret:
    """One column to be guessed.

    Attributes:
        tolerance: In the column's units (days for a date, seconds for a moment); 0 for labels.
        chosen: Why this column is attacked, in a few words.
    """

    column: Column
    tolerance: float
    chosen: str

    @property
    def name(self) -> str:
        return self.column.name

    def values(self, data: Dataset) -> NDArray[Any]:
        """Floats, NaN where missing; or labels, with a label for missing: (n_rows,)."""
        return numbers(data, self.name) if self.column.numeric else labels(data, self.name)

    def right(self, guess: NDArray[Any], truth: NDArray[Any]) -> Mask:
        """Which guesses hit: (n,)."""
        if not self.column.numeric:
            return np.asarray(guess == truth, dtype=bool)
        slack = 1e-9 * np.maximum(1.0, np.abs(truth))  # decimal fractions are not exact in binary
        return np.asarray((np.abs(guess - truth) <= self.tolerance + slack) | (np.isnan(guess) & np.isnan(truth)))


def tolerance(column: Column, tables: Sequence[Dataset]) -> float:
    """`NEAR` of the interquartile range of `tables` pooled, to three digits; 0 where half the values are alike."""
    if not column.numeric:
        return 0.0
    values = np.concatenate([numbers(t, column.name) for t in tables])
    values = values[~np.isnan(values)]
    if not len(values):
        return 0.0
    low, high = np.quantile(values, [0.25, 0.75])
    return float(f"{NEAR * (high - low):.3g}")


def best_window(values: NDArray[np.float64], tolerance: float) -> tuple[float, int]:
    """The number that is right for most of `values` (n ≥ 1, no NaN), and for how many."""
    ordered = np.sort(values)
    end = np.searchsorted(ordered, ordered + 2 * tolerance, "right")
    count = end - np.arange(len(ordered))
    i = int(np.argmax(count))
    return float((ordered[i] + ordered[end[i] - 1]) / 2), int(count[i])


def hardness(secret: Secret, tables: Sequence[Dataset]) -> float:
    """Share of patients whom the best single guess for everybody gets wrong."""
    values = np.concatenate([secret.values(t) for t in tables])
    if not len(values):
        return 0.0
    if not secret.column.numeric:
        return 1 - float(np.unique(values.astype(str), return_counts=True)[1].max() / len(values))
    known = values[~np.isnan(values)]
    most = best_window(known, secret.tolerance)[1] if len(known) else 0
    return 1 - max(most, len(values) - len(known)) / len(values)


def choose(columns: Sequence[Column], tables: Sequence[Dataset]) -> tuple[Secret, ...]:
    """Every sensitive column, at most `MOST`; up to `ENOUGH` also the target and others, labels and numbers by turns.

    Others are taken from those that no stranger is expected to know, hardest to guess first: where the best single
    guess is already right for nearly everybody, a leak would not show. Chosen from training and held-out patients
    pooled, so that the choice knows nothing of who is who. Columns with a single value hold no secret.
    """
    every = {c.name: Secret(c, tolerance(c, tables), "") for c in columns}
    hard = {name: hardness(secret, tables) for name, secret in every.items()}
    ranked = sorted((c for c in columns if hard[c.name] > 0), key=lambda c: -hard[c.name])
    found = {c.name: "its role is sensitive" for c in [c for c in ranked if c.role == "sensitive"][:MOST]}
    found |= {c.name: "it is the target" for c in ranked if c.role == "target" and len(found) < ENOUGH}
    free = [c for c in ranked if c.name not in found and c.role not in ("quasi-identifier", "sensitive")]
    turns = zip_longest([c for c in free if not c.numeric], [c for c in free if c.numeric])
    for column in (c for turn in turns for c in turn if c is not None):
        if len(found) < ENOUGH:
            found[column.name] = "it is hard to guess"
    if not found:  # nothing but quasi-identifiers: the hardest of them
        found = {c.name: "it is hard to guess" for c in ranked[:1]}
    return tuple(Secret(every[n].column, every[n].tolerance, why) for n, why in found.items())


def others(columns: Sequence[Column], tables: Sequence[Dataset], chosen: Sequence[Secret]) -> tuple[Secret, ...]:
    """All columns but those `chosen` that no stranger is expected to know and that hold more than one value."""
    names = {secret.name for secret in chosen}
    free = [c for c in columns if c.name not in names and c.role != "quasi-identifier"]
    every = (Secret(c, tolerance(c, tables), "") for c in free)
    return tuple(secret for secret in every if hardness(secret, tables) > 0)
