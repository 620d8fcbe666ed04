"""Write to where a person asked: all of it or nothing. The mirror of ``source.py``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from semblance.data.dataset import Dataset
from semblance.errors import InputError
from semblance.source import format_of


def check_new(*paths: Path | None) -> None:
    """Refuse early to replace a file: it may be somebody's data or edits.

    Raises:
        InputError: one of the files exists.
    """
    for path in paths:
        if path is not None and path.is_file():
            raise InputError(f"{path}: exists, and is left as it is; name another file or delete this one first.")


def write_table(data: Dataset, path: Path | str) -> Path:
    """Write a table in the format that the extension names, as its schema's dialect says where that fits.

    Raises:
        Unsupported: no format has this extension.
        InputError: the place cannot be written to; whatever was there before is untouched.
    """
    return write_blocks([data], path)


def write_blocks(blocks: Iterable[Dataset], path: Path | str) -> Path:
    """`write_table` for tables of one schema, at least one, below each other: only one at a time is in memory.

    Nothing is at `path` until the last of them is written.
    """
    path = Path(path)
    form = format_of(path)

    def fitting(data: Dataset) -> Dataset:
        if data.schema.dialect.get("format") == form.name:
            return data
        return replace(data, schema=replace(data.schema, dialect={}))

    return _whole(path, lambda place: form.write_blocks(map(fitting, blocks), place))


def write_text(text: str, path: Path | str) -> Path:
    """Write UTF-8 text. Raises InputError as `write_table` does."""
    return _whole(Path(path), lambda place: place.write_bytes(text.encode("utf-8")))


def _whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Write under another name beside `path`, then rename, which is one step for whoever looks."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file in it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            write(building / path.name)
            (building / path.name).replace(path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); check its rights and the disk.") from error
    return path
