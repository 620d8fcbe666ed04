"""smartnoise-synth's MST and AIM with their defaults; called by `benchmarks/private.py`.

It cuts numbers into equal parts of a range and gives back their middles, which suits no skewed number. So values that a
twentieth of the rows share stay themselves here, other numbers are cut into 20 parts of about as many rows, and drawn
evenly inside them. Which values are shared, where the cuts lie, which labels occur and which columns have gaps is read
off the table uncharged: all this flatters it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

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
    parts = {name: Parts.of(real[name]) for name in real.columns if "categories" not in domain[name]}
    coded = real.assign(**{name: made.code(real[name]) for name, made in parts.items()})
    kind = {"aim": AIMSynthesizer, "mst": MSTSynthesizer}[method]
    model = kind(epsilon=epsilon, delta=delta)
    columns = [LabelTransformer(nullable=False) for _ in real.columns]  # a gap is one more label
    model.fit(list(coded.itertuples(index=False, name=None)), transformer=TableTransformer(columns))
    fake = pd.DataFrame(model.sample(rows), columns=list(real.columns))
    rng = np.random.default_rng(0)
    fake.assign(**{name: made.draw(fake[name], rng) for name, made in parts.items()}).to_csv(out, index=False)


class Parts(NamedTuple):
    """How one column of numbers is cut: values that many share, and between `ends` the others."""

    shared: frozenset[str]
    ends: np.ndarray
    whole: bool

    @classmethod
    def of(cls, texts: pd.Series) -> Parts:
        held = texts[texts != ""]
        share = held.value_counts(normalize=True)
        shared = frozenset(share.index[share >= 1 / PARTS])
        numbers = pd.to_numeric(held)
        others = numbers[~held.isin(shared)]
        ends = np.unique(np.quantile(others, np.linspace(0, 1, PARTS + 1))) if len(others) else np.zeros(1)
        return cls(shared, ends, bool((numbers % 1 == 0).all()))

    def code(self, texts: pd.Series) -> pd.Series:
        """A label for each number: its part, or "=" and itself; "" for a gap."""
        numbers = pd.to_numeric(texts.where(texts != ""))
        at = np.clip(np.searchsorted(self.ends, numbers, side="right") - 1, 0, max(0, len(self.ends) - 2))
        parts = pd.Series(at.astype(str), texts.index).where(~texts.isin(self.shared), "=" + texts)
        return parts.where(texts != "", "")

    def draw(self, labels: pd.Series, rng: np.random.Generator) -> pd.Series:
        """Numbers for labels, NaN for gaps."""
        itself = labels.str.startswith("=")
        part = pd.to_numeric(labels.where(~itself & (labels != "")))
        low = part.map(dict(enumerate(self.ends)))
        found = low + part.map(dict(enumerate(np.append(np.diff(self.ends), 0.0)))) * rng.random(len(labels))
        found = np.floor(found) if self.whole else found
        return found.where(~itself, pd.to_numeric(labels.str[1:].where(itself)))
