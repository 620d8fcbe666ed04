r"""All that the file of a made image says. A list of what may be said: nothing is taken from a patient's file.

The objects are Secondary Captures (PS3.3, A.8), because no machine took them: DERIVED\SECONDARY, conversion type SYN
(PS3.3, C.8.6.1), content qualification RESEARCH, patient identity removed. Geometry and values come from the schema,
identifiers from the making (generator, model, seed and the drawn pixels), everything else is constant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from semblance.data.dataset import Origin
from semblance.data.images import Images
from semblance.image_schema import ImageSchema
from semblance.imaging.stored import Scale

if TYPE_CHECKING:
    from pydicom import Dataset

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
GROUP, CREATOR = 0x0071, "SEMBLANCE"
LONGEST = 64
"""Characters of a long string (LO), PS3.5."""
SPACING_DIGITS = 4
"""Significant digits of a spacing: enough to measure by, too few to tell one examination's field of view by."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a header says of an image's origin; at most 64 letters each."""

    identity: str
    study: str
    series: str
    derivation: str


DRAWN = Words(
    "Synthetic image of no person; header built from an allow-list",
    "Synthetic images, for research only",
    "SYNTHETIC",
    "Drawn by a generative model; shows no patient",
)
ALTERED = Words(
    "Header built from an allow-list; anatomy of a real patient",
    "Altered images of real patients, for research only",
    "ALTERED",
    "Altered by a generative model; shows a real patient's anatomy",
)
"""Of all that is not synthetic."""


def words_of(origin: Origin) -> Words:
    """What to say of images of this origin."""
    return DRAWN if origin == "synthetic" else ALTERED


def unique_roots(images: Images, made_by: Mapping[str, str]) -> str:
    """What all unique identifiers of these images are made from: equal for equal making, different for any other."""
    content = hashlib.sha256(np.ascontiguousarray(images.pixels).tobytes())
    for key, text in sorted(made_by.items()):
        content.update(f"{key}\x00{text}\x00".encode())
    return content.hexdigest()


def unique(root: str, purpose: str) -> str:
    """An identifier of DICOM's kind from a name-based UUID (PS3.5, B.2)."""
    digest = hashlib.sha256(f"{root}/{purpose}".encode()).digest()
    return f"2.25.{UUID(bytes=digest[:16], version=5).int}"


def describe(
    schema: ImageSchema,
    scale: Scale,
    made_by: Mapping[str, str],
    *,
    root: str,
    number: int,
    patient: int,
    origin: Origin,
) -> Dataset:
    """The header of image `number`, of patient `patient` by a made-up name, without pixels."""
    from pydicom import Dataset

    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    words = words_of(origin)
    _say_who(data, words, root, number, patient)
    _say_how(data, words, schema, made_by)
    data.SOPClassUID = SECONDARY_CAPTURE
    data.SOPInstanceUID = unique(root, f"image/{number}")
    data.InstanceNumber = number
    _say_pixels(data, schema, scale)
    block = data.private_block(GROUP, CREATOR, create=True)
    for offset, key in ((1, "generator"), (2, "model"), (3, "seed")):
        block.add_new(offset, "LO", made_by.get(key, "")[:LONGEST])
    return data


def patient_id(root: str, patient: int) -> str:
    """A name that no patient of another drawing has."""
    return f"SYN-{root[:8]}-{patient:06d}"


def _say_who(data: Dataset, words: Words, root: str, number: int, patient: int) -> None:
    """A patient by a name that nobody bears, of a study and a series that never were."""
    data.PatientName = f"SYN^{patient:06d}"
    data.PatientID = patient_id(root, patient)
    data.PatientBirthDate = data.PatientSex = ""
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = words.identity
    data.StudyInstanceUID = unique(root, f"study/{number}")
    data.SeriesInstanceUID = unique(root, f"series/{number}")
    data.StudyDate = data.StudyTime = data.AccessionNumber = data.ReferringPhysicianName = ""
    data.StudyID, data.SeriesNumber = "SYN", 1
    data.StudyDescription = words.study
    data.SeriesDescription = f"{words.series} - FOR RESEARCH ONLY"


def _say_how(data: Dataset, words: Words, schema: ImageSchema, made_by: Mapping[str, str]) -> None:
    data.Modality = schema.modality
    data.ConversionType = "SYN"
    data.Manufacturer = "Semblance"
    data.ManufacturerModelName = made_by.get("generator", "")[:LONGEST]
    data.SoftwareVersions = version("semblance")
    data.ImageType = ["DERIVED", "SECONDARY"]
    data.DerivationDescription = words.derivation
    data.ContentQualification = "RESEARCH"
    data.BurnedInAnnotation = "NO"
    data.LossyImageCompression = "00"
    data.PatientOrientation = ""


def _say_pixels(data: Dataset, schema: ImageSchema, scale: Scale) -> None:
    data.Rows, data.Columns = schema.height, schema.width
    data.SamplesPerPixel = schema.channels
    data.PhotometricInterpretation = "MONOCHROME2" if schema.channels == 1 else "RGB"
    if schema.channels == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = scale.bits
    data.HighBit, data.PixelRepresentation = scale.bits - 1, 0
    if schema.spacing_mm is not None:
        data.PixelSpacing = [f"{distance:.{SPACING_DIGITS}g}" for distance in schema.spacing_mm]
    if schema.channels == 1:
        data.RescaleIntercept, data.RescaleSlope = _decimal(scale.intercept), _decimal(scale.slope)
        data.RescaleType = schema.unit[:16] or "US"
        data.WindowCenter = _decimal((schema.low + schema.high) / 2)
        data.WindowWidth = _decimal(max(schema.high - schema.low, 1.0))


def _decimal(value: float) -> str:
    """A decimal string (DS) has at most 16 characters."""
    for digits in range(17, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    raise ValueError("a number that no decimal string holds")
