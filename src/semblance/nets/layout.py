"""Where the cells of each column lie in one wide matrix, as a net's input or as its answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


class Layout:
    """Columns as blocks of a row of width sum(sizes).

    Args:
        sizes: Cells of each column.

    Attributes:
        width: All cells together. starts: Where each column's block begins.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = [int(size) for size in sizes]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])[:-1].tolist()
        self.width = sum(self.sizes)

    def one_hot(self, codes: Tensor) -> Tensor:
        """(n, n_columns) of cells -> (n, width) of 0 and 1; a block of zeros where the cell is -1, unknown."""
        known = codes >= 0
        places = codes.clamp(min=0).long() + torch.tensor(self.starts, device=codes.device)
        wide = torch.zeros(len(codes), self.width, device=codes.device)
        return wide.scatter_(1, places, known.to(wide.dtype))

    def split(self, wide: Tensor) -> tuple[Tensor, ...]:
        """(n, width) -> one (n, size) for each column."""
        return torch.split(wide, self.sizes, dim=1)

    def log_softmax(self, logits: Tensor) -> Tensor:
        """Log-probabilities within each column: (n, width) -> (n, width)."""
        return torch.cat([functional.log_softmax(block, dim=1) for block in self.split(logits)], dim=1)


def count_cells(codes: NDArray[np.int32], sizes: Sequence[int]) -> list[NDArray[np.float64]]:
    """How often each cell of each column is seen, unknown ones left out: (n, n_columns) -> one (size,) a column."""
    return [np.bincount(codes[codes[:, c] >= 0, c], minlength=n).astype(np.float64) for c, n in enumerate(sizes)]


def shares_of(counts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Share of each cell within its column: (width,).

    Where every label is too rare to be drawn, no cell has been seen, and the column comes out empty.
    """
    return np.concatenate([c / c.sum() if c.any() else np.full(len(c), 1 / len(c)) for c in counts])


def ranks(sizes: Sequence[int], counts: Sequence[NDArray[np.float64]], ordered: Sequence[bool]) -> NDArray[np.float32]:
    """Where each cell of an ordered column lies in the middle of its mass, from -1 to 1; 0 for other cells: (width,).

    Args:
        counts: How often each cell of each column was seen in training. ordered: Which columns have an order.
    """
    placed = []
    for size, count, has_order in zip(sizes, counts, ordered, strict=True):
        total = float(count.sum())
        if not has_order or total <= 0:
            placed.append(np.zeros(size))
            continue
        placed.append(2 * (np.cumsum(count) - count / 2) / total - 1)
    return np.concatenate(placed).astype(np.float32) if placed else np.zeros(0, np.float32)
