"""Folders as researchers have them, read as images."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image

from semblance.errors import InputError
from semblance.image_schema import ImageSchema
from semblance.scans.reading import read_images

RNG = np.random.default_rng(0)


def picture(path: Path, *, size: tuple[int, int] = (10, 12), value: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, size) if value is None else np.full(size, value)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, three patients, a table, and what else lies about in folders."""
    root = tmp_path / "scans"
    for name in ("sick/p1_a.png", "sick/p1_b.png", "well/p2_a.png", "well/deep/p3_a.png"):
        picture(root / name)
    for name in (".DS_Store", "README.md", "sick/.hidden.png", "DICOMDIR"):
        (root / name).write_text("nothing")
    (root / "about.csv").write_text(
        "file,grade,patient,site\nsick/p1_a.png,2,A,north\np1_b.png,10,A,south\nwell/p2_a.png,2,B,north\n"
    )
    return root


class TestWhatIsKnown:
    def test_classes_from_folders_patients_from_names(self, folder: Path) -> None:
        read = read_images(folder, labels="folder", patient="name:^(p[0-9]+)_")
        assert read.images.about["file"].tolist() == [
            *("sick/p1_a.png", "sick/p1_b.png", "well/deep/p3_a.png", "well/p2_a.png"),
        ]
        assert read.images.schema.classes == ("sick", "well")
        assert read.images.about["label"].tolist() == ["sick", "sick", "well", "well"]
        assert read.images.n_patients == 3
        assert read.ignored == ("README.md", "about.csv")

    def test_nothing_is_guessed(self, folder: Path) -> None:
        read = read_images(folder)
        assert read.images.schema.classes == ()
        assert not read.images.schema.patient
        assert any("each counts as a patient" in note for note in read.notes)

    def test_a_table_and_what_it_does_not_tell(self, folder: Path) -> None:
        read = read_images(folder, labels="about.csv:grade", patient="about.csv", site="about.csv:site")
        about = read.images.about
        assert read.images.schema.classes == ("2", "10")  # by size, not by the alphabet
        assert read.images.schema.label == "grade"
        assert about["grade"].tolist() == ["2", "10", None, "2"]
        assert about["patient"].tolist() == ["A", "A", None, "B"]
        assert read.images.schema.attributes == {"site": ("north", "south")}
        assert "1 of 4 images have no grade." in read.notes

    def test_classes_get_their_names_in_order(self, folder: Path) -> None:
        read = read_images(folder, labels="about.csv:grade", classes=("mild", "bad"))
        assert read.images.schema.classes == ("mild", "bad")
        assert read.images.about["grade"].tolist() == ["mild", "bad", None, "mild"]

    def test_dicom_tags(self, tmp_path: Path) -> None:
        source = pydicom.data.get_testdata_file("CT_small.dcm", download=False)
        for k, (part, patient) in enumerate([("HEAD", "X"), ("CHEST", "Y"), ("HEAD", "X")]):
            data = pydicom.dcmread(str(source))
            data.BodyPartExamined, data.PatientID = part, patient
            data.save_as(tmp_path / f"1.2.840.{k}")  # no ending: known by the preamble
        read = read_images(tmp_path, labels="tag:BodyPartExamined")
        assert read.images.schema.label == "BodyPartExamined"
        assert read.images.codes("BodyPartExamined").tolist() == [1, 0, 1]
        assert read.images.n_patients == 2
        schema = read.images.schema
        assert (schema.modality, schema.unit, schema.format, schema.bounds) == ("CT", "HU", "dicom", "inferred")
        with pytest.raises(InputError, match="names a person"):
            read_images(tmp_path, labels="tag:PatientName")

    @pytest.mark.parametrize(
        ("labels", "said"),
        [
            ("folders", "it is not clear where the label is read from"),
            ("name:p[", "no regular expression"),
            ("name:p1", "needs a group"),
            ("lost.csv:grade", "there is no table lost.csv"),
            ("about.csv:stage", "has no column 'stage'"),
            ("tag:BodyPartExamined", "not one image has a label"),
        ],
    )
    def test_a_place_that_is_none_is_said(self, labels: str, said: str, folder: Path) -> None:
        with pytest.raises(InputError, match=r"^[^\n]*$") as caught:
            read_images(folder, labels=labels)
        assert said in str(caught.value)

    def test_what_differs_everywhere_is_no_class(self, tmp_path: Path) -> None:
        for k in range(101):
            picture(tmp_path / f"id{k}.png", size=(8, 8))
        with pytest.raises(InputError, match="101 values, which are no classes"):
            read_images(tmp_path, labels="name:^(id[0-9]+)")


