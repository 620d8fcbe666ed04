"""Read a folder of scans, or one file, as `Images`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from semblance.contracts import Progress, silent
from semblance.data.images import Images
from semblance.errors import FormatError, InputError
from semblance.image_contracts import Shot
from semblance.image_schema import PLANES, ImageSchema
from semblance.scans.assembly import BESIDE, PATIENT_TAGS, Bad, Known, assemble, fit_together
from semblance.scans.finding import Found, Place, find_files
from semblance.scans.known import ask, title
from semblance.scans.masks import Beside, find_masks
from semblance.scans.sizes import Size, as_size
from semblance.scans.splits import choose, part_places

SHOWN = 3
KEPT = frozenset({"label", "site", "volume", "plane", *BESIDE, *PATIENT_TAGS})
"""Tags that are looked at without being asked for; the others of a file are let go at once."""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a folder.

    Attributes:
        images: The good ones, in the order of their files' names.
        bad: The files (and slices) that were skipped, and why. ignored: Names of files that are no images.
        notes: What was decided on the way, in sentences. span: Why values reach from the schema's `low` to its `high`.
    """

    images: Images
    bad: tuple[Bad, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    span: str = ""


def read_images(
    source: str | Path,
    *,
    labels: str | None = None,
    patient: str | None = None,
    site: str | None = None,
    attributes: Mapping[str, str] | None = None,
    classes: Sequence[str] = (),
    masks: str = "",
    structures: Sequence[str] = (),
    schema: ImageSchema | None = None,
    plane: str = "",
    size: int | Size | None = None,
    split: str = "",
    on_bad: Literal["refuse", "skip"] = "refuse",
    progress: Progress = silent,
) -> Read:
    """Read images of one geometry, with what is known of each.

    Args:
        source: A folder (read with all folders below it, by name), an .npz, a NIfTI volume, or one image.
        labels, patient, site: Where each is read from: "folder", "tag:KEYWORD", "name:PATTERN", "FILE.csv:COLUMN" or
            "none" (`scans.known`). Left out: what an .npz holds; DICOM's PatientID; the file, of slices of a volume.
        attributes: More that is known of images, by name, each read from such a place.
        classes: Names for the labels, in their order (numbers by size, texts by the alphabet).
        masks: A folder of masks, or what ends a mask's name ("_mask"); an .npz brings its own.
        structures: Names for what the masks mark, in the order of their values.
        schema: What a person declared; images are then read as that, and what does not fit is a bad file. Without, it
            is read from the images: the commonest size, the range of values as `values.find_span` says.
        plane: Of slices through NIfTI volumes: axial, coronal or sagittal.
        size: Bring all images to this size (one number, or height and width); spacing changes with it.
        split: "train", "val" or "test" where the .npz or the folders are cut so, or "all" (a column "split" then says
            which); empty takes "train" of such a source.
        on_bad: "refuse" all if one file is bad, or "skip" bad ones and list them.

    Returns: The images; real pixels, in memory as float32, and private.

    Raises:
        InputError: nothing is there, files are bad and not to be skipped, none is good, or an argument is wrong.
        MissingExtra: Pillow, pydicom or nibabel is needed and not installed.
        SchemaError: the images are smaller than 8 × 8.
    """
    _check(plane, on_bad)
    found = find_files(source)
    specs = {"label": labels, "patient": patient, "site": site, **(attributes or {})}
    known = _known(specs, found.root)
    places, beside = find_masks(masks, list(found.places), found.root) if masks else (list(found.places), None)
    parted = part_places(places, split)
    slicing = plane or (schema.plane if schema else "")
    shots, bad = _read_all(parted.places, beside, slicing, _tags(specs), progress)
    bad += _broken(found)
    _refuse_nothing(shots, bad)
    shots, notes = choose(shots, parted, split)
    shots, more = fit_together(_without_blanks(shots, notes), size=as_size(size), schema=schema, masked=bool(masks))
    _refuse_nothing(shots, bad := bad + more)
    put = assemble(shots, known, schema=schema, classes=classes, structures=structures, within=parted.within)
    if (bad := bad + list(put.bad)) and on_bad == "refuse":
        raise _refusal(bad, len(shots))
    return Read(put.images, tuple(bad), found.ignored, (*notes, *put.notes), put.span)


def _check(plane: str, on_bad: str) -> None:
    if plane not in PLANES:
        raise InputError(f"a plane is one of {', '.join(PLANES[1:])}.")
    if on_bad not in ("refuse", "skip"):
        raise InputError('bad files are either refused or skipped: on_bad is "refuse" or "skip".')


def _known(specs: Mapping[str, str | None], root: Path) -> Known:
    """Where each role is read from, and what it is called."""
    said = {role: spec for role, spec in specs.items() if spec is not None}
    return Known(
        {role: ask(spec, role, root) for role, spec in said.items()}, {r: title(s, r) for r, s in said.items()}
    )


def _tags(specs: Mapping[str, str | None]) -> Set[str]:
    """DICOM keywords to be kept of each file."""
    return KEPT | {spec.removeprefix("tag:") for spec in specs.values() if spec and spec.startswith("tag:")}


def _broken(found: Found) -> list[Bad]:
    """Links that lead nowhere, and what cannot be opened."""
    return [
        Bad(name, f"{PurePosixPath(name).name} is a link that leads nowhere, or cannot be opened.")
        for name in found.broken
    ]


def _read_all(
    places: Sequence[Place], beside: Beside | None, plane: str, wanted: Set[str], progress: Progress
) -> tuple[list[Shot], list[Bad]]:
    shots: list[Shot] = []
    bad: list[Bad] = []
    for done, place in enumerate(places):
        if done % 100 == 0:
            progress("reading images", done, len(places))
        try:
            read = list(place.form.read(place.path, plane=plane))
            if beside is not None:
                read = beside.attach(read, place.name, plane=plane)
        except FormatError as error:
            bad.append(Bad(place.name, str(error)))
            continue
        parent = place.name[: len(place.name) - len(place.path.name)]
        for shot in read:
            tags = {key: text for key, text in (shot.tags or {}).items() if key in wanted}
            shots.append(replace(shot, name=parent + shot.name, tags={**tags, "format": place.form.name}))
    progress("reading images", len(places), len(places))
    return shots, bad


def _without_blanks(shots: Sequence[Shot], notes: list[str]) -> list[Shot]:
    """Leave out slices of volumes that show nothing: one even value, as beyond the head."""
    kept = [shot for shot in shots if "volume" not in (shot.tags or {}) or np.ptp(shot.pixels) > 0]
    if len(kept) < len(shots):
        notes.append(f"{len(shots) - len(kept)} slices of volumes show nothing and were left out.")
    return kept


def _refuse_nothing(shots: Sequence[Shot], bad: Sequence[Bad]) -> None:
    if not shots:
        raise _refusal(bad, 0) if bad else InputError("no image is left to read; check the source and the split.")


def _refusal(bad: Sequence[Bad], good: int) -> InputError:
    first = " ".join(one.reason for one in bad[:SHOWN])
    more = f" (and {len(bad) - SHOWN} more)" if len(bad) > SHOWN else ""
    skip = "mend them, or skip them (on_bad='skip')" if good else "none can be read"
    return InputError(f"{len(bad)} of the files cannot be used; {skip}: {first}{more}")
