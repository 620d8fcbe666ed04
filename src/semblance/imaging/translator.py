"""A fitted pair of ways from one kind of image to another and back, around any net that knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import InputError, Unsupported
from semblance.image_schema import ImageSchema
from semblance.imaging.levels import Levels
from semblance.imaging.model_files import Kept, read_kept, write_kept

TRANSLATOR = "translator.json"


class TwoWays(Protocol):
    """What knows both ways between the first kind of image and the second."""

    def turn(self, images: NDArray[np.float32], run: Run, *, forth: bool) -> NDArray[np.float32]:
        """(n, channels, height, width), -1 to 1 -> the same shape and range; `forth` from the first kind."""

    def save(self, folder: Path) -> None:
        """Write data files only; loading them never runs code."""


@dataclass(frozen=True, slots=True)
class TranslatorModel:
    """A Translator (``image_contracts.py``) between the two labels of one condition.

    Attributes:
        name: Of the recipe. schema: Of the training images. domain: The condition. levels: Of each kind.
        notes, facts, training: As ``image_contracts.ImageModel`` says.
    """

    name: str
    schema: ImageSchema
    domain: str
    net: TwoWays
    levels: tuple[Levels, Levels]
    notes: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, list[dict[str, float]]] = field(default_factory=dict)

    @property
    def keeps_real_values(self) -> bool:
        """Nets hold weights, not images; that they hold none by heart is for an audit to show."""
        return False

    @property
    def kinds(self) -> tuple[str, str]:
        """The two labels."""
        first, second = self.schema.conditions[self.domain]
        return first, second

    @property
    def ways(self) -> tuple[str, ...]:
        """Both directions: ("T1>T2", "T2>T1")."""
        first, second = self.kinds
        return f"{first}>{second}", f"{second}>{first}"

    def sample(self, n: int, run: Run, *, given: Mapping[str, str] | None = None) -> Images:
        """Nothing can be drawn from it: it needs an image to begin with. Raises Unsupported."""
        raise Unsupported(
            f"an image model {self.name!r} draws nothing of its own, it turns one kind of image into another: give it "
            "images with 'semblance images translate MODEL FOLDER'."
        )

    def translate(self, images: Images, run: Run, *, way: str = "") -> Images:
        """The same scenes as they would look taken the other way: origin "augmented", a real patient's anatomy.

        Images that say they are of another kind than the way begins with are left out. Masks, patients and all else
        that is told of the others is carried over; the kind becomes the one they were turned into.

        Args:
            way: One of `ways`; may be left out where the images say which kind they are, and all are of one.

        Raises:
            InputError: there is no such way, none of the images can go it, or their size differs from training.
        """
        if images.schema.shape != self.schema.shape:
            raise InputError(
                f"the model turns images of {_size(self.schema)}, and these are {_size(images.schema)}: read them with "
                "that size."
            )
        forth, rows = self._begin(images, way)
        chosen = images.take(rows)
        levels = self.levels[0 if forth else 1]
        turned = self.net.turn(levels.apply(chosen, self.schema), run, forth=forth)
        schema = self._schema_of(images.schema)
        about = chosen.about.copy()
        about[self.domain] = self.kinds[1 if forth else 0]
        return replace(chosen, pixels=self.schema.from_unit(turned), about=about, schema=schema, origin="augmented")

    def _begin(self, images: Images, way: str) -> tuple[bool, NDArray[np.int64]]:
        """Whether the way is the one forth, and which images can go it."""
        if way and way not in self.ways:
            raise InputError(f"there is no way {way!r}; the model knows {' and '.join(self.ways)}.")
        told = images.about[self.domain].to_numpy(dtype=object) if self.domain in images.about else None
        if not way:
            found = set() if told is None else set(told[[label in self.kinds for label in told]])
            if len(found) != 1:
                raise InputError(f"say which way to translate: {' or '.join(self.ways)}.")
            way = self.ways[self.kinds.index(found.pop())]
        forth = way == self.ways[0]
        start = self.kinds[0 if forth else 1]
        fits = np.ones(len(images), bool) if told is None else np.array([x == start or _unknown(x) for x in told], bool)
        if not fits.any():
            raise InputError(f"none of the images is of the kind {start!r} that the way {way!r} begins with.")
        return forth, np.flatnonzero(fits).astype(np.int64)

    def _schema_of(self, given: ImageSchema) -> ImageSchema:
        """What turned images mean: values as in training, the rest as the images that were given say."""
        label, classes, attributes = given.label, given.classes, dict(given.attributes)
        kinds = self.schema.conditions[self.domain]
        if self.domain == self.schema.label and (not classes or label == self.domain):
            label, classes = self.domain, kinds
        else:
            attributes[self.domain] = kinds
        mine = self.schema
        return replace(
            given,
            label=label,
            classes=classes,
            attributes=attributes,
            bits=mine.bits,
            step=mine.step,
            low=mine.low,
            high=mine.high,
            bounds=mine.bounds,
            unit=mine.unit,
        )

    def save(self, folder: Path) -> None:
        """Write the nets, the levels, and how training went."""
        self.net.save(folder)
        known = {"domain": self.domain, "levels": [levels.to_dict() for levels in self.levels]}
        write_kept(self, folder / TRANSLATOR, known)


def load_translator(name: str, folder: Path, schema: ImageSchema, read_net: Callable[[], TwoWays]) -> TranslatorModel:
    """Read back what `TranslatorModel.save` wrote.

    Raises:
        FormatError: a file of it is missing or damaged.
    """

    def make(kept: Kept) -> TranslatorModel:
        domain = kept.known["domain"]
        first, second = (Levels.from_dict(levels) for levels in kept.known["levels"])
        if len(schema.conditions[domain]) != 2:
            raise ValueError("two kinds are needed")
        told = kept.notes, kept.facts, kept.training
        return TranslatorModel(name, schema, domain, read_net(), (first, second), *told)

    return read_kept(folder / TRANSLATOR, make, name=name)


def _unknown(label: object) -> bool:
    return label is None or label != label


def _size(schema: ImageSchema) -> str:
    colour = "grey" if schema.channels == 1 else "colour"
    return f"{schema.height} × {schema.width} pixels in {colour}"
