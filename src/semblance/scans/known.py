"""Where the label, the patient and the site of an image are read from: a folder, a table, a tag, the file's name.

One text says it:
    folder        the first folder below the source ("folder:2" the second)
    tag:KEYWORD   what the file itself says: a DICOM keyword; "label", "patient", "site" of an .npz
    name:PATTERN  the part of the file's name that a regular expression's first group finds
    FILE.csv:COL  column COL of a table that has a column "file" ("label", "patient" or "site" where COL is left out)
    none          nothing
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from semblance.errors import InputError
from semblance.formats.csv import Csv
from semblance.image_contracts import Shot

Asked = Callable[[str, Shot], str | None]
"""The text for the image of this name below the source; None where it has none."""

FILE_COLUMNS = ("file", "filename", "file_name", "path", "image")
TABLES = (".csv", ".tsv", ".txt")
NONE = ("", "none")
GRAMMAR = "'folder', 'tag:KEYWORD', 'name:PATTERN', 'FILE.csv:COLUMN' or 'none'"
IDENTIFYING = (
    *("PatientName", "PatientID", "OtherPatientIDs", "PatientBirthDate", "PatientBirthTime", "PatientAddress"),
    *("PatientTelephoneNumbers", "PatientMotherBirthName", "PatientBirthName", "AccessionNumber", "StudyID"),
    *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "InstitutionAddress", "ReferringPhysicianName"),
    *("PerformingPhysicianName", "OperatorsName"),
)
"""What must not become a class or an attribute: a model would learn it and write it on synthetic images."""


def ask(spec: str, role: str, root: Path) -> Asked:
    """How to find the `role` ("label", "patient", "site", …) of an image.

    Raises:
        InputError: the text is none of the above, the table cannot be found or lacks a column, or a label would be
            read from a tag that names a person.
    """
    kind, _, rest = spec.partition(":")
    if spec in NONE:
        return lambda name, shot: None
    if kind == "folder" and (not rest or rest.isdigit()):
        depth = int(rest or 1)
        return lambda name, shot: _folder(name, depth)
    if kind == "tag" and rest:
        if role != "patient" and rest in IDENTIFYING:
            raise InputError(f"the {role} cannot be read from {rest}, which names a person; choose another tag.")
        return lambda name, shot: _clean((shot.tags or {}).get(rest))
    if kind == "name" and rest:
        return _by_pattern(rest, role)
    path, column = spec, role
    if not spec.lower().endswith(TABLES):
        path, _, column = spec.rpartition(":")
    if path.lower().endswith(TABLES) and column:
        return _by_table(path, column, role, root)
    raise InputError(f"it is not clear where the {role} is read from; write {GRAMMAR}.")


def title(spec: str, role: str) -> str:
    """What the condition is called: the column or the tag it is read from, else its role; "" where there is none."""
    if spec in NONE:
        return ""
    if spec.startswith("tag:"):
        return spec.removeprefix("tag:")
    if spec.startswith(("name:", "folder")) or spec.lower().endswith(TABLES):
        return role
    return spec.rpartition(":")[2] or role


def _clean(text: str | None) -> str | None:
    return (text or "").strip() or None


def _folder(name: str, depth: int) -> str | None:
    folders = PurePosixPath(name).parts[:-1]
    return folders[depth - 1] if len(folders) >= depth else None


def _by_pattern(pattern: str, role: str) -> Asked:
    try:
        seek = re.compile(pattern)
    except re.error:
        raise InputError(f"the pattern for the {role} is no regular expression; mend it.") from None
    if not seek.groups:
        raise InputError(f"the pattern for the {role} needs a group in brackets, as in 'name:^(person[0-9]+)_'.")

    def find(name: str, shot: Shot) -> str | None:
        match = seek.search(PurePosixPath(name).name)
        return _clean(match.group(1)) if match else None

    return find


def _by_table(path: str, column: str, role: str, root: Path) -> Asked:
    table = next((one for one in (Path(path), root / path) if one.is_file()), None)
    if table is None:
        raise InputError(f"there is no table {path} with the {role} of each image; check the path.")
    frame = Csv().read(table).frame
    files = next((name for name in frame.columns if str(name).strip().lower() in FILE_COLUMNS), None)
    if files is None:
        raise InputError(f"{table.name} has no column 'file' with the names of the images; add or rename it.")
    if column not in frame.columns:
        raise InputError(f"{table.name} has no column {column!r} with the {role}; name it as in '{table.name}:COLUMN'.")
    whole: dict[str, str | None] = {}
    short: dict[str, set[str | None]] = {}
    for file, text in zip(frame[files], frame[column], strict=True):
        name = str(file).strip().replace("\\", "/").removeprefix("./")
        value = _clean(text)
        if whole.setdefault(name, value) != value:
            raise InputError(f"{table.name} says two things of the {role} of {PurePosixPath(name).name}; keep one.")
        short.setdefault(PurePosixPath(name).name, set()).add(value)

    def find(name: str, shot: Shot) -> str | None:
        file = name.partition("#")[0]
        if file in whole:
            return whole[file]
        values = short.get(PurePosixPath(file).name, set())
        return next(iter(values)) if len(values) == 1 else None

    return find
