"""Run work on this machine's own processors. The answer other engines must reproduce."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

A = TypeVar("A")
B = TypeVar("B")


def processors() -> int:
    """Processors this process may use, at least one."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not on Linux
        return max(1, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Local:
    """Threads, because the heavy work (LightGBM, BLAS) releases Python's lock."""

    name: ClassVar[str] = "local"
    about: ClassVar[str] = "threads on this machine"
    workers: int = field(default_factory=processors)

    def map(self, fn: Callable[[A], B], items: Iterable[A]) -> list[B]:
        """`fn` of each item, in order. The first error stops the rest that have not begun."""
        work = list(items)
        if self.workers == 1 or len(work) < 2:
            return [fn(item) for item in work]
        with ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(fn, item) for item in work]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise
