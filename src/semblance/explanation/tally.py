"""Counts of one column in words that may be told: fewer than eleven patients stay uncounted, the rest is rounded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.describe.look import Look
from semblance.release.disclosure import SMALLEST_SHOWN, protect_count

FEW = f"fewer than {SMALLEST_SHOWN}"


@dataclass(frozen=True)
class Tally:
    """How many rows and patients hold which cells of a column. Without a subject, each row is a patient."""

    look: Look

    @property
    def n_rows(self) -> int:
        return len(self.look.seen.codes)

    @cached_property
    def patients(self) -> NDArray[np.int64]:
        """Patient of each row, -1 where the table does not say: (n_rows,)."""
        return np.arange(self.n_rows) if self.look.patients is None else self.look.patients

    @cached_property
    def common(self) -> tuple[str, ...]:
        """Filled cells that at least eleven patients hold, commonest first."""
        pairs = pd.DataFrame({"cell": self.look.seen.codes, "patient": self.patients})
        holders = pairs.groupby("cell")["patient"].nunique()
        position = {text: i for i, text in enumerate(self.look.seen.distinct)}
        return tuple(text for text in self.look.filled if holders.get(position[text], 0) >= SMALLEST_SHOWN)

    def of(self, texts: Iterable[str]) -> str:
        """The rows that hold one of these cells, as "about 1,250 rows" or "fewer than 11 patients"."""
        return self.of_rows(self.look.seen.rows_of(set(texts)))

    def without_value(self, missing: Collection[str]) -> NDArray[np.int64]:
        """Rows whose cell means "no value": (n,)."""
        spelled = self.look.seen.rows_of(set(missing))
        return np.union1d(spelled, np.flatnonzero(self.look.seen.codes < 0)).astype(np.int64)

    def of_rows(self, rows: NDArray[np.int64]) -> str:
        holders = len(np.unique(self.patients[rows]))
        if not holders:
            return "no row"
        return f"{FEW} patients" if holders < SMALLEST_SHOWN else f"about {protect_count(len(rows)):,} rows"


def some(n: int) -> str:
    """A number of cells that few patients may hold."""
    return FEW if n < SMALLEST_SHOWN else f"about {protect_count(n):,}"
