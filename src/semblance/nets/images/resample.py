"""Maps of twice or half the size, smoothed, as two products with a small matrix.

On a processor products are several times faster than torch's own resampling, they can be differentiated twice, as
penalties of gradients ask, and on a GPU they give the same bytes each time.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def double(x: Tensor) -> Tensor:
    """Twice the height and width, bilinear: (n, c, h, w) -> (n, c, 2 h, 2 w)."""
    return _times(_rise(x.shape[2]), x, _rise(x.shape[3]))


def halve(x: Tensor) -> Tensor:
    """Half the height and width, each place a mean with weights 1 3 3 1: (n, c, 2 h, 2 w) -> (n, c, h, w)."""
    return _times(_fall(x.shape[2] // 2), x, _fall(x.shape[3] // 2))


def _times(down: Tensor, x: Tensor, right: Tensor) -> Tensor:
    return down.to(x) @ x @ right.to(x).T


@cache
def _rise(n: int) -> Tensor:
    """(2 n, n): each place is 3/4 of the one it lies in and 1/4 of the next, the edge repeated."""
    rise = torch.zeros(2 * n, n)
    for place in range(2 * n):
        own, other = place // 2, place // 2 + (1 if place % 2 else -1)
        rise[place, own] += 0.75
        rise[place, min(max(other, 0), n - 1)] += 0.25
    return rise


@cache
def _fall(n: int) -> Tensor:
    """(n, 2 n): the transpose of `_rise`, with rows that add up to 1."""
    fall = _rise(n).T
    return fall / fall.sum(dim=1, keepdim=True)
