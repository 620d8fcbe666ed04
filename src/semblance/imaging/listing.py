"""What the files of synthetic images are called, and the table that stands beside them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from semblance.data.images import PATIENT, Images

LISTING = "labels.csv"
MASK = "_mask"
"""Ends the name of a mask's file, before the ending."""


def name_files(images: Images, suffix: str) -> list[str]:
    """A made-up name for each image, below a folder for each class: "pneumonia/SYN-000001.png".

    Names of folders keep letters, digits, blank, point, dash and underscore of the class's name.
    """
    names = [f"{made_up(number, len(images))}{suffix}" for number in range(1, len(images) + 1)]
    if not images.schema.classes:
        return names
    folders = _folders(images.schema.classes)
    labels = images.about[images.schema.label].tolist()
    return [f"{folders[label]}/{name}" if label in folders else name for label, name in zip(labels, names, strict=True)]


def made_up(number: int, n: int) -> str:
    """A name that is nobody's, of `n` such: "SYN-000001"."""
    return f"SYN-{number:0{max(6, len(str(n)))}d}"


def name_patients(images: Images) -> list[str]:
    """A made-up name of each image's patient, the same for all images of one; never the patient's own."""
    return [made_up(number + 1, len(images)) for number in images.patients.tolist()]


def _folders(labels: Sequence[str]) -> dict[str, str]:
    """A folder's name for each label, all different."""
    folders: dict[str, str] = {}
    for label in labels:
        plain = re.sub(r"[^\w .-]", "_", label).strip(" .") or "class"
        taken = {name.casefold() for name in folders.values()}
        name, number = plain, 2
        while name.casefold() in taken:
            name, number = f"{plain}_{number}", number + 1
        folders[label] = name
    return folders


def mask_of(name: str) -> str:
    """The name of the mask's file beside an image's: "SYN-000001_mask.png"."""
    path = Path(name)
    stem, ending = path.name.split(".", 1)
    return (path.parent / f"{stem}{MASK}.{ending}").as_posix()


def make_folders(folder: Path, names: Sequence[str]) -> list[Path]:
    """The paths of these files below `folder`, whose folders are made. Raises OSError."""
    paths = [folder / name for name in names]
    for parent in {path.parent for path in paths} | {folder}:
        parent.mkdir(parents=True, exist_ok=True)
    return paths


def write_listing(images: Images, names: Sequence[str], folder: Path, *, patients: Sequence[str] = ()) -> None:
    """Write "labels.csv": file, its mask and its patient, if any, and each condition; empty where unknown.

    Args:
        patients: Made-up names, as the files have them; `name_patients` by default.
    """
    columns: dict[str, Sequence[object]] = {"file": names}
    if images.masks is not None:
        columns["mask"] = [mask_of(name) for name in names]
    if images.schema.patient:
        columns[PATIENT] = patients or name_patients(images)
    for name in images.schema.conditions:
        columns[name] = ["" if label is None else label for label in images.about[name].tolist()]
    with (folder / LISTING).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
