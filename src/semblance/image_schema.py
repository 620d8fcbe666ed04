"""What images mean: their geometry, what a value stands for, what is known of each: class, patient, site, organs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semblance.errors import SchemaError

Bound = Literal["declared", "inferred"]

MIRRORS = ("none", "left-right", "any")
"""How an image may be flipped or turned and still be one that could have been taken."""

PLANES = ("", "axial", "coronal", "sagittal")
"""How a slice lies in the body; empty where the images are no slices, or nobody knows."""


@dataclass(frozen=True, slots=True)
class ImageSchema:
    """The meaning of a set of images that share one geometry.

    Attributes:
        height, width: In pixels. channels: 1 for grey, 3 for red, green and blue.
        modality: DICOM's code for how they were taken (CR, DX, CT, MR, US, …); "OT" for other or unknown.
        bits: Of a stored value. step: The smallest difference between two values; 0 for any.
        low, high: The values that count as darkest and brightest; what lies outside is cut off.
        bounds: Whether a person declared `low` and `high` or they were read from the images.
        unit: Of a value, such as "HU"; empty where it has none.
        spacing_mm: Distance of rows and of columns; None where it is unknown.
        plane: One of `PLANES`.
        format: What the images came as, and samples are written as: "png", "dicom", "nifti", …
        label: What the classes are of, such as "finding"; empty without classes. classes: Their names, in order.
        attributes: What else is known of each image, by name, with its labels in order: {"site": ("A", "B")}.
        patient: Whether each image names its patient; without, each counts as a patient of its own.
        structures: What a mask marks: structure k + 1 is `structures[k]`, 0 is none. Empty without masks.
        mirror: One of `MIRRORS`; "none" where left and right differ, which is what is assumed.
    """

    height: int
    width: int
    channels: int = 1
    modality: str = "OT"
    bits: int = 8
    step: float = 1.0
    low: float = 0.0
    high: float = 255.0
    bounds: Bound = "declared"
    unit: str = ""
    spacing_mm: tuple[float, float] | None = None
    plane: str = ""
    format: str = "png"
    label: str = ""
    classes: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    patient: bool = False
    structures: tuple[str, ...] = ()
    mirror: str = "none"

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 8 or self.channels not in (1, 3):
            raise SchemaError("images must be at least 8 × 8 pixels, grey (1 channel) or coloured (3 channels).")
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high and self.step >= 0):
            raise SchemaError("an image schema needs low < high, both finite, and a step of 0 or more.")
        if self.mirror not in MIRRORS:
            raise SchemaError(f"'mirror' of an image schema must be one of {', '.join(MIRRORS)}.")
        if self.plane not in PLANES:
            raise SchemaError(f"'plane' of an image schema must be one of {', '.join(PLANES[1:])}, or empty.")
        for name, labels in {self.label or "label": self.classes, **self.attributes}.items():
            if len(set(labels)) < len(labels):
                raise SchemaError(f"the labels of {name!r} in an image schema must differ from each other.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """All that a generator may be told of an image: the label first, then the attributes."""
        own = {self.label: self.classes} if self.classes else {}
        return {**own, **self.attributes}

    def to_unit(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values -> -1 (darkest) to 1 (brightest); any shape."""
        span = np.float32(self.high - self.low)
        unit: NDArray[np.float32] = np.clip((pixels - np.float32(self.low)) / span, 0, 1) * np.float32(2) - np.float32(
            1
        )
        return unit

    def from_unit(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `to_unit`, in whole steps from `low`."""
        part = (np.clip(unit.astype(np.float64), -1, 1) + 1) / 2 * (self.high - self.low)
        if self.step:
            part = np.round(part / self.step) * self.step
        return (self.low + part).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """As JSON and TOML write it; the inverse of `from_dict`. What is unknown is left out."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        found["attributes"] = {name: list(labels) for name, labels in self.attributes.items()}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
        return {name: value for name, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> ImageSchema:
        """Read what `to_dict` wrote. Raises SchemaError where a field is unknown, missing or of the wrong type."""
        unknown = set(found) - {f.name for f in fields(cls)}
        if unknown:
            raise SchemaError(f"an image schema has no field {sorted(unknown)[0]!r}.")
        try:
            spacing = found.get("spacing_mm")
            return cls(
                **{
                    **found,
                    "spacing_mm": None if spacing is None else (float(spacing[0]), float(spacing[1])),
                    "classes": tuple(map(str, found.get("classes", ()))),
                    "structures": tuple(map(str, found.get("structures", ()))),
                    "attributes": {str(k): tuple(map(str, v)) for k, v in found.get("attributes", {}).items()},
                }
            )
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            raise SchemaError("an image schema lacks its height or width, or a field is of the wrong type.") from error
