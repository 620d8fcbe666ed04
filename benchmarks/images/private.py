"""Chest X-rays, 28×28, with a promise: what images are worth whose every patient is hidden, at ε = 10 and ε = 1.

    python -m benchmarks.images.private [--epsilons 10 1] [--ways gaussian features flow] [--seeds 1] [--part held|test]

Each way learns from the same 4,190 training images as in ``pneumonia.py``, each image counted as a patient of its own
(nobody is named), δ = 1e-5. A classifier then learns from as many synthetic images alone. Settings are chosen by
`--part held`, real images that nobody learned from; the official test set is read once, for the defaults.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

from benchmarks.images import scores
from benchmarks.images.cohorts import Cohort, pneumonia
from semblance.command import settings_in
from semblance.data.images import Images
from semblance.image_contracts import ImageGenerator
from semblance.nets.device import threads
from semblance.privacy.ledger import Allowance, Ledger
from semblance.recipe import image_recipe

DELTA = 1e-5
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "gaussian": ("features", {"steps": 0}),
    "features": ("features", {"steps": 300}),
    "flow": ("flow", {}),
}
"""A recipe and its settings."""


def made(recipe: ImageGenerator, cohort: Cohort, *, epsilon: float, seed: int, cpus: int) -> tuple[Images, str]:
    """As many images as there are to learn from, and what they cost, in words."""
    ledger = Ledger(allowance=Allowance(epsilon, DELTA))
    run = replace(scores.begin(seed, cpus), ledger=ledger)
    begun = time.process_time()
    model = recipe.fit(cohort.train, run)
    fitted = time.process_time()
    fake = model.sample(len(cohort.train), run)
    told = f"fit {fitted - begun:.0f} CPU-s, sample {time.process_time() - fitted:.0f} CPU-s, ε = {ledger.epsilon:.3f}"
    return fake, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epsilons", nargs="*", type=float, default=[10.0, 1.0])
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--part", choices=("held", "test"), default="held")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--classifiers", type=int, default=scores.CLASSIFIERS)
    parser.add_argument("--steps", type=int, default=1000, help="Of a classifier.")
    asked = parser.parse_args()
    cohort = pneumonia()
    with threads(asked.cpus):
        report(asked, cohort)


def report(asked: argparse.Namespace, cohort: Cohort) -> None:
    label, judged = cohort.train.schema.label, getattr(cohort, asked.part)
    truth = judged.codes(label)
    for epsilon in asked.epsilons:
        for way in asked.ways:
            name, settings = WAYS[way]
            recipe = image_recipe(name, {**settings, **settings_in(asked.settings)})
            found = []
            for seed in range(asked.seeds):
                fake, told = made(recipe, cohort, epsilon=epsilon, seed=seed, cpus=asked.cpus)
                schooled = {"cpus": asked.cpus, "classifiers": asked.classifiers, "steps": asked.steps}
                found.append(scores.examined(scores.schooled(fake, **schooled), judged))
                areas = [round(a, 4) for a in scores.areas(found[-1], truth)]
                print(f"{way} ε = {epsilon:g} seed {seed}: AUC {areas}; {told}", flush=True)
            value, low, high = scores.interval(found, truth)
            print(f"{way} ε = {epsilon:g}: {asked.part} AUC {value:.4f} [{low:.4f}, {high:.4f}]", flush=True)


if __name__ == "__main__":
    main()
