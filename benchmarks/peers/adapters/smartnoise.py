"""smartnoise-synth's MST and AIM with their defaults; called by `benchmarks/private.py`.

It cuts numbers into equal parts of a range and gives back their middles, which suits no skewed number. So numbers are
cut here into 20 parts of about as many rows, and drawn evenly inside them. Where the cuts lie, which labels occur and
which columns have gaps is read off the table uncharged: all this flatters it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from snsynth.aim import AIMSynthesizer
from snsynth.mst import MSTSynthesizer
from snsynth.transform import LabelTransformer, TableTransformer

PARTS = 20


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
    coded, cuts = real.copy(), {}
    for name in real.columns:
        if "categories" not in domain[name]:
            numbers = pd.to_numeric(real[name].where(real[name] != ""))
            cuts[name] = np.unique(np.quantile(numbers.dropna(), np.linspace(0, 1, PARTS + 1)))
            at = np.clip(np.searchsorted(cuts[name], numbers, side="right") - 1, 0, max(0, len(cuts[name]) - 2))
            coded[name] = np.where(numbers.isna(), "", at.astype(str))
    kind = {"aim": AIMSynthesizer, "mst": MSTSynthesizer}[method]
    model = kind(epsilon=epsilon, delta=delta)
    columns = [LabelTransformer(nullable=False) for _ in real.columns]  # a gap is one more label
    model.fit(list(coded.itertuples(index=False, name=None)), transformer=TableTransformer(columns))
    fake = pd.DataFrame(model.sample(rows), columns=list(real.columns))
    rng = np.random.default_rng(0)
    for name, ends in cuts.items():
        part = pd.to_numeric(fake[name].where(fake[name] != ""))
        low = part.map(dict(enumerate(ends)))
        width = part.map(dict(enumerate(np.append(np.diff(ends), 0.0))))
        fake[name] = low + width * rng.random(len(fake))
        if (pd.to_numeric(real[name].where(real[name] != "")).dropna() % 1 == 0).all():
            fake[name] = np.floor(fake[name])
    fake.to_csv(out, index=False)
