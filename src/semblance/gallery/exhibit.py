"""All that a gallery shows. Whoever makes one decides which real images may be shown: none, unless they are public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semblance.image_schema import ImageSchema

Tiles = NDArray[np.float32]
Question = Literal["learns", "precision", "recall", "coverage", "copies"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of the synthetic images beside that of real ones; limits where they are known.

    Attributes:
        question: What was asked. fake, real: Estimate, low, high.
    """

    question: Question
    fake: tuple[float, float | None, float | None]
    real: tuple[float, float | None, float | None]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"question": self.question, "synthetic": list(self.fake), "real": list(self.real)}


@dataclass(frozen=True, eq=False)
class Exhibit:
    """What a gallery is drawn from.

    Attributes:
        schema: Of the images. fake: Synthetic tiles (n, channels, height, width), -1 to 1, by class; "" without.
        facts: "generator", "parameters", "seed", "learned_from", "drawn", "asked_of", "notes" and versions.
        real: Real tiles by class. Leave empty unless they may be shown to whoever sees the page.
        pairs: Synthetic tiles and the nearest learned image of each, in the same order; likewise.
        steps: Pictures as it learned: the step, and a PNG. curves: The losses, as PNG. measured: What was measured.
        attribution: Whom to thank for the real images.
    """

    schema: ImageSchema
    fake: Mapping[str, Tiles]
    facts: Mapping[str, Any]
    real: Mapping[str, Tiles] = field(default_factory=dict)
    pairs: tuple[Tiles, Tiles] | None = None
    steps: Sequence[tuple[int, bytes]] = ()
    curves: bytes = b""
    measured: Sequence[Measured] = ()
    attribution: str = ""

    def __repr__(self) -> str:
        return f"Exhibit({self.facts.get('drawn')} synthetic images)"
