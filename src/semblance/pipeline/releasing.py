"""May it leave the house, and what goes with it: the verbs that decide and release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from semblance import schema_toml
from semblance.data.dataset import Dataset
from semblance.evidence import Evidence
from semblance.publication import as_drawn, write_synthetic
from semblance.recipe import recipe as recipe
from semblance.release import bundle, gate
from semblance.release.gate import Policy, Verdict
from semblance.release.overrides import Override
from semblance.release.signing import Signer


def decide(
    evidence: Evidence, policy: Policy | Path | str | None = None, *, overrides: Sequence[Override] = ()
) -> Verdict:
    """Judge `evidence` by a policy, its name, or its file; None is the usual policy. Fails closed.

    Args:
        overrides: Which rules need not be met, who says so, and why; all of it is shown wherever the verdict is.
    """
    rules = policy if isinstance(policy, Policy) else Policy.load(policy)
    return gate.decide(evidence, rules, overrides=overrides)


def release(
    fake: Dataset,
    evidence: Evidence,
    verdict: Verdict,
    *,
    out: Path | str,
    policy: Policy | None = None,
    write_model: Callable[[Path], object] | None = None,
    signer: Signer | None = None,
    language: str = "en",
) -> Path:
    """Write the release folder: with the synthetic table when the verdict is RELEASE, without it otherwise.

    Args:
        write_model: Fills a new folder with the model, where the policy releases that too. signer: Signs the folder.
        language: Of report and card, "en" or "zh".
    """
    return bundle.write(
        Path(out),
        evidence=evidence,
        verdict=verdict,
        policy=policy or Policy.load(None),
        schema_text=schema_toml.dumps(as_drawn(fake)),
        write_synthetic=lambda folder: write_synthetic(fake, folder),
        write_model=write_model,
        signer=signer,
        language=language,
    )
