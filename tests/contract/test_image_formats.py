"""What every format of images promises."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.catalog import IMAGE_FORMATS
from semblance.data.images import Images
from semblance.errors import FormatError
from semblance.image_schema import ImageSchema
from semblance.scans.reading import read_images

MADE_BY = {"generator": "flow", "model": "ab" * 32, "seed": "7"}
N = 7


def synthetic(*, about: dict[str, pd.Series] | None = None, **changes) -> Images:  # type: ignore[no-untyped-def]
    """Noise of 10 × 14 pixels in steps of the schema, of two classes and two views, one image without a class."""
    schema = ImageSchema(10, 14, classes=("no", "yes"), label="finding", attributes={"view": ("AP", "PA")})
    schema = replace(schema, **changes)
    rng = np.random.default_rng(0)
    pixels = schema.from_unit(rng.uniform(-1, 1, (N, *schema.shape)).astype(np.float32))
    masks = rng.integers(0, 2, (N, 10, 14)).astype(np.uint8) if schema.structures else None
    told = pd.DataFrame(
        {
            "finding": pd.Series(["no", "yes", "yes", "no", None, "yes", "no"], dtype=object),
            "view": pd.Series(["AP", "PA", "AP", "PA", "AP", "PA", "AP"], dtype=object),
            **(about or {}),
        }
    )
    return Images(pixels, told, schema, masks, origin="synthetic")


@pytest.mark.parametrize("name", sorted(IMAGE_FORMATS))
class TestEveryImageFormat:
    def test_describes_itself(self, name: str) -> None:
        form = IMAGE_FORMATS[name]()
        assert form.name == name
        assert form.about
        assert all(suffix.startswith(".") for suffix in form.suffixes)

    @pytest.mark.parametrize(
        "values",
        [
            {},
            {"bits": 16, "high": 65535.0},
            {"bits": 12, "low": -1024.0, "high": 3071.0, "unit": "HU", "modality": "CT"},
        ],
        ids=["8 bits", "16 bits", "HU"],
    )
    def test_reads_the_values_that_it_wrote(self, name: str, values: dict[str, object], tmp_path: Path) -> None:
        images = synthetic(**values)
        form = IMAGE_FORMATS[name]()
        paths = form.write(images, tmp_path, made_by=MADE_BY)
        shots = [shot for path in paths for shot in form.read(path)]
        back = np.stack([shot.pixels for shot in shots])
        if name in ("png", "tiff"):  # counted from the lowest value, as the file says
            back = back + min(images.schema.low, 0)
        np.testing.assert_array_equal(back, images.pixels)

    def test_masks_and_labels_come_back(self, name: str, tmp_path: Path) -> None:
        images = synthetic(structures=("lesion",))
        IMAGE_FORMATS[name]().write(images, tmp_path, made_by=MADE_BY)
        if name == "npz":
            back = read_images(tmp_path / "synthetic.npz", attributes={"view": "tag:view"}).images
        else:
            back = read_images(
                tmp_path, labels="labels.csv:finding", attributes={"view": "labels.csv:view"}, masks="_mask"
            ).images
        order = np.argsort([str(file)[-13:].rpartition("SYN")[2] for file in back.about["file"]])
        if name == "npz":
            order = np.arange(N)
        back = back.take(order)
        assert back.masks is not None
        np.testing.assert_array_equal(back.masks, images.masks)
        np.testing.assert_array_equal(back.pixels, images.pixels)
        label = back.schema.label
        assert back.about[label].tolist() == images.about["finding"].tolist()
        assert back.about["view"].tolist() == images.about["view"].tolist()

    @pytest.mark.parametrize("origin", ["synthetic", "augmented"])
    def test_patients_are_made_up_and_kept_apart(self, name: str, origin: str, tmp_path: Path) -> None:
        """Altered images of one real patient stay together under a name that is not the patient's."""
        real = pd.Series(["secret-b", "secret-a", "secret-b", None, "secret-a", "secret-c", None], dtype=object)
        images = synthetic(patient=True, structures=("lesion",), about={"patient": real})
        images = replace(images, origin=origin)
        IMAGE_FORMATS[name]().write(images, tmp_path, made_by=MADE_BY)
        written = b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
        assert b"secret" not in written
        if name == "npz":
            with np.load(tmp_path / "synthetic.npz") as archive:
                told = archive["patients"].tolist()
        else:
            told = pd.read_csv(tmp_path / "labels.csv")["patient"].tolist()
        assert all(str(one).startswith("SYN-") for one in told)
        assert pd.factorize(np.array(told, dtype=object))[0].tolist() == [0, 1, 0, 2, 1, 3, 4]
        if name == "npz":
            back = read_images(tmp_path / "synthetic.npz").images
        else:
            back = read_images(tmp_path, patient="labels.csv:patient", masks="_mask").images
        assert back.n_patients == 5
        if name == "dicom":
            inside = read_images(tmp_path, masks="_mask").images
            assert set(inside.about["patient"]) == set(told), "the header says the same"

    def test_where_nobody_is_known_no_patient_is_listed(self, name: str, tmp_path: Path) -> None:
        IMAGE_FORMATS[name]().write(synthetic(), tmp_path)
        if name == "npz":
            with np.load(tmp_path / "synthetic.npz") as archive:
                assert "patients" not in archive.files
        else:
            assert (tmp_path / "labels.csv").read_text(encoding="utf-8").splitlines()[0] == "file,finding,view"

    def test_the_same_images_give_the_same_bytes(self, name: str, tmp_path: Path) -> None:
        images = synthetic(structures=("lesion",))
        for folder in ("a", "b"):
            IMAGE_FORMATS[name]().write(images, tmp_path / folder, made_by=MADE_BY)
        files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
        assert files
        for file in files:
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()

    def test_names_are_made_up_and_listed(self, name: str, tmp_path: Path) -> None:
        paths = IMAGE_FORMATS[name]().write(synthetic(), tmp_path)
        if name == "npz":
            assert [path.name for path in paths] == ["synthetic.npz"]
            return
        assert len(paths) == N
        assert all(path.name.startswith("SYN-") for path in paths)
        with (tmp_path / "labels.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [tmp_path / row["file"] for row in rows] == list(paths)
        assert [row["finding"] for row in rows] == ["no", "yes", "yes", "no", "", "yes", "no"]

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\x00" * 5000], ids=["empty", "text", "zeros"])
    def test_refuses_what_it_cannot_read_in_one_sentence(self, name: str, content: bytes, tmp_path: Path) -> None:
        form = IMAGE_FORMATS[name]()
        path = tmp_path / f"x{form.suffixes[0]}"
        path.write_bytes(content)
        with pytest.raises(FormatError, match="x"):
            form.read(path)

    def test_a_file_cut_short_is_refused(self, name: str, tmp_path: Path) -> None:
        form = IMAGE_FORMATS[name]()
        path = form.write(synthetic(bits=16, high=65535.0), tmp_path)[0]
        content = path.read_bytes()
        for share in (0.3, 0.6, 0.9):
            path.write_bytes(content[: int(len(content) * share)])
            with pytest.raises(FormatError):
                form.read(path)
