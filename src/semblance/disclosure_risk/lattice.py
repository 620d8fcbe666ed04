"""Every small set of quasi-identifiers, and how many patients stand alone in each.

Sets are grown one column at a time. A patient alone in a set is alone in every larger one, so only the others are
looked at again: the same partitions as by brute force, at a fraction of the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.disclosure_risk.patients import Patients

Ints = NDArray[np.int64]
Chosen = tuple[int, ...]

LARGEST = 4
"""Columns in the largest set. What others know of a person is rarely one thing, and seldom ten."""
MOST_COLUMNS, FEWEST_COLUMNS = 16, 6
WORK = 1e9
"""Patients times sets that are looked at; beyond it fewer columns are searched."""


@dataclass(frozen=True)
class Lattice:
    """Share of patients who stand alone, for each set of up to four columns (as positions, in order)."""

    shares: dict[Chosen, float]
    searched: Chosen

    @property
    def worst(self) -> Chosen:
        """The set in which most stand alone; of equals the smallest, then the first."""
        return min(self.shares, key=lambda chosen: (-self.shares[chosen], len(chosen), chosen))

    def of_size(self, size: int) -> list[Chosen]:
        """Sets of so many columns, most revealing first."""
        found = [chosen for chosen in self.shares if len(chosen) == size]
        return sorted(found, key=lambda chosen: (-self.shares[chosen], chosen))

    def gains(self, column: int) -> list[float]:
        """What a column adds to the share, on average over the sets it joins, by the size of the set it makes."""
        gains = []
        for size in range(1, min(LARGEST, len(self.searched)) + 1):
            others = [c for c in self.searched if c != column]
            added = [
                self.shares[tuple(sorted((*rest, column)))] - self.shares.get(rest, 0.0)
                for rest in combinations(others, size - 1)
            ]
            gains.append(float(np.mean(added)))
        return gains


def search(patients: Patients) -> Lattice:
    """Look at every set of up to four columns.

    All quasi-identifiers are searched up to sixteen, or fewer where there are so many patients that it would take
    minutes; the ones kept are then those whose values tell patients apart best, never those with the fewest values.
    """
    kept = _most_telling(patients, _affordable(patients.n))
    shares = {}
    everyone = np.arange(patients.n, dtype=np.int64)
    alone = 1 if patients.n == 1 else 0
    for chosen, lonely in _grow(patients, kept, (), everyone, np.zeros(patients.n, dtype=np.int64), alone):
        shares[chosen] = lonely / max(1, patients.n)
    return Lattice(shares, kept)


def _affordable(n: int) -> int:
    """Columns whose sets can be searched in the time allowed."""
    fitting = [
        q for q in range(FEWEST_COLUMNS, MOST_COLUMNS + 1) if n * sum(comb(q, k) for k in range(1, LARGEST + 1)) <= WORK
    ]
    return max(fitting, default=FEWEST_COLUMNS)


def _most_telling(patients: Patients, most: int) -> Chosen:
    """The columns in which two patients drawn at random differ most often, in table order."""
    if len(patients.columns) <= most:
        return tuple(range(len(patients.columns)))
    alike = [float((np.bincount(patients.codes[:, j]) ** 2.0).sum()) for j in range(len(patients.columns))]
    return tuple(sorted(int(j) for j in np.argsort(alike, kind="stable")[:most]))


def _grow(
    patients: Patients, kept: Chosen, chosen: Chosen, rows: Ints, keys: Ints, alone: int
) -> Iterator[tuple[Chosen, int]]:
    """Each set that begins with `chosen`, and how many are alone in it; `rows` are those not yet alone."""
    for at, column in enumerate(kept):
        if chosen and column <= chosen[-1]:
            continue
        larger = (*chosen, column)
        joint = _classes(keys, patients.codes[rows, column], int(patients.levels[column]))
        crowd = np.bincount(joint)[joint] > 1 if len(joint) else np.zeros(0, dtype=bool)
        lonely = alone if patients.n == 1 else alone + int((~crowd).sum())
        yield larger, lonely
        if len(larger) < LARGEST and at + 1 < len(kept):
            yield from _grow(patients, kept, larger, rows[crowd], _compact(joint[crowd]), lonely)


def _classes(keys: Ints, codes: Ints, levels: int) -> Ints:
    joint = keys * levels + codes
    return joint if int(keys.max(initial=0) + 1) * levels <= 4 * len(keys) + 4096 else _compact(joint)


def _compact(keys: Ints) -> Ints:
    """The same classes, numbered without gaps."""
    return np.asarray(pd.factorize(keys)[0], dtype=np.int64)
