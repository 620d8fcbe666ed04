"""From the board's folder to one for a recipient, or for everybody: less said, and it still verifies by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from semblance.errors import BundleError, GateRefused, InputError
from semblance.release import bundle
from semblance.release.gate import decide
from semblance.release.manifest import sha256_of
from semblance.release.signing import Signer
from semblance.release.tiers import TIERS, for_tier


def share(folder: Path, out: Path, *, tier: str, language: str | None = None, signer: Signer | None = None) -> Path:
    """Write `out` from the release in `folder`, which is verified first: the table, and what this tier may read.

    The manifest names the manifest of `folder` by its hash, so that the board can tell later what came from what.

    Args:
        tier: "recipient" or "public"; see ``tiers.py``.
        language: Of report and card; None keeps that of `folder`.

    Raises:
        BundleError: `folder` is not as it was written.
        GateRefused: it holds no table, because the gate refused.
        InputError: it was not made for the board, or `out` cannot be written.
    """
    folder, out = Path(folder), Path(out)
    if tier not in TIERS[1:]:
        raise InputError(f"a release is shared with the tier {' or '.join(TIERS[1:])}, not {tier!r}.")
    found = bundle.verify(folder)
    if found.tier != TIERS[0]:
        raise InputError(f"{folder}: is itself made for the tier {found.tier!r}; share from the board's folder.")
    if not found.verdict.released:
        raise GateRefused(f"{folder}: the gate refused to release, so there is no table to share.")
    evidence, policy, overrides, _ = bundle.read_back(folder)
    evidence = for_tier(evidence, tier, policy=policy, overrides=overrides)
    name = found.manifest["synthetic"]
    contents = bundle.Contents(
        evidence,
        decide(evidence, policy, overrides=overrides),
        policy,
        (folder / "schema.toml").read_bytes().decode("utf-8"),
        tier=tier,
        language=language or found.manifest["language"],
        derived_from=found.manifest["sha256"],
    )
    with bundle.replacing(out) as work:
        shutil.copyfile(folder / name, work / name)
        if "model" in policy.releases:
            shutil.copytree(folder / bundle.MODEL, work / bundle.MODEL)
        bundle.fill(work, contents, synthetic=name, signer=signer)
        if sha256_of(work / name) != found.manifest["files"][name]:
            raise BundleError(f"{folder / name}: was changed while it was copied.")
    return out.absolute()
