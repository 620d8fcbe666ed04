"""Which labels of its images a generator is told: the recipes' argument ``given``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.image_schema import ImageSchema

LABEL = "label"
"""Stands for the classes, if there are any, whatever their condition is called."""


def names_in(given: str) -> tuple[str, ...]:
    """The names in "label, site"."""
    return tuple(name.strip() for name in given.split(",") if name.strip())


def refuse_unknown(given: str, schema: ImageSchema) -> str | None:
    """One sentence where `given` names what images are not told apart by; None otherwise."""
    unknown = [name for name in names_in(given) if name not in schema.conditions and name != LABEL]
    if unknown:
        return f"{unknown[0]!r} of 'given' is not what images are told apart by; name the label or an attribute."
    return None


def labels_of(train: Images, *, given: str | None = None) -> NDArray[np.int64]:
    """The number of each image's label of each condition, -1 for unknown: (n, conditions).

    Args:
        given: Names of the conditions that are told; all of another one is -1. None for all of them.
    """
    schema, n = train.schema, len(train)
    told = set(schema.conditions) if given is None else set(names_in(given))
    if LABEL in told:
        told.add(schema.label)
    labels = np.full((n, len(schema.conditions)), -1, dtype=np.int64)
    for column, name in enumerate(schema.conditions):
        if name in told:
            labels[:, column] = train.codes(name)
    return labels
