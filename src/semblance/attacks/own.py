"""What one patient alone has: which patients are betrayed by a value, a string or a run of words that reappears.

Everything is a list of (key, patient) pairs over training and held-out patients pooled. A key held by one patient of
the pool is that patient's own. Whether the owner was trained on does not enter, so for an innocent table a training
patient's own key is as likely to reappear as a held-out patient's.

Some keys come up again by themselves: on a coarse scale every number does. How often is asked of real patients alone, a
third of them in the place of the synthetic table, and sources in which it happens too often are left aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semblance.attacks.advantage import Tally
from semblance.contracts import Comparison

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEW = 11
"""Patients that must share a value before it stops being a small group's own: the usual small-count limit."""
CHANCE = 0.02
"""Share of patients whose own key may come up again among other real patients, over all sources used."""


def everyone(comparison: Comparison) -> Ints:
    """Patient number of each row of train, then of the holdout: (n_rows,)."""
    return np.concatenate([comparison.train.subjects, comparison.held.subjects + comparison.train.n_subjects])


def tally(hit: Mask, trained: Mask) -> tuple[Tally, Tally]:
    """Hits among training, and among held-out, patients."""
    return Tally(int(hit[trained].sum()), int(trained.sum())), Tally(int(hit[~trained].sum()), int((~trained).sum()))


class Held(NamedTuple):
    """Who holds what: pairs without repetition.

    Attributes:
        keys, patients: (n_pairs,) each; keys are small non-negative numbers.
    """

    keys: Ints
    patients: Ints

    @classmethod
    def of(cls, keys: Ints, patients: Ints) -> Held:
        """Pairs from rows; a negative key is no value."""
        known = keys >= 0
        room = int(patients.max(initial=-1)) + 1
        pairs = np.unique(keys[known] * max(1, room) + patients[known])
        return cls(pairs // max(1, room), pairs % max(1, room))

    def holders(self) -> Ints:
        """How many patients hold the key of each pair: (n_pairs,)."""
        return np.bincount(self.keys)[self.keys] if len(self.keys) else np.zeros(0, dtype=np.int64)


def betrayed(held: Held, made: Ints, n_patients: int, *, fewest: int = 1, most: int = 1) -> Mask:
    """Patients who hold a key that reappears in `made` and that `fewest` to `most` patients share: (n_patients,)."""
    holders = held.holders()
    rare = (holders >= fewest) & (holders <= most)
    hit = np.zeros(n_patients, dtype=bool)
    hit[held.patients[rare & np.isin(held.keys, made)]] = True
    return hit


def by_chance(held: Held, apart: Mask) -> Mask:
    """The naive baseline: the same question with the patients `apart` in the place of the synthetic table.

    Their keys are no leak, whoever else has them. False for these patients themselves: (n_patients,).
    """
    theirs = apart[held.patients]
    rest = Held(held.keys[~theirs], held.patients[~theirs])
    return betrayed(rest, held.keys[theirs], len(apart))


class Scanned(NamedTuple):
    """One source of keys, such as a column: whom it betrays, and whom it would betray by chance.

    Attributes:
        hit: Patients whose own key reappears. few: Those of whom a key that two to ten patients share does.
        naive: See `by_chance`. (n_patients,) each.
    """

    name: str
    hit: Mask
    few: Mask
    naive: Mask


def scan(name: str, held: Held, made: Ints, apart: Mask) -> Scanned:
    """Ask one source.

    Args:
        apart: The patients who stand in for the synthetic table in the naive baseline: (n_patients,).
    """
    n = len(apart)
    few = betrayed(held, made, n, fewest=2, most=FEW - 1)
    return Scanned(name, betrayed(held, made, n), few, by_chance(held, apart))


def telling(scanned: Sequence[Scanned], apart: Mask) -> list[Scanned]:
    """The sources in which little comes up by chance, the most telling first, until `CHANCE` is spent."""
    ordered = sorted(scanned, key=lambda s: (int(s.naive.sum()), s.name))
    spent = np.cumsum([s.naive.sum() for s in ordered]) / max(1, int((~apart).sum()))
    return [s for s, so_far in zip(ordered, spent, strict=True) if so_far <= CHANCE]


def union(masks: Sequence[Mask], n: int) -> Mask:
    """Patients in any of the masks: (n,)."""
    return np.logical_or.reduce(masks) if masks else np.zeros(n, dtype=bool)
