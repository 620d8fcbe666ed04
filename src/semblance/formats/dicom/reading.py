"""What a DICOM file shows, as values that mean something."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semblance.errors import FormatError
from semblance.extras import need
from semblance.image_contracts import Shot

if TYPE_CHECKING:
    from pydicom import FileDataset

NO_IMAGES = {
    "SEG": "a segmentation",
    "RTDOSE": "a radiotherapy dose",
    "RTSTRUCT": "a radiotherapy structure set",
    "RTPLAN": "a radiotherapy plan",
    "SR": "a structured report",
    "PR": "a presentation state",
    "KO": "a list of key images",
    "REG": "a registration",
    "ECG": "an electrocardiogram",
    "DOC": "a document",
}
"""By modality, what is kept in DICOM files and is no image of a patient (PS3.3, C.7.3.1.1.1)."""

DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError),
    *(ArithmeticError, RuntimeError, RecursionError, struct.error, zlib.error, UnicodeError, MemoryError),
)
"""What pydicom raises, depending on which byte is wrong."""

LONGEST = 64
"""Characters of a tag that may be a label; DICOM's own limit for a long string."""
UNITS = {"HU": "HU", "BQML": "BQML", "CNTS": "CNTS", "GML": "GML"}


def read_shot(path: Path) -> Shot:
    """The image of one file: rescaled, bright is bright, padding as dark as the darkest.

    Raises:
        FormatError: it is no DICOM file or damaged, holds no image or several frames, or its pixels are compressed
            in a way that nothing installed reads. Never quotes a tag.
        MissingExtra: pydicom is not installed.
    """
    need("images", "reading DICOM")
    from pydicom.errors import BytesLengthException

    with _quietly():
        try:
            data = _load(path)
            _refuse(data, path.name)
            stored = _pixels(data, path.name)
            return _shot(data, stored, path.name)
        except (*DAMAGE, BytesLengthException):
            raise FormatError(
                f"{path.name} describes its pixels in a way that makes no sense; export it again."
            ) from None


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep pydicom's remarks to itself, as warnings and in its log: they quote what tags say of patients."""
    log = logging.getLogger("pydicom")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


def _load(path: Path) -> FileDataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(path)
    except InvalidDicomError:
        raise FormatError(f"{path.name} does not begin as DICOM files do (no preamble); export it again.") from None
    except DAMAGE as error:
        if isinstance(error, PermissionError):
            raise FormatError(f"{path.name} may not be read; check its permissions.") from None
        raise FormatError(f"{path.name} is damaged or cut short; export it again.") from None


def _refuse(data: FileDataset, name: str) -> None:
    try:
        kind = NO_IMAGES.get(str(data.get("Modality", "")))
        frames = int(data.get("NumberOfFrames") or 1)
        mosaic = "MOSAIC" in [str(part) for part in data.get("ImageType") or ()]
    except DAMAGE:
        raise FormatError(f"{name} does not say what it holds in a way that makes sense; export it again.") from None
    if kind is not None:
        raise FormatError(f"{name} holds {kind}, not an image; leave it out.")
    if not {"PixelData", "FloatPixelData", "DoubleFloatPixelData"} & set(data.dir("PixelData")):
        raise FormatError(f"{name} holds no pixels; leave it out.")
    if frames > 1:
        raise FormatError(f"{name} holds {frames} frames; save each frame as a file of its own.")
    if mosaic:
        raise FormatError(f"{name} is a mosaic of many slices; convert it to a volume (NIfTI) first.")


