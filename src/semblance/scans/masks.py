"""Masks that lie beside the images: in a folder of the same layout, or as a second file whose name ends in "_mask"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from semblance.errors import FormatError, InputError
from semblance.image_contracts import Shot
from semblance.scans.finding import Place, find_files

MOST_STRUCTURES = 16
ON = 255


@dataclass(frozen=True, slots=True)
class Beside:
    """The mask's file for each image's file, by names without endings.

    Attributes:
        suffix: What ends a mask's name, where masks lie among the images; empty where they have a folder.
    """

    files: dict[str, Place]
    suffix: str = ""

    def attach(self, shots: Sequence[Shot], name: str, *, plane: str) -> list[Shot]:
        """The shots of the file `name`, each with its mask. Raises FormatError where there is none, or another size."""
        place = self.files.get(_stem(name) + self.suffix)
        if place is None:
            raise FormatError(f"{PurePosixPath(name).name} has no mask; add one, empty where nothing is marked.")
        masks = [_mask(shot, place.path.name) for shot in place.form.read(place.path, plane=plane)]
        if [mask.shape for mask in masks] != [shot.pixels.shape[1:] for shot in shots]:
            raise FormatError(f"the mask of {PurePosixPath(name).name} has another size than the image; redraw it.")
        return [replace(shot, mask=mask) for shot, mask in zip(shots, masks, strict=True)]


def find_masks(masks: str, places: Sequence[Place], root: Path) -> tuple[list[Place], Beside]:
    """Part the images from their masks.

    Args:
        masks: A folder (below `root` or anywhere), or what ends a mask's name before its ending, such as "_mask".
        places: All files below `root`.

    Raises:
        InputError: there is no such folder, or no such file.
    """
    if masks.startswith("_"):
        marked = {_stem(place.name): place for place in places if _stem(place.name).endswith(masks)}
        if not marked:
            raise InputError(f"no file's name ends in {masks} before its ending; name the masks so, or their folder.")
        return [place for place in places if _stem(place.name) not in marked], Beside(marked, masks)
    folder = next((one for one in (root / masks, Path(masks)) if one.is_dir()), None)
    if folder is None:
        raise InputError(f"there is no folder {masks} of masks; check the path, or write an ending such as '_mask'.")
    beside = {_stem(place.name): place for place in find_files(folder).places}
    inside = folder.resolve()
    images = [place for place in places if inside not in place.path.resolve().parents]
    return images, Beside(beside)


def number_structures(masks: NDArray[np.uint8], names: Sequence[str]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Masks with 1, 2, … for the values that occur, and a name for each.

    Args:
        names: Of the structures, in the order of their values; empty for "structure 1", … Where the values already
            are 1 to the number of names or fewer, they stay.

    Raises:
        InputError: nothing is marked anywhere, more than 16 values occur, or they are more than the names.
    """
    values = np.flatnonzero(np.bincount(masks.reshape(-1), minlength=ON + 1)[1:]) + 1
    if not len(values):
        raise InputError("the masks are all empty; mark at least one structure, or read the images without masks.")
    if len(values) > MOST_STRUCTURES:
        raise InputError(
            f"the masks hold {len(values)} different values; give each structure one number, and save no JPEG."
        )
    if names and values[-1] <= len(names):
        return masks, tuple(names)
    if names and len(values) > len(names):
        raise InputError(f"the masks mark {len(values)} structures, but {len(names)} are named; name them all.")
    if not names and values[-1] <= MOST_STRUCTURES:
        return masks, tuple(f"structure {number}" for number in range(1, int(values[-1]) + 1))
    table = np.zeros(ON + 1, dtype=np.uint8)
    table[values] = np.arange(1, len(values) + 1)
    found = tuple(names) or tuple(f"structure {number}" for number in range(1, len(values) + 1))
    return table[masks], found


def _stem(name: str) -> str:
    """The name without its ending or endings (".nii.gz")."""
    path = PurePosixPath(name)
    ending = ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix
    return name[: len(name) - len(ending)] if ending else name


def _mask(shot: Shot, name: str) -> NDArray[np.uint8]:
    if len(shot.pixels) != 1:
        raise FormatError(f"the mask {name} is coloured; write each structure as one grey value.")
    values = shot.pixels[0]
    if values.min() < 0 or values.max() > ON or (values % 1 != 0).any():
        raise FormatError(
            f"the mask {name} holds other values than whole numbers from 0 to {ON}; number the structures."
        )
    found: NDArray[np.uint8] = values.astype(np.uint8)
    return found
