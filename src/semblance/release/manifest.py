"""The list of a release folder's files with their SHA-256, and how it is read back without being believed.

`manifest.json` holds the hash of every other file and of itself, so that one changed byte anywhere is found. It shows
tampering only to someone who got it, or its hash, by another way, or who holds the signer's public key (see
``signing.py``): whoever can rewrite every file can rewrite the manifest too.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semblance.errors import BundleError, InputError
from semblance.evidence import canonical_json

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"
VERSION = "2"


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> str:
    """Hash everything in `folder`, write the manifest with `facts`, and return the manifest's own hash."""
    files = {name: sha256_of(folder / name) for name in sorted(names_in(folder) - {MANIFEST, SIGNATURE})}
    manifest = {"schema_version": VERSION, **facts, "files": files}
    manifest["sha256"] = own_hash(manifest)
    (folder / MANIFEST).write_bytes(canonical_json(manifest).encode("utf-8"))
    return str(manifest["sha256"])


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release folder, whole and of this version.

    Raises:
        BundleError: there is none, or it was changed.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder}: has no {MANIFEST}, so it is not a release folder.")
    damaged = BundleError(f"{path}: is damaged or was changed after it was written.")
    manifest = read_canonical(path)
    if manifest is None or path.is_symlink() or manifest.get("sha256") != own_hash(manifest):
        raise damaged
    if manifest.get("schema_version") != VERSION:
        raise BundleError(f"{path}: is of another version; verify it with the Semblance that wrote it.")
    return manifest


def read_canonical(path: Path) -> dict[str, Any] | None:
    """A JSON object exactly as `canonical_json` would write it, to the last byte; None for anything else."""
    written = path.read_bytes()
    try:
        held = json.loads(written)
        whole = canonical_json(held).encode("utf-8") == written
    except (ValueError, RecursionError):
        return None
    return held if whole and isinstance(held, dict) else None


def check_files(folder: Path, expected: Mapping[str, str]) -> None:
    """See that exactly these files are there, with these hashes. Raises BundleError naming every one that differs."""
    found = names_in(folder) - {MANIFEST, SIGNATURE}
    faults = [f"{n} is missing" for n in sorted(set(expected) - found)]
    faults += [f"{n} was added" for n in sorted(found - set(expected))]
    faults += [f"{n} was changed" for n in sorted(found & set(expected)) if _differs(folder / n, expected[n])]
    if faults:
        raise BundleError(f"{folder}: {'; '.join(faults)}.")


def names_in(folder: Path) -> set[str]:
    """Everything in `folder` by its path with "/", however deep; a folder without files counts as a file of its own.

    A link is named and never followed, so that nothing outside the folder can pass for a part of it.
    """
    return {name.removeprefix("/") for name in _walk(folder, "")}


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: e.name):
            name = f"{prefix}/{entry.name}"
            if not entry.is_dir(follow_symlinks=False):
                yield name
                continue
            inside = list(_walk(Path(entry.path), name))
            yield from inside or [name]


def _differs(path: Path, sha256: str) -> bool:
    return not path.is_file() or path.is_symlink() or sha256_of(path) != sha256


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def own_hash(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest without its own hash."""
    rest = {k: v for k, v in manifest.items() if k != "sha256"}
    return hashlib.sha256(canonical_json(rest).encode("utf-8")).hexdigest()


@contextmanager
def disk_errors(path: Path, *, doing: str = "written") -> Iterator[None]:
    """Turn what the operating system refuses into one sentence with a cure."""
    try:
        yield
    except OSError as error:
        cures = {
            errno.ENOSPC: "the disk is full; free some space and run again",
            errno.EDQUOT: "your disk quota is used up; free some space and run again",
            errno.EACCES: "permission is denied; choose a folder you may use",
            errno.EPERM: "permission is denied; choose a folder you may use",
            errno.EROFS: "the disk is read-only; choose another folder",
            errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
        }
        cure = cures.get(error.errno or 0, f"{error.strerror or 'unknown error'}; choose another folder")
        raise InputError(f"{path}: cannot be {doing}: {cure}.") from error
