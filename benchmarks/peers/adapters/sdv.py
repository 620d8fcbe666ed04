"""SDV's single-table synthesisers with their defaults (300 epochs for the neural ones); they model missing values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sdv import single_table
from sdv.metadata import Metadata


def synthesise(train: Path, out: Path, *, rows: int, seed: int, synthesiser: str, epochs: int = 300) -> None:
    np.random.seed(seed)  # noqa: NPY002 (it is the only seed that SDV heeds)
    torch.manual_seed(seed)
    real = pd.read_csv(train, keep_default_na=False, na_values=[""])
    table = {"table": real}
    neural = {} if synthesiser == "GaussianCopulaSynthesizer" else {"enable_gpu": False, "epochs": epochs}
    model = getattr(single_table, synthesiser)(Metadata.detect_from_dataframes(table, infer_keys=None), **neural)
    model.fit(table)
    drawn = model.sample(rows)
    fake = drawn["table"] if isinstance(drawn, dict) else drawn
    fake[list(real)].to_csv(out, index=False)
