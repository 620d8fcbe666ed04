"""Chest X-rays, 28×28: what synthetic ones are worth, beside real ones and beside a Gaussian.

    python -m benchmarks.images.pneumonia [--generators gan flow] [--seeds 3] [--set KEY=VALUE …]

Every default; each generator learns from the same 4,190 training images, the held ones judge looks, and the official
test set, which nothing was chosen on, tests classifiers that learned from synthetic images alone. What one seed made is
kept in benchmarks/.cache, so that a stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.images import scores
from benchmarks.images.baseline import gaussian
from benchmarks.images.cohorts import Cohort, pneumonia
from semblance.catalog import IMAGE_GENERATORS
from semblance.command import settings_in
from semblance.data.images import Images
from semblance.nets.device import threads
from semblance.recipe import turned

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "images"
COUNTS = (100, 200, 500, 1000, 2000)
"""Real images that a classifier may see instead: what synthetic ones are worth."""


def made(name: str, seed: int, cohort: Cohort, settings: dict[str, Any], cpus: int) -> tuple[Images, dict[str, Any]]:
    """As many images as there are to learn from, and what making them cost."""
    recipe = turned(IMAGE_GENERATORS[name], settings, called=f"image generator {name!r}")
    run = scores.begin(seed, cpus)
    begun, spent = time.monotonic(), time.process_time()
    model = recipe.fit(cohort.train, run)
    fitted, fitted_cpu = time.monotonic(), time.process_time()
    fake = model.sample(len(cohort.train), run)
    facts = {
        "fit_seconds": fitted - begun,
        "fit_cpu_seconds": fitted_cpu - spent,
        "sample_seconds": time.monotonic() - fitted,
        "sample_cpu_seconds": time.process_time() - fitted_cpu,
        **{k: float(v) for k, v in getattr(model, "facts", {}).items()},
    }
    return fake, facts


def kept(place: Path, cohort: Cohort, make: Any) -> tuple[Images, dict[str, Any]]:
    """What `make` makes, or what it made before."""
    if not (place / "facts.json").is_file():
        fake, facts = make()
        place.mkdir(parents=True, exist_ok=True)
        codes = fake.codes(fake.schema.label)
        np.savez_compressed(place / "images.npz", images=fake.pixels.astype(np.uint8), labels=codes)
        (place / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    file = np.load(place / "images.npz")
    about = cohort.train.about.iloc[: len(file["labels"])].assign(
        **{cohort.train.schema.label: [cohort.train.schema.classes[k] for k in file["labels"]]}
    )
    fake = Images(file["images"].astype(np.float32), about, cohort.train.schema, origin="synthetic")
    return fake, json.loads((place / "facts.json").read_text(encoding="utf-8"))


def worth(area: float, curve: dict[int, float]) -> str:
    """Real images that teach a classifier as much, between the counts that were measured, on a logarithmic scale."""
    counts, values = zip(*sorted(curve.items()), strict=True)
    rising = np.maximum.accumulate(values)
    if area <= rising[0]:
        return f"at most {counts[0]}"
    if area >= rising[-1]:
        return f"{counts[-1]} or more"
    return f"{np.exp(np.interp(area, rising, np.log(counts))):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generators", nargs="*", default=["gan", "flow"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--name", default="default", help="Under which the images are kept.")
    asked = parser.parse_args()
    cohort = pneumonia()
    with threads(asked.cpus):
        report(asked, cohort)


def report(asked: argparse.Namespace, cohort: Cohort) -> None:
    label, test = cohort.train.schema.label, cohort.test
    truth = test.codes(label)
    print(f"train {len(cohort.train)}, held {len(cohort.held)}, test {len(test)}")
    schooled = partial(scores.schooled, cpus=asked.cpus)
    real_judges = schooled(cohort.train)
    real = [scores.examined(real_judges, test)]
    print("real, all", scores.interval(real, truth), "fidelity of held", scores.fidelity(real_judges, cohort.held))
    print("floor", scores.looks(cohort.held, cohort))
    curve = {len(cohort.train): float(np.mean(scores.areas(real[0], truth)))}
    order = np.random.default_rng(1).permutation(len(cohort.train))
    for count in COUNTS:
        few = scores.examined(schooled(cohort.train.take(order[:count])), test)
        curve[count] = float(np.mean(scores.areas(few, truth)))
    print("real, by count", {k: round(v, 4) for k, v in sorted(curve.items())})
    plain = [
        scores.examined(schooled(gaussian(cohort.train, seed=seed), classifiers=1), test) for seed in range(asked.seeds)
    ]
    print("gaussian", scores.interval(plain, truth), scores.looks(gaussian(cohort.train, seed=0), cohort))
    for name in asked.generators:
        found = []
        for seed in range(asked.seeds):
            place = CACHE / "pneumonia" / asked.name / f"{name}-{seed}"
            settings = settings_in(asked.settings)
            fake, facts = kept(place, cohort, lambda: made(name, seed, cohort, settings, asked.cpus))  # noqa: B023
            found.append(scores.examined(schooled(fake), test))
            print(name, seed, "auc", [round(a, 4) for a in scores.areas(found[-1], truth)], flush=True)
            print("   ", {k: round(v, 3) for k, v in scores.looks(fake, cohort).items()})
            print("   ", "fidelity", {k: round(v, 3) for k, v in scores.fidelity(real_judges, fake).items()})
            print("   ", {k: round(v, 3) for k, v in facts.items()}, flush=True)
        value, low, high = scores.interval(found, truth)
        print(f"{name}: AUC {value:.4f} [{low:.4f}, {high:.4f}], worth {worth(value, curve)} real images")
        print(f"    above the Gaussian by {scores.difference(found, plain, truth)}", flush=True)


if __name__ == "__main__":
    main()
