"""Who is compared: one image of each patient, with the labels that enough patients have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images

Ints = NDArray[np.int64]

FEW = 20
"""Patients of a label below which it is left out of account."""


def one_each(patients: Ints, most: int, rng: np.random.Generator) -> Ints:
    """A row of each of at most `most` patients, both at random: positions in order."""
    order = rng.permutation(len(patients))
    first = order[np.unique(patients[order], return_index=True)[1]]
    return np.sort(rng.permutation(first)[:most])


def one_image_each(images: Images, most: int, rng: np.random.Generator) -> Images:
    """An image of each of at most `most` patients, both at random."""
    return images.take(one_each(images.patients, most, rng))


def known(codes: Ints, *, few: int = FEW) -> tuple[NDArray[np.bool_], Ints]:
    """Whose label is known and held by at least `few`; and those labels, numbered anew: (n,), (kept,)."""
    counts = np.bincount(codes[codes >= 0], minlength=1)
    keep = np.isin(codes, np.flatnonzero(counts >= few)) & (codes >= 0)
    return keep, np.unique(codes[keep], return_inverse=True)[1].astype(np.int64)
