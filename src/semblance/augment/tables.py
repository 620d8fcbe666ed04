"""More rows of what is rare in a table: the same again, or rows between two patients. The control a gain must beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.augment.oversample import NEIGHBOURS, missing, near_alike, repeated
from semblance.data.dataset import Dataset, from_scale
from semblance.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def duplicate_rows(data: Dataset, target: str, rng: np.random.Generator, *, share: float = 1.0) -> Dataset:
    """The table, and after it some rows again, until each label of `target` has `share` of the most frequent one's.

    Rows without a label are not repeated. Each keeps its patient: nothing is new.

    Raises:
        InputError: `target` is no column of labels.
    """
    codes, n = _codes(data, target)
    more = repeated(codes, missing(codes, n, share), rng)
    return replace(data.take(np.concatenate([np.arange(len(data)), more])), origin="augmented")


def interpolate_rows(
    data: Dataset, target: str, rng: np.random.Generator, *, share: float = 1.0, k: int = NEIGHBOURS
) -> Dataset:
    """The table, and after it rows that lie between two near ones of the same label, as many as `duplicate_rows` adds.

    SMOTE for numbers and labels together (Chawla et al. 2002, SMOTE-NC): numbers lie evenly on the line between the
    two, rounded as their columns are; labels, texts and the patient are those of the first of them. What the first
    lacks is lacking; where only the second does, the first's value stays. Near is told by numbers in standard
    deviations of the column, and by how many labels differ, each as far as the median standard deviation, which is 1.

    Rules between columns may be broken by what lies between two rows that keep them.

    Raises:
        InputError: `target` is no column of labels.
    """
    codes, n = _codes(data, target)
    more = repeated(codes, missing(codes, n, share), rng)
    other = near_alike(_places(data, target), codes, more, rng, k=k)
    rows = data.take(np.concatenate([np.arange(len(data)), more]))
    frame, part = rows.frame.copy(), rng.random(len(more))
    for column in data.schema:
        if not column.numeric or column.name == data.schema.subject:
            continue
        values = data.scale(column.name)
        mine, theirs = values[more], values[other]
        between = mine + part * (np.where(np.isnan(theirs), mine, theirs) - mine)
        made = from_scale(between, column)
        frame[column.name] = pd.concat([data.frame[column.name], made], ignore_index=True).to_numpy()
    return replace(rows, frame=frame, origin="augmented")


def _codes(data: Dataset, target: str) -> tuple[Ints, int]:
    """Number of each row's label, −1 where it has none, and how many labels there are."""
    if target not in data.schema.names or data.schema[target].numeric:
        raise InputError(f"{target!r} is no column of labels; name one whose labels are to be balanced.")
    codes, labels = pd.factorize(data.frame[target], sort=True)
    return codes.astype(np.int64), len(labels)


def _places(data: Dataset, target: str) -> Floats:
    """Where rows lie among each other, without the target and the patient: (n, d)."""
    found: list[Floats] = [np.zeros((len(data), 1))]
    for column in data.schema:
        if column.name in (target, data.schema.subject):
            continue
        if column.numeric:
            values = data.scale(column.name)
            known = values[~np.isnan(values)]
            spread = float(known.std()) if len(known) else 0.0
            middle = float(known.mean()) if len(known) else 0.0
            found.append(np.nan_to_num((values - middle) / (spread or 1.0))[:, None])
        elif column.kind in ("category", "boolean", "ordinal"):
            labels = pd.factorize(data.frame[column.name])[0]
            found.append(np.eye(labels.max(initial=0) + 2)[labels] / np.sqrt(2))
    return np.concatenate(found, axis=1)
