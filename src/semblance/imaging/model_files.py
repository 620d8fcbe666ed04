"""The files of a fitted image model beside its nets: what has to be known to use it, and how its training went."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from semblance.errors import FormatError

TRAINING = "training.json"
"""Losses by the name of each training; the rest is in a file that each kind of model names."""

M = TypeVar("M")


class Trained(Protocol):
    """What an ``image_contracts.ImageModel`` tells of its training."""

    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def facts(self) -> Mapping[str, float]: ...
    @property
    def training(self) -> Mapping[str, list[dict[str, float]]]: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read back. `known`: what that kind of model needs, by name."""

    known: dict[str, Any]
    notes: tuple[str, ...]
    facts: dict[str, float]
    training: dict[str, list[dict[str, float]]]


def write_kept(model: Trained, file: Path, known: Mapping[str, Any]) -> None:
    """Write `known` and the model's notes and facts into `file`, its losses beside it."""
    found = {**known, "notes": list(model.notes), "facts": dict(model.facts)}
    file.write_text(json.dumps(found), encoding="utf-8")
    (file.parent / TRAINING).write_text(json.dumps(dict(model.training)), encoding="utf-8")


def read_kept(file: Path, make: Callable[[Kept], M], *, name: str) -> M:
    """What `make` makes of what `write_kept` wrote; it may read further files of the same folder.

    Args:
        name: Of the recipe.

    Raises:
        FormatError: a file is missing or damaged.
    """
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        training = json.loads((file.parent / TRAINING).read_text(encoding="utf-8"))
        return make(Kept(known, tuple(known.pop("notes")), dict(known.pop("facts")), training))
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise FormatError(f"{file.parent} holds no whole {name!r} model of images; fit it again.") from error
