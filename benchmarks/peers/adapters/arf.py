"""arfpy's adversarial random forest with its defaults.

It knows no missing values: a missing label is one more label, and a number with gaps is filled with its median beside a
label column that says where the gaps were, put back afterwards. Whole numbers are rounded, which it leaves to its user.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from arfpy import arf


def synthesise(train: Path, out: Path, *, rows: int, seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002 (it draws from numpy's global stream)
    real = pd.read_csv(train, keep_default_na=False, na_values=[""])
    full: dict[str, pd.Series] = {}
    for name, column in real.items():
        if not pd.api.types.is_numeric_dtype(column):
            full[name] = column.fillna("missing").astype(str)
            continue
        full[name] = column.fillna(column.median()).astype(float)
        if column.isna().any():
            full[f"{name} is missing"] = column.isna().map({True: "yes", False: "no"})
    model = arf.arf(x=pd.DataFrame(full), verbose=False, random_state=seed)
    model.forde()
    fake = model.forge(n=rows)
    for name, column in real.items():
        if not pd.api.types.is_numeric_dtype(column):
            fake[name] = fake[name].where(column.notna().all() | (fake[name] != "missing"))
            continue
        if (column.dropna() % 1 == 0).all():
            fake[name] = fake[name].round()
        if column.isna().any():
            fake[name] = fake[name].where(fake[f"{name} is missing"] == "no")
    fake[list(real)].to_csv(out, index=False)
