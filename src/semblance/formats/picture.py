"""Pictures without a header of their own: PNG and JPEG, TIFF. Grey or colour, 8 or 16 bits."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semblance.data.images import Images
from semblance.errors import FormatError
from semblance.extras import need
from semblance.image_contracts import Shot
from semblance.imaging.listing import make_folders, mask_of, name_files, write_listing
from semblance.imaging.stored import Scale

if TYPE_CHECKING:
    from PIL.Image import Image

WHITE_IS_ZERO, PHOTOMETRIC, DESCRIPTION = 0, 262, 270  # TIFF 6.0, section 8
PURPOSE = "synthetic image, for research only"


@dataclass(frozen=True, slots=True)
class Png:
    """PNG, JPEG and BMP are read; PNG is written, because JPEG loses detail."""

    name: ClassVar[str] = "png"
    about: ClassVar[str] = "PNG, grey or colour, 8 or 16 bits; JPEG and BMP are read, too, and written as PNG"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg", ".bmp")

    def read(self, path: Path, *, plane: str = "") -> Sequence[Shot]:
        """The picture, upright. Raises FormatError as `read_picture` says; `plane` means nothing here."""
        return [read_picture(path)]

    def write(self, images: Images, folder: Path, *, made_by: Mapping[str, str] | None = None) -> Sequence[Path]:
        """One PNG each, 16 bits where the schema has more than 8. Values that do not fit are scaled, as the file says.

        What `image_contracts.ImageFormat.write` says of names, masks and `made_by` holds. Raises OSError.
        """
        return _write(images, folder, ".png", made_by or {})


@dataclass(frozen=True, slots=True)
class Tiff:
    """TIFF of one page."""

    name: ClassVar[str] = "tiff"
    about: ClassVar[str] = "TIFF of one page, grey or colour, 8 or 16 bits, or grey in floating point"
    suffixes: ClassVar[tuple[str, ...]] = (".tif", ".tiff")

    def read(self, path: Path, *, plane: str = "") -> Sequence[Shot]:
        """The picture, upright. Raises FormatError as `read_picture` says; `plane` means nothing here."""
        return [read_picture(path)]

    def write(self, images: Images, folder: Path, *, made_by: Mapping[str, str] | None = None) -> Sequence[Path]:
        """One TIFF each, as `Png.write` says."""
        return _write(images, folder, ".tif", made_by or {})


def read_picture(path: Path) -> Shot:
    """A picture as values; turned upright where its EXIF says how it was held; grey where all colours are.

    Raises:
        FormatError: the file is no picture or damaged, has several pages, transparent parts, printers' colours, or
            colours of 16 bits (which Pillow would cut to 8).
        MissingExtra: Pillow is not installed.
    """
    need("images", "reading pictures")
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; what matters is asked below
            if path.suffix.lower() in Tiff.suffixes:  # whose pixels are found by their metadata alone
                warnings.filterwarnings("error", message="Corrupt EXIF|Truncated|Metadata Warning")
            with Image.open(path) as image:
                _refuse(image, path.name)
                return _shot(image, path.name)
    except UnidentifiedImageError:
        raise FormatError(f"{path.name} is not a picture, whatever its name says; export it again.") from None
    except (Image.DecompressionBombError, MemoryError):
        raise FormatError(f"{path.name} is too large for one picture; cut it into smaller ones.") from None
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, EOFError, TypeError, UserWarning) as error:
        if isinstance(error, PermissionError):
            raise FormatError(f"{path.name} may not be read; check its permissions.") from None
        raise FormatError(f"{path.name} is damaged or cut short; export it again.") from None


def _refuse(image: Image, name: str) -> None:
    if getattr(image, "n_frames", 1) > 1:
        raise FormatError(f"{name} has several pages or frames; save each as a file of its own.")
    if image.mode in ("CMYK", "YCCK", "LAB", "HSV"):
        raise FormatError(f"{name} is in {image.mode} colours; convert it to grey or RGB.")
    raw = [tile[3] if isinstance(tile[3], str) else tile[3][0] for tile in getattr(image, "tile", []) if tile[3]]
    if any(";16" in str(mode) for mode in raw) and image.mode not in ("I;16", "I;16B", "I;16L", "I"):
        raise FormatError(f"{name} has 16 bits for each colour, which cannot be read; save it in grey or with 8 bits.")


def _shot(image: Image, name: str) -> Shot:
    from PIL import ImageOps

    inverted = _white_is_zero(image) and image.mode.startswith("I;16")  # Pillow turns only 8 bits over
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("P", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
    if upright.mode in ("RGBA", "LA", "RGBa", "La"):
        upright = _without_alpha(upright, name)
    if upright.mode == "1":
        upright = upright.convert("L")
    if upright.mode == "YCbCr":
        upright = upright.convert("RGB")
    values = np.asarray(upright)
    bits = {1: 8, 2: 16}.get(values.dtype.itemsize, 32)
    step = 0.0 if values.dtype.kind == "f" else 1.0
    if inverted:
        values = np.iinfo(np.uint16).max - values
    if values.ndim == 3 and (values == values[..., :1]).all():
        values = values[..., 0]
    pixels = values.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise FormatError(f"{name} has pixels without a value; fill them in.")
    return Shot(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1).copy(), name, bits, step)


def _white_is_zero(image: Image) -> bool:
    tags = getattr(image, "tag_v2", None)
    return tags is not None and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO


def _without_alpha(image: Image, name: str) -> Image:
    low, _ = image.getchannel("A").getextrema()
    if low != 255:  # what is behind it decides how it looks
        raise FormatError(f"{name} has transparent parts; put it on an even ground and save it without them.")
    return image.convert("L" if image.mode in ("LA", "La") else "RGB")


def _write(images: Images, folder: Path, suffix: str, made_by: Mapping[str, str]) -> list[Path]:
    need("images", "writing pictures")
    from PIL import Image

    schema, scale = images.schema, Scale.of(images.schema)
    if schema.channels == 3 and scale.bits == 16:
        scale = Scale(8, (schema.high - schema.low) / 255, schema.low)  # Pillow writes no deeper colours
    names = name_files(images, suffix)
    paths = make_folders(folder, names)
    words = _words(images, scale, made_by)
    for row, path in enumerate(paths):
        stored = scale.store(images.pixels[row], schema)
        _save(Image.fromarray(stored[0] if len(stored) == 1 else stored.transpose(1, 2, 0).copy()), path, words)
        if images.masks is not None:
            _save(Image.fromarray(images.masks[row]), folder / mask_of(names[row]), words)
    write_listing(images, names, folder)
    return paths


def _words(images: Images, scale: Scale, made_by: Mapping[str, str]) -> dict[str, str]:
    """What a picture says of itself: that nobody was in front of the camera, who drew it, what its numbers mean."""
    words = {"Description": PURPOSE if images.origin == "synthetic" else f"{images.origin} image, for research only"}
    words |= {f"Semblance {key}": text for key, text in made_by.items()}
    if not scale.plain:
        unit = f" {images.schema.unit}" if images.schema.unit else ""
        words["Value"] = f"{scale.slope!r} * stored + {scale.intercept!r}{unit}"
    return words


def _save(image: Image, path: Path, words: Mapping[str, str]) -> None:
    from PIL.PngImagePlugin import PngInfo

    if path.suffix == ".png":
        info = PngInfo()
        for key, text in words.items():
            info.add_itxt(key, text)
        image.save(path, "PNG", pnginfo=info, optimize=False)
        return
    described: dict[int, Any] = {DESCRIPTION: json.dumps(words)}
    image.save(path, "TIFF", compression="tiff_adobe_deflate", tiffinfo=described)