class TestBadFiles:
    def test_are_refused_together_by_name_and_reason(self, folder: Path) -> None:
        (folder / "sick" / "cut.png").write_bytes((folder / "sick" / "p1_a.png").read_bytes()[:60])
        (folder / "well" / "text.dcm").write_text("nothing")
        with pytest.raises(InputError, match=r"2 of the files .*cut\.png is .*text\.dcm does not begin"):
            read_images(folder)

    def test_or_skipped_and_listed(self, folder: Path) -> None:
        (folder / "sick" / "cut.png").write_bytes(b"")
        os.symlink(folder / "nowhere.png", folder / "well" / "link.png")
        read = read_images(folder, on_bad="skip")
        assert len(read.images) == 4
        assert [one.file for one in read.bad] == ["sick/cut.png", "well/link.png"]

    def test_other_sizes_than_the_commonest(self, folder: Path) -> None:
        picture(folder / "well" / "large.png", size=(20, 24))
        read = read_images(folder, on_bad="skip")
        assert len(read.images) == 4
        assert "20 × 24 pixels, not 10 × 12" in read.bad[0].reason
        assert len(read_images(folder, size=(10, 12)).images) == 5

    def test_nothing_to_read(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="there is no file or folder"):
            read_images(tmp_path / "lost")
        with pytest.raises(InputError, match="holds no image"):
            read_images(tmp_path)
        (tmp_path / "x.png").write_bytes(b"")
        with pytest.raises(InputError, match="none can be read"):
            read_images(tmp_path, on_bad="skip")

    def test_a_circle_of_links_ends(self, folder: Path) -> None:
        os.symlink(folder, folder / "well" / "again")
        assert len(read_images(folder).images) == 4

    def test_no_message_quotes_a_table(self, folder: Path) -> None:
        (folder / "about.csv").write_text("file,patient\np1_a.png,SECRET1\np1_a.png,SECRET2\n")
        with pytest.raises(InputError) as caught:
            read_images(folder, patient="about.csv")
        assert "SECRET" not in str(caught.value)


class TestOneGeometry:
    def test_bringing_to_a_size_keeps_the_field_of_view(self, tmp_path: Path) -> None:
        volume = RNG.integers(0, 1000, (40, 20, 3)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([1.0, 2.0, 3.0, 1.0])), tmp_path / "v.nii")
        schema = read_images(tmp_path, size=10).images.schema
        assert (schema.height, schema.width) == (10, 10)
        assert schema.spacing_mm == pytest.approx((4.0, 4.0))

    def test_means_are_kept_when_shrinking(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "x.png", size=(32, 32))
        small = read_images(path, size=8).images.pixels
        large = np.asarray(Image.open(path)).reshape(8, 4, 8, 4).mean(axis=(1, 3))
        assert np.abs(small[0, 0] - large).max() <= 0.5 + 1e-3

    def test_slices_of_a_volume_are_one_patient_and_empty_ones_are_left_out(self, tmp_path: Path) -> None:
        for name in ("a/t1.nii", "b/t1.nii"):
            (tmp_path / name).parent.mkdir()
            volume = RNG.integers(0, 1000, (12, 14, 5)).astype(np.int16)
            volume[:, :, 0] = 0
            nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / name)
        read = read_images(tmp_path, plane="axial")
        assert len(read.images) == 8
        assert read.images.n_patients == 2
        assert read.images.schema.plane == "axial"
        assert "2 slices of volumes show nothing and were left out." in read.notes

    def test_grey_among_coloured_pictures_is_kept(self, tmp_path: Path) -> None:
        for k in range(3):
            pixels = RNG.integers(0, 256, (8, 8, 3)).astype(np.uint8)
            Image.fromarray(pixels if k else np.zeros_like(pixels)).save(tmp_path / f"{k}.png")
        read = read_images(tmp_path)
        assert read.images.pixels.shape == (3, 3, 8, 8)

    def test_a_given_schema_is_obeyed(self, folder: Path) -> None:
        schema = ImageSchema(10, 12, label="label", classes=("sick",), low=10.0, high=200.0)
        read = read_images(folder, labels="folder", schema=schema, on_bad="skip")
        assert read.images.schema == schema
        assert read.images.about["label"].tolist() == ["sick", "sick"]
        assert all("not in the schema" in one.reason for one in read.bad)
        with pytest.raises(InputError, match="the schema tells of 'label'"):
            read_images(folder, schema=schema)


class TestRangeOfValues:
    def test_sixteen_bits_are_cut_at_the_ends(self, tmp_path: Path) -> None:
        pixels = RNG.integers(100, 4000, (8, 100, 100))
        pixels[0, 0, :5] = 65535  # a wire
        for k, one in enumerate(pixels):
            Image.fromarray(one.astype(np.uint16)).save(tmp_path / f"{k}.png")
        read = read_images(tmp_path)
        schema = read.images.schema
        assert (schema.bits, schema.bounds, schema.step) == (16, "inferred", 1.0)
        assert 100 <= schema.low <= 110
        assert 3990 <= schema.high <= 4000
        assert "0.1%" in read.span

    def test_eight_bits_are_0_to_255(self, tmp_path: Path) -> None:
        picture(tmp_path / "x.png", value=7)
        schema = read_images(tmp_path).images.schema
        assert (schema.low, schema.high, schema.bounds) == (0.0, 255.0, "declared")


