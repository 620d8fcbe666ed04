"""Volumes as slices: orientation, spacing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from semblance.errors import FormatError
from semblance.formats.nifti import Nifti

SHIPPED = Path(nibabel.__file__).parent / "tests" / "data"
SHAPE = (5, 6, 7)
VOLUME = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16)  # runs to right, anterior, superior
AFFINE = np.diag([2.0, 3.0, 4.0, 1.0])


def save(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


@pytest.mark.parametrize(
    ("plane", "n", "spacing", "top_left", "bottom_right"),
    [
        ("axial", 7, (3.0, 2.0), (4, 5, 1), (0, 0, 1)),
        ("coronal", 6, (4.0, 2.0), (4, 1, 6), (0, 1, 0)),
        ("sagittal", 5, (4.0, 3.0), (1, 5, 6), (1, 0, 0)),
    ],
)
def test_slices_as_radiologists_look_at_them(
    plane: str,
    n: int,
    spacing: tuple[float, float],
    top_left: tuple[int, int, int],
    bottom_right: tuple[int, int, int],
    tmp_path: Path,
) -> None:
    shots = Nifti().read(save(tmp_path / "v.nii.gz", VOLUME), plane=plane)
    assert len(shots) == n
    assert shots[1].spacing_mm == pytest.approx(spacing)
    assert shots[1].name == "v.nii.gz#1"
    assert shots[1].pixels[0, 0, 0] == VOLUME[top_left]
    assert shots[1].pixels[0, -1, -1] == VOLUME[bottom_right]


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_however_a_volume_is_stored_its_slices_are_the_same(plane: str, tmp_path: Path) -> None:
    expected = Nifti().read(save(tmp_path / "v.nii", VOLUME), plane=plane)
    image = nibabel.Nifti1Image(VOLUME, AFFINE)
    for codes in ("LPS", "SAR", "PIL", "LAS"):
        turned = image.as_reoriented(
            nibabel.orientations.ornt_transform(
                nibabel.io_orientation(AFFINE), nibabel.orientations.axcodes2ornt(tuple(codes))
            )
        )
        nibabel.save(turned, tmp_path / "t.nii")
        shots = Nifti().read(tmp_path / "t.nii", plane=plane)
        for shot, other in zip(shots, expected, strict=True):
            np.testing.assert_array_equal(shot.pixels, other.pixels)
            assert shot.spacing_mm == pytest.approx(other.spacing_mm)


def test_scaling_gives_values_and_their_step(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VOLUME, AFFINE)
    image.header.set_slope_inter(0.5, -10)
    nibabel.save(image, tmp_path / "v.nii")
    shot = Nifti().read(tmp_path / "v.nii")[0]
    assert shot.step == pytest.approx(0.5, rel=1e-3)
    assert shot.pixels[0, -1, -1] == -10
    assert shot.pixels[0, -1, -2] == 0.5 * VOLUME[1, 0, 0] - 10


def test_voxels_without_a_value_are_dark(tmp_path: Path) -> None:
    values = VOLUME.astype(np.float32)
    values[0, 0, 0] = np.nan
    shot = Nifti().read(save(tmp_path / "v.nii", values))[0]
    assert shot.pixels[0, -1, -1] == VOLUME[0, 0, 1]  # the least of all others
    with pytest.raises(FormatError, match="no voxel"):
        Nifti().read(save(tmp_path / "v.nii", np.full(SHAPE, np.nan, dtype=np.float32)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((4, 4, 4, 3), dtype=np.int16), "3 volumes"),
        (np.zeros((4, 4, 4), dtype=np.complex64), "colours or complex"),
    ],
)
def test_refuses_in_one_sentence(values: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=said):
        Nifti().read(save(tmp_path / "v.nii", values))


def test_a_fourth_axis_of_one_is_no_fourth_axis(tmp_path: Path) -> None:
    assert len(Nifti().read(save(tmp_path / "v.nii", VOLUME[..., None]))) == 7


def test_one_thick_volumes_lie_in_their_own_plane(tmp_path: Path) -> None:
    shots = Nifti().read(save(tmp_path / "v.nii", VOLUME[:, :1, :]))
    assert len(shots) == 1
    assert shots[0].pixels.shape == (1, 7, 5)
    assert (shots[0].tags or {})["plane"] == "coronal"


@pytest.mark.skipif(not (SHIPPED / "anatomical.nii").exists(), reason="nibabel came without its test data")
class TestShippedFiles:
    def test_anatomical(self) -> None:
        shots = Nifti().read(SHIPPED / "anatomical.nii")
        assert len(shots) == 25
        assert shots[0].pixels.shape == (1, 41, 33)
        assert shots[0].spacing_mm == (2.0, 2.0)

    @pytest.mark.parametrize("name", ["functional.nii", "example4d.nii.gz", "example_nifti2.nii.gz"])
    def test_several_volumes_are_refused(self, name: str) -> None:
        with pytest.raises(FormatError, match="4-D"):
            Nifti().read(SHIPPED / name)

    def test_a_matrix_is_no_volume(self) -> None:
        with pytest.raises(FormatError, match="holds no volume"):
            Nifti().read(SHIPPED / "row_major.dconn.nii")
