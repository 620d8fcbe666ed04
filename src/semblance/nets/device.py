"""Where a net computes, and how many processors it may use there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from semblance import nets


def device() -> torch.device:
    """The GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def threads(n: int = 0) -> Iterator[None]:
    """Let torch compute in `n` threads, whatever it was allowed (OMP_NUM_THREADS); 0 for ``nets.PROCESSORS``.

    In another number of them sums are added up in another order, and a seed would no longer give the same bytes. It
    goes before a function as well as into a `with`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n or nets.PROCESSORS)
    try:
        yield
    finally:
        torch.set_num_threads(before)
