"""Cells too rare to be told from noise, put together: measuring them apart would add noise and tell nothing.

After McKenna, Miklau and Sheldon (2021), section 4.2. Reads noisy counts only, so it costs no privacy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.marginals.estimate import Measurement
from semblance.marginals.propagation import Floats
from semblance.marginals.table import Codes, Table

Bools = NDArray[np.bool_]

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


def learn_compression(measured: Sequence[Measurement], gaps: Sequence[int]) -> Compression:
    """Groups from noisy one-way marginals, one of each column, in order.

    Args:
        gaps: Cell of each column that stands for "missing", -1 for none: where it is not clearly there, it is never
            drawn, so that gaps do not appear from noise.
    """
    groups, shares = [], []
    for found, gap in zip(measured, gaps, strict=True):
        clear = found.counts >= CLEAR * found.sigma
        group = np.zeros(len(clear), dtype=np.int32)
        group[clear] = np.arange(int(clear.sum()))
        group[~clear] = int(clear.sum())
        share = np.ones(len(clear))
        share[~clear] = _of_rare(found.counts[~clear], found.sigma)
        if gap >= 0 and not clear[gap]:
            _rule_out(gap, clear, found.counts, group, share)
        groups.append(group)
        shares.append(share)
    return Compression(tuple(groups), tuple(shares))


def _rule_out(gap: int, clear: Bools, counts: Floats, group: NDArray[np.int32], share: Floats) -> None:
    """Let a cell that is not clearly there never be drawn: its rows count as others of its group, or as the rarest."""
    others = ~clear & (np.arange(len(clear)) != gap)
    if others.any():
        share[gap] = 0.0
        if not share[others].any():
            share[others] = 1.0
    elif clear.any():
        share[gap] = 0.0
        group[gap] = group[np.argmin(np.where(clear, counts, np.inf))]


def _of_rare(counts: Floats, sigma: float) -> Floats:
    """How likely each of the rare cells is: those above one standard deviation by their counts, else all alike."""
    kept = np.where(counts > sigma, counts, 0.0)
    return kept if kept.any() else np.ones(len(counts))
