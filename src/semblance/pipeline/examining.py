"""What are synthetic images worth, whoever made them? The verb that asks every question about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semblance import catalog, provenance
from semblance.contracts import Run
from semblance.errors import InputError
from semblance.evidence import Evidence, Finding
from semblance.image_contracts import ImageComparison, Plate


def examine(
    comparison: ImageComparison, run: Run, *, only: Sequence[str] = (), facts: Mapping[str, Any] | None = None
) -> tuple[Evidence, tuple[Plate, ...]]:
    """Ask the questions of the catalog about synthetic images.

    Args:
        only: Names of audits; all by default. facts: What else the evidence should say of where the images came from.

    Privacy: findings are computed on real patients and covered by no epsilon; plates marked `board` show them.

    Raises:
        InputError: there is no audit of such a name.
    """
    if strange := sorted(set(only) - set(catalog.IMAGE_AUDITS)):
        known = ", ".join(catalog.IMAGE_AUDITS)
        raise InputError(f"there is no audit of images called {strange[0]!r}; there are {known}.")
    asked = {name: audit for name, audit in catalog.IMAGE_AUDITS.items() if not only or name in only}
    findings: list[Finding] = []
    plates: list[Plate] = []
    for done, question in enumerate(asked.values()):
        run.progress("judging", done, len(asked))
        found = question().judge(comparison, run)
        findings += found.findings
        plates += found.plates
    run.progress("judging", len(asked), len(asked))
    origin = {
        "images": {part: len(images) for part, images in _parts(comparison).items()},
        "patients": {part: images.n_patients for part, images in _parts(comparison).items() if part != "synthetic"},
        **provenance.of_run(run),
        **(facts or {}),
    }
    return Evidence(tuple(findings), run.ledger.to_dict(), origin), tuple(plates)


def _parts(comparison: ImageComparison) -> dict[str, Any]:
    return {"train": comparison.train, "holdout": comparison.held, "synthetic": comparison.fake}
