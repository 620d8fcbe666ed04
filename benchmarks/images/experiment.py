"""Does generated augmentation help to tell chest X-rays? The experiment of ``docs/experiment.md``, on PneumoniaMNIST.

    python -m benchmarks.images.experiment [--generator features] [--quick] [--keep 50 100 200 500] [--resume]

The rare class is "normal" (1,349 of 5,232). What judges is cut from the same training and validation files; the other
site is the official test file, which is of the same hospital, and harder. It may be stopped and resumed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.images.cohorts import pneumonia
from semblance.data.images import Images
from semblance.experiment import words
from semblance.pipeline.experimenting import Experiment, experiment_images
from semblance.progress import bars
from semblance.report.language import ENGLISH

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "images"


def both(one: Images, other: Images) -> Images:
    """All images that are not the official test's."""
    about = pd.concat([one.about, other.about], ignore_index=True)
    return Images(np.concatenate([one.pixels, other.pixels]), about, one.schema)


def told(made: Experiment) -> None:
    """The numbers as a table, and the verdicts."""
    record = made.record
    print("| keep | arm | AUROC | same hospital's test file | average precision | Brier | worth |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for line in record["lines"]:
        here, there = line["here"], line["elsewhere"]
        cells = [f"{x['value']:.4f} [{x['low']:.4f}, {x['high']:.4f}]" for x in (here["auroc"], there["auroc"])]
        rest = f"{here['auprc']['value']:.3f} | {here['brier']['value']:.3f} | {words.worth(line, ENGLISH)}"
        print(f"| {line['keep']} | {words.setting(line, ENGLISH)} | {' | '.join(cells)} | {rest} |")
    print()
    for found in record["judgements"]:
        gain, best = found["gain"], words.setting(found["best"], ENGLISH)
        interval = f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
        print(f"{found['keep']} {words.setting(found, ENGLISH)}: {found['verdict']}, {interval} over {best}")
        print(f"    {words.reason(found, record, ENGLISH)}")
    print(f"\n{record['verdict']}; {made.seconds['processor']:.0f} CPU seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", default="features")
    parser.add_argument("--keep", nargs="*", type=int)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()
    cohort = pneumonia()
    out = CACHE / "experiment" / (asked.generator + ("-quick" if asked.quick else ""))
    with bars() as progress:
        made = experiment_images(
            both(cohort.train, cohort.held),
            out=out,
            external=cohort.test,
            synthetic=asked.generator,
            keeps=asked.keep,
            seeds=asked.seeds,
            quick=asked.quick,
            resume=asked.resume,
            progress=progress,
        )
    told(made)


if __name__ == "__main__":
    main()
