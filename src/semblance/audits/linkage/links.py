"""Half a record on either side, and the synthetic rows nearest to each half: do the two meet in one row?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from semblance.data.dataset import Dataset
from semblance.data.encode import Space
from semblance.schema import Column

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Points = NDArray[np.float32]

DECLARED = "declared"
_BLOCK = 256  # queries ranked at once


@dataclass(frozen=True)
class Halves:
    """Two tables of the same patients, as an attacker may hold them: their columns, with none in common."""

    name: str
    one: tuple[Column, ...]
    other: tuple[Column, ...]


def declared(columns: Sequence[Column]) -> Halves | None:
    """What outsiders may know, against the rest; None where nothing is on one of the sides."""
    known = tuple(c for c in columns if c.role == "quasi-identifier")
    rest = tuple(c for c in columns if c.role != "quasi-identifier")
    return Halves(DECLARED, known, rest) if known and rest else None


def at_random(columns: Sequence[Column], wanted: int, rng: np.random.Generator) -> list[Halves]:
    """At most `wanted` different cuts of the columns into halves of equal size, or nearly."""
    found: dict[frozenset[int], Halves] = {}
    for _ in range(4 * wanted if len(columns) > 1 else 0):
        order = rng.permutation(len(columns))
        one, other = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
        # The same cut may come with its sides exchanged.
        key = frozenset(int(i) for i in (one if len(one) < len(other) or one[0] == 0 else other))
        sides = (tuple(columns[i] for i in one), tuple(columns[i] for i in other))
        found.setdefault(key, Halves(f"random {len(found) + 1}", *sides))
        if len(found) == wanted:
            break
    return list(found.values())


def linked(
    halves: Halves, patients: Sequence[Dataset], fake: Dataset, reach: Sequence[int], rng: np.random.Generator
) -> dict[int, Mask]:
    """Whether the k synthetic rows nearest by one half and the k nearest by the other share a row.

    Args:
        patients: Tables whose rows are attacked, one below the other. reach: The numbers k.

    Returns:
        For each k: (n_rows,). Missing lies at distance 0 from missing; ties are broken at random, on each side anew,
        for rows that merely come first in the table would else meet each other.
    """
    found = []
    for side in (halves.one, halves.other):
        space = Space.fit([*patients, fake], side)
        points = np.vstack([space(data) for data in patients])
        found.append(closest(points, space(fake), max(reach), rng))
    return {k: _meet(found[0][:, :k], found[1][:, :k]) for k in reach}


def closest(queries: Points, points: Points, k: int, rng: np.random.Generator) -> Ints:
    """Positions of the k nearest points of each query, nearest first, ties in random order: (n_queries, k)."""
    centre = points.mean(axis=0)  # small norms lose fewer digits
    shifted = points - centre
    norms = np.einsum("ij,ij->i", shifted, shifted)
    k = min(k, len(points))
    found = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), _BLOCK):
        block = queries[start : start + _BLOCK] - centre
        order = rng.permutation(len(points))
        distance = norms[order] - 2 * (block @ shifted[order].T)
        row = np.arange(len(block))
        for i in range(k):
            first = distance.argmin(axis=1)
            found[start + row, i] = order[first]
            distance[row, first] = np.inf
    return found


def by_chance(k: int, rows: int) -> float:
    """Chance that two random sets of k of `rows` rows share one; about k² / rows."""
    return float(1 - distributions.hypergeom.pmf(0, rows, min(k, rows), min(k, rows)))


def _meet(one: Ints, other: Ints) -> Mask:
    return np.asarray((one[:, :, None] == other[:, None, :]).any(axis=(1, 2)))
