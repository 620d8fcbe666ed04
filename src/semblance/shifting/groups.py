"""Patients of several sites (or times), one row each: who they are is not asked, what is known of them is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.data.dataset import Dataset
from semblance.data.encode import Features, Space, labels, numbers
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.imaging.manifold import PixelSpace
from semblance.shifting.cohort import known, one_each, one_image_each

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SITES = 12
FEWEST = 30
"""Patients of a site below which it is left out."""


@dataclass(frozen=True, eq=False)
class Groups:
    """What is compared.

    Attributes:
        features: Numbers as they are, labels as codes, NaN where missing: (n, d). categorical: Positions of the labels.
        names: Of the features' columns: (d,). scales: For each column whether it is a number. points: For distances:
            (n, k). site: Numbered: (n,). sites: Their names. target: 0 or 1, -1 where not known: (n,); all -1 where
            nothing is to be predicted. left_out: Sites with too few patients.
    """

    features: Floats
    categorical: tuple[int, ...]
    names: tuple[str, ...]
    points: Floats
    site: Ints
    sites: tuple[str, ...]
    target: Ints
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.site)


def of_table(data: Dataset, site: str, *, target: str | None, most: int, rng: np.random.Generator) -> Groups:
    """A row of each patient, cut by the labels of `site`; a column of numbers or dates is cut at its median.

    The target is 1 for the second of two labels in alphabetical order; of numbers, above the smallest.

    Raises:
        InputError: there are no two sites with enough patients.
    """
    data = data.take(one_each(data.subjects, most, rng))
    codes, names = _cut(data, site)
    kept, numbered, shown, out = _sites(codes, names)
    data = data.take(kept)
    columns = tuple(c for c in data.schema.modelled if c.name not in (site, target) and c.kind != "text")
    if not columns:
        raise InputError("there is no column to compare the sites by; check what the schema models.")
    made = Features.fit([data], columns)
    points = Space.fit([data], columns)(data).astype(np.float64)
    outcome = np.full(data.n_rows, -1, dtype=np.int64) if target is None else _binary(data, target)
    return Groups(
        made(data), tuple(made.categorical), tuple(c.name for c in columns), points, numbered, shown, outcome, out
    )


def of_images(images: Images, *, most: int, rng: np.random.Generator) -> Groups | None:
    """An image of each patient; None where there are no two sites with enough of them.

    The features are the first principal components of the pixels and what `described` measures.
    """
    if "site" not in images.schema.attributes:
        return None
    images = one_image_each(images, most, rng)
    names = images.schema.attributes["site"]
    try:
        kept, numbered, shown, out = _sites(images.codes("site"), names)
    except InputError:
        return None
    images = images.take(kept)
    points = PixelSpace.learn(images.unit()).of(images.unit())
    measured = described(images)
    features = np.column_stack([*measured.values(), points])
    columns = (*measured, *(f"component {i + 1}" for i in range(points.shape[1])))
    schema = images.schema
    outcome = np.full(len(images), -1, dtype=np.int64)
    if len(schema.classes) == 2:
        outcome = images.codes(schema.label)
    return Groups(features, (), columns, points, numbered, shown, outcome, out)


def described(images: Images) -> dict[str, Floats]:
    """What a radiographer would say of an image, as numbers of 0 to 1, or of that order: (n,) each."""
    grey = (images.unit().mean(axis=1).astype(np.float64) + 1) / 2
    inner = grey[:, 2:-2, 2:-2]
    edges = (grey.sum(axis=(1, 2)) - inner.sum(axis=(1, 2))) / (grey[0].size - inner[0].size)
    curved = np.abs(
        4 * grey[:, 1:-1, 1:-1] - grey[:, :-2, 1:-1] - grey[:, 2:, 1:-1] - grey[:, 1:-1, :-2] - grey[:, 1:-1, 2:]
    )
    return {
        "brightness": grey.mean(axis=(1, 2)),
        "contrast": grey.std(axis=(1, 2)),
        "share of black": (grey < 0.02).mean(axis=(1, 2)),
        "share of white": (grey > 0.98).mean(axis=(1, 2)),
        "brightness of the border": edges,
        "sharpness": curved.mean(axis=(1, 2)),
        "left against right": np.abs(grey - grey[:, :, ::-1]).mean(axis=(1, 2)),
    }


def _cut(data: Dataset, site: str) -> tuple[Ints, tuple[str, ...]]:
    column = data.schema[site]
    if not column.numeric:
        values = labels(data, site).astype(str)
        found, codes = np.unique(values, return_inverse=True)
        return codes.astype(np.int64), tuple(map(str, found))
    scale = numbers(data, site)
    if len(np.unique(scale[~np.isnan(scale)])) <= MOST_SITES:
        found, codes = np.unique(scale, return_inverse=True)
        return np.where(np.isnan(scale), -1, codes).astype(np.int64), tuple(f"{v:g}" for v in found)
    late = scale > np.nanmedian(scale)
    return np.where(np.isnan(scale), -1, late).astype(np.int64), ("earlier half", "later half")


def _sites(codes: Ints, names: tuple[str, ...]) -> tuple[Ints, Ints, tuple[str, ...], int]:
    """The largest sites with enough patients: which rows, their numbers, their names, how many sites fall away."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    large = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i] >= FEWEST][:MOST_SITES]
    if len(large) < 2:
        raise InputError(f"there are no two sites with {FEWEST} patients each; name another column.")
    keep = np.isin(codes, large)
    _, numbered = known(codes[keep], few=1)
    return np.flatnonzero(keep), numbered, tuple(names[i] for i in sorted(large)), int((counts > 0).sum()) - len(large)


def _binary(data: Dataset, target: str) -> Ints:
    column = data.schema[target]
    if column.numeric:
        scale = numbers(data, target)
        return np.where(np.isnan(scale), -1, scale > np.nanmin(scale)).astype(np.int64)
    values = data.frame[target]
    found = np.unique(values.dropna().astype(str))
    if len(found) != 2:
        raise InputError(f"the target {target!r} has not two values; name another, or leave it out.")
    return np.where(values.isna(), -1, values.astype(str) == found[1]).astype(np.int64)
