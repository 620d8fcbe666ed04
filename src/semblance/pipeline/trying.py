"""What an experiment draws and trains: each generator and each training once, kept as soon as it is finished."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.checkpoint import Work
from semblance.contracts import FORGETFUL, Progress, Run
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.experiment.arms import added
from semblance.experiment.cohort import Ground, bare, positive
from semblance.experiment.inference import Scores
from semblance.experiment.plan import NAMED, Setting, Trial
from semblance.experiment.trials import Bench, attempt
from semblance.image_contracts import ImageGenerator
from semblance.pipeline.picturing import learn_images, sample_images
from semblance.privacy.ledger import Ledger

# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────


def draw(
    made: ImageGenerator | Images, key: tuple[int, int], known: Ground, bench: Bench, run: Run, work: Work
) -> Images | None:
    """Synthetic images for one cut and seed: enough of the rare class for the largest ratio, the others if needed."""
    asked = [NAMED[name] for name in bench.design.arms if NAMED[name].adds == "synthetic"]
    if not asked:
        return None
    train, rare, schema = known.train, bench.cohort.rare, known.train.schema
    largest = max((1.0, *bench.design.ratios) if any(arm.generative for arm in asked) else (1.0,))
    wanted = {rare: added(known, rare, largest)}
    if any(arm.alone for arm in asked):
        counts = np.bincount(train.codes(schema.label), minlength=len(schema.classes))
        wanted |= {name: int(n) for name, n in zip(schema.classes, counts, strict=True) if n and name != rare}
    seeds = run.seeds.within(f"experiment/draw/{key[0]}/{key[1]}")
    if isinstance(made, Images):
        return _chosen(made, wanted, seeds("choose"), train)
    part = f"drawn-{key[0]}-{key[1]}"
    if (folder := work.get(part)) is None:
        done, total = key[1], bench.design.seeds
        stage = f"drawing synthetic images · {key[0]} of {rare}"
        inside = replace(
            run,
            seeds=seeds,
            ledger=Ledger(run.ledger.cohort),  # all generators were entered before the first began
            checkpoint=FORGETFUL,
            gallery=None,
            progress=lambda *_: run.progress(stage, done, total),
        )
        model = learn_images(train, inside, generator=made)
        found = {name: sample_images(model, inside, n=n, given={schema.label: name}) for name, n in wanted.items()}
        pixels = np.concatenate([images.pixels for images in found.values()])
        codes = np.concatenate([np.full(len(i), schema.classes.index(name)) for name, i in found.items()])
        work.put(part, lambda place: np.savez_compressed(place / "drawn.npz", pixels=pixels, codes=codes))
        folder = work.get(part)
        assert folder is not None
    with np.load(folder / "drawn.npz") as kept:
        pixels, codes = kept["pixels"], kept["codes"]
    about = pd.DataFrame({schema.label: [schema.classes[k] for k in codes]}, dtype=object)
    return Images(pixels, about, replace(schema, patient=False), origin="synthetic")


def _chosen(made: Images, wanted: Mapping[str, int], rng: np.random.Generator, train: Images) -> Images:
    """As many as are wanted of images that were made elsewhere, by chance, others for each seed."""
    if made.schema.shape != train.schema.shape or made.schema.classes != train.schema.classes:
        raise InputError("the synthetic images have another size or other classes than the real ones; use --schema.")
    fake = replace(bare(made), origin="synthetic")
    rows = []
    for name, n in wanted.items():
        there = rng.permutation(np.flatnonzero(positive(fake, name)))
        if len(there) < n:
            raise InputError(f"{n} synthetic images of {name!r} are needed, and there are {len(there)}; draw more.")
        rows.append(there[:n])
    return fake.take(np.concatenate(rows))


# ── what is tried ────────────────────────────────────────────────────────────────────────────────────────────────────


class _Meter:
    """How many trainings are done; also the moment at which a worker hears that somebody asked to stop."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done, self._lock = progress, total, 0, threading.Lock()

    def one_more(self) -> None:
        with self._lock:
            self._done += 1
            self._progress("training classifiers", self._done, self._total)

    def still_here(self, stage: str, done: int, total: int) -> None:
        self._progress("training classifiers", self._done, self._total)


def scores(
    settings: Sequence[Setting],
    grounds: Mapping[tuple[int, int], Ground],
    drawn: Mapping[tuple[int, int], Images | None],
    bench: Bench,
    run: Run,
    work: Work,
) -> tuple[list[Scores], dict[Setting, int]]:
    """All trainings, side by side: what they say at each site, and how many images each setting learned from."""
    trials = [Trial(s, seed) for s in settings for seed in range(bench.design.seeds)]
    meter = _Meter(run.progress, len(trials))
    alone = replace(run, progress=meter.still_here)

    def tried(trial: Trial) -> tuple[list[NDArray[np.float64]], int]:
        s = trial.setting
        part = f"trial-{s.keep}-{s.arm}-{s.ratio!r}-{trial.seed}"
        if (folder := work.get(part)) is None:
            key = (s.keep, trial.seed)
            chances, n = attempt(trial, grounds[key], drawn[key], bench, alone)
            work.put(part, lambda place: np.savez(place / "chances.npz", *chances, n=np.array(n)))
        else:
            with np.load(folder / "chances.npz") as kept:
                chances, n = [kept[f"arr_{k}"] for k in range(len(bench.judged))], int(kept["n"])
        meter.one_more()
        return chances, n

    found = dict(zip(trials, run.engine.map(tried, trials), strict=True))
    sites = []
    for place, test in enumerate(bench.judged):
        chances = {
            s: np.stack([found[Trial(s, seed)][0][place] for seed in range(bench.design.seeds)]) for s in settings
        }
        sites.append(Scores(positive(test, bench.cohort.rare), test.patients, chances))
    return sites, {s: found[Trial(s, 0)][1] for s in settings}
