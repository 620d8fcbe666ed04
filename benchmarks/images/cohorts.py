"""The real images of the benchmarks: duplicates removed, and cut into what may be learned from and what judges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.image_schema import ImageSchema

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
HELD = 500
"""Training images set aside: with the validation images they are the real ones that no generator has seen."""


@dataclass(frozen=True)
class Cohort:
    """`train` may be learned from. `held` is of the same make and unseen. `test` is what classifiers are tested on."""

    train: Images
    held: Images
    test: Images


def pneumonia() -> Cohort:
    """Chest X-rays of children, 28×28: 4,190 or so to learn from, 1,017 or so held, 624 of the official test set."""
    file = np.load(DATA / "pneumoniamnist" / "pneumoniamnist_28.npz")
    schema = ImageSchema(28, 28, modality="DX", label="finding", classes=("normal", "pneumonia"))
    parts = {part: (file[f"{part}_images"], file[f"{part}_labels"].ravel()) for part in ("train", "val", "test")}
    train, train_labels = _once(*parts["train"])
    val, val_labels = _once(*parts["val"], but=train)
    order = np.random.default_rng(0).permutation(len(train))
    held = order[:HELD]
    return Cohort(
        _images(train[order[HELD:]], train_labels[order[HELD:]], schema),
        _images(np.concatenate([train[held], val]), np.concatenate([train_labels[held], val_labels]), schema),
        _images(*parts["test"], schema),
    )


def mednist() -> Cohort:
    """Six kinds of images, 64×64. No patients are named: a fifth is held, by blocks of ten neighbours in each class."""
    file = np.load(DATA / "mednist_64" / "mednist_64.npz")
    schema = ImageSchema(64, 64, label="kind", classes=tuple(map(str, file["class_names"])))
    images, labels = _once(file["images"], file["labels"].ravel())
    rng = np.random.default_rng(0)
    place = np.concatenate([np.arange((labels == kind).sum()) // 10 for kind in np.unique(labels)])
    order = np.argsort(labels, kind="stable")
    images, labels = images[order], labels[order]
    blocks = pd.factorize(labels.astype(np.int64) * 10_000 + place)[0]
    held = rng.random(blocks.max() + 1)[blocks] < 0.2
    test = _images(images[held], labels[held], schema)
    return Cohort(_images(images[~held], labels[~held], schema), test, test)


def _once(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], *, but: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Each image once, and none that is in `but`: copies in the data would look like copies made of it."""
    seen = {image.tobytes() for image in but} if but is not None else set()
    keep = []
    for number, image in enumerate(images):
        if (key := image.tobytes()) not in seen:
            seen.add(key)
            keep.append(number)
    return images[keep], labels[keep]


def _images(pixels: NDArray[np.uint8], labels: NDArray[np.uint8], schema: ImageSchema) -> Images:
    about = pd.DataFrame({schema.label: [schema.classes[number] for number in labels]}, dtype=object)
    return Images(pixels[:, None].astype(np.float32), about, schema)
