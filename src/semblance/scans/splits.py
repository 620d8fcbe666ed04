"""Sources that come cut into train, val and test: by folders, or by the arrays of an .npz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from semblance.errors import InputError
from semblance.image_contracts import Shot
from semblance.scans.finding import Place

SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
ALL = "all"


@dataclass(frozen=True, slots=True)
class Parted:
    """Attributes:
    places: Those to be read. by_folder: Whether the first folder of each name says which cut it is of.
    """

    places: tuple[Place, ...]
    by_folder: bool = False

    def within(self, name: str) -> str:
        """The name below the folder of its cut."""
        return name.partition("/")[2] if self.by_folder else name


def part_places(places: Sequence[Place], split: str) -> Parted:
    """The files of one cut, where all folders at the top are named train, val or test. Raises InputError."""
    if split and split != ALL and split not in SPLITS.values():
        raise InputError("a split is one of train, val, test or all.")
    cuts = [_cut(place.name) for place in places]
    if not places or None in cuts:
        return Parted(tuple(places))
    wanted = split or "train"
    chosen = tuple(place for place, cut in zip(places, cuts, strict=True) if wanted in (ALL, cut))
    if not chosen:
        raise InputError(f"the source has folders for {_listed(cuts)}, but none for {wanted!r}; say which to read.")
    return Parted(chosen, by_folder=True)


def choose(shots: Sequence[Shot], parted: Parted, split: str) -> tuple[list[Shot], list[str]]:
    """The shots of one cut, each with its tag "split", and what is to be said. Raises InputError."""
    if parted.by_folder:
        marked = [replace(shot, tags={**(shot.tags or {}), "split": _cut(shot.name) or ""}) for shot in shots]
    else:
        marked = list(shots)
    cuts = [(shot.tags or {}).get("split") for shot in marked]
    if not any(cut in SPLITS.values() for cut in cuts):
        if split and split != ALL:
            raise InputError(f"the source is not cut into train, val and test, so that there is no {split!r}.")
        return marked, []
    wanted = split or "train"
    chosen = [shot for shot, cut in zip(marked, cuts, strict=True) if wanted in (ALL, cut)]
    if not chosen:
        raise InputError(f"the source is cut into {_listed(cuts)}, without {wanted!r}; say which to read.")
    said = [] if split else ["the source is cut into train, val and test; only train was read."]
    return chosen, said


def _cut(name: str) -> str | None:
    folders = PurePosixPath(name).parts[:-1]
    return SPLITS.get(folders[0].lower()) if folders else None


def _listed(cuts: Sequence[str | None]) -> str:
    return ", ".join(sorted({cut for cut in cuts if cut}))
