"""What needs no search: the same pixels, in the holdout or among synthetic images, and how near images are at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semblance import stats
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import ImageComparison
from semblance.imaging.manifold import distances
from semblance.imaging.spaces.windows import cut, smooth

Floats = NDArray[np.float64]
WHOLE = (0.5, 0.5, 1.0)
MOST = 1_500
REPLICATES = 500


def without_repeats(comparison: ImageComparison) -> tuple[Images, Finding]:
    """The holdout without images that are in training as well, and how many those are."""
    same = _same(comparison.held, comparison.train)
    low, high = stats.clopper_pearson(int(same.sum()), len(same))
    told = Finding(
        "copies.holdout.repeated",
        "How many held-out images are training images, pixel for pixel?",
        value=float(same.mean()) if len(same) else 0.0,
        low=low,
        high=high,
        n=comparison.held.n_patients,
        unit="share",
        direction="lower",
        baseline=0.0,
        method="equal in every pixel; such images are left out of what follows; Clopper–Pearson",
    )
    return comparison.held.take(~same), told


def exact(comparison: ImageComparison) -> Finding:
    """Synthetic images that are training images."""
    same = _same(comparison.fake, comparison.train)
    low, high = stats.clopper_pearson(int(same.sum()), len(same))
    return Finding(
        "copies.exact.share",
        "How many synthetic images are training images, pixel for pixel?",
        value=float(same.mean()) if len(same) else 0.0,
        low=low,
        high=high,
        n=comparison.train.n_patients,
        unit="share",
        direction="lower",
        baseline=0.0,
        method="equal in every pixel; Clopper–Pearson",
        detail={"queries": len(same)},
    )


def nearness(comparison: ImageComparison, held: Images, run: Run) -> Finding:
    """Mean distance of synthetic images to the nearest training image, over that among training patients."""
    name, question = "copies.distance.ratio", "How near do synthetic images come to training images, on average?"
    train = comparison.train
    if min(train.n_patients, held.n_patients) < 2 or not len(comparison.fake):
        why = "distances need two training and two held-out patients"
        return Finding(name, question, status="underpowered", why=why)
    rng = run.seeds("audit/copies/distance")
    points = _points(train)
    some = rng.permutation(len(train))[:MOST]
    among = _nearest_other(points[some], points, train.patients[some], train.patients)
    made, others = (_nearest_other(_points(_some(images, rng)), points) for images in (comparison.fake, held))
    weights = stats.patient_weights(train.patients[some], REPLICATES, rng)
    below = (weights * among[:, None]).sum(axis=0) / weights.sum(axis=0)
    above = made[rng.integers(0, len(made), (REPLICATES, len(made)))].mean(axis=1)
    found = stats.percentile_interval(float(made.mean() / among.mean()), above / below)
    return Finding(
        name,
        question,
        value=found.value,
        low=found.low,
        high=found.high,
        n=train.n_patients,
        unit="ratio",
        direction="target",
        baseline=float(others.mean() / among.mean()),
        method="mean distance to the nearest training image over the mean distance of training images to the nearest "
        "of another patient; blurred pixels at 16 × 16, brightness and contrast taken out; bootstrap over patients; "
        "beside it, the held-out images",
    )


def _same(images: Images, others: Images) -> NDArray[np.bool_]:
    known = {image.tobytes() for image in others.pixels}
    return np.array([image.tobytes() in known for image in images.pixels], dtype=bool)


def _some(images: Images, rng: np.random.Generator) -> Images:
    return images.take(rng.permutation(len(images))[:MOST])


def _points(images: Images) -> Floats:
    return cut(smooth(images.unit()), WHOLE).astype(np.float64)


def _nearest_other(
    queries: Floats,
    points: Floats,
    own: NDArray[np.int64] | None = None,
    patients: NDArray[np.int64] | None = None,
) -> Floats:
    """Distance to the nearest point, of another patient where patients are given: (q,)."""
    found = []
    for start in range(0, len(queries), 512):
        block = distances(queries[start : start + 512], points)
        if own is not None and patients is not None:
            block[own[start : start + 512, None] == patients[None, :]] = np.inf
        found.append(block.min(axis=1))
    return np.concatenate(found)
