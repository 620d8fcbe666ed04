"""Few rows, or images, of each patient: what is left is all that is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semblance.privacy import randomness


def few_of_each(subjects: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Positions of at most `most` of each patient, chosen at random, in order.

    Which stay is decided for each patient by bits of the operating system, not by a seed: then two tables that differ
    in one patient give, for the same bits, tables that differ in that patient's rows only.

    Args:
        subjects: Patient of each row, numbered: (n,).
    """
    shuffled = randomness.order(len(subjects))
    by_patient = shuffled[np.argsort(subjects[shuffled], kind="stable")]
    sizes = np.bincount(subjects)
    rank = np.arange(len(subjects)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(by_patient[rank < most])
