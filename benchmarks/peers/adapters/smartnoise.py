"""smartnoise-synth's MST and AIM with their defaults, told the domain that we are; called by `benchmarks/private.py`.

Numbers are cut into 32 equal parts of the declared range (its own default is 10, and it knows no others); a part comes
out as its middle, whole numbers rounded. Labels are read off the table, uncharged, as a dictionary would name them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from snsynth.aim import AIMSynthesizer
from snsynth.mst import MSTSynthesizer
from snsynth.transform import BinTransformer, LabelTransformer, TableTransformer

PARTS = 32


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
    real = pd.read_csv(train, dtype=str, keep_default_na=False)
    values: dict[str, list[Any]] = {}
    columns, whole = [], set()
    for name in real.columns:
        told = domain[name]
        if "categories" in told:
            values[name] = real[name].tolist()  # a gap is one more label
            columns.append(LabelTransformer(nullable=False))
            continue
        numbers = pd.to_numeric(real[name].where(real[name] != ""))
        values[name] = [None if pd.isna(v) else float(v) for v in numbers]
        gaps = bool(numbers.isna().any())
        columns.append(BinTransformer(bins=PARTS, lower=told["lower"], upper=told["upper"], nullable=gaps))
        if (numbers.dropna() % 1 == 0).all():
            whole.add(name)
    kind = {"aim": AIMSynthesizer, "mst": MSTSynthesizer}[method]
    model = kind(epsilon=epsilon, delta=delta)
    model.fit(list(zip(*values.values(), strict=True)), transformer=TableTransformer(columns))
    fake = pd.DataFrame(model.sample(rows), columns=list(real.columns))
    for name in whole:
        fake[name] = pd.to_numeric(fake[name]).round()
    fake.to_csv(out, index=False)
