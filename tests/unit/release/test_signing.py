"""Signatures: by the right key, whole, and missed when they are gone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from semblance.errors import BundleError, InputError
from semblance.evidence import canonical_json
from semblance.release.manifest import MANIFEST, SIGNATURE, write_manifest
from semblance.release.signing import (
    Signer,
    check_signature,
    load_public_key,
    load_signer,
    new_keys,
)

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    folder = tmp_path / "signed"
    folder.mkdir()
    (folder / "table.csv").write_text("age\n61\n")
    write_manifest(folder, {"signed_by": SIGNER.fingerprint})
    SIGNER.sign(folder)
    return folder


def test_new_keys_sign_and_check_and_only_the_owner_reads_the_private_one(tmp_path: Path) -> None:
    private, public = new_keys(tmp_path / "deep" / "keys")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    (tmp_path / MANIFEST).write_text("{}")
    signer = load_signer(private)
    signer.sign(tmp_path)
    check_signature(tmp_path, signer.fingerprint, load_public_key(public))


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    private, public = new_keys(tmp_path)
    before = (private.read_bytes(), public.read_bytes())
    with pytest.raises(InputError, match="never replaced"):
        new_keys(tmp_path)
    private.unlink()
    private.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="never replaced"):
        new_keys(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
    assert public.read_bytes() == before[1]


def test_two_keys_differ(tmp_path: Path) -> None:
    first, second = (load_signer(new_keys(tmp_path / name)[0]).fingerprint for name in "ab")
    assert first != second
    assert len(first) == 64


def test_openssl_agrees_with_the_signature(signed: Path, tmp_path: Path) -> None:
    """An implementation that is not ours reads the key and finds the signature good."""
    key, message, signature = tmp_path / "key.pem", tmp_path / "message", tmp_path / "signature"
    key.write_bytes(SIGNER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    message.write_bytes(b"semblance release manifest\n" + (signed / MANIFEST).read_bytes())
    signature.write_bytes(bytes.fromhex(json.loads((signed / SIGNATURE).read_text())["signature"]))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", message, "-sigfile", signature]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no openssl on this system")
    if "rawin" in done.stderr:
        pytest.skip("an openssl without Ed25519")
    assert "Verified Successfully" in done.stdout, done.stderr


def test_no_byte_of_the_signature_is_idle(signed: Path) -> None:
    path = signed / SIGNATURE
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        for byte in (whole[at] ^ 1, whole[at] ^ 0x20):  # the second changes the case of a letter
            path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            with pytest.raises(BundleError, match=r"signature\.json"):
                check_signature(signed, SIGNER.fingerprint, None)
    path.write_bytes(whole)
    check_signature(signed, SIGNER.fingerprint, SIGNER.key.public_key())


def resign(folder: Path) -> None:
    OTHER.sign(folder)


def claim_the_name(folder: Path) -> None:
    """A forger signs with a key of his own and puts the true signer's name and key into the file."""
    true = json.loads((folder / SIGNATURE).read_text())
    OTHER.sign(folder)
    forged = json.loads((folder / SIGNATURE).read_text())
    forged |= {"fingerprint": true["fingerprint"], "public_key": true["public_key"]}
    (folder / SIGNATURE).write_text(canonical_json(forged))


def claim_the_fingerprint(folder: Path) -> None:
    true = json.loads((folder / SIGNATURE).read_text())
    OTHER.sign(folder)
    forged = json.loads((folder / SIGNATURE).read_text()) | {"fingerprint": true["fingerprint"]}
    (folder / SIGNATURE).write_text(canonical_json(forged))


def odd_types(folder: Path) -> None:
    said = json.loads((folder / SIGNATURE).read_text())
    (folder / SIGNATURE).write_text(canonical_json(said | {"algorithm": ["Ed25519"], "signature": 3}))


def more_keys(folder: Path) -> None:
    said = json.loads((folder / SIGNATURE).read_text())
    (folder / SIGNATURE).write_text(canonical_json(said | {"note": "believe me"}))


def a_link(folder: Path) -> None:
    (folder / SIGNATURE).rename(folder.parent / "elsewhere.json")
    (folder / SIGNATURE).symlink_to(folder.parent / "elsewhere.json")


def gone(folder: Path) -> None:
    (folder / SIGNATURE).unlink()


def another_manifest(folder: Path) -> None:
    (folder / "table.csv").write_text("age\n62\n")
    write_manifest(folder, {"signed_by": SIGNER.fingerprint})


FORGERIES = [resign, claim_the_name, claim_the_fingerprint, odd_types, more_keys, a_link, gone, another_manifest]


@pytest.mark.parametrize("forge", FORGERIES)
@pytest.mark.parametrize("public_key", [None, SIGNER.key.public_key()], ids=["no key", "the key"])
def test_forgeries_are_found_with_and_without_the_key(
    signed: Path, forge: Callable[[Path], None], public_key: object
) -> None:
    forge(signed)
    with pytest.raises(BundleError, match=r"signature\.json"):
        check_signature(signed, SIGNER.fingerprint, public_key)  # type: ignore[arg-type]


def test_only_the_key_tells_who_signed(signed: Path) -> None:
    """Whoever rewrites manifest and signature passes without the key, and never with it."""
    write_manifest(signed, {"signed_by": OTHER.fingerprint})
    OTHER.sign(signed)
    check_signature(signed, OTHER.fingerprint, None)
    with pytest.raises(BundleError, match="another key"):
        check_signature(signed, OTHER.fingerprint, SIGNER.key.public_key())


def test_what_is_not_signed_is_said(signed: Path) -> None:
    with pytest.raises(BundleError, match="was added"):
        check_signature(signed, None, None)
    (signed / SIGNATURE).unlink()
    check_signature(signed, None, None)
    with pytest.raises(BundleError, match="is not signed"):
        check_signature(signed, None, SIGNER.key.public_key())


def test_files_that_are_no_keys(tmp_path: Path) -> None:
    curve = generate_private_key(SECP256R1())
    pem = (Encoding.PEM, PrivateFormat.PKCS8)
    private = {
        "junk": b"junk",
        "other": curve.private_bytes(*pem, NoEncryption()),
        "locked": SIGNER.key.private_bytes(*pem, BestAvailableEncryption(b"secret")),
        "public": SIGNER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
    public = {
        "junk": b"junk",
        "other": curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "private": SIGNER.key.private_bytes(*pem, NoEncryption()),
    }
    for load, kinds in ((load_signer, private), (load_public_key, public)):
        for name, content in {**kinds, "absent": b""}.items():
            path = tmp_path / f"{name}.pem"
            path.unlink(missing_ok=True)
            if name != "absent":
                path.write_bytes(content)
            with pytest.raises(InputError, match=rf"{name}\.pem.*\.$") as caught:
                load(path)
            assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_loose_umask_does_not_open_the_private_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private, _ = new_keys(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
