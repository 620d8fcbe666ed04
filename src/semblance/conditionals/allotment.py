"""A stated time, divided among pieces of work by what they are expected to cost.

When time is short every piece is cut, in proportion, instead of the last ones going without. What a piece does not
need goes to those after it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semblance.interruption import check

Spent = Callable[[], bool]
"""Whether a time is over, asked at moments when the work can stop. Raises KeyboardInterrupt when somebody said stop."""


def endless() -> bool:
    """A time that is never over."""
    check()
    return False


@dataclass(slots=True)
class Allotment:
    """The time of one piece of work, until a moment of `time.monotonic`; `cut_short` once work was left undone."""

    until: float
    cut_short: bool = False

    def part(self, share: float) -> Spent:
        """The next part of the piece, which may take this share of the time that is left."""
        now = time.monotonic()
        end = now + max(0.0, self.until - now) * max(share, 1e-9)

        def spent() -> bool:
            check()
            over = time.monotonic() >= end
            self.cut_short |= over
            return over

        return spent


class Plan:
    """Time for pieces of work that several workers do at once.

    Args:
        costs: Expected cost of each piece, in any unit. minutes: For all of them; infinite for no limit.
    """

    def __init__(self, costs: Sequence[float], *, minutes: float, workers: int) -> None:
        self._costs, self._workers = costs, workers
        self._until = time.monotonic() + 60.0 * minutes
        self._waiting = float(sum(costs))  # cost of the pieces that have not begun
        self._others: dict[int, Allotment] = {}
        self._lock = threading.Lock()

    def begin(self, piece: int) -> Allotment:
        """The time for this piece, from now: its share of all workers' time that others do not hold yet."""
        with self._lock:
            now = time.monotonic()
            left = max(0.0, self._until - now)
            held = sum(max(0.0, min(other.until, self._until) - now) for other in self._others.values())
            free = self._workers * left - held if left < float("inf") else left
            share = self._costs[piece] / self._waiting if self._waiting else 1.0
            self._waiting -= self._costs[piece]
            made = self._others[piece] = Allotment(now + min(left, max(0.0, free) * min(1.0, share)))
            return made

    def end(self, piece: int) -> None:
        """The piece is done; what it did not use is free again."""
        with self._lock:
            del self._others[piece]
