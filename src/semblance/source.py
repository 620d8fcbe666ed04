"""Where patients come from: a file, a folder, a pattern of files, or a frame in memory."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from semblance.catalog import FORMATS
from semblance.contracts import Format
from semblance.data.frames import from_frame, is_frame
from semblance.data.raw import Raw
from semblance.errors import FormatError, InputError, Unsupported


def read_source(source: Any) -> Raw:
    """Read a path, a folder, a glob pattern, or a pandas, polars or Arrow frame.

    The files of a folder must share one format and the same columns; their rows follow one another in the order of
    the file names, and the fingerprint covers every file.

    Raises:
        InputError: when nothing is there, it may not be read, or the files do not go together.
        FormatError: when a file cannot be read in its format.
        Unsupported: when the format is not known.
    """
    if is_frame(source):
        return from_frame(source)
    if not isinstance(source, str | Path):
        raise InputError(
            "a source is a path, a folder, a pattern such as data/*.csv, or a pandas, polars or Arrow table."
        )
    files = _files(source)
    form = format_of(files[0])
    for file in files[1:]:
        if format_of(file).name != form.name:
            raise InputError(f"{file.name} is not {form.name} like {files[0].name}; keep one format in the folder.")
    tables = [_read(form, file) for file in files]
    return tables[0] if len(tables) == 1 else _concatenate(tables, files)


def format_of(path: str | Path) -> Format:
    """The format that a file's name asks for. Raises Unsupported with the known endings."""
    name = Path(path).name.lower()
    for known in FORMATS.values():
        if name.endswith(known.suffixes):
            return known()
    endings = ", ".join(suffix for known in FORMATS.values() for suffix in known.suffixes)
    raise Unsupported(f"{Path(path).name} has no ending that names a known format; use one of {endings}.")


def _files(source: str | Path) -> list[Path]:
    path = Path(source)
    try:
        if path.is_dir():
            known = tuple(suffix for form in FORMATS.values() for suffix in form.suffixes)
            files = [f for f in sorted(path.iterdir()) if f.is_file() and f.name.lower().endswith(known)]
            files = [f for f in files if not f.name.startswith(".") and not f.name.lower().startswith("readme")]
            if not files:
                raise InputError(f"the folder {path} holds no table; expected files ending in {', '.join(known)}.")
            return files
        if path.exists():
            return [path]
    except (PermissionError, ValueError):
        raise InputError(f"{path} may not be read; check its permissions.") from None
    except OSError:
        raise InputError(f"{path} cannot be read; check the path.") from None
    found = sorted(Path(name) for name in glob.glob(str(source), recursive=True)) if glob.has_magic(str(source)) else []
    files = [f for f in found if f.is_file()]
    if not files:
        raise InputError(f"there is no file {source}; check the path.")
    return files


def _read(form: Format, path: Path) -> Raw:
    try:
        return form.read(path)
    except PermissionError:
        raise InputError(f"{path} may not be read; check its permissions.") from None
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check the path.") from None
    except MemoryError:
        raise InputError(f"{path} does not fit into memory; split it or use a larger machine.") from None
    except OSError:
        raise InputError(f"{path} cannot be read; check the disk and the path.") from None


def _concatenate(tables: list[Raw], files: list[Path]) -> Raw:
    first = tables[0]
    names = list(first.frame.columns)
    for table, file in zip(tables[1:], files[1:], strict=True):
        if sorted(table.frame.columns) != sorted(names):
            other = set(table.frame.columns) ^ set(names)
            raise InputError(
                f"{file.name} and {files[0].name} differ in the column {min(other)!r}; "
                "give all files the same columns or name one of them."
            )
        if dict(table.storage) != dict(first.storage):
            changed = next(name for name in names if table.storage[name] != first.storage[name])
            raise FormatError(
                f"column {changed!r} has another type in {file.name} than in {files[0].name}; convert one."
            )
    frame = pd.concat([table.frame[names] for table in tables], ignore_index=True)
    digest = hashlib.sha256("".join(table.fingerprint for table in tables).encode()).hexdigest()
    return replace(
        first, frame=frame, fingerprint=digest, lines=tuple(line for table in tables for line in table.lines)
    )
