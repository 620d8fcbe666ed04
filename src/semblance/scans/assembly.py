"""Single shots put together as `Images`: what does not fit is set aside, what they share becomes the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from semblance.data.images import FILE, PATIENT, Images
from semblance.errors import InputError
from semblance.image_contracts import Shot
from semblance.image_schema import ImageSchema
from semblance.scans.known import Asked
from semblance.scans.masks import number_structures
from semblance.scans.sizes import Size, resize
from semblance.scans.values import find_span

MOST_LABELS = 100
SAME_SPACING = 0.01
BESIDE = ("split", "BurnedInAnnotation")
"""Tags that stay beside the images as columns: which cut, and whether the header admits to writing in the pixels."""
PATIENT_TAGS = ("patient", "PatientID")
"""Where the patient stands if nobody says: in an .npz, in DICOM. Slices of a volume are of one patient, too."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A file that cannot be used, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """How to find what is known of each image ("label", "patient", "site", …), and what each is called."""

    asked: Mapping[str, Asked]
    titles: Mapping[str, str]

    def of(self, shots: Sequence[Shot], within: Callable[[str], str]) -> dict[str, list[str | None]]:
        """By role, one text for each shot. What nobody asked for is taken from the file where it says so."""
        found: dict[str, list[str | None]] = {}
        for role in ("label", "site", *self.asked):
            find = self.asked.get(role)
            if find is not None:
                found[role] = [find(within(shot.name), shot) for shot in shots]
            else:
                found[role] = [(shot.tags or {}).get(role) or None for shot in shots]
        if PATIENT not in found:
            found[PATIENT] = [_patient(shot) for shot in shots]
        return found


def _patient(shot: Shot) -> str | None:
    tags = shot.tags or {}
    volume = shot.name.partition("#")[0] if "volume" in tags else None
    return next((tags[name] for name in PATIENT_TAGS if tags.get(name)), volume)


def fit_together(
    shots: Sequence[Shot], *, size: Size | None, schema: ImageSchema | None, masked: bool
) -> tuple[list[Shot], list[Bad]]:
    """Shots of one size, one number of channels, one unit; and those that differ.

    Args:
        size: What all are brought to; without, it is the schema's or the commonest, and others are bad.
        masked: Whether masks were asked for; without, a few shots with masks lose them.
    """
    if size is not None:
        shots = [resize(shot, size) for shot in shots]
    wanted = size or (
        (schema.height, schema.width) if schema else _commonest([shot.pixels.shape[1:] for shot in shots])
    )
    channels = schema.channels if schema else _commonest([len(shot.pixels) for shot in shots])
    unit = schema.unit if schema else _commonest([shot.unit for shot in shots])
    good, bad = [], []
    for shot in shots:
        if channels == 3 and len(shot.pixels) == 1:  # a picture in colours that happens to be grey
            shot = replace(shot, pixels=np.repeat(shot.pixels, 3, axis=0))
        reason = _misfit(shot, wanted, channels, unit)
        if reason:
            bad.append(Bad(shot.name, f"{PurePosixPath(shot.name).name} {reason}"))
        else:
            good.append(shot)
    return good, bad


def _commonest(values: Sequence[Any]) -> Any:
    """The value that occurs most often; of equals the first."""
    return Counter(values).most_common(1)[0][0]


def _misfit(shot: Shot, size: Size, channels: int, unit: str) -> str:
    height, width = shot.pixels.shape[1:]
    if (height, width) != size:
        return f"is {height} × {width} pixels, not {size[0]} × {size[1]}; ask for one size to bring all to it."
    if len(shot.pixels) != channels:
        return "is in colour, unlike the others; read coloured and grey images apart."
    if shot.unit != unit:
        return f"has values in {shot.unit or 'no unit'}, not in {unit or 'no unit'}; read them apart."
    return ""


@dataclass(frozen=True, slots=True)
class Assembled:
    """Attributes:
    bad: Shots that do not fit a given schema. notes: What is to be said. span: Why the range of values is what it is.
    """

    images: Images
    bad: list[Bad]
    notes: list[str]
    span: str


def assemble(
    shots: Sequence[Shot],
    known: Known,
    *,
    schema: ImageSchema | None,
    classes: Sequence[str],
    structures: Sequence[str],
    within: Callable[[str], str],
) -> Assembled:
    """Images with their schema.

    Args:
        within: The name of a file below the folder of its cut.

    Raises:
        InputError: what is known does not fit the schema, or cannot be classes.
    """
    found = known.of(shots, within)
    about = _columns(found, known, classes)
    given = schema or _describe(shots, about, known.titles.get("label", "label"), classes)
    keep = np.ones(len(shots), dtype=bool)
    bad = []
    for name, labels in given.conditions.items():
        if name not in about:
            raise InputError(f"the schema tells of {name!r}, but nothing says where it is read from; name the place.")
        for row, label in enumerate(about[name]):
            if keep[row] and label is not None and label not in labels:
                keep[row] = False
                file = PurePosixPath(shots[row].name).name
                bad.append(
                    Bad(shots[row].name, f"{file} has a {name} that is not in the schema; add it, or leave it out.")
                )
    kept = [shot for shot, good in zip(shots, keep, strict=True) if good]
    if not kept:
        raise InputError("no image has a label that the schema knows; check where the labels are read from.")
    frame = pd.DataFrame({name: pd.Series(about[name], dtype=object) for name in given.conditions})
    frame[FILE] = pd.Series([shot.name for shot in shots], dtype=object)
    if any(found[PATIENT]):
        frame[PATIENT] = pd.Series(found[PATIENT], dtype=object)
    for tag in BESIDE:
        texts = [(shot.tags or {}).get(tag) for shot in shots]
        if any(texts) and tag not in frame:
            frame[tag] = pd.Series(texts, dtype=object)
    frame = frame[keep].reset_index(drop=True)
    pixels = np.stack([shot.pixels for shot in kept])
    given = replace(given, patient=PATIENT in frame)
    masks = None
    if any(shot.mask is not None for shot in kept):
        blank = np.zeros(pixels.shape[2:], dtype=np.uint8)
        masks = np.stack([blank if shot.mask is None else shot.mask for shot in kept])
        masks, names = number_structures(masks, structures or given.structures)
        given = replace(given, structures=names)
    elif given.structures:
        raise InputError("the schema names structures, but there are no masks; say where they lie.")
    why = "as the schema says"
    if schema is None:
        span = find_span(pixels, bits=given.bits, step=given.step, unit=given.unit)
        given = replace(given, low=span.low, high=span.high, bounds=span.bounds)
        why = span.why
    return Assembled(Images(pixels, frame, given, masks), bad, _notes(kept, frame, given), why)


def _columns(
    found: Mapping[str, list[str | None]], known: Known, classes: Sequence[str]
) -> dict[str, list[str | None]]:
    """Conditions by title; labels renamed to `classes`. Raises InputError where labels cannot be classes."""
    columns = {}
    for role, texts in found.items():
        title = known.titles.get(role, role)
        if role == PATIENT or not title or (role not in known.asked and not any(texts)):
            continue
        if title in columns:
            raise InputError(f"two things are called {title!r}; read the {role} from a place of another name.")
        labels = order({text for text in texts if text is not None})
        asked = role in known.asked
        if asked and not labels:
            raise InputError(f"not one image has a {role} where it was looked for; check the place and the names.")
        if len(labels) > MOST_LABELS:
            raise InputError(
                f"the {role} takes {len(labels)} values, which are no classes; read it from another place."
            )
        renamed = dict(zip(labels, labels, strict=True))
        if role == "label" and classes:
            if len(classes) != len(labels):
                raise InputError(
                    f"{len(classes)} classes are named, but the labels take {len(labels)} values; name them all."
                )
            renamed = dict(zip(labels, classes, strict=True))
        columns[title] = [None if text is None else renamed[text] for text in texts]
    return columns


def order(labels: set[str]) -> list[str]:
    """Numbers by size, texts by the alphabet."""
    whole = all(label.isdecimal() for label in labels)
    return sorted(labels, key=lambda label: (int(label) if whole else 0, label))


def _describe(
    shots: Sequence[Shot], about: Mapping[str, list[str | None]], label: str, classes: Sequence[str]
) -> ImageSchema:
    """What the shots share; the range of values comes later."""
    channels, height, width = shots[0].pixels.shape
    steps = {shot.step for shot in shots}
    labels = {name: tuple(order({text for text in texts if text is not None})) for name, texts in about.items()}
    found = labels.pop(label, ())
    return ImageSchema(
        height,
        width,
        channels,
        modality=_commonest([shot.modality for shot in shots]),
        bits=max(shot.bits for shot in shots),
        step=steps.pop() if len(steps) == 1 else 0.0,
        unit=shots[0].unit,
        spacing_mm=_spacing(shots),
        plane=_commonest([(shot.tags or {}).get("plane", "") for shot in shots]),
        format=_commonest([(shot.tags or {}).get("format", "png") for shot in shots]),
        label=label if found else "",
        classes=tuple(classes) if found and classes else found,
        attributes=labels,
    )


def _spacing(shots: Sequence[Shot]) -> tuple[float, float] | None:
    """What all share, give or take 1 %."""
    known = [shot.spacing_mm for shot in shots if shot.spacing_mm is not None]
    if len(known) < len(shots):
        return None
    rows, columns = np.array(known).T
    middle = float(np.median(rows)), float(np.median(columns))
    same = np.allclose(rows, middle[0], rtol=SAME_SPACING) and np.allclose(columns, middle[1], rtol=SAME_SPACING)
    return middle if same else None


def _notes(shots: Sequence[Shot], frame: pd.DataFrame, schema: ImageSchema) -> list[str]:
    said = []
    for name in schema.conditions:
        without = int(frame[name].isna().sum())
        if without:
            said.append(f"{without} of {len(frame)} images have no {name}.")
    modalities = {shot.modality for shot in shots}
    if len(modalities) > 1:
        said.append(f"the images are of {len(modalities)} modalities ({', '.join(sorted(modalities))}).")
    if schema.spacing_mm is None and any(shot.spacing_mm for shot in shots):
        said.append("pixels are not of one spacing in all images, so that none is stated.")
    if not schema.patient:
        said.append("nothing says which images are of one patient: each counts as a patient of its own.")
    return said
