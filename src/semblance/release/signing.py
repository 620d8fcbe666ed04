"""Signatures: who vouches for a release folder, checked without a network (Ed25519, RFC 8032).

What is signed is the manifest, byte for byte, and through its hashes every file. The signature names the key by its
fingerprint, and the manifest names the same one, so that taking the signature away is noticed. A signature proves
something only to a reader who got the public key by a way that he trusts.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from semblance.errors import BundleError, InputError
from semblance.evidence import canonical_json
from semblance.release.manifest import MANIFEST, SIGNATURE, disk_errors, read_canonical

PRIVATE = "semblance-signing-key.pem"
PUBLIC = "semblance-public-key.pem"
_VERSION = "1"
_PURPOSE = b"semblance release manifest\n"  # so that no other signature of this key can pass for one of ours


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key, ready to sign."""

    key: Ed25519PrivateKey

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key.public_key())

    def sign(self, folder: Path) -> None:
        """Write the signature of the manifest in `folder` beside it."""
        public = self.key.public_key()
        text = canonical_json(
            {
                "schema_version": _VERSION,
                "algorithm": "Ed25519",
                "fingerprint": fingerprint(public),
                "public_key": _raw(public).hex(),
                "signature": self.key.sign(_signed_bytes(folder)).hex(),
            }
        )
        (folder / SIGNATURE).write_bytes(text.encode("utf-8"))


def new_keys(folder: Path) -> tuple[Path, Path]:
    """Make a key pair in `folder`: the private key (only its owner may read the file) and the public key, as PEM.

    Raises:
        InputError: one of the files exists already; a key that is lost cannot be made again.
    """
    private, public = folder / PRIVATE, folder / PUBLIC
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise InputError(f"{path}: exists, and a key is never replaced; choose another folder.")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    told = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _write_new(private, secret, mode=0o600)
        _write_new(public, told, mode=0o644)
    return private, public


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Never through a link, never over a file, and never readable by others for even a moment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)


def load_signer(path: Path) -> Signer:
    """Read a private key. Raises InputError where the file is not an Ed25519 key in PEM without a password."""
    content = _read_key(path)
    cure = "make one with `semblance keys new`"
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError as error:
        raise InputError(f"{path}: is locked with a password, which Semblance does not ask for; {cure}.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is not a private key in PEM form; {cure}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: is not an Ed25519 key; {cure}.")
    return Signer(key)


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key. Raises InputError where the file is not an Ed25519 public key in PEM."""
    try:
        key = serialization.load_pem_public_key(_read_key(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: is not a public key in PEM form; ask the signer for {PUBLIC}.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path}: is not an Ed25519 key; ask the signer for {PUBLIC}.")
    return key


def check_signature(folder: Path, signed_by: str | None, public_key: Ed25519PublicKey | None) -> None:
    """See that the signature in `folder` is whole, by the key that the manifest names, and by `public_key` if given.

    Args:
        signed_by: Fingerprint that the manifest states; None where the release is not signed.

    Raises:
        BundleError: the signature is missing, was added or changed, or is by another key.
    """
    path = folder / SIGNATURE
    there = path.exists() or path.is_symlink()
    if signed_by is None:
        if there:
            raise BundleError(f"{folder}: {SIGNATURE} was added; the manifest says that the release is not signed.")
        if public_key is not None:
            raise BundleError(f"{folder}: is not signed, so there is no signature to check with the public key.")
        return
    if not there:
        raise BundleError(f"{folder}: {SIGNATURE} is missing; the manifest says that the release was signed.")
    if public_key is not None and fingerprint(public_key) != signed_by:
        raise BundleError(f"{folder}: is signed with another key than the public key that you gave.")
    if not _holds(folder, path, signed_by):
        raise BundleError(f"{path}: the signature does not fit {MANIFEST}; one of the two was changed.")


def _holds(folder: Path, path: Path, signed_by: str) -> bool:
    said = None if path.is_symlink() or not path.is_file() else read_canonical(path)
    stated = {"schema_version": _VERSION, "algorithm": "Ed25519", "fingerprint": signed_by}
    if said is None or set(said) != {*stated, "public_key", "signature"}:
        return False
    if any(said[key] != value for key, value in stated.items()):
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(_unhex(said["public_key"]))
        public.verify(_unhex(said["signature"]), _signed_bytes(folder))
    except (InvalidSignature, ValueError):
        return False
    return fingerprint(public) == signed_by


def fingerprint(public: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key: short enough to read out over the telephone."""
    return hashlib.sha256(_raw(public)).hexdigest()


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _signed_bytes(folder: Path) -> bytes:
    return _PURPOSE + (folder / MANIFEST).read_bytes()


def _unhex(text: object) -> bytes:
    """Strictly: one spelling for each value, so that no byte of the file can change unnoticed."""
    made = bytes.fromhex(text) if isinstance(text, str) else b""
    if made.hex() != text:
        raise ValueError("not in lower-case hexadecimal")
    return made


def _read_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the file of a key.") from error
