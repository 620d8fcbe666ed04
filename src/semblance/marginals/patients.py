"""Few rows of each patient, so that one patient can only move so much."""

from __future__ import annotations

import numpy as np

from semblance.data.dataset import Dataset
from semblance.privacy import randomness


def cap_rows(data: Dataset, most: int) -> Dataset:
    """At most `most` rows of each patient, chosen at random; the order of rows is kept.

    Which rows stay is decided for each patient by bits of the operating system, not by a seed: then two tables that
    differ in one patient give, for the same bits, tables that differ in that patient's rows only. A patient with many
    rows counts no more than one with `most`, so the result speaks of patients more than of visits.
    """
    if data.schema.subject is None:
        return data
    subjects = data.subjects
    shuffled = randomness.order(len(subjects))
    by_patient = shuffled[np.argsort(subjects[shuffled], kind="stable")]
    sizes = np.bincount(subjects)
    rank = np.arange(len(subjects)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return data.take(np.sort(by_patient[rank < most]))
