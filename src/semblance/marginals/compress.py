"""Cells too rare to be told from noise, put together: measuring them apart would add noise and tell nothing.

After McKenna, Miklau and Sheldon (2021), section 4.2. Reads noisy counts only, so it costs no privacy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.data.cells import Cells
from semblance.data.codes.hierarchy import hierarchy_of
from semblance.marginals.estimate import Measurement
from semblance.marginals.propagation import Floats
from semblance.marginals.shrink import MANY
from semblance.marginals.table import Codes, Table

CLEAR = 3.0
"""Standard deviations of noise above which a count is believed."""


@dataclass(frozen=True, eq=False)
class Compression:
    """For each column, which cells share a group.

    Attributes:
        groups: Cell → group. shares: Cell → its share of its group; 0 for a cell never drawn.
    """

    groups: tuple[NDArray[np.int32], ...]
    shares: tuple[Floats, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Groups of each column."""
        return tuple(int(g.max()) + 1 for g in self.groups)

    def ordered(self, columns: Sequence[Cells]) -> list[int]:
        """How many groups of each column, from the first, are stretches of a number in order; 0 for labels."""
        return [
            int(g[: c.n_values].max()) + 1 if c.column.numeric and c.n_values else 0
            for g, c in zip(self.groups, columns, strict=True)
        ]

    def shrink(self, table: Table) -> Table:
        """The table in groups. Touches each row on its own, so a patient moves it no further than before."""
        codes = np.empty_like(table.codes)
        for c, groups in enumerate(self.groups):
            codes[:, c] = groups[table.codes[:, c]]
        return Table(codes, self.sizes, table.most)

    def measured(self, found: Measurement) -> Measurement:
        """A noisy one-way marginal in groups. The sum of a group's noise is larger; its spread is kept in `sigma`."""
        groups = self.groups[found.attrs[0]]
        return Measurement(found.attrs, np.bincount(groups, weights=found.counts).astype(np.float64), found.sigma)

    def expand(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Cells of rows of groups: in each group drawn by the shares. (n, n_columns)"""
        wide = np.empty_like(codes)
        for c, (groups, shares) in enumerate(zip(self.groups, self.shares, strict=True)):
            members = [np.flatnonzero(groups == g) for g in range(int(groups.max()) + 1)]
            wide[:, c] = np.array([m[np.argmax(shares[m])] for m in members])[codes[:, c]]
            for g, inside in enumerate(members):
                rows = np.flatnonzero(codes[:, c] == g)
                if len(inside) > 1 and len(rows):
                    wide[rows, c] = rng.choice(inside, size=len(rows), p=shares[inside] / shares[inside].sum())
        return wide

    def given(self, column: int, allowed: Floats) -> tuple[Compression, Floats]:
        """The groups when only so much of each cell of a column is allowed, and how much of each group is.

        Args:
            allowed: Of each cell, 0 to 1.
        """
        shares = list(self.shares)
        whole = np.bincount(self.groups[column], weights=shares[column])
        shares[column] = shares[column] * allowed
        left = np.bincount(self.groups[column], weights=shares[column])
        return Compression(self.groups, tuple(shares)), np.divide(left, whole, out=np.zeros_like(left), where=whole > 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {"groups": [g.tolist() for g in self.groups], "shares": [s.tolist() for s in self.shares]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Compression:
        groups = tuple(np.array(g, dtype=np.int32) for g in data["groups"])
        return cls(groups, tuple(np.array(s, dtype=np.float64) for s in data["shares"]))


def learn_compression(
    measured: Sequence[Measurement], columns: Sequence[Cells], *, widest: int | None = None, exact: bool = False
) -> Compression:
    """Groups from noisy one-way marginals, one of each column, in order.

    Labels that are not clear of noise share one group. Of a number, neighbours that are not clear are put together
    until they are; what is left over counts as the cell beside it and is never drawn, so that noise on the many cells
    where there is nobody makes no patients there. Nor does it make gaps: "missing" that is not clear is never drawn.

    Args:
        widest: Groups of a number, about, at most; None for as many as are clear.
        exact: The counts hold no noise, so that gaps which are counted are there.
    """
    groups, shares = [], []
    for found, cells in zip(measured, columns, strict=True):
        group, share = _of_numbers(found, cells.n_values, widest) if cells.column.numeric else _of_labels(found, cells)
        gap = cells.n_values
        if not exact and found.counts[gap] < CLEAR * found.sigma:
            _rule_out(gap, found, group, share)
        groups.append(group)
        shares.append(share)
    return Compression(tuple(groups), tuple(shares))


def _of_labels(found: Measurement, cells: Cells) -> tuple[NDArray[np.int32], Floats]:
    """A group for each label that is clear, one for each chapter of codes whose others are, and one for the rest."""
    clear = found.counts >= CLEAR * found.sigma
    share = np.ones(len(clear))
    many = cells.n_values >= MANY
    share[~clear] = _of_shrunk(found.counts[~clear]) if many else _of_rare(found.counts[~clear], found.sigma)
    names = np.where(clear, [f"label {i}" for i in range(len(clear))], "rest")
    for chapter, inside in _chapters(cells, len(clear)).items():
        rare = inside & ~clear
        if found.counts[rare].sum() >= CLEAR * found.sigma:
            names[rare] = chapter
    return _numbered(names, clear), share


def _chapters(cells: Cells, n: int) -> dict[str, NDArray[np.bool_]]:
    """Which cells belong to each chapter of the classification, where labels are codes of one: {chapter: (n,)}."""
    known = hierarchy_of(cells.column.code_system)
    if known is None or cells.n_values < MANY:
        return {}
    codes = [known.read(label) for label in cells.labels]
    chapters = np.array([known.path(code[0])[-2] if code else "" for code in codes] + [""] * (n - cells.n_values))
    return {chapter: chapters == chapter for chapter in np.unique(chapters) if chapter}


def _numbered(names: NDArray[np.str_], clear: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Numbers of groups: those of single labels first, in their order."""
    order = dict.fromkeys([*names[clear], *names[~clear]])
    place = {name: i for i, name in enumerate(order)}
    return np.array([place[name] for name in names], dtype=np.int32)


def _of_numbers(found: Measurement, n_values: int, widest: int | None) -> tuple[NDArray[np.int32], Floats]:
    """Runs of neighbouring values; "missing", and what has no cell, are groups of their own."""
    counts, sigma = found.counts, found.sigma
    least = 0.0 if widest is None else float(counts[:n_values].sum()) / widest
    clear, enough = CLEAR * sigma, max(CLEAR * sigma, least)
    runs: list[list[int]] = []
    left: list[int] = []
    for cell in range(n_values):
        if counts[cell] >= enough:  # stands for itself; what is left before it does, or is dropped
            runs += [left] if counts[left].sum() >= clear * np.sqrt(max(1, len(left))) else []
            runs, left = [*runs, [cell]], []
            continue
        left.append(cell)
        if counts[left].sum() >= max(clear * np.sqrt(len(left)), least):
            runs, left = [*runs, left], []
        elif counts[left].sum() <= 0:
            left = []  # nobody so far: begin anew with the next
    if left and counts[left].sum() >= clear * np.sqrt(len(left)):
        runs.append(left)
    runs = runs or [list(range(n_values))][:n_values]
    share, group = np.zeros(len(counts)), np.zeros(len(counts), dtype=np.int32)
    for run in runs:
        share[run] = _of_rare(counts[run], sigma) if len(run) > 1 else 1.0
    ends = np.array([run[-1] for run in runs], dtype=np.int64)
    group[:n_values] = np.minimum(np.searchsorted(ends, np.arange(n_values)), len(runs) - 1)
    others = np.arange(n_values, len(counts))
    group[others], share[others] = len(runs) + np.arange(len(others)), 1.0
    return group, share


def _rule_out(cell: int, found: Measurement, group: NDArray[np.int32], share: Floats) -> None:
    """Let a cell never be drawn: its rows count as others of its group, or as the rarest group."""
    share[cell] = 0.0
    mates = (group == group[cell]) & (np.arange(len(group)) != cell)
    if mates.any():
        if not share[mates].any():
            share[mates] = 1.0
        return
    if len(group) == 1:
        share[cell] = 1.0
        return
    sums = np.bincount(group, weights=found.counts)
    drawn = np.bincount(group, weights=share) > 0
    group[cell] = int(np.argmin(np.where(drawn, sums, np.inf)))
    group[:] = np.unique(group, return_inverse=True)[1]


def _of_rare(counts: Floats, sigma: float) -> Floats:
    """How likely each of the rare cells is: those above one standard deviation by their counts, else all alike."""
    kept = np.where(counts > sigma, counts, 0.0)
    return kept if kept.any() else np.ones(len(counts))


def _of_shrunk(counts: Floats) -> Floats:
    """How likely each of many rare labels is, from expected counts (``shrink.py``)."""
    kept = np.maximum(counts, 0.0)
    return kept if kept.any() else np.ones(len(counts))
