"""Are images that were made for a class of that class? Read by classifiers of real images, beside real images."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from semblance.audits.images.invariance.losses import Plain
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.stats import patient_weights, percentile_interval

FEWEST = 20
REPLICATES = 1000
MARGIN = 0.1
"""Of all images of a class, how many fewer may be read as that class than of real ones."""
METHOD = (
    "classifiers of real training images, the mean of all folds, read synthetic images and real held-out ones; "
    "difference of the shares read as the class they are of, bootstrap by patient"
)


def read(plain: Plain, held: Images, fake: Images, run: Run) -> list[Finding]:
    """One finding a class: share of made images that are read as it, minus that of held-out real ones."""
    classes = plain.images.schema.classes
    ours, theirs = _called(plain, fake), _called(plain, held)
    truth_fake, truth_held = (images.codes(plain.images.schema.label) for images in (fake, held))
    patients = held.patients
    return [
        _of_class(
            name,
            ours[truth_fake == k],
            theirs[truth_held == k],
            patients[truth_held == k],
            classes,
            k,
            run.seeds(f"invariance/made/{k}"),
        )
        for k, name in enumerate(classes)
    ]


def _called(plain: Plain, images: Images) -> NDArray[np.int64]:
    unit = images.unit()
    chances = np.mean([reader.chances(unit) for reader in plain.readers], axis=0)
    return np.asarray(chances.argmax(axis=1), dtype=np.int64)


def _of_class(
    name: str,
    ours: NDArray[np.int64],
    theirs: NDArray[np.int64],
    patients: NDArray[np.int64],
    classes: tuple[str, ...],
    k: int,
    rng: np.random.Generator,
) -> Finding:
    called = "invariance.made." + re.sub(r"\W+", "_", name) + ".agreement"
    question = f"Are images made as {name!r} read as such as often as real ones?"
    n = len(np.unique(patients))
    if min(n, len(ours)) < FEWEST:
        why = f"fewer than {FEWEST} synthetic images, or held-out patients, of this class"
        return Finding(called, question, n=n, unit="share", status="underpowered", method=METHOD, why=why)
    weights = patient_weights(patients, REPLICATES, rng)
    real = ((theirs == k)[:, None] * weights).sum(axis=0) / weights.sum(axis=0)
    made = rng.binomial(len(ours), (ours == k).mean(), REPLICATES) / len(ours)
    value = float((ours == k).mean() - (theirs == k).mean())
    estimate = percentile_interval(value, made - real)
    verdict = (
        "of its class" if estimate.low > -MARGIN else "not of its class" if estimate.high < -MARGIN else "undecided"
    )
    confused = {
        "synthetic": {other: float((ours == c).mean()) for c, other in enumerate(classes)},
        "real": {other: float((theirs == c).mean()) for c, other in enumerate(classes)},
    }
    return Finding(
        called,
        question,
        estimate.value,
        estimate.low,
        estimate.high,
        n=n,
        unit="share",
        direction="target",
        baseline=0.0,
        method=METHOD,
        detail={"verdict": verdict, "margin": MARGIN, "read_as": confused},
    )
