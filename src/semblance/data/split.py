"""Split patients into those a generator may learn from and those only an audit may see.

The two halves are cut before anything is learned. `fit` takes a Dataset, and the only Dataset that reaches it is
``vault.train``; the held-out patients come out of ``vault.open_holdout()``, which is called after sampling.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.errors import InputError
from semblance.seeds import Seeds

MIN_PATIENTS = 20
STRATA_BINS = 5


@dataclass(frozen=True, eq=False)
class Vault:
    """Two disjoint sets of patients: `train` in the open, the holdout behind a call.

    Attributes:
        sha256: Of who was held out, row by row of the source: another cut of the same patients has another.
    """

    train: Dataset
    _held: Dataset = field(repr=False)
    sha256: str = ""
    _opened: list[str] = field(default_factory=list, repr=False)

    def open_holdout(self, reason: str = "audit") -> Dataset:
        """The held-out patients. Each opening is recorded with its reason and shown in the evidence."""
        self._opened.append(reason)
        return self._held

    @property
    def opened(self) -> tuple[str, ...]:
        """What the holdout was opened for, so far."""
        return tuple(self._opened)

    def describe(self) -> dict[str, Any]:
        """Sizes and how often the holdout was opened, for the evidence."""
        return {
            "train_patients": self.train.n_subjects,
            "train_rows": self.train.n_rows,
            "holdout_patients": self._held.n_subjects,
            "holdout_rows": self._held.n_rows,
            "holdout_opened_for": list(self._opened),
        }


def split(data: Dataset, seeds: Seeds, *, holdout: float = 0.3) -> Vault:
    """Cut `data` by patient; all rows of a patient land on one side.

    Args:
        seeds: The stream "split" decides who goes where.
        holdout: Share of patients held out, in (0, 1). Stratified by the target where there is one, so that a rare
            class is on both sides.

    Raises:
        InputError: fewer than 20 patients: neither half could say anything.
    """
    if not 0.0 < holdout < 1.0:
        raise ValueError("holdout is a share between 0 and 1")
    if data.n_subjects < MIN_PATIENTS:
        raise InputError(
            f"the source holds too few patients ({data.n_subjects}): at least {MIN_PATIENTS} are needed to learn from "
            "some and judge on others; add patients, or check which column is the subject."
        )
    rng = seeds("split")
    subjects = data.subjects
    held = np.zeros(data.n_subjects, dtype=bool)
    for members in _strata(data, subjects):
        order = rng.permutation(members)
        # A fractional share is settled by chance, so that many small strata still add up to `holdout`.
        take = int(np.floor(len(members) * holdout + rng.random()))
        held[order[:take]] = True
    if held.sum() < 2 or (~held).sum() < 2:  # only when the share is extreme
        held[rng.permutation(len(held))[:2]] = True
    in_holdout = held[subjects]
    sha256 = hashlib.sha256(np.packbits(in_holdout).tobytes()).hexdigest()
    return Vault(data.take(~in_holdout), data.take(in_holdout), sha256)


def split_alone(data: Dataset, seeds: Seeds, *, holdout: float = 0.3) -> Vault:
    """Cut `data` so that where one patient goes depends on nobody else.

    A promise about adding or removing one patient needs this: a cut by shuffling, or by strata, sends many others to
    another side when one patient comes, and the mechanism would see two tables that differ in all of them.

    Raises:
        InputError: fewer than 20 patients.
    """
    if data.n_subjects < MIN_PATIENTS:
        raise InputError(f"the source holds too few patients: at least {MIN_PATIENTS} are needed; add patients.")
    key = f"{seeds.integer('split/alone'):016x}"
    words = data.frame.astype(str)
    who = _fingerprints(words, key)
    if data.schema.subject is not None:
        named = data.frame[data.schema.subject].notna().to_numpy()
        who = np.where(named, _fingerprints(words[[data.schema.subject]], key), who)
    in_holdout = who.astype(np.float64) / 2.0**64 < holdout
    sha256 = hashlib.sha256(np.packbits(in_holdout).tobytes()).hexdigest()
    return Vault(data.take(~in_holdout), data.take(in_holdout), sha256)


def _fingerprints(words: pd.DataFrame, key: str) -> NDArray[np.uint64]:
    """A keyed number in 0 … 2**64 - 1 for each row, from its texts alone: (n_rows,)."""
    return np.asarray(pd.util.hash_pandas_object(words, index=False, hash_key=key, categorize=False), dtype=np.uint64)


def _strata(data: Dataset, subjects: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Patients grouped by the target in their first row; one group when there is no target."""
    everyone = np.arange(data.n_subjects, dtype=np.int64)
    if data.schema.target is None:
        return [everyone]
    first = np.unique(subjects, return_index=True)[1]
    column = data.schema[data.schema.target]
    if column.numeric:
        values = pd.Series(data.scale(column.name)[first])
        labels = pd.qcut(values.rank(method="first"), min(STRATA_BINS, len(values)), labels=False).fillna(-1)
    else:
        labels = data.frame[column.name].iloc[first].fillna("\x00missing")
    codes = pd.factorize(labels)[0]
    return [everyone[codes == code] for code in np.unique(codes)]
