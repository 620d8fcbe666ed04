"""MOSTLY AI's TabularARGN with differential privacy, defaults otherwise; called by `benchmarks/private.py`.

A tenth of epsilon goes to its value ranges, which it finds by itself (it takes no domain), the rest to training by
DP-SGD, which ends where epsilon is used up. Its unit is a row, as ours is where every row is a patient.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mostlyai.engine import TabularARGN
from mostlyai.engine.domain import DifferentialPrivacyConfig

RANGES = 0.1


def synthesise(
    train: Path,
    out: Path,
    *,
    rows: int,
    method: str,
    epsilon: float,
    delta: float,
    domain: dict[str, dict[str, Any]],
) -> None:
    real = pd.read_csv(train, keep_default_na=False, na_values=[""])
    private = DifferentialPrivacyConfig(
        max_epsilon=(1 - RANGES) * epsilon, value_protection_epsilon=RANGES * epsilon, delta=delta
    )
    model = TabularARGN(device="cpu", differential_privacy=private)
    model.fit(real)
    model.sample(n_samples=rows)[list(real)].to_csv(out, index=False)
