"""A DICOM source with a mark in every tag that can hold one: none of the marks is in anything that is written."""

from __future__ import annotations

import gzip
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from semblance.catalog import IMAGE_FORMATS
from semblance.data.images import Images
from semblance.scans.reading import read_images

N_FILES, SIZE = 3, 16
GEOMETRY = {
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Modality", "SOPClassUID"),
    *("SpecificCharacterSet", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleType", "Units"),
    *("RescaleSlope", "RescaleIntercept"),
}
"""What the schema declares, or decides how the file is read at all: not marked."""


def mark(number: int, vr: str) -> str | None:
    """A value of this kind that occurs nowhere else; None where the kind holds no text."""
    match vr:
        case "LO" | "SH" | "ST" | "LT" | "UT" | "UC" | "UR" | "CS":
            return f"ZQ{number:05d}QZ"
        case "PN":
            return f"Zq{number:05d}^Qz{number:05d}"
        case "AE":
            return f"ZQ{number:05d}QZ"
        case "DA":
            return f"1{number % 900 + 100:03d}0417"
        case "TM":
            return f"0417{number % 60:02d}.{number:06d}"
        case "DT":
            return f"1{number % 900 + 100:03d}041704170{number % 10}"
        case "AS":
            return f"{number % 900 + 100:03d}W"
        case "UI":
            return f"1.7.77.{number}.77"
        case "IS":
            return f"77{number:05d}77"
        case "DS":
            return f"77{number:05d}.77"
    return None


def marked_source(folder: Path) -> list[bytes]:
    """Write DICOM files with a mark in every element of the standard, in a sequence and in a private block."""
    marks: list[bytes] = []
    rng = np.random.default_rng(0)
    for k in range(N_FILES):
        data = Dataset()
        data.SpecificCharacterSet = "ISO_IR 192"
        for position, (tag, (vr, *_)) in enumerate(sorted(DicomDictionary.items())):
            keyword = keyword_for_tag(tag)
            value = mark(position + 7000 * (k + 1), vr)
            if tag < 0x00080000 or keyword in GEOMETRY or value is None or not keyword:
                continue
            values = [value, value] if keyword in ("PixelSpacing", "ImagerPixelSpacing") else value
            data.add_new(Tag(tag), vr, values)
            marks.append(value.encode())
        inner = Dataset()
        inner.PatientName = f"ZQINNER{k}"
        data.RequestAttributesSequence = Sequence([inner])
        data.private_block(0x0009, f"ZQOWNER{k}", create=True).add_new(1, "LO", f"ZQPRIVATE{k}")
        marks += [f"ZQINNER{k}".encode(), f"ZQOWNER{k}".encode(), f"ZQPRIVATE{k}".encode()]
        data.Modality = "CT"
        data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        data.Rows = data.Columns = SIZE
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.RescaleSlope, data.RescaleIntercept = "1", "-1024"
        content = rng.integers(0, 4096, SIZE * SIZE).astype("<u2").tobytes()
        data.PixelData = content
        marks.append(content[:64])
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.preamble = b"ZQPREAMBLE" + b"\x00" * 118
        marks.append(b"ZQPREAMBLE")
        (folder / "sick").mkdir(exist_ok=True)
        data.save_as(folder / "sick" / f"ZQFILE{k}.dcm", enforce_file_format=True)
        marks.append(f"ZQFILE{k}".encode())
    return marks


def contents(folder: Path) -> dict[str, bytes]:
    """Every written file, also unpacked, and every name."""
    found = {"names": "\n".join(str(path.relative_to(folder)) for path in folder.rglob("*")).encode()}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        found[path.name] = path.read_bytes()
        if path.suffix == ".gz":
            found[f"{path.name}, unpacked"] = gzip.decompress(path.read_bytes())
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                found |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    return found


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Images, list[bytes]]:
    folder = tmp_path_factory.mktemp("source")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mark is not always what an element should hold
        marks = marked_source(folder)
        read = read_images(folder, labels="folder")
    written = b"".join(contents(folder).values())
    lost = [one for one in marks if one not in written]
    assert len(marks) > 5000
    assert not lost, "the source itself must hold every mark, or their absence would prove nothing"
    return read.images, marks


@pytest.mark.parametrize("name", sorted(IMAGE_FORMATS))
def test_no_mark_is_in_what_is_written(name: str, marked: tuple[Images, list[bytes]], tmp_path: Path) -> None:
    real, marks = marked
    assert real.n_patients == N_FILES
    assert real.schema.classes == ("sick",)
    rng = np.random.default_rng(1)
    drawn = real.schema.from_unit(rng.uniform(-1, 1, (4, 1, SIZE, SIZE)).astype(np.float32))
    about = real.about.iloc[[0, 1, 2, 0]].reset_index(drop=True)  # careless on purpose: patients and files are in it
    images = Images(drawn, about, real.schema, origin="synthetic")
    IMAGE_FORMATS[name]().write(images, tmp_path, made_by={"generator": "flow", "model": "0" * 64, "seed": "1"})
    seek = re.compile(b"|".join(re.escape(one) for one in sorted(marks, key=len, reverse=True)))
    for where, content in contents(tmp_path).items():
        match = seek.search(content)
        assert match is None, f"{match[0]!r} of the source is in {where}"


def test_a_leak_would_be_found(marked: tuple[Images, list[bytes]], tmp_path: Path) -> None:
    _, marks = marked
    (tmp_path / "leak.bin").write_bytes(b"abc" + marks[17] + b"def")
    (tmp_path / "leak.gz").write_bytes(gzip.compress(marks[18]))
    found = b"".join(contents(tmp_path).values())
    assert marks[17] in found
    assert marks[18] in found
