"""What is to be said of a set of images before anything is learned from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Progress, silent
from semblance.data.images import FILE, Images
from semblance.image_schema import ImageSchema
from semblance.scans.burned_in import SMALLEST_IMAGE, find_writing
from semblance.scans.duplicates import SIDE, Pair, find_exact, find_near
from semblance.scans.reading import Read
from semblance.scans.thumbnails import shrink

MOST_COMPARED = 20_000
"""Images beyond which near-duplicates are not sought: time grows with the square of their number."""
MOST_LOOKED_AT = 1_000
"""Images that are looked at for writing, evenly spread over the set."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Repeats:
    """Images that are in the set more than once, the first of each not counted.

    Attributes:
        exact: Images with the same pixels as an earlier one. near: Pairs of different images that are nearer than
            chance would bring them; None where they were too many to compare.
        across_classes, across_patients, across_splits: Of both, those whose partner is of another class, patient, or
            cut (None where none is known).
        examples: Names of files, pair by pair: the first twenty.
    """

    exact: int
    near: int | None
    across_classes: int | None
    across_patients: int | None
    across_splits: int | None
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Writings:
    """Attributes:
    looked_at: Images that were looked at. found: Those with what looks like writing. examples: Their files' names.
    declared: Images whose DICOM header says that writing is burned in; None where no header says anything.
    """

    looked_at: int
    found: int
    examples: tuple[str, ...]
    declared: int | None


@dataclass(frozen=True, slots=True)
class Description:
    """A first look at a set of images: counts and findings, no pixel and nothing that a header says of a patient.

    Attributes:
        schema: What the images mean, to be corrected by a person.
        images, patients: How many. conditions: Of each label and attribute, the number of images with each value; ""
            counts those without. lone_classes: Classes of which all images come from one site, where there are more.
        cut_off: Share of the pixels that lie outside the schema's range of values. span: Why it is that range.
        repeats, writings: See there. bad, ignored: Files that were skipped with the reason, files that are no images.
        notes: What else a person should know.
    """

    schema: ImageSchema
    images: int
    patients: int
    conditions: dict[str, dict[str, int]]
    lone_classes: tuple[str, ...]
    cut_off: float
    span: str
    repeats: Repeats
    writings: Writings
    bad: tuple[tuple[str, str], ...]
    ignored: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        repeats, writings = self.repeats, self.writings
        return {
            "schema": self.schema.to_dict(),
            "images": self.images,
            "patients": self.patients if self.schema.patient else None,
            "conditions": self.conditions,
            "lone_classes": list(self.lone_classes),
            "values": {"low": self.schema.low, "high": self.schema.high, "cut_off": self.cut_off, "why": self.span},
            "duplicates": {
                "exact": repeats.exact,
                "near": repeats.near,
                "across_classes": repeats.across_classes,
                "across_patients": repeats.across_patients,
                "across_splits": repeats.across_splits,
                "examples": [list(pair) for pair in repeats.examples],
            },
            "writing": {
                "looked_at": writings.looked_at,
                "found": writings.found,
                "examples": list(writings.examples),
                "declared": writings.declared,
            },
            "bad_files": [{"file": file, "reason": reason} for file, reason in self.bad],
            "ignored_files": self.ignored,
            "notes": list(self.notes),
        }


def describe_images(read: Read, *, progress: Progress = silent) -> Description:
    """Look at what was read: classes, patients, repeated images, writing in the pixels, the range of values.

    Privacy: reads real images; what is returned holds counts and names of files, and is for the owner of the images.
    """
    images = read.images
    repeats = _repeats(images, progress)
    writings = _writings(images, progress)
    schema = images.schema
    outside = (images.pixels < schema.low) | (images.pixels > schema.high)
    return Description(
        schema=schema,
        images=len(images),
        patients=images.n_patients,
        conditions={name: _counts(images, name) for name in schema.conditions},
        lone_classes=_lone_classes(images),
        cut_off=float(outside.mean()),
        span=read.span,
        repeats=repeats,
        writings=writings,
        bad=tuple((one.file, one.reason) for one in read.bad),
        ignored=len(read.ignored),
        notes=(*read.notes, *_advice(images)),
    )


def _counts(images: Images, name: str) -> dict[str, int]:
    found = Counter("" if label is None else str(label) for label in images.about[name])
    return {label: found[label] for label in (*images.schema.conditions[name], "") if label or found[""]}


def _lone_classes(images: Images) -> tuple[str, ...]:
    schema = images.schema
    if not schema.classes or len(schema.attributes.get("site", ())) < 2:
        return ()
    sites = images.about.groupby(schema.label, observed=True)["site"].nunique()
    return tuple(label for label in schema.classes if sites.get(label, 0) == 1)


def _repeats(images: Images, progress: Progress) -> Repeats:
    first = find_exact(images.pixels)
    alone = np.flatnonzero(first == np.arange(len(images)))
    pairs = [Pair(int(first[row]), int(row), 0.0) for row in np.flatnonzero(first != np.arange(len(images)))]
    exact, near = len(pairs), None
    if len(alone) <= MOST_COMPARED:
        progress("looking for near-duplicates", 0, 1)
        close = find_near(shrink(images.pixels[alone], SIDE))
        near = len(close)
        pairs += [Pair(int(alone[pair.first]), int(alone[pair.second]), pair.ratio) for pair in close]
        progress("looking for near-duplicates", 1, 1)
    files = images.about[FILE].tolist() if FILE in images.about else [f"image {row}" for row in range(len(images))]
    schema = images.schema
    splits = images.about["split"].to_numpy() if "split" in images.about else None
    return Repeats(
        exact,
        near,
        _differing(pairs, images.codes(schema.label) if schema.classes else None),
        _differing(pairs, images.patients if schema.patient else None),
        _differing(pairs, splits),
        tuple((files[pair.first], files[pair.second]) for pair in pairs[:SHOWN]),
    )


def _differing(pairs: list[Pair], known: NDArray[Any] | None) -> int | None:
    return None if known is None else sum(bool(known[pair.first] != known[pair.second]) for pair in pairs)


def _writings(images: Images, progress: Progress) -> Writings:
    said = images.about["BurnedInAnnotation"].tolist() if "BurnedInAnnotation" in images.about else []
    declared = sum(one == "YES" for one in said) if any(said) else None
    if min(images.schema.height, images.schema.width) < SMALLEST_IMAGE:
        return Writings(0, 0, (), declared)
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), MOST_LOOKED_AT)).astype(np.int64))
    found = []
    for done, row in enumerate(rows.tolist()):
        if done % 50 == 0:
            progress("looking for writing", done, len(rows))
        if find_writing(images.pixels[row]):
            found.append(row)
    progress("looking for writing", len(rows), len(rows))
    files = images.about[FILE].tolist() if FILE in images.about else [f"image {row}" for row in range(len(images))]
    return Writings(len(rows), len(found), tuple(files[row] for row in found[:SHOWN]), declared)


def _advice(images: Images) -> list[str]:
    schema = images.schema
    said = []
    if schema.mirror == "none":
        said.append(
            'left and right are taken to differ (mirror = "none"), so that no image is flipped while learning; change '
            "that in the schema only if a mirrored image could have been taken as well."
        )
    if min(schema.height, schema.width) < SMALLEST_IMAGE:
        said.append(f"images of fewer than {SMALLEST_IMAGE} pixels are too small to look for writing in them.")
    if schema.bounds == "inferred":
        said.append("the range of values was read from these images; declare it where even that must not show.")
    return said
