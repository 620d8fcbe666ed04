"""Whether two extracts hold some of the same patients, told from a few keyed fingerprints of each.

An extract is remembered by the 256 smallest of its patients' fingerprints under a secret key (a bottom-k sketch;
Cohen and Kaplan 2007). Two extracts that share patients share small fingerprints: among the 256 smallest of both
together, the share that both hold estimates the share of patients that both hold (Broder 1997).

Fingerprints are SipHash under a key that never leaves the ledger's file. Who holds that file and guesses a patient's
identifier can check the guess, so it is to be kept like the patients themselves.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
import pandas as pd

SIZE = 256


def new_key() -> str:
    """A key of 64 random bits, as the 16 characters that the hash takes."""
    return secrets.token_hex(8)


def sketch(patients: pd.Series | pd.DataFrame, key: str) -> tuple[int, ...]:
    """The smallest fingerprints of who is in a table, in order.

    Args:
        patients: An identifier for each row, or, where nobody has any, all columns as they were written.
    """
    words = patients.astype(str)
    found = pd.util.hash_pandas_object(words, index=False, hash_key=key, categorize=False)
    return tuple(int(h) for h in np.unique(found.to_numpy(dtype=np.uint64))[:SIZE])


def overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """Estimated share of the patients of both together who are in both."""
    if not one or not other:
        return 0.0
    together = sorted({*one, *other})[:SIZE]
    return len({*one} & {*other} & {*together}) / len(together)


def related(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether any patient is seen in both. A fingerprint of 64 bits is never met by chance."""
    return not {*one}.isdisjoint(other)
