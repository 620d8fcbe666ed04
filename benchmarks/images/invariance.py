"""Does the test of label invariance say what is true? Tasks whose labels are known by construction.

    python -m benchmarks.images.invariance [--replicates 200] [--patients 150] [--margin 0.05]

For each task, changes that keep the label and changes that do not; printed is how often each verdict came. "margin" is
a change whose true loss is the margin itself: the test may call it "keeps" in one replicate of twenty.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

import semblance as sb
from semblance.audits.images.invariance import learn_plainly
from semblance.audits.images.invariance.losses import begin, measure
from semblance.audits.images.invariance.verdict import MARGIN, Judged, judge
from semblance.augment.frame import around_middle, from_parts, parts
from semblance.augment.grain import Blur
from semblance.augment.mirror import Flip, Turn
from semblance.augment.place import Shift
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.image_contracts import Augmentation
from semblance.image_schema import ImageSchema

SIZE = 24


@dataclass(frozen=True)
class Zoom:
    """Enlarged by a factor, always."""

    name = "zoom"
    about = "enlarged"
    factor: float = 1.4

    def keeps(self, schema: ImageSchema) -> dict[str, str]:
        return {}

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        turns = np.broadcast_to(np.eye(2) / self.factor, (len(images), 2, 2))
        return around_middle(images, turns, np.zeros((len(images), 2)))


@dataclass(frozen=True)
class Power:
    """Brightness to a power, always."""

    name = "power"
    about = "to a power"
    power: float = 1.5

    def keeps(self, schema: ImageSchema) -> dict[str, str]:
        return {}

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        return from_parts(images, parts(images) ** self.power)


def task(name: str, n: int, rng: np.random.Generator) -> Images:
    """`n` patients with an image each, and the label that the picture was made for."""
    label = np.arange(n) % 2
    down, right = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    noise = rng.normal(0, 0.05, (n, SIZE, SIZE))
    if name == "side":  # a lesion left or right of the middle
        column, row = np.where(label == 0, -1, 1) * rng.uniform(4, 7, n), rng.uniform(-5, 5, n)
        lit = 0.3 + 0.4 * np.exp(-_far(down, right, row, column) / (2 * 2.0**2))
    elif name == "size":  # a lesion of a radius below or above a threshold
        radius = np.where(label == 0, rng.uniform(2.5, 3.9, n), rng.uniform(4.1, 5.5, n))
        edge = np.sqrt(_far(down, right, rng.uniform(-1, 1, n), rng.uniform(-1, 1, n))) - radius[:, None, None]
        lit = 0.3 + 0.4 / (1 + np.exp(3 * edge))
    elif name == "density":  # a mean brightness below or above a threshold
        level = np.where(label == 0, rng.uniform(0.32, 0.44, n), rng.uniform(0.46, 0.58, n))
        lit = level[:, None, None] + 0.1 * np.cos(rng.uniform(0, 6, n)[:, None, None] + down[None] / 4)
    else:  # grain that is coarse or fine, in no direction
        grain = rng.normal(0, 1, (n, SIZE, SIZE))
        coarse = gaussian_filter(grain, (0, 0.8, 0.8), mode="wrap")
        grain[label == 1] = coarse[label == 1]
        lit = 0.5 + 0.12 * grain / grain.std(axis=(1, 2), keepdims=True)
    pixels = np.clip((lit + noise) * 255, 0, 255).round().astype(np.float32)[:, None]
    schema = ImageSchema(SIZE, SIZE, label="kind", classes=("a", "b"), mirror="any")
    return Images(pixels, pd.DataFrame({"kind": [schema.classes[k] for k in label]}), schema)


def _far(down, right, row, column):  # type: ignore[no-untyped-def]
    return (down[None] - row[:, None, None]) ** 2 + (right[None] - column[:, None, None]) ** 2


@dataclass(frozen=True)
class SeldomFlipped(Flip):
    """One image in twenty flipped: who can only tell sides loses exactly h(0.05) nats, the margin it is judged at."""

    name = "seldom"
    share: float = 0.05


AT_MARGIN = SeldomFlipped()
ENTROPY = float(-(0.05 * np.log(0.05) + 0.95 * np.log(0.95)))
"""Of a label that is wrong one time in twenty, in nats."""

TASKS: dict[str, tuple[tuple[Augmentation, str], ...]] = {
    "side": ((Flip(), "changes"), (Shift(3 / SIZE), "keeps"), (AT_MARGIN, "margin")),
    "size": ((Zoom(), "changes"), (Flip(), "keeps")),
    "density": ((Power(), "changes"), (Shift(3 / SIZE), "keeps")),
    "texture": ((Blur(0.2), "changes"), (Turn(), "keeps")),
}


def verdicts(name: str, n: int, seed: int, *, margin: float = MARGIN, folds: int = 3) -> list[tuple[str, str, Judged]]:
    """Of each change of one task drawn anew: its name, the truth, what was judged."""
    run: Run = sb.begin(seed=seed)
    plain = begin(task(name, n, run.seeds(f"task/{name}")), learn_plainly, run, folds=folds)
    return [
        (
            change.name,
            truth,
            judge(
                measure(plain, change, run),
                run.seeds(f"judge/{change.name}"),
                margin=ENTROPY if truth == "margin" else margin,
            ),
        )
        for change, truth in TASKS[name]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--patients", type=int, default=150)
    parser.add_argument("--margin", type=float, default=MARGIN)
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    asked = parser.parse_args()
    for name in asked.tasks:
        begun = time.process_time()
        said: dict[tuple[str, str], list[Judged]] = {}
        for seed in range(asked.replicates):
            for change, truth, found in verdicts(name, asked.patients, seed, margin=asked.margin):
                said.setdefault((change, truth), []).append(found)
            if (seed + 1) % 50 == 0 or seed + 1 == asked.replicates:
                print(f"{name}: {seed + 1} replicates, {time.process_time() - begun:.0f} CPU s")
                for (change, truth), judged in said.items():
                    print(
                        f"    {change:7} truth {truth:8}", dict(Counter(one.verdict for one in judged)), means(judged)
                    )
                print(flush=True, end="")


def means(judged: list[Judged]) -> dict[str, float]:
    """Of what was measured, over replicates."""
    return {
        name: round(float(np.mean([getattr(one.found, name).value for one in judged])), 3)
        for name in ("signal", "unseen", "lost", "conflict")
    }


if __name__ == "__main__":
    main()
