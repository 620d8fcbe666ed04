"""Made-up patients who are put into training by the toss of a coin, where each of them shows as much as can be.

A promise of differential privacy holds for every table, so it may be tried on the ones that are hardest on it. There
are two. In `pairs` any two columns together name one canary, so that whatever pair of columns a mechanism counts, each
canary is alone in a cell. In `names` each canary has a label that nobody else has, and that nobody declared: a
mechanism that takes its labels from the patients shows it. In both a canary has many rows, for a mechanism that
protects rows where it promises patients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.schema import Column, Schema

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

PATIENT = "patient"
"""The column that names the patient."""


@dataclass(frozen=True, eq=False)
class Canaries:
    """Made-up patients, which of them the coins put in, and others who are always in.

    Attributes:
        everyone: All rows: those of canary 0, of canary 1, …, then those of the others.
        rows_each: Of each canary. inside: (m,).
    """

    everyone: Dataset
    rows_each: int
    inside: Bools

    @classmethod
    def pairs(
        cls, count: int, rng: np.random.Generator, *, rows_each: int, columns: int = 2, crowd: int = 100
    ) -> Canaries:
        """Canaries of whom no two share more than one value, over declared labels.

        On the points (x, y) of a square grid of prime side, column 0 says y and column j says x + j·y: any two of
        them give back the point. Points without a canary stay empty, but for those of x = 0.

        Args:
            count: m. columns: At least 2, at most the side of the grid. crowd: Others at each point of x = 0, so that
                no label is rare, though each canary's combination is.
        """
        side = _prime_from(math.ceil(0.5 + math.sqrt(count + 0.25)))
        if not 2 <= columns <= side:
            raise ValueError("at least 2 columns, and no more than the grid is wide.")
        y, x = np.divmod(rng.permutation(side * (side - 1))[:count], side - 1)
        y, x = np.r_[y, np.arange(side).repeat(crowd)], np.r_[x + 1, np.zeros(side * crowd, int)]
        said = {"c0": y, **{f"c{j}": (x + j * y) % side for j in range(1, columns)}}
        labels = tuple(f"v{i}" for i in range(side))
        schema = [Column(name, "category", categories=labels, bounds="declared") for name in said]
        return cls._of({name: np.array(labels, object)[at] for name, at in said.items()}, schema, count, rows_each, rng)

    @classmethod
    def names(cls, count: int, rng: np.random.Generator, *, rows_each: int, crowd: int = 500) -> Canaries:
        """Canaries each of whom alone has its label, in a column whose labels nobody declared; others share one."""
        labels = np.array([*(f"own{i}" for i in rng.permutation(count)), *["shared"] * crowd], object)
        return cls._of({"label": labels}, [Column("label", "category")], count, rows_each, rng)

    @classmethod
    def _of(
        cls,
        said: dict[str, NDArray[np.object_]],
        columns: list[Column],
        count: int,
        rows: int,
        rng: np.random.Generator,
    ) -> Canaries:
        patients = len(next(iter(said.values())))
        times = np.where(np.arange(patients) < count, rows, 1)
        who = np.array([f"p{i}" for i in range(patients)], object)
        frame = pd.DataFrame(
            {PATIENT: who.repeat(times), **{name: value.repeat(times) for name, value in said.items()}}
        )
        subject = Column(PATIENT, "code", role="subject", handling="surrogate")
        return cls(Dataset(frame, Schema((subject, *columns))), rows, rng.random(count) < 0.5)

    @property
    def trained_on(self) -> Dataset:
        """The rows of the canaries that are in, and of all others."""
        kept = np.ones(self.everyone.n_rows, dtype=bool)
        kept[: len(self.inside) * self.rows_each] = self.inside.repeat(self.rows_each)
        return self.everyone.take(kept)

    def suspicion(self, seen: Dataset) -> Floats:
        """Share of the rows seen that lie where each canary does, on average over pairs of columns: (m,)."""
        names = [column.name for column in self.everyone.schema.modelled]
        own = self.everyone.frame.iloc[: len(self.inside) * self.rows_each : self.rows_each]
        if len(names) == 1:
            return _share(own, seen.frame, names)
        every = [[a, b] for i, a in enumerate(names) for b in names[i + 1 :]]
        return np.asarray(np.mean([_share(own, seen.frame, pair) for pair in every], axis=0))


def _share(own: pd.DataFrame, seen: pd.DataFrame, names: list[str]) -> Floats:
    both = pd.concat([own[names], seen[names]], ignore_index=True)
    cell = both.groupby(names, sort=False, dropna=False).ngroup().to_numpy()
    counts = np.bincount(cell[len(own) :], minlength=int(cell.max()) + 1)
    return np.asarray(counts[cell[: len(own)]] / max(1, len(seen)))


def _prime_from(n: int) -> int:
    while n < 2 or any(n % i == 0 for i in range(2, math.isqrt(n) + 1)):
        n += 1
    return n
