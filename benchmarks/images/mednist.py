"""Six kinds of images at 64×64: is each of them there, and does a classifier of synthetic ones know the real ones?

    python -m benchmarks.images.mednist [--generators gan flow] [--seeds 1] [--set KEY=VALUE …]

Every default. Four fifths are learned from; the held fifth tests classifiers (blocks of ten neighbours are held
together, since neighbouring slices may be of one patient, who is not named).
"""

from __future__ import annotations

import argparse

from benchmarks.images import scores
from benchmarks.images.cohorts import Cohort, mednist
from benchmarks.images.pneumonia import CACHE, kept, made
from semblance.command import settings_in
from semblance.nets.device import threads

STEPS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generators", nargs="*", default=["gan", "flow"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--name", default="default", help="Under which the images are kept.")
    asked = parser.parse_args()
    with threads(asked.cpus):
        report(asked, mednist())


def report(asked: argparse.Namespace, cohort: Cohort) -> None:
    label, settings = cohort.train.schema.label, settings_in(asked.settings)
    truth = cohort.test.codes(label)
    real = scores.schooled(cohort.train, cpus=asked.cpus, classifiers=1, steps=STEPS)
    print(f"train {len(cohort.train)}, held {len(cohort.held)}")
    print("real accuracy", scores.accuracy(scores.examined(real, cohort.test), truth))
    print("floor", scores.looks(cohort.held, cohort))
    for name in asked.generators:
        for seed in range(asked.seeds):
            place = CACHE / "mednist" / asked.name / f"{name}-{seed}"
            fake, facts = kept(place, cohort, lambda: made(name, seed, cohort, settings, asked.cpus))  # noqa: B023
            judges = scores.schooled(fake, cpus=asked.cpus, classifiers=1, steps=STEPS)
            print(name, seed, "accuracy", scores.accuracy(scores.examined(judges, cohort.test), truth))
            print("   ", {k: round(v, 3) for k, v in scores.looks(fake, cohort).items()})
            print("    fidelity", {k: round(v, 3) for k, v in scores.fidelity(real, fake).items()})
            print("   ", {k: round(v, 3) for k, v in facts.items()}, flush=True)


if __name__ == "__main__":
    main()