def _pixels(data: FileDataset, name: str) -> NDArray[Any]:
    """Stored values, (height, width) or (height, width, 3); YBR colours come as RGB."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    try:
        stored = pixel_array(data)
        if data.get("PhotometricInterpretation") == "PALETTE COLOR":
            stored = apply_color_lut(stored, data)
            stored = (stored >> 8).astype(np.uint8) if stored.dtype == np.uint16 else stored
        return np.asarray(stored)
    except DAMAGE as error:
        if isinstance(error, RuntimeError | NotImplementedError) and _compressed(data):
            raise FormatError(
                f"the pixels of {name} are compressed in a way that what is installed cannot read; install pylibjpeg "
                "with its plug-ins, or decompress the file first (dcmdjpeg, gdcmconv --raw)."
            ) from None
        raise FormatError(f"the pixels of {name} are damaged, cut short or not described; export it again.") from None


def _compressed(data: FileDataset) -> bool:
    try:
        return bool(data.file_meta.TransferSyntaxUID.is_compressed)
    except (AttributeError, ValueError):
        return False


def _shot(data: FileDataset, stored: NDArray[Any], name: str) -> Shot:
    from pydicom.pixels.processing import apply_modality_lut

    modality = str(data.get("Modality") or "OT")
    if stored.ndim == 3:
        bits = 8 if stored.dtype == np.uint8 else 16 if stored.dtype == np.uint16 else 32
        colours = stored.astype(np.float32)
        grey = (colours == colours[..., :1]).all()
        pixels = colours[..., 0][None] if grey else colours.transpose(2, 0, 1).copy()
        return Shot(pixels, name, bits, 1.0, "", _spacing(data), modality, _tags(data))
    padding = _padding(data, stored)
    unit = _unit(data, modality)
    if data.get("PhotometricInterpretation") == "MONOCHROME1":
        low, high = _extent(data, stored)
        stored, unit = low + high - stored.astype(np.float64), ""  # turned over, a value has no unit any more
        values = stored * float(data.get("RescaleSlope") or 1)
    else:
        values = np.asarray(apply_modality_lut(stored, data), dtype=np.float64)
    step = 0.0 if data.get("ModalityLUTSequence") or (stored.dtype.kind == "f" and not _turned(data)) else _slope(data)
    if not np.isfinite(values).all():
        raise ValueError("pixels without a value")
    if padding is not None and padding.any() and not padding.all():
        values = np.where(padding, values[~padding].min(), values)
    bits = int(data.get("BitsStored") or stored.dtype.itemsize * 8)
    return Shot(values.astype(np.float32)[None], name, bits, step, unit, _spacing(data), modality, _tags(data))


def _turned(data: FileDataset) -> bool:
    return bool(data.get("PhotometricInterpretation") == "MONOCHROME1")


def _slope(data: FileDataset) -> float:
    return abs(float(data.get("RescaleSlope") or 1)) or 1.0


def _extent(data: FileDataset, stored: NDArray[Any]) -> tuple[float, float]:
    """The least and the greatest value that could be stored."""
    if stored.dtype.kind == "f":
        return float(stored.min()), float(stored.max())
    bits = int(data.BitsStored)
    return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if data.PixelRepresentation else (0.0, 2.0**bits - 1)


def _padding(data: FileDataset, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Pixels outside the field of view (PS3.3, C.7.5.1.1.2)."""
    first = data.get("PixelPaddingValue")
    if first is None:
        return None
    last = data.get("PixelPaddingRangeLimit")
    low, high = sorted((int(first), int(first if last is None else last)))
    padding: NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return padding


def _unit(data: FileDataset, modality: str) -> str:
    said = str(data.get("RescaleType") or data.get("Units") or "").upper()
    if modality == "CT" and said in ("", "HU", "US"):
        return "HU"
    return UNITS.get(said, "")


def _spacing(data: FileDataset) -> tuple[float, float] | None:
    """Of rows and columns in the patient; else at the detector or of the film."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        found = data.get(keyword)
        if found is not None and not isinstance(found, str) and len(found) == 2:
            rows, columns = float(found[0]), float(found[1])
            if rows > 0 and columns > 0 and np.isfinite([rows, columns]).all():
                return rows, columns
    return None


def _tags(data: FileDataset) -> dict[str, str]:
    """Keyword -> text of what is short; several values stand apart by a backslash."""
    tags = {}
    for element in data:
        if not element.keyword or element.VR in ("SQ", "OB", "OW", "OF", "OD", "UN", "UT", "OB or OW"):
            continue
        value = element.value
        several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
        text = "\\".join(map(str, value)) if several else str("" if value is None else value)
        if 0 < len(text) <= LONGEST:
            tags[element.keyword] = text
    return tags
