"""An ImageSchema as TOML that a person reads and edits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from semblance.errors import SchemaError
from semblance.image_schema import MIRRORS, PLANES, ImageSchema

HEADER = """\
What these images mean. Semblance wrote a first guess; correct it, then pass this file with --schema.
Lines that begin with # are remarks."""

REMARKS = {
    "height": "pixels from top to bottom",
    "width": "pixels from left to right",
    "channels": "1 grey, 3 in colour",
    "modality": "DICOM's code: CR, DX, CT, MR, US, MG, XA, OP, … or OT for other and unknown",
    "bits": "of a stored value: 8, or up to 16",
    "step": "the smallest difference between two values; 0 for any",
    "low": "the value that counts as darkest; what lies below is cut off",
    "high": "the value that counts as brightest; what lies above is cut off",
    "bounds": '"declared" once you have checked low and high; "inferred" means they were read from the images',
    "unit": 'of a value, such as "HU"; empty for none',
    "spacing_mm": "from row to row and from column to column; leave the line out where it is unknown",
    "plane": "of slices through a volume: axial, coronal, sagittal; empty for other images",
    "format": "what samples are written as: dicom, nifti, npz, png, tiff",
    "label": "what the classes are of; empty without classes",
    "classes": "their names, in order",
    "patient": "true where each image names its patient; without, each counts as a patient of its own",
    "structures": "what masks mark: the first is 1 in a mask, the second 2, …; 0 is none",
    "mirror": 'none: left and right differ, never flip; "left-right"; "any": may be flipped and turned every way',
    "attributes": "what else is known of each image, with its labels in order",
}
TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("height", "width", "channels", "bits"), (int,)),
    **dict.fromkeys(("step", "low", "high"), (int, float)),
    **dict.fromkeys(("modality", "bounds", "unit", "plane", "format", "label", "mirror"), (str,)),
    "patient": (bool,),
}
WANTED = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}
CHOICES = {"bounds": ("declared", "inferred"), "plane": PLANES, "mirror": MIRRORS, "channels": (1, 3)}
NEEDED = ("height", "width")
LARGEST = 2**15
"""Pixels; a typing error lies beyond."""


def dumps(schema: ImageSchema) -> str:
    """The schema as TOML with a remark for each field; `loads` reads the same schema back, to the last digit."""
    document = tomlkit.document()
    for line in HEADER.splitlines():
        document.add(tomlkit.comment(line))
    values = schema.to_dict()
    attributes = values.pop("attributes")
    for name, value in values.items():
        document.add(tomlkit.nl())
        document.add(tomlkit.comment(REMARKS[name]))
        document.add(name, _plain(value))
    document.add(tomlkit.nl())
    document.add(tomlkit.comment(REMARKS["attributes"]))
    table = tomlkit.table()
    for name, labels in attributes.items():
        table.add(tomlkit.key([name]), labels)
    document.add("attributes", table)
    return tomlkit.dumps(document)


def _plain(value: Any) -> Any:
    """Whole numbers without a point, as a person would write them."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if whole else value


def loads(text: str, *, where: str) -> ImageSchema:
    """Read a schema; `where` names the file in error messages.

    Raises:
        SchemaError: naming the line or the field, and the cure.
    """
    try:
        found: dict[str, Any] = tomlkit.parse(text).unwrap()
    except (TOMLKitError, RecursionError) as error:
        place = re.search(r"at line (\d+)", str(error))
        spot = f"line {place.group(1)}" if place else "an unknown place"
        raise SchemaError(f"{where} is not valid TOML at {spot}; check quotes, brackets and commas there.") from None
    names = [field.name for field in fields(ImageSchema)]
    for name, value in found.items():
        if name not in names:
            raise SchemaError(f"{where}: {name!r} is not known; an image schema has {', '.join(names)}.")
        _check(name, value, where)
    for name in NEEDED:
        if name not in found:
            raise SchemaError(f"{where}: `{name}` is missing; write how many pixels, as in {name} = 64.")
    try:
        return ImageSchema.from_dict({name: _exact(name, value) for name, value in found.items()})
    except SchemaError as error:
        raise SchemaError(f"{where}: {error}") from None


def _exact(name: str, value: Any) -> Any:
    return float(value) if name in ("step", "low", "high") else value


def _check(name: str, value: Any, where: str) -> None:
    place = f"{where}: `{name}`"
    if name in TYPES:
        wanted = TYPES[name]
        fits: bool = isinstance(value, wanted)
        if not fits or (isinstance(value, bool) and bool not in wanted):
            raise SchemaError(f"{place} must be {WANTED[wanted[-1]]}.")
        if name in CHOICES and value not in CHOICES[name]:
            allowed = ", ".join(str(choice) or "empty" for choice in CHOICES[name])
            raise SchemaError(f"{place} cannot be {value!r}; use one of {allowed}.")
        if name in ("height", "width") and not 8 <= value <= LARGEST:
            raise SchemaError(f"{place} must lie between 8 and {LARGEST} pixels.")
        if name == "bits" and not 1 <= value <= 64:
            raise SchemaError(f"{place} must lie between 1 and 64.")
    elif name == "spacing_mm":
        numbers = isinstance(value, list) and len(value) == 2
        if not numbers or not all(isinstance(one, int | float) and one is not True and 0 < one < 1e6 for one in value):
            raise SchemaError(f"{place} must be two distances above 0, as in spacing_mm = [0.5, 0.5].")
    elif name == "attributes":
        if not isinstance(value, Mapping) or not all(_texts(labels) for labels in value.values()):
            raise SchemaError(f'{place} must list labels by name, as in site = ["A", "B"] below [attributes].')
    elif not _texts(value):
        raise SchemaError(f'{place} must be a list of texts in quotes, as in {name} = ["no", "yes"].')


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
