"""MOSTLY AI's TabularARGN on the CPU with its defaults; it models missing values itself."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from mostlyai.engine import TabularARGN


def synthesise(train: Path, out: Path, *, rows: int, seed: int) -> None:
    real = pd.read_csv(train, keep_default_na=False, na_values=[""])
    model = TabularARGN(device="cpu", random_state=seed)
    model.fit(real)
    model.sample(n_samples=rows)[list(real)].to_csv(out, index=False)
