"""Made images as DICOM files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.extras import need
from semblance.formats.dicom.header import SECONDARY_CAPTURE, describe, patient_id, unique, unique_roots, words_of
from semblance.imaging.listing import make_folders, mask_of, name_files, write_listing
from semblance.imaging.stored import Scale

if TYPE_CHECKING:
    from pydicom import Dataset

ON = 255.0


def write_images(images: Images, folder: Path, made_by: Mapping[str, str]) -> list[Path]:
    """One file each, and one for each mask. Raises OSError."""
    need("images", "writing DICOM")
    schema, scale = images.schema, Scale.of(images.schema)
    if schema.channels == 3:
        scale = Scale(8, (schema.high - schema.low) / ON, schema.low)  # colours have neither unit nor rescaling
    root = unique_roots(images, made_by)
    names = name_files(images, ".dcm")
    paths = make_folders(folder, names)
    patients = (images.patients + 1).tolist()
    for row, path in enumerate(paths):
        data = describe(schema, scale, made_by, root=root, number=row + 1, patient=patients[row], origin=images.origin)
        _save(data, scale.store(images.pixels[row], schema), path)
        if images.masks is not None:
            mask = _mask_of(images, root=root, number=row + 1, patient=patients[row])
            _save(mask, images.masks[row][None], folder / mask_of(names[row]))
    write_listing(images, names, folder, patients=[patient_id(root, patient) for patient in patients])
    return paths


def _mask_of(images: Images, *, root: str, number: int, patient: int) -> Dataset:
    """The header of a mask: of the same made-up patient and study, in a series of its own."""
    flat = replace(images.schema, channels=1, bits=8, step=1.0, low=0.0, high=ON, unit="")
    data = describe(flat, Scale(8, 1.0, 0.0), {}, root=root, number=number, patient=patient, origin=images.origin)
    data.SOPInstanceUID = unique(root, f"mask/{number}")
    data.SeriesInstanceUID = unique(root, f"mask series/{number}")
    data.SeriesNumber, data.SeriesDescription = 2, f"{words_of(images.origin).series} MASK - FOR RESEARCH ONLY"
    return data


def _save(data: Dataset, stored: NDArray[Any], path: Path) -> None:
    """Explicit, little-endian, not compressed: what every reader reads."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(SECONDARY_CAPTURE)
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    values = stored[0] if len(stored) == 1 else stored.transpose(1, 2, 0)
    content = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    data.PixelData = content + b"\x00" * (len(content) % 2)
    data["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    data.save_as(path, enforce_file_format=True)
