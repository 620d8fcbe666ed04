"""What a folder of scans, or of masks, means: the verbs for images that read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semblance import image_schema_toml
from semblance.contracts import Progress, Run, silent
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.image_contracts import ImageComparison, ImageModel
from semblance.image_schema import ImageSchema
from semblance.imaging.lesions import Lesion, put_lesion
from semblance.imaging.masks import check_masks
from semblance.scans.describe import Description
from semblance.scans.describe import describe_images as describe
from semblance.scans.finding import find_files
from semblance.scans.reading import Read
from semblance.scans.reading import read_images as read_images
from semblance.scans.sizes import resize

LESION = re.compile(
    r"(?P<structure>[^:]+):(?P<within>[^:]+):(?P<radius>[0-9.]+)(?P<unit>mm|px)?(@(?P<row>[0-9]+),(?P<column>[0-9]+))?"
)
ON = 255
"""What a mask that marks the first structure alone may be drawn in, instead of 1."""


def load_image_schema(path: Path | str) -> ImageSchema:
    """A schema as `images describe` wrote it and a person edited it. Raises InputError."""
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"schema {path}: cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"schema {path}: is not UTF-8 text; save it as UTF-8.") from error
    return image_schema_toml.loads(text, where=str(path))


def describe_images(source: str | Path, *, progress: Progress = silent, **reading: Any) -> Description:
    """Say what a folder of scans holds, and infer its schema. A person should read and edit that before it is believed.

    Args:
        reading: As `read_images` takes it; bad files are listed, not refused, unless `on_bad` says so.

    Privacy: reads real images; what is told holds counts and names of files, and is for the owner of the images.
    """
    read = read_images(source, progress=progress, **{"on_bad": "skip", **reading})
    return describe(read, progress=progress)


def read_for(model: ImageModel, source: str | Path, run: Run, reading: dict[str, Any]) -> Read:
    """Read images for a model that was fitted to others: brought to their size, where nothing else is asked."""
    asked = dict(reading)
    if "schema" not in asked:
        asked.setdefault("size", (model.schema.height, model.schema.width))
    return read_images(source, progress=run.progress, **asked)


def comparison_of(sources: Mapping[str, str], run: Run, reading: Mapping[str, Any]) -> ImageComparison:
    """Real and synthetic images to be compared, all read as the training images are.

    Args:
        sources: "train", "holdout" and "synthetic": folders or files. Where one file holds several parts, its path is
            followed by "@" and the part: scans.npz@train.
    """
    train = _part(sources["train"], run, reading)
    size = (train.schema.height, train.schema.width)
    alike = {key: value for key, value in reading.items() if key not in ("size", "classes")}
    if train.schema.classes:
        alike["classes"] = list(train.schema.classes)
    held, fake = (_part(sources[part], run, {**alike, "size": size}) for part in ("holdout", "synthetic"))
    return ImageComparison(train, held, replace(fake, origin="synthetic"))


def _part(source: str, run: Run, reading: Mapping[str, Any]) -> Images:
    path, at, part = source.rpartition("@")
    if at and not Path(source).exists():
        return read_images(path, progress=run.progress, **{**reading, "split": part}).images
    return read_images(source, progress=run.progress, **reading).images


def read_masks(source: str | Path, schema: ImageSchema) -> NDArray[np.uint8]:
    """Masks for a model of these images: (n, height, width), 0 for nothing and k for `schema.structures[k - 1]`.

    Args:
        source: A folder of mask files, one such file, or an .npz with an array `masks`. Files of another size are
            brought to that of the schema; where a mask holds 0 and 255 only, 255 marks the first structure.

    Raises:
        InputError: nothing is there, or a file holds no mask of these structures.
    """
    if not schema.structures:
        raise InputError("this model was fitted to images without masks; fit one with --masks.")
    found = []
    for place in find_files(source).places:
        for shot in place.form.read(place.path, plane=schema.plane):
            if shot.mask is None and len(shot.pixels) > 1:
                raise InputError(f"the mask {place.name} is coloured; write each structure as one grey value.")
            small = resize(shot, (schema.height, schema.width)) if shot.mask is not None else shot
            found.append(small.mask if small.mask is not None else _numbers(shot.pixels[0], place.name, schema))
    masks = np.stack(found).astype(np.uint8)
    check_masks(masks, schema)
    return masks


def put_lesions(masks: NDArray[np.uint8], lesions: Sequence[str], schema: ImageSchema, run: Run) -> NDArray[np.uint8]:
    """The masks with more lesions in each, told as "lesion:brain:4" (of 4 mm), "lesion:brain:3px@40,52".

    Raises:
        InputError: a text says no lesion, a structure is unknown, or there is no room.
    """
    for place, text in enumerate(lesions):
        told = LESION.fullmatch(text.strip())
        if told is None:
            raise InputError(f"{text!r} tells of no lesion; write A:B:RADIUS or A:B:RADIUS@ROW,COLUMN.")
        at = None if told["row"] is None else (int(told["row"]), int(told["column"]))
        unit = {"px": "pixels", "mm": "mm"}.get(told["unit"] or "", "mm" if schema.spacing_mm else "pixels")
        lesion = Lesion(told["structure"], told["within"], float(told["radius"]), unit=unit, at=at)
        masks = put_lesion(masks, lesion, schema, run.seeds(f"paint/lesion/{place}"))
    return masks


def _numbers(values: NDArray[np.float32], name: str, schema: ImageSchema) -> NDArray[np.uint8]:
    """The nearest pixel's number, at the schema's size."""
    known = len(schema.structures)
    if set(np.unique(values)) <= {0, ON}:
        values = np.where(values == ON, np.float32(1), values)
    if ((values % 1 != 0) | (values < 0) | (values > known)).any():
        raise InputError(f"the mask {name} holds other values than 0 to {known}; number the structures as in training.")
    rows, columns = (
        (np.arange(new) + 0.5) * old // new for old, new in zip(values.shape, schema.shape[1:], strict=True)
    )
    found: NDArray[np.uint8] = values[rows.astype(int)[:, None], columns.astype(int)[None, :]].astype(np.uint8)
    return found
