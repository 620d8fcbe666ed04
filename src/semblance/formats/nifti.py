"""NIfTI: volumes read as slices by plane; synthetic slices written so that they are read back as they were."""

from __future__ import annotations

import gzip
import json
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.errors import FormatError, Unsupported
from semblance.extras import need
from semblance.image_contracts import Shot
from semblance.imaging.listing import make_folders, mask_of, name_files, write_listing

AXES = {"sagittal": 0, "coronal": 1, "axial": 2}
"""The axis that a plane's slices follow each other along, in a volume that runs to right, anterior, superior."""
DAMAGE = (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, ArithmeticError, zlib.error, MemoryError)
ALIGNED, COMMENT = 2, 6  # NIFTI_XFORM_ALIGNED_ANAT and NIFTI_ECODE_COMMENT of nifti1.h


@dataclass(frozen=True, slots=True)
class Nifti:
    """NIfTI-1 and NIfTI-2 with one volume, plain or compressed."""

    name: ClassVar[str] = "nifti"
    about: ClassVar[str] = "NIfTI volumes, read as axial, coronal or sagittal slices with their spacing"
    suffixes: ClassVar[tuple[str, ...]] = (".nii", ".nii.gz")

    def read(self, path: Path, *, plane: str = "") -> Sequence[Shot]:
        """Slices, from feet to head, back to front or left to right, as radiologists look at them: the patient's
        right on the left, front or head on top (sagittal: front on the left). Voxels without a value are dark.

        Args:
            plane: Left out, slices are axial; those of a volume that is one slice thick lie in its plane.

        Raises:
            FormatError: the file is damaged, holds several volumes (4-D), or no plain numbers.
            MissingExtra: nibabel is not installed.
        """
        need("images", "reading NIfTI")
        volume, spacing, kind = _load(path)
        thin = [name for name, axis in AXES.items() if volume.shape[axis] == 1]
        plane = plane or (thin[0] if len(thin) == 1 else "axial")
        axis = AXES[plane]
        rows, columns = [distance for one, distance in enumerate(spacing) if one != axis][::-1]
        tags = {"volume": path.name, "plane": plane}
        return [
            Shot(_shown(volume, axis, k)[None], f"{path.name}#{k}", *kind, spacing_mm=(rows, columns), tags=tags)
            for k in range(volume.shape[axis])
        ]

    def write(self, images: Images, folder: Path, *, made_by: Mapping[str, str] | None = None) -> Sequence[Path]:
        """One compressed volume of one slice each, centred on the origin, its affine made of the schema's spacing
        and plane (axial where it has none). Whole values are written as such, others in floating point.

        What `image_contracts.ImageFormat.write` says holds. Raises Unsupported for colour, OSError.
        """
        if images.schema.channels != 1:
            raise Unsupported("NIfTI files hold grey images here; write coloured ones as PNG.")
        need("images", "writing NIfTI")
        names = name_files(images, ".nii.gz")
        paths = make_folders(folder, names)
        values = _whole(images)
        for row, path in enumerate(paths):
            _save(values[row, 0], images, path, made_by or {})
            if images.masks is not None:
                _save(images.masks[row], images, folder / mask_of(names[row]), made_by or {})
        write_listing(images, names, folder)
        return paths


def _load(path: Path) -> tuple[NDArray[np.float32], list[float], tuple[int, float]]:
    """The volume, running to right, anterior, superior; distances along its axes; bits and step of its values."""
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    nib: Any = nibabel  # typed in parts only
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = nib.load(path)
            if not isinstance(image, nib.Nifti1Image):  # NIfTI-2 is a kind of it; surfaces and matrices are not
                raise FormatError(f"{path.name} holds no volume; leave it out.")
            _refuse(image, path.name)
            kind = _kind(image)
            stored = np.asanyarray(image.dataobj).reshape([*image.shape, 1, 1][:3])
            turns = nib.io_orientation(image.affine)
            volume = np.asarray(nib.apply_orientation(stored, turns), dtype=np.float32)
            sizes = nib.affines.voxel_sizes(image.affine)
            spacing = [float(sizes[np.flatnonzero(turns[:, 0] == axis)[0]]) for axis in range(3)]
    except (ImageFileError, HeaderDataError):
        raise FormatError(f"{path.name} is damaged or is no NIfTI file; export it again.") from None
    except DAMAGE as error:
        if isinstance(error, PermissionError):
            raise FormatError(f"{path.name} may not be read; check its permissions.") from None
        raise FormatError(f"{path.name} is damaged or cut short; export it again.") from None
    known = np.isfinite(volume)
    if not known.any():
        raise FormatError(f"{path.name} holds no voxel with a value; export it again.")
    return (volume if known.all() else np.where(known, volume, volume[known].min())), spacing, kind


def _refuse(image: Any, name: str) -> None:
    several = int(np.prod(image.shape[3:])) if len(image.shape) > 3 else 1
    if several != 1:
        raise FormatError(f"{name} holds {several} volumes (4-D); save each as a file of its own.")
    if len(image.shape) < 2 or 0 in image.shape:
        raise FormatError(f"{name} holds no image (its shape is {image.shape}); export it again.")
    if image.get_data_dtype().kind not in "iuf":
        raise FormatError(f"{name} holds colours or complex numbers, which are not read; save one grey volume.")


def _kind(image: Any) -> tuple[int, float]:
    """Bits and step of the values as they come: stored whole numbers times the header's slope."""
    dtype = image.get_data_dtype()
    if dtype.kind == "f":
        return 32, 0.0
    slope = float(getattr(image.dataobj, "slope", 1.0))
    return min(dtype.itemsize * 8, 32), abs(slope) or 1.0


def _shown(volume: NDArray[np.float32], axis: int, k: int) -> NDArray[np.float32]:
    """Slice k as it is looked at: both remaining axes turned over, the later one downwards."""
    return np.ascontiguousarray(np.take(volume, k, axis=axis)[::-1, ::-1].T)


def _whole(images: Images) -> NDArray[Any]:
    """Values in the smallest type that holds them."""
    schema = images.schema
    pixels = np.clip(images.pixels, schema.low, schema.high)
    if schema.step % 1 or not schema.step or schema.low % 1:
        return pixels
    if schema.low >= 0 and schema.high <= 255:
        return np.round(pixels).astype(np.uint8)
    if schema.low >= -(2**15) and schema.high < 2**15:
        return np.round(pixels).astype(np.int16)
    return pixels


def _save(shown: NDArray[Any], images: Images, path: Path, made_by: Mapping[str, str]) -> None:
    """The inverse of `_shown`, in a header that says what it is."""
    import nibabel

    nib: Any = nibabel  # typed in parts only
    schema = images.schema
    axis = AXES[schema.plane or "axial"]
    volume = np.expand_dims(shown.T[::-1, ::-1], axis)
    rows, columns = schema.spacing_mm or (1.0, 1.0)
    sizes = np.insert(np.array([columns, rows]), axis, (rows + columns) / 2)
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = -sizes * (np.array(volume.shape) - 1) / 2
    image = nib.Nifti1Image(volume, affine)
    image.set_sform(affine, ALIGNED)
    image.set_qform(affine, ALIGNED)
    image.header.set_xyzt_units("mm" if schema.spacing_mm else "unknown")
    image.header["descrip"] = f"{images.origin}, for research only"
    image.header["cal_min"], image.header["cal_max"] = schema.low, schema.high
    made = {"origin": images.origin, "purpose": "research only", **made_by}
    image.header.extensions.append(nib.nifti1.Nifti1Extension(COMMENT, json.dumps(made, sort_keys=True).encode()))
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))
