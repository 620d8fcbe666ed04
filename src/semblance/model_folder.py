"""A fitted model on disk: data files only, so that loading one never runs code.

model.json      which generator, its parameters, the versions that fitted it
schema.toml     what its columns mean
fitted/         what `Model.save` wrote
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from semblance import schema_toml
from semblance.catalog import GENERATORS
from semblance.contracts import Generator, Model
from semblance.errors import FormatError, InputError
from semblance.evidence import canonical_json
from semblance.rules.model import load_with_rules

CARD = "model.json"
SCHEMA = "schema.toml"
FITTED = "fitted"
VERSION = "1"
IMAGES = "images"
"""The kind of a model of images (``image_model_folder.py``); models of tables name none."""


class Saved(Protocol):
    """What can be written to a folder: a model of a table, or of images."""

    @property
    def keeps_real_values(self) -> bool: ...

    def save(self, folder: Path) -> None: ...


def check_free(folder: Path) -> None:
    """See that a model may be written to `folder`: it is new, empty, or holds an earlier model.

    Raises:
        InputError: something else lives there, or it is a file.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / CARD).is_file()):
        raise InputError(f"{folder} exists and is not a model of Semblance's; choose another place for the model.")


def save(model: Model, folder: Path, *, recipe: Generator, facts: dict[str, Any], scratch: Path | None = None) -> Path:
    """Write `model` and how it was made; an earlier model in `folder` is replaced at once or not at all.

    Args:
        scratch: A folder on the same disk to put it together in; None is the folder above.

    Privacy: a saved model may hold real patients' values (see `Model.keeps_real_values`, noted in model.json);
    treat it as you treat the patients' table.
    """
    card = {"schema_version": VERSION, **card_of(recipe, model), **facts}
    return write(model, folder, schema=schema_toml.dumps(model.schema), card=card, scratch=scratch)


def card_of(recipe: Any, model: Saved) -> dict[str, Any]:
    """What every model's card says first."""
    return {
        "generator": recipe.name,
        "parameters": asdict(recipe),
        "keeps_real_values": model.keeps_real_values,
    }


def write(model: Saved, folder: Path, *, schema: str, card: dict[str, Any], scratch: Path | None = None) -> Path:
    """`save`, for a model of anything: its schema as text, and its card."""
    folder = Path(folder)
    check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(
        tempfile.mkdtemp(prefix=f"tmp-{folder.name}-" if scratch else f".{folder.name}-", dir=scratch or folder.parent)
    )
    try:
        (building / FITTED).mkdir()
        model.save(building / FITTED)
        (building / SCHEMA).write_text(schema, encoding="utf-8")
        (building / CARD).write_text(canonical_json(card), encoding="utf-8")
        building.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def digest(model: Saved) -> str:
    """SHA-256 over all that `model` would write to disk, file names included: what a release was drawn from."""
    with tempfile.TemporaryDirectory() as place:
        model.save(Path(place))
        whole = hashlib.sha256()
        for file in sorted(path for path in Path(place).rglob("*") if path.is_file()):
            whole.update(file.relative_to(place).as_posix().encode() + b"\0")
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def load(folder: Path) -> Model:
    """Read back what `save` wrote.

    Raises:
        InputError: there is no model in `folder`, or it is one of images.
        FormatError: it is damaged, or was written by another version.
    """
    folder = Path(folder)
    card = read_card(folder, made_by="semblance fit SOURCE")
    if card.get("kind") == IMAGES:
        raise InputError(f"{folder} holds a model of images, not of a table; use it with `semblance images`.")
    recipe = GENERATORS.get(card.get("generator", "")) if card.get("schema_version") == VERSION else None
    if recipe is None:
        raise another_version(folder)
    schema = schema_toml.loads(read_schema(folder, made_by="semblance fit SOURCE"), where=str(folder / SCHEMA))
    try:
        if schema.rules:
            return load_with_rules(recipe, folder / FITTED, schema)
        return recipe.load(folder / FITTED, schema)
    except (FileNotFoundError, KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{folder / FITTED} is damaged; fit the model again.") from error


def read_card(folder: Path, *, made_by: str) -> dict[str, Any]:
    """What model.json says.

    Args:
        made_by: The command that makes such a model, for whoever has none.

    Raises:
        InputError: there is no model in `folder`.
        FormatError: its card is damaged.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{folder} holds no model; make one with `{made_by} --model {folder}`.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise FormatError(f"{folder / CARD} is damaged; fit the model again.") from error
    if not isinstance(card, dict):
        raise FormatError(f"{folder / CARD} is damaged; fit the model again.")
    return card


def read_schema(folder: Path, *, made_by: str) -> str:
    """The text of a model's schema. Raises InputError and FormatError as `read_card` does."""
    try:
        return (folder / SCHEMA).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no model; make one with `{made_by} --model {folder}`.") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{folder / SCHEMA} is damaged; fit the model again.") from error


def another_version(folder: Path) -> FormatError:
    """A model that this version does not know what to do with."""
    return FormatError(f"{folder} was written by another version of Semblance; fit the model again.")
