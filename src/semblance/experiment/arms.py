"""What each arm learns from: the same real images, and as many others as every arm that adds any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.augment.oversample import repeated
from semblance.data.images import Images
from semblance.experiment.cohort import Ground, joined, positive
from semblance.experiment.plan import Arm
from semblance.image_contracts import Augmentation
from semblance.seeds import Seeds

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a classifier is given.

    Attributes:
        images: All of it. seen: What stands in their place in each epoch, -1 to 1; None where that is always the same.
    """

    images: Images
    seen: Callable[[int], Pixels] | None = None


def added(ground: Ground, rare: str, ratio: float) -> int:
    """How many images every arm that adds any adds."""
    return max(1, round(ratio * int(positive(ground.train, rare).sum())))


def has(arm: Arm, ground: Ground, rare: str, ratio: float) -> bool:
    """Whether there are enough further patients for an arm that adds real ones; other arms can always be made."""
    return arm.adds != "real" or len(ground.spare) >= added(ground, rare, ratio)


def lesson(
    arm: Arm,
    ground: Ground,
    drawn: Images | None,
    seeds: Seeds,
    *,
    rare: str,
    ratio: float,
    transforms: Sequence[Augmentation] = (),
) -> Lesson:
    """The images of an arm.

    Args:
        drawn: Synthetic images: of the rare class enough for `ratio`, and of the others for an arm of them alone.
        seeds: The same for all arms of one seed. transforms: One after the other, where the arm is a classical one.
    """
    images = _images(arm, ground, drawn, seeds, rare=rare, n=added(ground, rare, ratio))
    if not arm.classical:
        return Lesson(images)

    def seen(epoch: int) -> Pixels:
        changed = images
        for place, transform in enumerate(transforms):
            changed = transform(changed, seeds(f"classical/{epoch}/{place}"))
        return changed.unit()

    return Lesson(images, seen)


def _images(arm: Arm, ground: Ground, drawn: Images | None, seeds: Seeds, *, rare: str, n: int) -> Images:
    train = ground.train
    if arm.adds == "duplicates":
        lacking = np.where(np.array(train.schema.classes) == rare, n, 0).astype(np.int64)
        return joined(train, train.take(repeated(train.codes(train.schema.label), lacking, seeds("duplicates"))))
    if arm.adds == "real":
        return joined(train, ground.spare.take(np.arange(n)))
    if arm.adds == "synthetic":
        assert drawn is not None
        if arm.alone:
            return joined(like(train, drawn))
        return joined(train, drawn.take(np.flatnonzero(positive(drawn, rare))[:n]))
    return joined(train)


def like(train: Images, drawn: Images) -> Images:
    """As many of `drawn` of each class as `train` has; fewer where there are not so many."""
    label = train.schema.label
    wanted, there = train.codes(label), drawn.codes(label)
    rows = [np.flatnonzero(there == k)[: int((wanted == k).sum())] for k in range(len(train.schema.classes))]
    return drawn.take(np.concatenate(rows))
