"""Our own generators, by the same road as the peers: the schema is what `describe` infers, all else the defaults."""

from __future__ import annotations

from pathlib import Path

import semblance as sb
from semblance.destination import write_table


def synthesise(train: Path, out: Path, *, rows: int, seed: int, generator: str, target: str) -> None:
    real = sb.read(train, sb.describe(train, target=target))
    run = sb.begin(seed=seed)
    write_table(sb.sample(sb.fit(real, run, generator=generator), run, n=rows), out)
