"""The release folder: written all at once or not at all, and checked later without any patient data.

Everything is made in a temporary folder beside the target and renamed when complete. `verify` re-hashes every file
(see ``manifest.py``), checks the signature (see ``signing.py``), and decides again from the evidence, the policy and
the overrides in the folder.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semblance import schema_toml
from semblance.errors import BundleError, InputError, SemblanceError
from semblance.evidence import Evidence, canonical_json
from semblance.release.card import write_card
from semblance.release.disclosure import protect
from semblance.release.gate import WITHHELD, Verdict, decide
from semblance.release.labels import label_table, labels_of
from semblance.release.manifest import (
    MANIFEST,
    SIGNATURE,
    check_files,
    disk_errors,
    names_in,
    read_manifest,
    sha256_of,
    write_manifest,
)
from semblance.release.overrides import Override
from semblance.release.policy import Policy
from semblance.release.signing import Signer, check_signature, load_public_key
from semblance.report.page import render

MODEL = "model"
_FIXED = {"schema.toml", "evidence.json", "policy.toml", "report.html", "card.md"}


@dataclass(frozen=True, slots=True)
class Contents:
    """All that goes into a release folder, but for the tables and models that callers write themselves.

    Attributes:
        derived_from: SHA-256 of the manifest of the board's folder, where this one was made from it.
    """

    evidence: Evidence
    verdict: Verdict
    policy: Policy
    schema_text: str
    tier: str = "board"
    language: str = "en"
    derived_from: str | None = None


def write(
    out: Path,
    *,
    evidence: Evidence,
    verdict: Verdict,
    policy: Policy,
    schema_text: str,
    write_synthetic: Callable[[Path], str] | None,
    write_model: Callable[[Path], object] | None = None,
    signer: Signer | None = None,
    language: str = "en",
) -> Path:
    """Write the release folder `out` and return it; the synthetic table only when the verdict is RELEASE.

    Small patient counts are blanked on the way (see ``disclosure.py``).

    Args:
        out: May not exist yet, be empty, or be an earlier release, which is then replaced.
        write_synthetic: Called with a folder; writes the table into it and returns the file's name.
        write_model: Called with a new folder, where the policy releases the model too and the verdict is RELEASE.
        signer: Signs the manifest, and through it every file.
        language: Of report and card, "en" or "zh".

    Raises:
        InputError: `out` holds something that is not a release, or cannot be written; nothing is left behind.
    """
    if decide(evidence, policy, overrides=verdict.overrides) != verdict:
        raise ValueError("the verdict does not follow from this evidence and this policy")
    if WITHHELD in evidence.provenance:
        raise ValueError("evidence for the board withholds nothing")
    if verdict.released and write_synthetic is None:
        raise ValueError("a release needs write_synthetic")
    if verdict.released and "model" in policy.releases and write_model is None:
        raise InputError(f"policy {policy.name!r} releases the model too, and there is none to release here.")
    with replacing(out) as work:
        name = None
        if verdict.released and write_synthetic is not None:
            name = write_synthetic(work)
            if "model" in policy.releases and write_model is not None:
                write_model(work / MODEL)
        contents = Contents(protect(evidence), verdict, policy, schema_text, language=language)
        fill(work, contents, synthetic=name, signer=signer)
    return Path(out).absolute()


def check_free(out: Path) -> None:
    """Refuse, before any work is done, a place where a release must not be written.

    Only an empty folder, or a release of ours with nothing added to it, is ever replaced.

    Raises:
        InputError: `out` is a file, or a folder that holds something else.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise InputError(f"{out}: is not a folder; choose another --out.")
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        ours = {*read_manifest(out)["files"], MANIFEST, SIGNATURE}
    except SemblanceError as error:
        raise InputError(f"{out}: already holds files that are not a release; choose an empty folder.") from error
    if names_in(out) - ours:
        raise InputError(f"{out}: holds an earlier release and other files beside it; move those, or choose another.")


def sign(folder: Path, signer: Signer) -> None:
    """Sign a release folder that verifies; an earlier signature is replaced.

    Raises:
        BundleError, InputError: see `verify`; nothing is changed then.
    """
    verify(folder)
    folder = Path(folder)
    with replacing(folder) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        (work / SIGNATURE).unlink(missing_ok=True)
        facts = {k: v for k, v in read_manifest(work).items() if k not in ("files", "sha256", "schema_version")}
        write_manifest(work, {**facts, "signed_by": signer.fingerprint})
        signer.sign(work)


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Verified:
    """What a release folder turned out to be.

    Attributes:
        signed_by: Fingerprint of the key that signed it; None where nobody did.
        signature_checked: Whether that is the public key that the caller trusts.
        manifest: As it stands in the folder.
    """

    verdict: Verdict
    tier: str
    signed_by: str | None
    signature_checked: bool
    manifest: Mapping[str, Any]


