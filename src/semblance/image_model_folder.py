"""A fitted model of images on disk: data files only, so that loading one never runs code.

model.json      kind "images", which generator, its parameters, the versions that fitted it, notes, facts
schema.toml     what its images mean
fitted/         what `ImageModel.save` wrote
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semblance import image_schema_toml
from semblance.catalog import IMAGE_GENERATORS
from semblance.errors import FormatError, InputError
from semblance.extras import need
from semblance.image_contracts import ImageGenerator, ImageModel
from semblance.model_folder import (
    FITTED,
    IMAGES,
    SCHEMA,
    VERSION,
    another_version,
    card_of,
    read_card,
    read_schema,
    write,
)

MADE_BY = "semblance images fit FOLDER"


def save(
    model: ImageModel, folder: Path, *, recipe: ImageGenerator, facts: dict[str, Any], scratch: Path | None = None
) -> Path:
    """Write `model` and how it was made; an earlier model in `folder` is replaced at once or not at all.

    Args:
        scratch: A folder on the same disk to put it together in; None is the folder above.

    Privacy: a net may know patients' images by heart; treat the model as you treat the images.
    """
    card = {"schema_version": VERSION, "kind": IMAGES, **card_of(recipe, model), **facts}
    return write(model, folder, schema=image_schema_toml.dumps(model.schema), card=card, scratch=scratch)


def load(folder: Path) -> ImageModel:
    """Read back what `save` wrote.

    Raises:
        InputError: there is no model in `folder`, or it is one of a table.
        FormatError: it is damaged, or was written by another version.
        MissingExtra: the generator needs packages that are not installed.
    """
    folder = Path(folder)
    card = read_card(folder, made_by=MADE_BY)
    if card.get("kind") != IMAGES:
        raise InputError(f"{folder} holds a model of a table, not of images; draw from it with `semblance sample`.")
    name = card.get("generator")
    kind = IMAGE_GENERATORS.get(name) if card.get("schema_version") == VERSION and isinstance(name, str) else None
    if kind is None:
        raise another_version(folder)
    schema = image_schema_toml.loads(read_schema(folder, made_by=MADE_BY), where=str(folder / SCHEMA))
    need(kind.extra, f"image generator {name!r}")
    try:
        return kind.load(folder / FITTED, schema)
    except (FileNotFoundError, KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{folder / FITTED} is damaged; fit the model again.") from error
