"""What generators and formats of images promise. No base classes: obey the shape and be listed in ``catalog.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import SchemaError
from semblance.evidence import Finding
from semblance.image_schema import ImageSchema


class ImageModel(Protocol):
    """A fitted, immutable thing that samples images.

    It has `notes` (what a reader must know about how it was learned), `facts` (what was measured while it learned)
    and `training` (loss curves by name), as models of tables do.
    """

    @property
    def name(self) -> str:
        """Of the recipe."""

    @property
    def schema(self) -> ImageSchema:
        """What the sampled images mean."""

    @property
    def keeps_real_values(self) -> bool:
        """True when a real patient's image can be read out of the saved model."""

    def sample(self, n: int, run: Run, *, given: Mapping[str, str] | None = None) -> Images:
        """Draw `n` images with origin "synthetic"; labels as often as in training, but for those `given`.

        Privacy: reads no real data and spends nothing.
        """

    def save(self, folder: Path) -> None:
        """Write data files only (JSON, npz, safetensors); loading them never runs code."""


@runtime_checkable
class Translator(Protocol):
    """What an image model can also be: a way from one kind of image to another."""

    @property
    def ways(self) -> tuple[str, ...]:
        """Directions, such as "T1>T2"."""

    def translate(self, images: Images, run: Run, *, way: str = "") -> Images:
        """The same scenes as they would look taken the other way. Origin "augmented": a real patient's anatomy."""


@runtime_checkable
class MaskPainter(Protocol):
    """What an image model can also be: a painter of images around given masks."""

    def paint(self, masks: NDArray[np.uint8], run: Run, *, given: Mapping[str, str] | None = None) -> Images:
        """An image for each mask, (n, height, width), and the mask beside it."""


class ImageGenerator(Protocol):
    """A recipe: a frozen dataclass whose fields are its parameters; cheap to import. All need the extra "neural"."""

    name: ClassVar[str]
    about: ClassVar[str]
    extra: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why this recipe cannot learn such images, in a sentence; None when it can."""

    def fit(self, train: Images, run: Run) -> ImageModel:
        """Learn from `train` only."""

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> ImageModel:
        """Read back what `ImageModel.save` wrote."""


class Augmentation(Protocol):
    """A classical transformation: a frozen dataclass whose fields are its strengths; cheap to import, no torch."""

    name: ClassVar[str]
    about: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def keeps(self, schema: ImageSchema) -> Mapping[str, str]:
        """Of each condition of the schema (its label, its attributes), why this may change it; "" where it keeps it.

        A claim, to be tested by ``audits/images/invariance.py``: a flip keeps "pneumonia", and not "left".
        """

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Each image transformed once, masks with it, in their order. Origin "augmented": a real patient's image."""


@dataclass(frozen=True, eq=False)
class ImageComparison:
    """All that an audit of images may see: what was learned from, patients it never saw, and what was made."""

    train: Images
    held: Images
    fake: Images

    def __post_init__(self) -> None:
        for images, whose in ((self.held, "holdout"), (self.fake, "synthetic")):
            if images.schema.shape != self.train.schema.shape:
                raise SchemaError(f"the {whose} images are not of the shape of the training images; use --size.")
            if images.schema.classes != self.train.schema.classes:
                raise SchemaError(f"the {whose} images do not have the classes of the training images; use --schema.")


@dataclass(frozen=True, slots=True)
class Plate:
    """A picture that belongs to findings.

    Attributes:
        audit: Name of the audit. title, caption: For a reader. png: The picture.
        board: Shows real patients: for the board alone, never published.
    """

    audit: str
    title: str
    caption: str
    png: bytes
    board: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """What an audit of images found, and pictures of it."""

    findings: tuple[Finding, ...]
    plates: tuple[Plate, ...] = ()


class ImageAudit(Protocol):
    """One question about synthetic images. Never warns, never decides."""

    name: ClassVar[str]
    asks: ClassVar[str]

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """Measure. A question that cannot be answered comes back as a skipped or underpowered Finding."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One image as its file holds it.

    Attributes:
        pixels: (channels, height, width) float32, in `unit`, bright is bright (MONOCHROME1 is turned over).
        name: Of the file below the folder that was read, and of the slice in it.
        tags: What the file itself says and a label, patient or site may be read from: DICOM keywords -> text.
        bits, step, unit, spacing_mm, modality: As in ImageSchema.
        mask: (height, width) uint8, where the same file holds it.
    """

    pixels: NDArray[np.float32]
    name: str
    bits: int = 8
    step: float = 1.0
    unit: str = ""
    spacing_mm: tuple[float, float] | None = None
    modality: str = "OT"
    tags: Mapping[str, str] | None = None
    mask: NDArray[np.uint8] | None = None


class ImageFormat(Protocol):
    """One kind of image file: read and write."""

    name: ClassVar[str]
    about: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    def read(self, path: Path, *, plane: str = "") -> Sequence[Shot]:
        """The images in one file, or its slices by plane. Raises FormatError with the file's name and the cure."""

    def write(self, images: Images, folder: Path, *, made_by: Mapping[str, str] | None = None) -> Sequence[Path]:
        """Write synthetic images, one file each (or one for all), and their masks, with names made up here.

        Nothing but pixels, masks, labels and what the schema declares is written. Beside the files stands
        "labels.csv": file, mask, made-up patient (where the schema has patients) and labels of each image. The same
        images and `made_by` give the same bytes.

        Args:
            folder: Made where it does not exist; files of the same names in it are replaced.
            made_by: What the files say of their making, as texts: "generator" its name, "model" the digest of the
                model, "seed" of the drawing. Formats that number images uniquely do so from all of these.

        Returns: The image files in the order of `images` (one file where the format holds all), without masks.
        """