class TestCuts:
    def test_by_folder(self, tmp_path: Path) -> None:
        for name in ("train/sick/a.png", "train/well/b.png", "val/sick/c.png", "test/well/d.png"):
            picture(tmp_path / name)
        read = read_images(tmp_path, labels="folder")
        assert read.images.about["label"].tolist() == ["sick", "well"]
        assert any("only train was read" in note for note in read.notes)
        assert len(read_images(tmp_path, split="test").images) == 1
        every = read_images(tmp_path, labels="folder", split="all").images.about
        assert sorted(zip(every["split"], every["label"], strict=True)) == [
            *(("test", "well"), ("train", "sick"), ("train", "well"), ("val", "sick")),
        ]

    def test_by_array(self, tmp_path: Path) -> None:
        arrays = {}
        for cut, n in (("train", 5), ("val", 2)):
            arrays |= {f"{cut}_images": RNG.integers(0, 256, (n, 8, 8), dtype=np.uint8)}
            arrays |= {f"{cut}_labels": np.arange(n, dtype=np.uint8)[:, None] % 2}
        np.savez(tmp_path / "x.npz", **arrays)
        assert len(read_images(tmp_path / "x.npz").images) == 5
        read = read_images(tmp_path / "x.npz", split="val", classes=("no", "yes"))
        np.testing.assert_array_equal(read.images.pixels[:, 0], arrays["val_images"])
        assert read.images.about["label"].tolist() == ["no", "yes"]
        with pytest.raises(InputError, match="without 'test'"):
            read_images(tmp_path / "x.npz", split="test")

    def test_a_whole_source_has_no_test(self, folder: Path) -> None:
        with pytest.raises(InputError, match="not cut into"):
            read_images(folder, split="test")


class TestMasks:
    @pytest.fixture
    def masked(self, tmp_path: Path) -> Path:
        """Three images with a structure of value 255, in a folder of masks and beside the images."""
        for k in range(3):
            picture(tmp_path / "images" / f"{k}.png", size=(8, 8))
            mask = np.zeros((8, 8), dtype=np.uint8)
            mask[k : k + 2, 3:5] = 255
            (tmp_path / "masks").mkdir(exist_ok=True)
            Image.fromarray(mask).save(tmp_path / "masks" / f"{k}.png")
            Image.fromarray(mask).save(tmp_path / "images" / f"{k}_mask.png")
        return tmp_path

    def test_beside_the_images(self, masked: Path) -> None:
        images = read_images(masked / "images", masks="_mask", structures=("lesion",)).images
        assert len(images) == 3
        assert images.schema.structures == ("lesion",)
        assert images.masks is not None
        assert images.masks[1, 1:3, 3:5].tolist() == [[1, 1], [1, 1]]
        assert images.masks.sum() == 12

    def test_in_a_folder_inside_or_elsewhere(self, masked: Path, tmp_path: Path) -> None:
        for path in (masked / "images").glob("*_mask.png"):
            path.unlink()
        elsewhere = read_images(masked / "images", masks=str(masked / "masks")).images
        (masked / "masks").rename(masked / "images" / "masks")
        inside = read_images(masked / "images", masks="masks").images
        assert len(inside) == len(elsewhere) == 3
        np.testing.assert_array_equal(inside.masks, elsewhere.masks)
        assert inside.schema.structures == ("structure 1",)

    def test_an_image_without_one_is_bad(self, masked: Path) -> None:
        (masked / "images" / "1_mask.png").unlink()
        read = read_images(masked / "images", masks="_mask", on_bad="skip")
        assert len(read.images) == 2
        assert "has no mask" in read.bad[0].reason

    def test_wrong_masks_are_refused(self, masked: Path) -> None:
        Image.fromarray(np.zeros((9, 8), dtype=np.uint8)).save(masked / "images" / "1_mask.png")
        with pytest.raises(InputError, match="another size"):
            read_images(masked / "images", masks="_mask")
        Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(masked / "images" / "1_mask.png")
        with pytest.raises(InputError, match="different values"):
            read_images(masked / "images", masks="_mask")

    def test_keep_their_numbers_when_resized(self, masked: Path) -> None:
        images = read_images(masked / "images", masks="_mask", size=16).images
        assert images.masks is not None
        assert set(np.unique(images.masks)) == {0, 1}
        assert images.masks.sum() == 48
