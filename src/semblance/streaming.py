"""Rows drawn in blocks, so that a table of any length needs the memory of a few blocks.

Every call draws the same blocks, whether it keeps them together or writes them one by one, and whatever the number of
processors: the same seed gives the same rows. Conditions and shares are met within each block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from semblance.conditioning import rows_given
from semblance.contracts import Account, Model, Run
from semblance.data.dataset import Dataset
from semblance.data.surrogates import Surrogates
from semblance.destination import write_blocks
from semblance.engines.local import Local
from semblance.errors import InputError

BLOCK = 50_000
"""Rows of a block. Part of what a seed means: another size would draw other rows."""


class Stream:
    """`n` synthetic rows with fresh identifiers, block by block; iterate once.

    Args:
        given, balance: Conditions; see `conditioning.sample_given`.
        avoid: Real patients whose identifiers must not come up by chance.

    Raises:
        InputError: `n` is less than 1; and as `conditioning.sample_given`, when the first block is drawn.
    """

    def __init__(
        self,
        model: Model,
        run: Run,
        *,
        n: int,
        given: Sequence[str] = (),
        balance: str = "",
        avoid: Dataset | None = None,
    ) -> None:
        if n < 1:
            raise InputError("the number of rows to draw must be at least 1.")
        self._model, self._run, self._n = model, run, n
        self._given, self._balance = given, balance
        self._surrogates = Surrogates(run.seeds, rows=n, avoid=avoid)
        self._accounts: dict[str, list[Account]] = {}

    def __iter__(self) -> Iterator[Dataset]:
        starts = range(0, self._n, BLOCK)
        if len(starts) == 1:
            yield self._finished(*self._drawn(self._run, self._n))
            return
        window = self._run.engine.workers  # as many blocks at once, and in memory
        for first in range(0, len(starts), window):
            now = starts[first : first + window]
            self._run.progress("drawing rows", now[0], self._n)
            for block in self._run.engine.map(self._block, now):
                yield self._finished(*block)
        self._run.progress("drawing rows", self._n, self._n)

    @property
    def accounts(self) -> Mapping[str, Account]:
        """What the rows drawn so far are worth, by condition; empty without conditions."""
        return {said: Account.together(parts) for said, parts in self._accounts.items()}

    def _block(self, start: int) -> tuple[Dataset, Mapping[str, Account]]:
        """The block that begins at this row, on one processor: the others draw other blocks."""
        whole = self._run

        def still_here(stage: str, done: int, total: int) -> None:
            whole.progress("drawing rows", start - start % (BLOCK * whole.engine.workers), self._n)

        seeds = whole.seeds.within(f"block/{start // BLOCK}") if start else whole.seeds
        alone = replace(whole, seeds=seeds, engine=Local(workers=1), progress=still_here)
        return self._drawn(alone, min(BLOCK, self._n - start))

    def _drawn(self, run: Run, n: int) -> tuple[Dataset, Mapping[str, Account]]:
        if self._given or self._balance:
            return rows_given(self._model, run, n=n, given=self._given, balance=self._balance)
        return self._model.sample(n, run), {}

    def _finished(self, block: Dataset, accounts: Mapping[str, Account]) -> Dataset:
        for said, account in accounts.items():
            self._accounts.setdefault(said, []).append(account)
        return self._surrogates.fill(block)


def draw(stream: Stream) -> Dataset:
    """All of its rows in one table."""
    blocks = list(stream)
    if len(blocks) == 1:
        return blocks[0]
    return replace(blocks[0], frame=pd.concat([block.frame for block in blocks], ignore_index=True))


def draw_into(path: Path | str, stream: Stream) -> Path:
    """Write its rows as they are drawn, in the format that the extension names; nothing is at `path` until the end.

    Raises:
        Unsupported: no format has this extension.
        InputError: the place cannot be written to.
    """
    return write_blocks(stream, path)
