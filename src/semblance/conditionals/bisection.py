"""A binary tree over ordered cells, cut each time where the rows halve.

Guessing a cell becomes a short series of yes/no questions. A common cell is reached in a step or two and a rare
one in many, so the work per row is close to the column's entropy in bits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bisection:
    """The tree, as arrays over its inner nodes; node 0 is the root. Empty when there is one cell.

    Attributes:
        low, cut, high: A node splits cells [low, high) into [low, cut) and [cut, high). (n_nodes,)
        left, right: Child node, or -1 where the half is a single cell. (n_nodes,)
        prior: Log-odds that a training row at this node goes right. (n_nodes,)
        depth: Questions asked before this node. (n_nodes,)
    """

    low: Ints
    cut: Ints
    high: Ints
    left: Ints
    right: Ints
    prior: Floats
    depth: Ints

    def __len__(self) -> int:
        return len(self.cut)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {f.name: getattr(self, f.name).tolist() for f in fields(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Bisection:
        whole = {f.name: np.array(data[f.name], np.int32) for f in fields(cls) if f.name != "prior"}
        return cls(prior=np.array(data["prior"], np.float64), **whole)

    @property
    def n_levels(self) -> int:
        return int(self.depth.max(initial=-1)) + 1

    def paths(self, n_cells: int) -> tuple[Ints, NDArray[np.int8]]:
        """For each cell and level, the node visited (-1 after the end) and the turn taken (1 = right).

        Returns: two (n_cells, n_levels) arrays.
        """
        nodes = np.full((n_cells, self.n_levels), -1, dtype=np.int32)
        turns = np.zeros((n_cells, self.n_levels), dtype=np.int8)
        for node in range(len(self)):
            level = self.depth[node]
            nodes[self.low[node] : self.high[node], level] = node
            turns[self.cut[node] : self.high[node], level] = 1
        return nodes, turns


def bisect(counts: NDArray[np.int64], *, last_apart: bool = False, smoothing: float = 0.5) -> Bisection:
    """Build the tree for cells seen `counts` times.

    Args:
        counts: Training rows per cell. (n_cells,)
        last_apart: Ask first whether it is the last cell: "missing" is not a very large value.
        smoothing: Rows added to each side of a question before its log-odds are taken.
    """
    total = np.concatenate([[0], np.cumsum(counts)])
    nodes: list[tuple[int, int, int, float, int]] = []
    children: list[list[int]] = []

    def grow(low: int, high: int, depth: int) -> int:
        if high - low < 2:
            return -1
        cut = high - 1 if last_apart and depth == 0 else _halve(total, low, high)
        right, left = total[high] - total[cut], total[cut] - total[low]
        me = len(nodes)
        nodes.append((low, cut, high, float(np.log((right + smoothing) / (left + smoothing))), depth))
        children.append([-1, -1])
        children[me] = [grow(low, cut, depth + 1), grow(cut, high, depth + 1)]
        return me

    grow(0, len(counts), 0)
    columns = list(zip(*nodes, strict=True)) if nodes else [()] * 5
    kin = np.array(children, dtype=np.int32).reshape(-1, 2)
    low, cut, high, prior, depth = columns
    return Bisection(
        low=np.array(low, np.int32),
        cut=np.array(cut, np.int32),
        high=np.array(high, np.int32),
        left=kin[:, 0],
        right=kin[:, 1],
        prior=np.array(prior, np.float64),
        depth=np.array(depth, np.int32),
    )


def _halve(total: NDArray[np.int64], low: int, high: int) -> int:
    """The cut inside (low, high) that leaves the most equal numbers of rows on its sides."""
    half = (total[low] + total[high]) / 2
    cut = int(np.searchsorted(total, half))
    cut = min(max(cut, low + 1), high - 1)
    if cut - 1 > low and abs(total[cut - 1] - half) <= abs(total[cut] - half):
        cut -= 1
    return cut
