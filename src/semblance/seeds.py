"""Named random streams: the same purpose gives the same numbers, whatever ran before it.

A stream is keyed by the root seed and a written purpose (``"fit/chain/age"``), so neither the order of
the steps nor the number of workers changes an answer. Differential-privacy noise never comes from here:
it is drawn from the operating system, because a published noise seed undoes the guarantee.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Seeds:
    """All randomness of a run that may be replayed, from one `root` integer.

    Example:
        >>> seeds = Seeds(7)
        >>> bool(seeds("split").random() == seeds("split").random())
        True
    """

    root: int = 0

    def __call__(self, purpose: str) -> np.random.Generator:
        """A fresh generator for `purpose`; calling twice restarts the same stream."""
        return np.random.Generator(np.random.PCG64(self._digest(purpose)))

    def integer(self, purpose: str) -> int:
        """A seed in [0, 2**31) for a library that only takes integers."""
        return self._digest(purpose) % (2**31)

    def within(self, purpose: str) -> Seeds:
        """The streams of one sub-task: ``seeds.within("fold/3")("split")``."""
        return Seeds(self._digest(purpose))

    def _digest(self, purpose: str) -> int:
        text = f"{self.root}\x00{purpose}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:16], "big")
