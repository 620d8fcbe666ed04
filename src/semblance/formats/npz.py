"""NumPy's archive: all images in one array, their labels in another. MedMNIST's files are of this kind."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.errors import FormatError
from semblance.image_contracts import Shot
from semblance.imaging.listing import make_folders, name_patients
from semblance.imaging.stored import Scale

SPLITS = ("train", "val", "test")
FILE = "synthetic.npz"


@dataclass(frozen=True, slots=True)
class Npz:
    """Arrays `images` (n, height, width[, 3]) and, as far as there are any, `labels`, `masks`, `patients`, `sites`.

    `class_names` gives names to labels that are numbers. MedMNIST's cuts are arrays named train_images, val_labels, …
    """

    name: ClassVar[str] = "npz"
    about: ClassVar[str] = (
        "one .npz with the arrays images, labels, masks, patients, sites, each also as train_images …"
    )
    suffixes: ClassVar[tuple[str, ...]] = (".npz",)

    def read(self, path: Path, *, plane: str = "") -> Sequence[Shot]:
        """The images; their tags hold "label", "patient", "site" and "split" as far as the file does.

        Raises:
            FormatError: the file is damaged, holds Python objects or no `images`, or arrays do not go together.
        """
        arrays = _load(path)
        cuts = [cut for cut in SPLITS if f"{cut}_images" in arrays]
        if "images" in arrays:
            return _shots(arrays, path.name, "")
        if not cuts:
            raise FormatError(
                f"{path.name} has no array 'images' (nor 'train_images'); rename the array of the images."
            )
        return [shot for cut in cuts for shot in _shots(arrays, path.name, cut)]

    def write(self, images: Images, folder: Path, *, made_by: Mapping[str, str] | None = None) -> Sequence[Path]:
        """One file "synthetic.npz": images, labels as numbers, class_names, masks; attributes and patients as texts.

        Patients are made up. Values are written as they are, in the smallest type that holds them.
        """
        schema = images.schema
        arrays: dict[str, NDArray[Any]] = {"images": _stack(images)}
        if schema.classes:
            arrays |= {"labels": images.codes(schema.label), "class_names": np.array(schema.classes)}
        for name, labels in schema.attributes.items():
            known = images.about[name].tolist()
            arrays[name] = np.array(["" if one is None else one for one in known], dtype=f"U{max(map(len, labels))}")
        if images.masks is not None:
            arrays |= {"masks": images.masks, "structures": np.array(schema.structures)}
        if schema.patient:
            arrays["patients"] = np.array(name_patients(images))
        arrays |= {f"made_by_{key}": np.array(text) for key, text in sorted((made_by or {}).items())}
        (path,) = make_folders(folder, [FILE])
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:  # NumPy's own writer notes the time of day
            for name, values in arrays.items():
                content = io.BytesIO()
                np.lib.format.write_array(content, values, allow_pickle=False)
                entry = zipfile.ZipInfo(f"{name}.npy")
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content.getvalue())
        return [path]


def _stack(images: Images) -> NDArray[Any]:
    """(n, height, width) or, coloured, (n, height, width, 3)."""
    schema, scale = images.schema, Scale.of(images.schema)
    pixels = np.clip(images.pixels, schema.low, schema.high)
    if scale.plain:
        stored: NDArray[Any] = scale.store(pixels, schema)
    elif (
        schema.step >= 1
        and schema.step % 1 == 0
        and schema.low % 1 == 0
        and -(2**15) <= schema.low < schema.high < 2**15
    ):
        stored = np.round(pixels).astype(np.int16)
    else:
        stored = pixels
    return stored[:, 0] if schema.channels == 1 else np.ascontiguousarray(stored.transpose(0, 2, 3, 1))


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FormatError(f"{path.name} is a single array; save it with numpy.savez(file, images=array).")
            return {name: archive[name] for name in archive.files}
    except ValueError:
        raise FormatError(f"{path.name} holds Python objects, which are not loaded; save plain arrays only.") from None
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, KeyError, TypeError, AttributeError):
        raise FormatError(f"{path.name} is damaged or is not an .npz archive; save it again.") from None


def _shots(arrays: Mapping[str, NDArray[Any]], name: str, cut: str) -> list[Shot]:
    prefix = f"{cut}_" if cut else ""
    stack = arrays[f"{prefix}images"]
    bits, step = _kind(stack, f"'{prefix}images' in {name}")
    pixels = _channels_first(stack, f"'{prefix}images' in {name}").astype(np.float32)
    if not np.isfinite(pixels).all():
        raise FormatError(f"'{prefix}images' in {name} has pixels without a value (NaN); fill them in.")
    known = _known(arrays, prefix, len(pixels), name)
    masks = _masks(arrays, prefix, pixels.shape, name)
    shots = []
    for row in range(len(pixels)):
        tags = {one: texts[row] for one, texts in known.items()}
        tags |= {"split": cut} if cut else {}
        mask = None if masks is None else masks[row]
        shots.append(Shot(pixels[row], f"{name}#{prefix}{row}", bits, step, tags=tags, mask=mask))
    return shots


_SINGULAR = {"labels": "label", "patients": "patient", "sites": "site"}
_APART = ("images", "masks", "class_names", "structures")


def _known(arrays: Mapping[str, NDArray[Any]], prefix: str, n: int, where: str) -> dict[str, list[str]]:
    """What is known of each image, by singular name; an array of another name and length n keeps its name."""
    known = {}
    for name in arrays:
        plain = name.removeprefix(prefix)
        if not name.startswith(prefix) or plain in _APART or (not prefix and plain.startswith("made_by_")):
            continue
        if plain in _SINGULAR or arrays[name].shape in ((n,), (n, 1)):
            known[_SINGULAR.get(plain, plain)] = _texts(arrays, name, n, where)
    return known


def _kind(stack: NDArray[Any], what: str) -> tuple[int, float]:
    """Bits and step of stored values."""
    if stack.dtype == bool:
        return 8, 1.0
    if stack.dtype.kind in "ui":
        return min(stack.dtype.itemsize * 8, 32), 1.0
    if stack.dtype.kind == "f":
        return 32, 0.0
    raise FormatError(f"{what} holds no numbers; save it as uint8, uint16, int16 or float32.")


def _channels_first(stack: NDArray[Any], what: str) -> NDArray[Any]:
    if stack.ndim == 3:
        return stack[:, None]
    if stack.ndim == 4 and stack.shape[3] in (1, 3):
        return np.ascontiguousarray(stack.transpose(0, 3, 1, 2))
    if stack.ndim == 4 and stack.shape[1] in (1, 3):
        return stack
    raise FormatError(
        f"{what} has {stack.ndim} axes; it must be (n, height, width) or (n, height, width, 3); cut volumes up."
    )


def _texts(arrays: Mapping[str, NDArray[Any]], name: str, n: int, where: str) -> list[str]:
    """An array beside the images as one text for each image; numbers of labels become their names."""
    values = arrays[name]
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if flat.ndim != 1 or len(flat) != n:
        raise FormatError(f"{name!r} in {where} must hold one value for each of the {n} images.")
    names = arrays.get("class_names") if name.endswith("labels") else None
    if names is None or flat.dtype.kind not in "ui":
        whole = flat.dtype.kind == "f" and np.isfinite(flat).all() and (flat % 1 == 0).all()
        return [str(value) for value in (flat.astype(np.int64) if whole else flat).tolist()]
    if len(flat) and int(flat.max()) >= len(names):
        raise FormatError(f"{name!r} in {where} has numbers beyond the {len(names)} of 'class_names'.")
    return [str(names[int(value)]) if value >= 0 else "" for value in flat]


def _masks(
    arrays: Mapping[str, NDArray[Any]], prefix: str, shape: tuple[int, ...], where: str
) -> NDArray[np.uint8] | None:
    masks = arrays.get(f"{prefix}masks")
    if masks is None:
        return None
    if masks.shape != (shape[0], *shape[2:]) or masks.dtype.kind not in "uib" or masks.max(initial=0) > 255:
        raise FormatError(f"'{prefix}masks' in {where} must hold a mask of whole numbers for each image, of its size.")
    return masks.astype(np.uint8)
