"""DICOM: single images of any modality in; new objects, built from an allow-list, out.

reading.py   a file's pixels as values, and what it says of itself
header.py    all that a synthetic image's file says, and why it may
writing.py   the files
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from semblance.data.images import Images
from semblance.formats.dicom.reading import read_shot
from semblance.formats.dicom.writing import write_images
from semblance.image_contracts import Shot


@dataclass(frozen=True, slots=True)
class Dicom:
    """One image a file; files without an ending are known by their preamble."""

    name: ClassVar[str] = "dicom"
    about: ClassVar[str] = "DICOM images of one frame, in values (HU, …); what is written is built anew, never copied"
    suffixes: ClassVar[tuple[str, ...]] = (".dcm", ".dicom", ".ima")

    def read(self, path: Path, *, plane: str = "") -> Sequence[Shot]:
        """The image, in the values that its rescaling gives. Raises FormatError as `reading.read_shot` says."""
        return [read_shot(path)]

    def write(self, images: Images, folder: Path, *, made_by: Mapping[str, str] | None = None) -> Sequence[Path]:
        """One Secondary Capture object each, as `header.describe` says; masks as objects of their own.

        The same images and `made_by` give the same bytes, unique identifiers among them.
        """
        return write_images(images, folder, made_by or {})
