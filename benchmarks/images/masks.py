"""Painting around masks: what pairs of mask and painted image teach a segmenter, beside real pairs.

    python -m benchmarks.images.masks [--tasks hippocampi 19-19 19-07] [--seeds 3] [--set KEY=VALUE …] [--trial]

`mask` with every default learns from the training patients. As many pairs as there are real ones are made in two or
three ways: "drawn" (the model's own masks of nobody), "warped" (training masks, bent), and for brains "new lesions"
(training outlines, bent, their lesions taken out and as many put in elsewhere). Segmenters of the same net, steps and
seeds learn from real or from made pairs and are tested on real patients, once. Asked: .85 of the real pairs' Dice.

`19-19`: slices of one brain teach and others of it test. From one of the two brains to the other (`19-07`) there is
nothing to compare with: even real pairs teach no lesions there (Dice .04).

What was made is kept in benchmarks/.cache, with pictures, so that a stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.images.mask_cohorts import Pairs, hippocampi, lesions, warped, with_new_lesions
from benchmarks.images.mask_scores import alike, contrast, dice, taught
from benchmarks.images.scores import begin
from semblance.command import settings_in
from semblance.data.images import Images
from semblance.generators.images.mask import Mask
from semblance.image_schema import ImageSchema
from semblance.imaging.grid import grid
from semblance.imaging.manifold import PixelSpace, nearest
from semblance.imaging.painting import PaintedModel
from semblance.nets.images.segmenter import Effort
from semblance.recipe import turned

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "images" / "masks"
EFFORTS = {"hippocampi": Effort(steps=400, batch=32, learning_rate=2e-3)}
LESIONS = Effort(steps=250, batch=16, learning_rate=2e-3)
ASKED = 0.85


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*", default=["hippocampi", "19-19"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--name", default="default", help="Under which everything is kept.")
    parser.add_argument("--trial", action="store_true", help="Hippocampi: test with training patients.")
    asked = parser.parse_args()
    for task in asked.tasks:
        pairs = hippocampi(trial=asked.trial) if task == "hippocampi" else lesions(*task.split("-"))
        name = asked.name + ("-trial" if asked.trial else "")
        report(task, pairs, CACHE / name / task, seeds=asked.seeds, settings=settings_in(asked.settings))


def report(task: str, pairs: Pairs, place: Path, *, seeds: int, settings: dict[str, Any]) -> None:
    """Print what there is to know of one task, as Markdown."""
    train, test = pairs.train, pairs.test
    assert train.masks is not None
    assert test.masks is not None
    place.mkdir(parents=True, exist_ok=True)
    print(
        f"\n### {task}: {len(train)} training slices of {train.n_patients} patients, {test.n_patients} patients test\n"
    )
    model, facts = fitted(train, place, settings)
    print(", ".join(f"{name} {value:.4g}" for name, value in facts.items()) + "\n", flush=True)
    made = {"real": train} | {
        way: kept(place / f"{way}.npz", train.schema, make) for way, make in ways(model, train).items()
    }
    picture(made, test, model, place / "pairs.png")
    effort = EFFORTS.get(task, LESIONS)
    head = [f"Dice {s}" for s in pairs.counted] + ["part of real"] + [f"contrast {s}" for s in pairs.counted]
    print("| pairs | " + " | ".join(head) + " | masks alike | copies |\n|" + " --- |" * (len(head) + 3), flush=True)
    reference: NDArray[np.float64] | None = None
    for way, shown in made.items():
        seen = remembered(place / f"{way}-seen.npy", lambda: taught(shown, test, seeds=seeds, effort=effort))  # noqa: B023
        scores = np.array([[dice(one, test, s).mean() for s in pairs.counted] for one in seen])
        reference = scores if reference is None else reference
        part = scores.mean(axis=1) / reference.mean()
        cells = [f"{mean:.3f} ± {std:.3f}" for mean, std in zip(scores.mean(axis=0), scores.std(axis=0), strict=True)]
        cells += [f"{part.mean():.3f} [{part.min():.3f}, {part.max():.3f}]"]
        cells += ["{:.3f} ({:.3f})".format(*contrast(shown, s)) for s in pairs.counted]
        cells += memory(way, shown, pairs)
        print(f"| {way} | " + " | ".join(cells) + " |", flush=True)


def fitted(train: Images, place: Path, settings: dict[str, Any]) -> tuple[PaintedModel, dict[str, float]]:
    """The model, learned or read back, and what learning cost."""
    folder = place / "model"
    if not (place / "facts.json").is_file():
        recipe = turned(Mask, settings, called="image generator 'mask'")
        begun, spent = time.monotonic(), time.process_time()
        model = recipe.fit(train, begin(0, 2))
        facts = {"fit_seconds": time.monotonic() - begun, "fit_cpu_seconds": time.process_time() - spent}
        folder.mkdir(exist_ok=True)
        model.save(folder)
        (place / "facts.json").write_text(json.dumps({**facts, **model.facts}), encoding="utf-8")
    return Mask.load(folder, train.schema), json.loads((place / "facts.json").read_text(encoding="utf-8"))


def ways(model: PaintedModel, train: Images) -> dict[str, Callable[[], Images]]:
    """How pairs are made, as many as there are training images."""
    assert train.masks is not None
    masks, rng, run = train.masks, np.random.default_rng(1), begin(1, 2)
    found = {
        "drawn": lambda: model.sample(len(train), run),
        "warped": lambda: model.paint(warped(masks, rng), run),
    }
    if "lesion" in train.schema.structures:
        found["new lesions"] = lambda: model.paint(with_new_lesions(train, rng), run)
    return found


def kept(file: Path, schema: ImageSchema, make: Callable[[], Images]) -> Images:
    """What `make` makes, or what it made before."""
    if not file.is_file():
        made = make()
        np.savez_compressed(file, pixels=made.pixels.astype(np.uint8), masks=made.masks)
    read = np.load(file)
    about = pd.DataFrame({"patient": [f"SYN-{n}" for n in range(len(read["masks"]))]}, dtype=object)
    return Images(read["pixels"].astype(np.float32), about, schema, read["masks"], origin="synthetic")


def remembered(file: Path, make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The same of an array."""
    if not file.is_file():
        np.save(file, make())
    return np.load(file)


