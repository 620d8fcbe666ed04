"""Who may be learned from, who chooses, who judges: cut by patient, once, whatever the seed and the arm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.dataset import Origin
from semblance.data.images import PATIENT, Images
from semblance.errors import InputError
from semblance.seeds import Seeds

TEST, VALIDATION = 0.3, 0.15
"""Shares of the patients."""
FEWEST = 10
"""Patients of either class that must be there to judge."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """Real images of one site.

    Attributes:
        pool: May be learned from. validation: Chooses between the states of a training. test: Judges, and is seen by
            nothing else. rare: The class that is cut, and that is told from all others.
    """

    pool: Images
    validation: Images
    test: Images
    rare: str


@dataclass(frozen=True, eq=False)
class Ground:
    """What one seed has to learn from.

    Attributes:
        train: Real images of all other classes, and of the patients of the rare one who are kept.
        spare: Images of the rare class of further patients, in the order in which they would be kept.
    """

    train: Images
    spare: Images


def bare(images: Images) -> Images:
    """The images with their classes, without masks and attributes: what a classifier learns from."""
    schema = replace(images.schema, structures=(), attributes={})
    columns = [schema.label, *([PATIENT] if schema.patient else [])]
    return replace(images, about=images.about[columns], schema=schema, masks=None)


def rarest(images: Images) -> str:
    """The class of fewest images. Raises InputError where there are no two classes."""
    schema = images.schema
    if len(schema.classes) < 2:
        raise InputError("an experiment needs images of at least two classes; say with --labels where they are read.")
    counts = np.bincount(images.codes(schema.label) + 1, minlength=len(schema.classes) + 1)[1:]
    return schema.classes[int(counts.argmin())]


def cut(images: Images, seeds: Seeds, *, rare: str) -> Cohort:
    """Patients with the rare class and those without are shared out apart, so that all parts hold both.

    Raises:
        InputError: there is no such class, an image has none, or there are too few patients to judge by.
    """
    images = bare(images)
    if rare not in images.schema.classes:
        known = ", ".join(images.schema.classes)
        raise InputError(f"there is no class {rare!r}; the images have {known}.")
    if (images.codes(images.schema.label) < 0).any():
        raise InputError("some images have no class; leave them out with --on-bad skip, or check --labels.")
    patients = images.patients
    having = np.zeros(images.n_patients, dtype=bool)
    having[patients[positive(images, rare)]] = True
    side = np.zeros(images.n_patients, dtype=np.int64)
    for number, members in enumerate((np.flatnonzero(having), np.flatnonzero(~having))):
        order = seeds(f"experiment/cut/{number}").permutation(members)
        n_test, n_validation = round(TEST * len(order)), round(VALIDATION * len(order))
        if min(n_test, n_validation) < FEWEST:
            least = int(np.ceil(FEWEST / VALIDATION))
            raise InputError(f"there are too few patients to judge by: at least {least} with {rare!r} and without.")
        side[order[:n_test]], side[order[n_test : n_test + n_validation]] = 2, 1
    pool, validation, test = (images.take(side[patients] == part) for part in range(3))
    return Cohort(pool, validation, test, rare)


def positive(images: Images, rare: str) -> NDArray[np.bool_]:
    """Which images are of the rare class: (n,)."""
    return np.asarray(images.codes(images.schema.label) == images.schema.classes.index(rare))


def most(cohort: Cohort) -> int:
    """Patients of the rare class that may be learned from."""
    return len(np.unique(cohort.pool.patients[positive(cohort.pool, cohort.rare)]))


def ground(cohort: Cohort, seeds: Seeds, *, keep: int, seed: int) -> Ground:
    """The training images where `keep` patients of the rare class are known; the same patients begin every longer list.

    Raises:
        InputError: there are not so many.
    """
    pool = cohort.pool
    patients, rare = pool.patients, positive(pool, cohort.rare)
    having = np.unique(patients[rare])
    if keep > len(having):
        raise InputError(f"--keep {keep}: only {len(having)} patients with {cohort.rare!r} may be learned from.")
    order = seeds(f"experiment/order/{seed}").permutation(having)
    rank = np.full(pool.n_patients, -1)
    rank[order] = np.arange(len(order))
    place = rank[patients]
    spare = np.flatnonzero(rare & (place >= keep))
    return Ground(pool.take(place < keep), pool.take(spare[np.argsort(place[spare], kind="stable")]))


def joined(*parts: Images) -> Images:
    """Images below each other, as patients of nobody: only pixels and classes are learned from."""
    schema = replace(parts[0].schema, patient=False)
    about = pd.concat([part.about[[schema.label]] for part in parts], ignore_index=True)
    origin: Origin = "real" if all(part.origin == "real" for part in parts) else "augmented"
    return Images(np.concatenate([part.pixels for part in parts]), about, schema, origin=origin)
