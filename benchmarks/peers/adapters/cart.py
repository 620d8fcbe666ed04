"""python-synthpop's CART with its class defaults.

It asks for numbers without gaps: labels become codes (a missing label is one more label), and a missing number becomes
one number far below all others, which its trees split off and its leaves give back unchanged.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from synthpop import CARTMethod


def synthesise(train: Path, out: Path, *, rows: int, seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002 (it draws from numpy's global stream)
    real = pd.read_csv(train, keep_default_na=False, na_values=[""])
    coded, labels, gaps, kinds = {}, {}, {}, {}
    for name, column in real.items():
        if pd.api.types.is_numeric_dtype(column):
            gaps[name] = 2 * column.min() - column.max() - 1
            coded[name], kinds[name] = column.fillna(gaps[name]).astype(float), "numerical"
        else:
            coded[name], labels[name] = pd.factorize(column, use_na_sentinel=False)
            kinds[name] = "categorical"
    model = CARTMethod(kinds, random_state=seed)
    model.fit(pd.DataFrame(coded))
    fake = model.sample(rows)
    for name in real:
        if name in labels:
            fake[name] = labels[name][fake[name].astype(int)]
        else:
            fake[name] = fake[name].astype(float).where(fake[name] != gaps[name])
    fake[list(real)].to_csv(out, index=False)
