"""Findings and pictures of what changes do to labels."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from semblance.audits.images.invariance.verdict import Judged
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import Augmentation, Plate
from semblance.image_schema import ImageSchema
from semblance.imaging.grid import grid
from semblance.stats import Estimate, holm

AUDIT = "invariance"
SHOWN = 8
QUESTION = "Does this change of an image keep its label?"
METHOD = (
    "classifiers cross-fitted by patient on images, on changed images and on both; log loss on patients left out, mean "
    "by patient, intervals widened for cross-fitting (Nadeau and Bengio 2003); non-inferiority at the stated margin"
)
UNSEEN = (
    "a classifier that never saw the change, on changed minus on unchanged images of patients left out: log loss; "
    "exact McNemar, sign-flip permutation, TOST (Schuirmann 1987)"
)
_NO_CHANGE = {"keeps": "keeps", "changes": "changes", "undecided": "undecided", "blind": "undecided"}


def findings(judged: Mapping[str, Judged], changes: Sequence[Augmentation], schema: ImageSchema) -> list[Finding]:
    """Two of each change: the verdict, and what a classifier loses that never saw it."""
    adjusted = holm([one.flipped for one in judged.values()])
    found = []
    for change, p in zip(changes, adjusted.tolist(), strict=True):
        one = judged[change.name]
        found += [_verdict(change, one, schema), _unseen(change, one, p)]
    return found


def _verdict(change: Augmentation, one: Judged, schema: ImageSchema) -> Finding:
    """Measured where it is decided; "underpowered" where not, with the numbers in the detail."""
    worst = _worst(one)
    decided = one.verdict in ("keeps", "changes")
    doubts = {name: why for name, why in change.keeps(schema).items() if why}
    detail: dict[str, Any] = {
        "verdict": _NO_CHANGE[one.verdict],
        "because": one.because,
        "margin": one.margin,
        "claims_to_keep": not doubts.get(schema.label),
        **{name: list(value) for name, value in asdict(one.found).items()},
    }
    return Finding(
        f"{AUDIT}.{change.name}.verdict",
        QUESTION,
        worst.value if decided else None,
        worst.low if decided else None,
        worst.high if decided else None,
        confidence=0.9,
        n=one.n,
        unit="nats",
        direction="lower",
        baseline=one.margin,
        status="measured" if decided else "underpowered",
        method=METHOD,
        why="" if decided else one.because,
        detail=detail,
    )


def _worst(one: Judged) -> Estimate:
    """Of lost, conflict and swapped, the one whose lower end is highest."""
    return max((one.found.lost, one.found.conflict, one.found.swapped), key=lambda estimate: estimate.low)


def _unseen(change: Augmentation, one: Judged, p: float) -> Finding:
    value, low, high = one.found.unseen
    detail = {"mcnemar_p": one.mcnemar, "sign_flip_p": one.flipped, "holm_p": p, "equivalence_p": one.equivalent}
    return Finding(
        f"{AUDIT}.{change.name}.unseen",
        "How much worse does a classifier read images changed so that never saw such?",
        value,
        low,
        high,
        confidence=0.9,
        n=one.n,
        unit="nats",
        direction="lower",
        baseline=0.0,
        method=UNSEEN,
        detail={**detail, "margin": one.margin},
    )


def not_asked(change: Augmentation, why: str, margin: float) -> Finding:
    """What is said where nobody can be asked."""
    return Finding(
        f"{AUDIT}.{change.name}.verdict", QUESTION, unit="nats", baseline=margin, status="skipped", method=METHOD,
        why=why,
    )  # fmt: skip


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_COLOURS = {"keeps": "#2a7f62", "changes": "#b3402e", "undecided": "#8a8a8a", "blind": "#8a8a8a"}


def intervals(judged: Mapping[str, Judged]) -> Plate:
    """What each change costs, and the margin: no patient shows."""
    figure = Figure(figsize=(7.2, 0.9 + 0.5 * len(judged)), dpi=110)
    axes = figure.add_axes((0.2, 0.9 / (1.6 + 0.5 * len(judged)), 0.76, 0.72))
    margin = next(iter(judged.values())).margin
    for row, (name, one) in enumerate(judged.items()):
        colour = _COLOURS[one.verdict]
        for place, (what, mark) in enumerate((("lost", "o"), ("conflict", "s"), ("unseen", "x"))):
            value, low, high = getattr(one.found, what)
            y = row + (place - 1) * 0.22
            axes.plot([low, high], [y, y], color=colour, linewidth=1.4, alpha=0.45 if what == "unseen" else 1)
            axes.plot(value, y, mark, color=colour, markersize=4.5, label=what if not row else None)
        axes.text(1.0, row - 0.42, one.verdict, transform=axes.get_yaxis_transform(), ha="right", color=colour, size=8)
        del name
    axes.axvline(margin, color="black", linestyle="--", linewidth=1)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(range(len(judged)), list(judged))
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=0.1, linscale=1.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_xlabel("nats; dashed: the margin")
    axes.legend(
        fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.2 if len(judged) < 4 else 1.14), ncol=3
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return Plate(
        AUDIT,
        "What each change costs",
        "Lost: what tells classes apart. Conflict: changed images that pass for images of another class. Unseen: a "
        "classifier that never saw the change. Each with its interval; keeps is surely below the margin.",
        png.getvalue(),
    )


def changed(images: Images, changes: Sequence[Augmentation], run: Run) -> Plate:
    """A few real images, and what each change makes of them."""
    few = images.take(np.arange(min(SHOWN, len(images))))
    rows = [few.unit(), *(change(few, run.seeds(f"invariance/shown/{change.name}")).unit() for change in changes)]
    png = io.BytesIO()
    names = ["real", *(change.name for change in changes)]
    grid(np.concatenate(rows), columns=len(few), rows=names).save(png, format="PNG")
    return Plate(AUDIT, "The changes", "Real patients' images, and each change of them.", png.getvalue(), board=True)