def memory(way: str, shown: Images, pairs: Pairs) -> list[str]:
    """How near masks and images come to training ones, beside how near those of test patients do.

    Masks: the mean overlap with the training mask that each overlaps most. Copies: the share of images that are nearer
    to a training image than 99 % of the test patients' are.
    """
    train, test = pairs.train, pairs.test
    marked = [
        images.masks[images.masks.any(axis=(1, 2))] for images in (shown, test, train) if images.masks is not None
    ]
    if way == "real":
        return [f"{alike(marked[1], marked[2]).mean():.3f} (test)", "0.010 (test)"]
    space = PixelSpace.learn(train.unit())
    real, held, made = (space.of(images.unit()) for images in (train, test, shown))
    limit = np.quantile(nearest(held, real)[0], 0.01)
    return [f"{alike(marked[0], marked[2]).mean():.3f}", f"{(nearest(made, real)[0] < limit).mean():.3f}"]


def picture(made: dict[str, Images], test: Images, model: PaintedModel, file: Path) -> None:
    """Real pairs and painted ones, with and without outlines; last, what was and what is painted at test masks."""
    if file.is_file():
        return
    rng = np.random.default_rng(2)
    last = len(test.schema.structures)
    rows, tiles, masks = [], [], []
    for way, images in made.items():
        chosen = some(images, last, rng)
        rows += [way, f"{way}: masks"]
        tiles += [images.unit()[chosen]] * 2
        masks += [np.zeros_like(images.masks[chosen]), images.masks[chosen]]
    chosen = some(test, last, rng)
    painted = model.paint(test.masks[chosen], begin(2, 2))
    rows += ["test masks", "test images", "painted"]
    tiles += [test.unit()[chosen], test.unit()[chosen], painted.unit()]
    masks += [test.masks[chosen], np.zeros_like(test.masks[chosen]), np.zeros_like(test.masks[chosen])]
    grid(np.concatenate(tiles), columns=10, rows=rows, masks=np.concatenate(masks)).save(file)


def some(images: Images, structure: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ten images, most of which show the structure."""
    area = (images.masks == structure).sum(axis=(1, 2))
    return rng.choice(len(images), size=10, replace=False, p=(area + 1) / (area + 1).sum())


if __name__ == "__main__":
    main()
