"""A table with a known leak: some synthetic rows replaced by real ones, to see which attacks notice.

An attack that finds nothing may be blind. Planting a leak of known size in the very table that is judged tells the
two apart; canaries planted to audit training (Jagielski et al. 2020; Nasr et al. 2023) rest on the same thought.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset, from_scale
from semblance.data.encode import comparable

Ints = NDArray[np.int64]

LEAKS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.2)
"""Shares of real rows in the leaky controls."""


def mix(comparison: Comparison, share: float, run: Run) -> Comparison:
    """The same comparison, with this share of the synthetic rows replaced by training rows, one of each patient.

    A larger leak contains every smaller one of the same run, so the answers to successive leaks differ by the rows
    added and by nothing else. No patient leaks twice before all have leaked once. Only modelled columns are taken:
    identifiers stay made up.

    Args:
        share: Of the synthetic rows, in [0, 1].

    Returns:
        A comparison whose synthetic table says "synthetic" and holds real patients: never to be released. It has no
        `forge`, because no recipe makes such a table.
    """
    if not 0 <= share <= 1:
        raise ValueError("a leak is a share between 0 and 1")
    train, fake = comparison.train, comparison.fake
    count = round(share * fake.n_rows) if train.n_rows else 0
    if not count:
        return replace(comparison, forge=None)
    seeds = run.seeds.within("attacks/leak")
    rows = seeds("rows").permutation(fake.n_rows)[:count]
    leaked = np.resize(_one_row_each(train, seeds("patients")), count)
    frame = fake.frame.copy()
    for column in comparable(train, fake):
        theirs = fake.schema[column.name]
        taken = train.frame[column.name].iloc[leaked]
        if theirs.kind != column.kind and column.numeric:  # a date given back as a number
            taken = from_scale(train.scale(column.name)[leaked], theirs)
        values = frame[column.name].to_numpy(copy=True)
        values[rows] = taken.to_numpy()
        frame[column.name] = values
    return replace(comparison, fake=replace(fake, frame=frame), forge=None)


def _one_row_each(data: Dataset, rng: np.random.Generator) -> Ints:
    """One row of every patient at random, patients in random order: (n_subjects,)."""
    order = rng.permutation(data.n_rows)
    first = np.unique(data.subjects[order], return_index=True)[1]
    return np.asarray(rng.permutation(order[first]), dtype=np.int64)
