"""The release folder: written all at once or not at all, and checked later without any patient data.

Everything is made in a temporary folder beside the target and renamed when complete. `manifest.json` holds the
SHA-256 of every other file and of itself, so one changed byte anywhere is found; `verify` also decides again from
the evidence and the policy in the folder. The manifest shows tampering only to someone who got it, or its hash, by
another way: whoever can rewrite every file can rewrite the manifest too.
"""

from __future__ import annotations

import errno
import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semblance.errors import BundleError, InputError, SemblanceError
from semblance.evidence import Evidence, canonical_json
from semblance.release.card import write_card
from semblance.release.disclosure import protect
from semblance.release.gate import Verdict, decide
from semblance.release.policy import Policy
from semblance.report.page import render

MANIFEST = "manifest.json"
MANIFEST_VERSION = "1"
_FIXED = ("schema.toml", "evidence.json", "policy.toml", "report.html", "card.md")


def write(
    out: Path,
    *,
    evidence: Evidence,
    verdict: Verdict,
    policy: Policy,
    schema_text: str,
    write_synthetic: Callable[[Path], str] | None,
) -> Path:
    """Write the release folder `out` and return it; the synthetic table only when the verdict is RELEASE.

    Small patient counts are blanked on the way (see ``disclosure.py``).

    Args:
        out: May not exist yet, be empty, or be an earlier release, which is then replaced.
        write_synthetic: Called with a folder; writes the table into it and returns the file's name.

    Raises:
        InputError: `out` holds something that is not a release, or cannot be written; nothing is left behind.
    """
    if decide(evidence, policy) != verdict:
        raise ValueError("the verdict does not follow from this evidence and this policy")
    if verdict.released and write_synthetic is None:
        raise ValueError("a release needs write_synthetic")
    out = Path(out).absolute()
    with _disk_errors(out):
        check_free(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        work = out.parent / f".{out.name}.{secrets.token_hex(4)}.partial"
        try:
            work.mkdir()
            name = write_synthetic(work) if verdict.released and write_synthetic is not None else None
            _fill(work, protect(evidence), verdict, policy, schema_text, name)
            _swap(work, out)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return out


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
        ours = set(_read_manifest(out)["files"]) | {MANIFEST}
    except SemblanceError as error:
        raise InputError(f"{out}: already holds files that are not a release; choose an empty folder.") from error
    if {p.name for p in out.iterdir()} - ours:
        raise InputError(f"{out}: holds an earlier release and other files beside it; move those, or choose another.")


def verify(folder: Path) -> None:
    """Check a release folder offline: every hash, no file too many or too few, and the verdict decided again.

    Raises:
        BundleError: naming every file that differs, or what does not follow from what.
        InputError: there is no such folder, or a file in it cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder that a release was written to.")
    with _disk_errors(folder, doing="read"):
        manifest = _read_manifest(folder)
        _check_files(folder, manifest["files"])
        _check_verdict(folder, manifest)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fill(
    work: Path, evidence: Evidence, verdict: Verdict, policy: Policy, schema_text: str, synthetic: str | None
) -> None:
    facts = {**evidence.to_dict(), "verdict": verdict.to_dict()}
    for name, text in (
        ("schema.toml", schema_text),
        ("evidence.json", canonical_json(facts)),
        ("policy.toml", policy.text),
        ("report.html", render(evidence, verdict.to_dict())),
        ("card.md", write_card(evidence, verdict.to_dict(), synthetic=synthetic)),
    ):
        (work / name).write_bytes(text.encode("utf-8"))
    if synthetic is not None and not (work / synthetic).is_file():
        raise ValueError("write_synthetic did not write the file it named")
    manifest: dict[str, Any] = {
        "schema_version": MANIFEST_VERSION,
        "decision": verdict.decision,
        "synthetic": synthetic,
        "policy": dict(verdict.policy),
        "provenance": dict(evidence.provenance),
        "files": {p.name: _sha256(p) for p in sorted(work.iterdir())},
    }
    manifest["sha256"] = _own_hash(manifest)
    (work / MANIFEST).write_bytes(canonical_json(manifest).encode("utf-8"))


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


@contextmanager
def _disk_errors(path: Path, *, doing: str = "written") -> Iterator[None]:
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


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder}: has no {MANIFEST}, so it is not a release folder.")
    written = path.read_bytes()
    damaged = BundleError(f"{path}: is damaged or was changed after it was written.")
    try:
        manifest = json.loads(written)
        whole = canonical_json(manifest).encode("utf-8") == written
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not (isinstance(manifest, dict) and whole and manifest.get("sha256") == _own_hash(manifest)):
        raise damaged
    if manifest.get("schema_version") != MANIFEST_VERSION:
        raise BundleError(f"{path}: is of another version; verify it with the Semblance that wrote it.")
    return manifest


def _check_files(folder: Path, expected: dict[str, str]) -> None:
    found = {p.name for p in folder.iterdir()} - {MANIFEST}
    faults = [f"{n} is missing" for n in sorted(set(expected) - found)]
    faults += [f"{n} was added" for n in sorted(found - set(expected))]
    faults += [f"{n} was changed" for n in sorted(found & set(expected)) if _differs(folder / n, expected[n])]
    if faults:
        raise BundleError(f"{folder}: {'; '.join(faults)}.")


def _check_verdict(folder: Path, manifest: dict[str, Any]) -> None:
    try:
        facts = json.loads((folder / "evidence.json").read_bytes())
        policy = Policy.loads((folder / "policy.toml").read_bytes().decode("utf-8"), where=f"{folder}/policy.toml")
        again = decide(Evidence.from_dict(facts), policy)
        stated = facts["verdict"]
    except (SemblanceError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{folder}: the evidence or the policy in it cannot be read back.") from error
    if again.to_dict() != stated or again.decision != manifest["decision"] or dict(again.policy) != manifest["policy"]:
        raise BundleError(f"{folder}: the verdict does not follow from evidence.json and policy.toml.")
    beyond = set(manifest["files"]) - set(_FIXED)
    allowed = {manifest["synthetic"]} if again.released else set()
    if beyond != allowed:
        raise BundleError(f"{folder}: the verdict is {again.decision}, which the files in the folder do not match.")


def _differs(path: Path, sha256: str) -> bool:
    return not path.is_file() or path.is_symlink() or _sha256(path) != sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _own_hash(manifest: dict[str, Any]) -> str:
    rest = {k: v for k, v in manifest.items() if k != "sha256"}
    return hashlib.sha256(canonical_json(rest).encode("utf-8")).hexdigest()
