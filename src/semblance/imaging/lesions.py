"""New lesions in masks: a blob of an asked size, here or anywhere in a structure."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from semblance.errors import InputError
from semblance.image_schema import ImageSchema
from semblance.imaging.masks import check_masks

UNITS = ("mm", "pixels")
WAVES = 5
"""An outline is as rough as so many waves around it make it."""
TRIES = 20
"""Places to try before there counts as no room."""
STRAY = 3.0
"""In a narrow room a lesion reaches at most so many radii far."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """What is to be put where.

    Attributes:
        structure: What it is marked as. within: The structure that it must lie in; what it covers becomes lesion.
        radius: Of a disc of the same area. unit: Of the radius: "mm", where the spacing is known, or "pixels".
        at: Row and column of its middle; None for anywhere in `within`.
        stretch: Longest by shortest axis; 1 for round. rough: How far its outline strays, as a share of the radius.
    """

    structure: str
    within: str
    radius: float
    unit: str = "mm"
    at: tuple[int, int] | None = None
    stretch: float = 1.5
    rough: float = 0.2

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise InputError(f"the unit of a lesion's radius must be one of {', '.join(UNITS)}.")
        if not (self.radius > 0 and self.stretch >= 1 and 0 <= self.rough < 1):
            raise InputError("a lesion needs a radius above 0, a stretch of at least 1, and 0 <= rough < 1.")


def put_lesion(
    masks: NDArray[np.uint8], lesion: Lesion, schema: ImageSchema, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The masks with one lesion more in each: (n, height, width), of its area to the pixel and in one piece.

    Raises:
        InputError: a structure is unknown, the place is outside `within`, or there is no room of that size.
    """
    check_masks(masks, schema)
    for name in (lesion.structure, lesion.within):
        if name not in schema.structures:
            raise InputError(f"the masks have no structure {name!r}; they have {', '.join(schema.structures)}.")
    if lesion.unit == "mm" and schema.spacing_mm is None:
        raise InputError("the images' spacing is unknown, so a lesion's radius must be in pixels (unit='pixels').")
    number, host = (schema.structures.index(name) + 1 for name in (lesion.structure, lesion.within))
    spacing = schema.spacing_mm if lesion.unit == "mm" and schema.spacing_mm else (1.0, 1.0)
    made = masks.copy()
    for mask in made:
        mask[_blob(mask == host, lesion, spacing, rng)] = number
    return made


def _blob(
    room: NDArray[np.bool_], lesion: Lesion, spacing: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The pixels of a new lesion in the given room: (height, width)."""
    area = max(1, round(float(np.pi * lesion.radius**2 / (spacing[0] * spacing[1]))))
    places = np.argwhere(room)
    if lesion.at is not None:
        places = places[(places == lesion.at).all(axis=1)]
        if not len(places):
            raise InputError(f"the asked place of the lesion is outside {lesion.within!r}; ask for one inside.")
    for _ in range(TRIES if len(places) else 0):
        middle = tuple(places[rng.integers(len(places))])
        far = _remoteness(room.shape, middle, lesion, spacing, rng)
        found = _grow(room & (far <= STRAY * lesion.radius), far, middle, area)
        if found.sum() == area:
            return found
    raise InputError(f"{lesion.within!r} has no room for a lesion of {area} pixels there; ask for a smaller radius.")


def _remoteness(
    shape: tuple[int, ...],
    middle: tuple[int, ...],
    lesion: Lesion,
    spacing: tuple[float, float],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Distance of each pixel from the middle as an ellipse with a wavy outline counts it: (height, width)."""
    down, right = ((np.arange(n) - m) * s for n, m, s in zip(shape, middle, spacing, strict=True))
    turn = rng.uniform(0, np.pi)
    along = (np.cos(turn) * right[None, :] + np.sin(turn) * down[:, None]) / np.sqrt(lesion.stretch)
    across = (np.cos(turn) * down[:, None] - np.sin(turn) * right[None, :]) * np.sqrt(lesion.stretch)
    angle = np.arctan2(across, along)
    outline = np.ones(shape)
    for wave in range(2, 2 + WAVES):
        outline += lesion.rough / wave * rng.normal() * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    far: NDArray[np.float64] = np.hypot(along, across) / np.maximum(outline, 0.2)
    return far


def _grow(room: NDArray[np.bool_], far: NDArray[np.float64], middle: tuple[int, ...], area: int) -> NDArray[np.bool_]:
    """From the middle on, the nearest pixel of the room that touches what is there, until there are `area` of them.

    Fewer where the room ends.
    """
    found, seen = np.zeros_like(room), np.zeros_like(room)
    edge = [(0.0, int(middle[0]), int(middle[1]))]
    seen[middle] = True
    for _ in range(area):
        if not edge:
            break
        _, row, column = heappop(edge)
        found[row, column] = True
        for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            inside = 0 <= place[0] < room.shape[0] and 0 <= place[1] < room.shape[1]
            if inside and room[place] and not seen[place]:
                seen[place] = True
                heappush(edge, (float(far[place]), *place))
    return found
