"""The image schema as a file for a person to read, correct and keep: TOML, a comment beside each line.

version = 1
kind = "images"

[images]
height = 28          # pixels
…
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import tomlkit

from semblance.errors import SchemaError
from semblance.image_schema import MIRRORS, PLANES, ImageSchema

VERSION = 1
KIND = "images"
TABLE = "images"

COMMENTS = {
    "height": "pixels",
    "width": "pixels",
    "channels": "1 for grey, 3 for red, green and blue",
    "modality": 'how they were taken, in DICOM\'s code: CR, DX, CT, MR, US, …; "OT" for other or unknown',
    "bits": "of a stored value",
    "step": "the smallest difference between two values; 0 for any",
    "low": "what counts as darkest; what lies below is cut off",
    "high": "what counts as brightest; what lies above is cut off",
    "bounds": '"inferred" from the images, or "declared" by you, which gives nothing away',
    "unit": 'of a value, such as "HU"; "" for none',
    "spacing_mm": "of rows and of columns; leave out where it is unknown",
    "plane": f'how a slice lies in the body: {", ".join(PLANES[1:])}, or ""',
    "format": "what samples are written as: png, tiff, dicom, nifti, npz",
    "label": 'what the classes are of; "" without classes',
    "classes": "their names, in order",
    "patient": "whether each image names its patient; otherwise each counts as a patient of its own",
    "structures": "what a mask marks: 1 is the first, 2 the second, …; 0 is none",
    "mirror": f"how an image may be turned and still be one that could have been taken: {', '.join(MIRRORS)}",
    "attributes": "what else is known of each image, with its labels in order",
}


def dumps(schema: ImageSchema) -> str:
    """The schema as TOML; `loads` is the inverse."""
    page = tomlkit.document()
    page.add("version", tomlkit.item(VERSION))
    page.add("kind", tomlkit.item(KIND))
    found = schema.to_dict()
    table = tomlkit.table()
    for name in (f.name for f in fields(ImageSchema) if f.name != "attributes"):
        if name in found:
            table.add(name, tomlkit.item(found[name]).comment(COMMENTS[name]))
    if found["attributes"]:
        inner = tomlkit.table()
        inner.comment(COMMENTS["attributes"])
        for name, labels in found["attributes"].items():
            inner.add(name, tomlkit.item(labels))
        table.add("attributes", inner)
    page.add(TABLE, table)
    return tomlkit.dumps(page)


def loads(text: str, *, where: str = "the schema") -> ImageSchema:
    """Read what `dumps` wrote and a person edited.

    Args:
        where: What to call it in an error: the file's name.

    Raises:
        SchemaError: it is no TOML, not of images, or a field is unknown, missing or of the wrong type.
    """
    try:
        found: Mapping[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SchemaError(f"{where}: is not valid TOML ({error}).") from error
    if found.get("kind") != KIND or not isinstance(found.get(TABLE), dict):
        raise SchemaError(f"{where}: is no schema of images; `semblance images describe` writes one.")
    if found.get("version") != VERSION:
        raise SchemaError(f"{where}: is of another version; let `semblance images describe` write it anew.")
    try:
        return ImageSchema.from_dict(found[TABLE])
    except SchemaError as error:
        raise SchemaError(f"{where}: {error}") from error
