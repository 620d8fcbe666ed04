"""What is known beside the label: how much it tells of the label, and how well it is read off the image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.shifting import views
from semblance.shifting.cohort import FEW, known
from semblance.shifting.probe import HOW, Asked, interval, probe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_LABELS = 12


def read_beside(
    images: Images, label: str, codes: Ints, times: int, run: Run
) -> tuple[tuple[Finding, ...], dict[str, tuple[float, float]]]:
    """How much each attribute alone tells of the label, and how well it is read off images of the same label."""
    found: list[Finding] = []
    points: dict[str, tuple[float, float]] = {}
    for name in [name for name in images.schema.attributes if name != label]:
        useful_blank = Finding(
            f"shortcut.useful.{name}.auc",
            f"How well is the label told by {name!r} alone, without the image? 0.5 is a coin toss.",
            unit="AUC",
            direction="lower",
            status="underpowered",
            why=f"fewer than two labels with {FEW} patients each",
        )
        seen_blank = replace(
            useful_blank,
            name=f"shortcut.readable.{name}.auc",
            question=f"How well is {name!r} read off images of one and the same label? 0.5 is a coin toss.",
        )
        keep, values = known(images.codes(name))
        label_keep, labels = known(codes[keep])
        values = values[label_keep]
        if len(np.unique(values)) < 2 or len(np.unique(labels)) < 2 or values.max() >= MOST_LABELS:
            found += [useful_blank, seen_blank]
            continue
        values = np.unique(values, return_inverse=True)[1].astype(np.int64)
        chosen = images.take(np.flatnonzero(keep)[label_keep])
        useful = _told_by(np.eye(int(values.max()) + 1)[values], labels, None, times, run, useful_blank)
        seen = _told_by(views.whole(chosen), values, labels, times, run, seen_blank)
        found += [useful, seen]
        points[name] = (seen.value or 0.5, useful.value or 0.5)
    return tuple(found), points


def _told_by(features: Floats, codes: Ints, within: Ints | None, times: int, run: Run, blank: Finding) -> Finding:
    asked = Asked.deal(codes, run.seeds(f"{blank.name}/folds"), within=within)
    result = probe(features, asked, asked.relabelled(times, run.seeds(f"{blank.name}/relabelled")))
    value, low, high = interval(result.scores, codes, run.seeds(f"{blank.name}/interval"))
    return replace(
        blank,
        status="measured",
        why="",
        value=value,
        low=low,
        high=high,
        n=len(codes),
        baseline=0.5,
        method=HOW,
        detail={"p": result.p, "relabellings": times},
    )
