"""DICOM in: values, orientation of grey, spacing, and what is refused. DICOM out: what the header says."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from semblance.data.images import Images
from semblance.errors import FormatError
from semblance.formats.dicom import Dicom
from semblance.image_contracts import Shot
from semblance.image_schema import ImageSchema

MADE_BY = {"generator": "flow", "model": "c" * 64, "seed": "3"}


def shipped(name: str) -> Path:
    """A file that comes with pydicom; nothing is downloaded."""
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"pydicom came without {name}")
    return Path(str(found))


def read(name: str) -> Shot:
    return Dicom().read(shipped(name))[0]


def save(path: Path, stored: np.ndarray, **tags: object) -> Path:
    """A CT of made-up pixels."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = "1.2.840.10008.5.1.4.1.1.2", "1.2.3", "CT"
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = int(stored.dtype.kind == "i")
    data.PixelData = stored.tobytes()
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)
    return path


STORED = np.arange(120, dtype=np.uint16).reshape(10, 12) * 30


class TestReading:
    def test_hounsfield_units_spacing_modality(self) -> None:
        shot = read("CT_small.dcm")
        data = pydicom.dcmread(shipped("CT_small.dcm"))
        np.testing.assert_array_equal(shot.pixels[0], data.pixel_array.astype(float) - 1024)
        assert (shot.unit, shot.modality, shot.bits, shot.step) == ("HU", "CT", 16, 1.0)
        assert shot.spacing_mm == (0.661468, 0.661468)

    @pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"])
    def test_every_writing_of_the_same_image_gives_the_same_values(self, name: str) -> None:
        np.testing.assert_array_equal(read(name).pixels, read("MR_small.dcm").pixels)

    @pytest.mark.parametrize("name", ["SC_rgb_rle.dcm", "SC_ybr_full_422_uncompressed.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
    def test_colours_come_as_red_green_blue(self, name: str) -> None:
        shot = read(name)
        assert shot.pixels.shape == (3, 100, 100)
        red, green, blue = shot.pixels[:, 5, 50]
        assert red > 240
        assert max(green, blue) < 15

    def test_a_palette_is_looked_up(self) -> None:
        shot = read("examples_palette.dcm")
        assert shot.pixels.shape == (3, 350, 800)
        assert (shot.bits, shot.pixels.max()) == (8, 255)

    def test_jpeg_2000(self) -> None:
        assert read("JPEG2000.dcm").pixels.shape == (1, 1024, 256)

    def test_monochrome1_is_turned_over(self, tmp_path: Path) -> None:
        shot = Dicom().read(save(tmp_path / "x.dcm", STORED, PhotometricInterpretation="MONOCHROME1"))[0]
        np.testing.assert_array_equal(shot.pixels[0], 4095.0 - STORED)
        signed = STORED.astype(np.int16) // 2 - 2000
        shot = Dicom().read(save(tmp_path / "x.dcm", signed, PhotometricInterpretation="MONOCHROME1"))[0]
        np.testing.assert_array_equal(shot.pixels[0], -1.0 - signed)

    def test_signed_values_are_rescaled(self, tmp_path: Path) -> None:
        signed = STORED.astype(np.int16) // 2 - 2000
        path = save(tmp_path / "x.dcm", signed, RescaleSlope="0.5", RescaleIntercept="-100")
        shot = Dicom().read(path)[0]
        np.testing.assert_array_equal(shot.pixels[0], 0.5 * signed - 100)
        assert (shot.step, shot.bits) == (0.5, 12)

    def test_padding_is_as_dark_as_the_darkest(self, tmp_path: Path) -> None:
        stored = STORED.astype(np.int16) // 2
        stored[0] = -2000
        shot = Dicom().read(save(tmp_path / "x.dcm", stored, PixelPaddingValue=-2000))[0]
        assert (shot.pixels[0, 0] == stored[1:].min()).all()
        assert shot.pixels.min() == stored[1:].min()

    def test_spacing_at_the_detector_where_there_is_no_other(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.dcm", STORED, ImagerPixelSpacing=[0.2, 0.1])
        assert Dicom().read(path)[0].spacing_mm == (0.2, 0.1)
        path = save(tmp_path / "x.dcm", STORED, ImagerPixelSpacing=[0.2, 0.1], PixelSpacing=[0.4, 0.3])
        assert Dicom().read(path)[0].spacing_mm == (0.4, 0.3)
        assert Dicom().read(save(tmp_path / "x.dcm", STORED))[0].spacing_mm is None

    def test_tags_are_texts(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x.dcm", STORED, BodyPartExamined="CHEST", ImageType=["ORIGINAL", "PRIMARY"])
        tags = Dicom().read(path)[0].tags or {}
        assert (tags["BodyPartExamined"], tags["ImageType"]) == ("CHEST", "ORIGINAL\\PRIMARY")
        assert "PixelData" not in tags


class TestRefusing:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("liver_1frame.dcm", "a segmentation"),
            ("rtdose.dcm", "a radiotherapy dose"),
            ("rtplan.dcm", "a radiotherapy plan"),
            ("reportsi.dcm", "a structured report"),
            ("no_meta.dcm", "no preamble"),
            ("rtstruct.dcm", "no preamble"),
            ("SC_rgb_rle_2frame.dcm", "2 frames"),
            ("examples_ybr_color.dcm", "30 frames"),
            ("MR_small_jpeg_ls_lossless.dcm", "install pylibjpeg"),
            ("JPEG-lossy.dcm", "install pylibjpeg"),
            ("MR_truncated.dcm", "cut short"),
            ("priv_SQ.dcm", "no pixels"),
        ],
    )
    def test_in_one_sentence(self, name: str, said: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(FormatError) as caught:
                read(name)
        message = str(caught.value)
        assert said in message
        assert name in message
        assert message.endswith(".")
        assert "\n" not in message

    def test_every_file_that_pydicom_ships_is_read_or_refused(self) -> None:
        folder = shipped("CT_small.dcm").parent
        read_ones = refused = 0
        for path in sorted(folder.glob("*.dcm")):
            if path.stat().st_size > 300_000:
                continue
            try:
                shots = Dicom().read(path)
                assert np.isfinite(shots[0].pixels).all()
                read_ones += 1
            except FormatError:
                refused += 1
        assert read_ones >= 15
        assert refused >= 15

    def test_a_broken_byte_anywhere_is_read_or_refused_but_never_more(self, tmp_path: Path) -> None:
        content = bytearray(shipped("MR_small.dcm").read_bytes())
        rng = np.random.default_rng(0)
        for _ in range(100):
            broken = bytearray(content)
            for at in rng.integers(132, 2000, 5):
                broken[at] = rng.integers(0, 256)
            (tmp_path / "x.dcm").write_bytes(broken)
            with suppress(FormatError):
                Dicom().read(tmp_path / "x.dcm")

    def test_pydicoms_remarks_quote_no_patient(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = save(tmp_path / "x.dcm", STORED, AccessionNumber="S3CR3T" * 20, PatientAge="S3CR3T YEARS")
        caplog.clear()
        capfd.readouterr()
        Dicom().read(path)
        assert "S3CR3T" not in "".join(capfd.readouterr()) + caplog.text


@pytest.fixture
def written(tmp_path: Path) -> list[Path]:
    """Two images of HU with a spacing of more digits than are written."""
    schema = ImageSchema(
        *(10, 14),
        **{"modality": "CT", "bits": 12, "low": -1024.0, "high": 3071.0, "unit": "HU"},
        spacing_mm=(0.661468, 0.7),
        classes=("no", "yes"),
        label="finding",
    )
    rng = np.random.default_rng(0)
    pixels = schema.from_unit(rng.uniform(-1, 1, (2, 1, 10, 14)).astype(np.float32))
    images = Images(pixels, pd.DataFrame({"finding": ["no", "yes"]}), schema, origin="synthetic")
    return list(Dicom().write(images, tmp_path, made_by=MADE_BY))


class TestWriting:
    def test_the_header_says_what_it_is(self, written: list[Path]) -> None:
        data = pydicom.dcmread(written[0])
        assert list(data.ImageType) == ["DERIVED", "SECONDARY"]
        assert (data.PatientIdentityRemoved, data.BurnedInAnnotation) == ("YES", "NO")
        assert (data.ContentQualification, data.ConversionType, data.Modality) == ("RESEARCH", "SYN", "CT")
        assert str(data.PatientID).startswith("SYN-")
        assert str(data.PatientName).startswith("SYN")
        assert len(data.DeidentificationMethod) <= 64
        assert "SYNTHETIC" in data.SeriesDescription
        assert [float(one) for one in data.PixelSpacing] == [0.6615, 0.7]
        block = data.private_block(0x0071, "SEMBLANCE")
        assert [block[offset].value for offset in (1, 2, 3)] == ["flow", "c" * 64, "3"]

    def test_altered_images_of_patients_do_not_say_that_they_show_nobody(self, tmp_path: Path) -> None:
        schema = ImageSchema(10, 14, structures=("lesion",))
        masks = np.ones((2, 10, 14), dtype=np.uint8)
        pixels = np.full((2, 1, 10, 14), 9.0, dtype=np.float32)
        for origin, shows in (("synthetic", False), ("augmented", True)):
            images = Images(pixels, pd.DataFrame(index=range(2)), schema, masks, origin=origin)  # type: ignore[arg-type]
            paths = Dicom().write(images, tmp_path / origin, made_by=MADE_BY)
            for path in (*paths, *(path.with_name(f"{path.stem}_mask.dcm") for path in paths)):
                data = pydicom.dcmread(path)
                texts = " ".join(str(element.value) for element in data if element.VR in ("LO", "ST")).lower()
                assert ("real patient" in texts) == shows
                assert ("no patient" in texts or "no person" in texts or "synthetic" in texts) != shows
                assert all(len(str(element.value)) <= 64 for element in data if element.VR == "LO")

    def test_rescaled_to_hu_and_windowed_for_a_viewer(self, written: list[Path]) -> None:
        data = pydicom.dcmread(written[0])
        assert (float(data.RescaleSlope), float(data.RescaleIntercept), data.RescaleType) == (1, -1024, "HU")
        assert (float(data.WindowCenter), float(data.WindowWidth)) == (1023.5, 4095)
        assert (data.BitsAllocated, data.PixelRepresentation) == (16, 0)

    def test_identifiers_are_valid_fresh_and_depend_on_the_making(self, written: list[Path], tmp_path: Path) -> None:
        heads = [pydicom.dcmread(path) for path in written]
        uids = [head[k].value for head in heads for k in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")]
        assert len(set(uids)) == 6
        assert all(UID(uid).is_valid and uid.startswith("2.25.") for uid in uids)
        shot = np.stack([Dicom().read(path)[0].pixels for path in written])
        schema = ImageSchema(10, 14, bits=12, low=-1024.0, high=3071.0)
        again = Images(shot, pd.DataFrame(index=range(2)), schema, origin="synthetic")
        other = Dicom().write(again, tmp_path / "other", made_by={**MADE_BY, "seed": "4"})
        assert not set(uids) & {pydicom.dcmread(path).SOPInstanceUID for path in other}

    def test_every_element_is_on_the_list(self, written: list[Path]) -> None:
        """A new element has to be thought about here first."""
        allowed = {
            *("SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "StudyTime"),
            *("AccessionNumber", "Modality", "ConversionType", "Manufacturer", "ReferringPhysicianName"),
            *("StudyDescription", "SeriesDescription", "ManufacturerModelName", "DerivationDescription", "PatientName"),
            *("PatientID", "PatientBirthDate", "PatientSex", "PatientIdentityRemoved", "DeidentificationMethod"),
            *("SoftwareVersions", "StudyInstanceUID", "SeriesInstanceUID", "StudyID", "SeriesNumber", "InstanceNumber"),
            *("PatientOrientation", "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "PixelSpacing"),
            *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "BurnedInAnnotation"),
            *("WindowCenter", "WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType"),
            *("LossyImageCompression", "ContentQualification", "PixelData"),
        }
        data = pydicom.dcmread(written[0])
        assert {element.keyword for element in data if not element.tag.is_private} == allowed
        assert {element.tag.group for element in data if element.tag.is_private} == {0x0071}
