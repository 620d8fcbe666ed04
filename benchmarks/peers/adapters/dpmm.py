"""dpmm's MST and AIM with their defaults, told the same domain as we are; called by `benchmarks/private.py`.

A tenth of epsilon goes to its private bins, the rest to the model, so that both together are what was asked for. Which
columns have gaps it reads off the data, uncharged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from dpmm.pipelines import AIMPipeline, MSTPipeline

PRIVATE_BINS = 0.1


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
    real = pd.read_csv(train, dtype=str, keep_default_na=False, na_values=[""])
    for name, told in domain.items():
        real[name] = real[name].astype("category") if "categories" in told else real[name].astype(float)
    kind = {"aim": AIMPipeline, "mst": MSTPipeline}[method]
    model = kind(epsilon=(1 - PRIVATE_BINS) * epsilon, delta=delta, proc_epsilon=PRIVATE_BINS * epsilon, n_jobs=1)
    model.fit(real, domain=domain)
    fake = model.generate(n_records=rows)
    for name in real.columns:
        if "categories" not in domain[name] and (real[name].dropna() % 1 == 0).all():
            fake[name] = fake[name].round()
    fake[list(real.columns)].to_csv(out, index=False)