def verify(folder: Path, *, public_key: Path | None = None) -> Verified:
    """Check a release folder offline: every hash, no file too many or too few, the signature, the verdict again.

    Args:
        public_key: File with the key of the signer, got by a way that you trust. Without it, a signature is only
            checked to be whole.

    Raises:
        BundleError: naming every file that differs, or what does not follow from what.
        InputError: there is no such folder, or a file in it, or the key, cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder that a release was written to.")
    key = None if public_key is None else load_public_key(Path(public_key))
    with disk_errors(folder, doing="read"):
        manifest = read_manifest(folder)
        check_files(folder, manifest["files"])
        signed_by = manifest["signed_by"]
        check_signature(folder, signed_by, key)
        verdict, policy = _decided_again(folder, manifest)
        _check_contents(folder, manifest, verdict, policy)
    return Verified(verdict, manifest["tier"], signed_by, signed_by is not None and key is not None, manifest)


def read_back(folder: Path) -> tuple[Evidence, Policy, tuple[Override, ...], Mapping[str, Any]]:
    """Evidence, policy, overrides and the verdict as stated, from the files of a release folder.

    Raises:
        BundleError: one of them cannot be read back.
    """
    try:
        facts = json.loads((folder / "evidence.json").read_bytes())
        policy = Policy.loads((folder / "policy.toml").read_bytes().decode("utf-8"), where=f"{folder}/policy.toml")
        stated = facts["verdict"]
        overrides = tuple(Override.from_dict(said) for said in stated["overrides"])
        return Evidence.from_dict(facts), policy, overrides, stated
    except (SemblanceError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"{folder}: the evidence or the policy in it cannot be read back.") from error


def _decided_again(folder: Path, manifest: Mapping[str, Any]) -> tuple[Verdict, Policy]:
    evidence, policy, overrides, stated = read_back(folder)
    try:
        again = decide(evidence, policy, overrides=overrides)
    except SemblanceError as error:
        raise BundleError(f"{folder}: an override in evidence.json is not one that policy.toml allows.") from error
    said = again.to_dict()
    told = {key: manifest[key] for key in ("decision", "policy", "overrides")}
    if said != stated or told != {key: said[key] for key in told}:
        raise BundleError(f"{folder}: the verdict does not follow from evidence.json and policy.toml.")
    return again, policy


def _check_contents(folder: Path, manifest: Mapping[str, Any], verdict: Verdict, policy: Policy) -> None:
    """What was refused must not lie in the folder, whatever its hashes say."""
    files = set(manifest["files"])
    model = {name for name in files if name.startswith(f"{MODEL}/")}
    allowed = set(_FIXED)
    if verdict.released:
        allowed |= (
            {manifest["synthetic"]}
            | labels_of(manifest["synthetic"])
            | (model if "model" in policy.releases else set())
        )
    if files != allowed:
        raise BundleError(f"{folder}: the verdict is {verdict.decision}, which the files in the folder do not match.")


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def fill(work: Path, contents: Contents, *, synthetic: str | None, signer: Signer | None) -> None:
    """Add to `work`, which holds the table already, everything that is said about it."""
    if synthetic is not None and not (work / synthetic).is_file():
        raise ValueError("write_synthetic did not write the file it named")
    evidence, verdict = contents.evidence, contents.verdict.to_dict()
    schema = schema_toml.loads(contents.schema_text, where="schema.toml")
    cut: dict[str, Any] = {"tier": contents.tier, "language": contents.language}
    for name, text in (
        ("schema.toml", contents.schema_text),
        ("evidence.json", canonical_json({**evidence.to_dict(), "verdict": verdict})),
        ("policy.toml", contents.policy.text),
        ("report.html", render(evidence, verdict, **cut)),
        ("card.md", write_card(evidence, verdict, schema=schema, synthetic=synthetic, **cut)),
    ):
        (work / name).write_bytes(text.encode("utf-8"))
    if synthetic is not None:
        label_table(work, synthetic, schema, evidence.provenance)
    hashes = dict(evidence.provenance.get("hashes") or {})
    facts = {
        "decision": verdict["decision"],
        **cut,
        "derived_from": contents.derived_from,
        "synthetic": synthetic,
        "hashes": {**hashes, "synthetic": None if synthetic is None else sha256_of(work / synthetic)},
        "policy": verdict["policy"],
        "overrides": verdict["overrides"],
        "provenance": dict(evidence.provenance),
        "signed_by": None if signer is None else signer.fingerprint,
    }
    write_manifest(work, facts)
    if signer is not None:
        signer.sign(work)


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `out` when the block ends well, and leaves nothing when not.

    Raises:
        InputError: see `check_free`; or the disk refuses.
    """
    out = Path(out).absolute()
    with disk_errors(out):
        check_free(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        work = out.parent / f".{out.name}.{secrets.token_hex(4)}.partial"
        try:
            work.mkdir()
            yield work
            _swap(work, out)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _swap(work: Path, out: Path) -> None:
    if not out.exists():
        work.rename(out)
        return
    old = work.with_suffix(".old")
    out.rename(old)
    try:
        work.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
