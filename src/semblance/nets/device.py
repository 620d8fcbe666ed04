"""Where a net computes, and how many processors it may use there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def device() -> torch.device:
    """The GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch use `n` processors in this thread, or fewer where it was allowed fewer (OMP_NUM_THREADS).

    More would fight with what runs beside it: threads that wait for each other keep their processors busy.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(min(n, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
