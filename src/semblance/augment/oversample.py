"""More of what is rare: the same images again, or images between neighbours. The control that any gain must beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance.augment.frame import altered
from semblance.augment.mixup import alike
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.imaging.manifold import PixelSpace, distances
from semblance.imaging.pooled import pooled

Ints = NDArray[np.int64]
NEIGHBOURS = 5


def missing(codes: Ints, n_classes: int, share: float = 1.0) -> Ints:
    """How many of each class are lacking to be `share` of the most frequent one: (n_classes,).

    Raises:
        InputError: a class has no image or row to begin with, or the share is not from 0 to 1.
    """
    counts = np.bincount(codes[codes >= 0], minlength=n_classes)
    if not 0 < share <= 1:
        raise InputError("the share of the most frequent class to bring the others to must be above 0, up to 1.")
    if not len(counts) or not counts.min():
        raise InputError("a class of the schema has nothing to repeat; take it out of the schema.")
    return np.asarray(np.maximum(0, np.ceil(share * counts.max()) - counts), dtype=np.int64)


def repeated(codes: Ints, lacking: Ints, rng: np.random.Generator) -> Ints:
    """Positions to add, so that as many of each class come in as are lacking: each once before any comes twice more."""
    added = [np.empty(0, dtype=np.int64)]
    for code, wanted in enumerate(lacking.tolist()):
        rows = np.flatnonzero(codes == code)
        rounds = -(-wanted // len(rows)) if len(rows) else 0
        if rounds:
            added.append(np.concatenate([rng.permutation(rows) for _ in range(rounds)])[:wanted])
    return np.concatenate(added)


def duplicate(images: Images, rng: np.random.Generator, *, share: float = 1.0) -> Images:
    """The images, and after them some again, until each class has `share` of the most frequent one's number.

    Each keeps its patient. Nothing is new: a classifier sees rare images more often, and that is all.

    Raises:
        InputError: there are no classes, or one of them has no image.
    """
    codes = _codes(images)
    more = repeated(codes, missing(codes, len(images.schema.classes), share), rng)
    return replace(images.take(np.concatenate([np.arange(len(images)), more])), origin="augmented")


def interpolate(images: Images, rng: np.random.Generator, *, share: float = 1.0, k: int = NEIGHBOURS) -> Images:
    """The images, and after them some that lie between one and a near one of the same labels, as `duplicate` counts.

    SMOTE (Chawla et al. 2002) in the space of the first principal components of the pixels, which tells who is near;
    what is blended are the pixels. The mask and the patient of the first of the two stay, which has at least half the
    weight. An image without its like is repeated.

    Raises:
        InputError: as `duplicate`.
    """
    codes = _codes(images)
    more = repeated(codes, missing(codes, len(images.schema.classes), share), rng)
    first = images.take(more)
    points = _places(images)
    other = near_alike(points, alike(images), more, rng, k=k)
    weight = rng.uniform(0.5, 1, (len(more), 1, 1, 1))
    blended = altered(first, weight * first.pixels + (1 - weight) * images.pixels[other])
    both = images.take(np.concatenate([np.arange(len(images)), more]))
    return replace(both, pixels=np.concatenate([images.pixels, blended.pixels]), origin="augmented")


def near_alike(points: NDArray[np.float64], groups: Ints, wanted: Ints, rng: np.random.Generator, *, k: int) -> Ints:
    """Of each wanted position, one of its `k` nearest others of the same group, or itself: (wanted,)."""
    found = wanted.copy()
    for group in np.unique(groups[wanted]):
        rows, asked = np.flatnonzero(groups == group), np.flatnonzero(groups[wanted] == group)
        if len(rows) < 2:
            continue
        far = distances(points[wanted[asked]], points[rows])
        far[rows[None, :] == wanted[asked][:, None]] = np.inf
        near = np.argpartition(far, min(k, len(rows) - 1) - 1, axis=1)[:, : min(k, len(rows) - 1)]
        found[asked] = rows[near[np.arange(len(asked)), rng.integers(near.shape[1], size=len(asked))]]
    return found


def _places(images: Images) -> NDArray[np.float64]:
    """Where images lie among each other: (n, k)."""
    small = pooled(images.unit())
    return PixelSpace.learn(small).of(small) if len(small) > 1 else np.zeros((len(small), 1))


def _codes(images: Images) -> Ints:
    if not images.schema.classes:
        raise InputError("images without classes cannot be balanced; say with --labels where their class is read from.")
    return images.codes(images.schema.label)
