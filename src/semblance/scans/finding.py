"""Which files below a folder are images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semblance.catalog import IMAGE_FORMATS
from semblance.errors import InputError
from semblance.image_contracts import ImageFormat

PREAMBLE = slice(128, 132)
DICOM_INDEX = "DICOMDIR"


@dataclass(frozen=True, slots=True)
class Place:
    """One file: its path, its name below the folder that was asked for (with "/"), and its format."""

    path: Path
    name: str
    form: ImageFormat


@dataclass(frozen=True, slots=True)
class Found:
    """Attributes:
    root: The folder below which `places` lie.
    broken: Names of links that lead nowhere and of files that may not be opened. ignored: Of files that are no images.
    """

    root: Path
    places: tuple[Place, ...]
    broken: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def find_files(source: str | Path) -> Found:
    """The images of a folder and all folders below it, by name; or the one file. Hidden files are passed over.

    A file is known by its ending; without a known one it is DICOM where it begins as DICOM does.

    Raises:
        InputError: nothing is there, or it holds no image.
    """
    root = Path(source)
    try:
        if root.is_file():
            form = _format(root)
            if form is None:
                raise InputError(f"{root.name} is not an image of a known format; use one of {_endings()}.")
            return Found(root.parent, (Place(root, root.name, form),))
        if not root.is_dir():
            raise InputError(f"there is no file or folder {source}; check the path.")
        return _look_through(root)
    except (OSError, ValueError):
        raise InputError(f"{source} cannot be read; check the path and its permissions.") from None


def _look_through(root: Path) -> Found:
    places, broken, ignored = [], [], []
    for path in _walk(root, set()):
        name = path.relative_to(root).as_posix()
        try:
            form = _format(path) if path.exists() else None
        except OSError:
            form = None
            broken.append(name)
            continue
        if form is not None:
            places.append(Place(path, name, form))
        elif not path.exists():
            broken.append(name)
        else:
            ignored.append(name)
    if not places and not broken:
        raise InputError(f"the folder {root} holds no image; expected files ending in {_endings()}, or DICOM files.")
    return Found(root, tuple(places), tuple(broken), tuple(ignored))


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Files in the order of their names; a folder that links lead back to is walked through once."""
    here = folder.stat()
    if (here.st_dev, here.st_ino) in seen:
        return
    seen.add((here.st_dev, here.st_ino))
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.upper() == DICOM_INDEX:
            continue
        if path.is_dir():
            yield from _walk(path, seen)
        else:
            yield path


def _format(path: Path) -> ImageFormat | None:
    name = path.name.lower()
    for known in IMAGE_FORMATS.values():
        if name.endswith(known.suffixes):
            return known()
    if "dicom" not in IMAGE_FORMATS or not path.is_file():
        return None
    with path.open("rb") as file:
        return IMAGE_FORMATS["dicom"]() if file.read(PREAMBLE.stop)[PREAMBLE] == b"DICM" else None


def _endings() -> str:
    return ", ".join(suffix for known in IMAGE_FORMATS.values() for suffix in known.suffixes)
