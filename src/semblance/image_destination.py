"""Write made images to where a person asked: all of them or nothing.

images and masks   as their format names them
labels.csv         file, mask and made-up patient where there are any, the label, the attributes
schema.toml        what the images mean
manifest.json      SHA-256 of every file, what drew them and from which seed, and the word "synthetic"
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semblance import image_schema_toml
from semblance.catalog import IMAGE_FORMATS
from semblance.data.images import Images
from semblance.errors import InputError, Unsupported
from semblance.evidence import canonical_json
from semblance.release.manifest import names_in, sha256_of

MANIFEST, SCHEMA = "manifest.json", "schema.toml"
ONE_FILE = ".npz"
NOTICE = {
    "synthetic": "Synthetic images: they show nobody. For research only; not for diagnosis. Not judged.",
    "augmented": "Altered images of real patients: guard them as you guard the originals. For research only.",
}


def check_free(out: Path, *, form: str = "") -> None:
    """Refuse early to write where something is, or in a format that is not there.

    Raises:
        InputError: something is there already. Unsupported: there is no such format.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise InputError(f"{out}: exists, and is left as it is; name another place or delete this one first.")
    if form and form not in IMAGE_FORMATS:
        raise Unsupported(f"there is no image format {form!r}; there are {', '.join(IMAGE_FORMATS)}.")


def write_images(
    images: Images, out: Path, *, form: str = "", made_by: Mapping[str, str], facts: Mapping[str, Any]
) -> list[str]:
    """Write images into the new folder `out`, or into one file where it ends in .npz; the names of what was written.

    Args:
        form: Name of an image format; by default that of the schema.
        made_by: As ``ImageFormat.write`` takes it. facts: For the manifest.

    Raises:
        InputError: something is there already, or the place cannot be written to; nothing is left then.
        Unsupported: there is no such format.
    """
    check_free(out, form=form)
    one = out.suffix.lower() == ONE_FILE
    chosen = "npz" if one else form or images.schema.format
    if chosen not in IMAGE_FORMATS:
        raise Unsupported(f"there is no image format {chosen!r}; there are {', '.join(IMAGE_FORMATS)}.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            written = IMAGE_FORMATS[chosen]().write(images, building, made_by=made_by)
            if one:
                written[0].replace(out)
                return [out.name]
            names = _finish(building, images, {"format": chosen, **facts})
            building.chmod(0o755)
            if out.is_dir():  # empty, as was seen above
                out.rmdir()
            building.replace(out)
            return names
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); check its rights and the disk.") from error


def _finish(folder: Path, images: Images, facts: Mapping[str, Any]) -> list[str]:
    (folder / SCHEMA).write_text(image_schema_toml.dumps(images.schema), encoding="utf-8")
    names = sorted(names_in(folder))
    manifest = {
        "schema_version": "1",
        "kind": "images",
        "origin": images.origin,
        "notice": NOTICE.get(images.origin, NOTICE["augmented"]),
        "images": len(images),
        **facts,
        "files": {name: sha256_of(folder / name) for name in names},
    }
    (folder / MANIFEST).write_text(canonical_json(manifest), encoding="utf-8")
    return names
