"""T1 to T2 without pairs, beside what is simple and beside what pairs would give; on real patients and on a phantom.

    python -m benchmarks.images.translation [--only ms phantom] [--set steps=3000 …] [--fresh]

`ms`: the T1 of one multiple-sclerosis patient and the T2 of another are learned from, the pairs of both only judge.
`phantom`: simulated patients (``phantom.py``), whose truth is exact, from two hospitals; three trainings in which none,
half or all of the patients of the target pool have lesions, half of those of the source pool in each. Everything is 64
× 64 pixels. All defaults were chosen on the phantom and none on the real pairs. What was fitted is kept in
benchmarks/.cache/translation until code, settings or data change; pictures are written beside it.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.images import paired
from benchmarks.images.cohorts import DATA
from benchmarks.images.lesions import tally, threshold
from benchmarks.images.phantom import NORTH, SOUTH, Hospital, Patient, simulate
from benchmarks.images.phantom_maps import tissue_maps
from benchmarks.images.similarity import HEAD, Similarity, compare
from benchmarks.images.simple_translators import inverted_histogram_match, negative, paired_lookup
from benchmarks.images.steganography import hiding
from benchmarks.peers.cache import CACHE, ROOT, digest
from semblance import pipeline
from semblance.command import settings_in
from semblance.data.images import PATIENT, Images
from semblance.generators.images.cyclegan import CycleGAN
from semblance.image_schema import ImageSchema
from semblance.imaging.levels import Levels
from semblance.imaging.translator import TranslatorModel
from semblance.recipe import image_recipe

Floats = NDArray[np.float32]
Turn = Callable[[Patient], Floats]
KEPT = CACHE / "translation"
SCHEMA = ImageSchema(64, 64, modality="MR", label="sequence", classes=("T1", "T2"), patient=True, mirror="left-right")
SOURCES = (
    *("generators/images/cyclegan.py", "imaging/body.py", "imaging/curves.py", "imaging/levels.py"),
    *("nets/training.py", "nets/losses.py"),
    *(f"nets/images/{name}.py" for name in ("cycle*", "image_pool", "jitter", "patch_critic", "blocks", "unet")),
)
"""What decides what is fitted."""
PATIENTS, SLICES = 6, 16
"""Of each of the phantom's pools, and of a patient."""


def ms_patient(number: str) -> Patient:
    """A real patient at half the resolution: means of 2 × 2 pixels; a pixel is brain where most of it is."""
    with np.load(DATA / "ms_brain_mri" / f"mni_patient{number}.npz") as found:
        t1, t2, brain, lesions = (_half(found[n]) for n in ("t1", "t2", "brain_mask", "lesion_mask"))
    return Patient(t1 / 255, t2 / 255, brain > 0.5, np.zeros_like(t1), lesions)


def _half(volume: NDArray[np.uint8]) -> Floats:
    n, height, width = volume.shape
    return volume.astype(np.float32).reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def images(kind: str, patients: Sequence[Patient], name: str) -> Images:
    pixels = np.concatenate([p.t1 if kind == "T1" else p.t2 for p in patients])[:, None] * np.float32(255)
    who = np.repeat([f"{name}{number}" for number in range(len(patients))], [len(p.t1) for p in patients])
    return Images(pixels, pd.DataFrame({"sequence": kind, PATIENT: who}, dtype=object), SCHEMA)


def fitted(recipe: CycleGAN, first: Sequence[Patient], second: Sequence[Patient], seed: int) -> TranslatorModel:
    """T1 of `first` and T2 of `second`, which are not the same people; from the cache where nothing has changed."""
    parts = images("T1", first, "a"), images("T2", second, "b")
    train = Images(
        np.concatenate([p.pixels for p in parts]), pd.concat([p.about for p in parts], ignore_index=True), SCHEMA
    )
    sources = sorted(path for pattern in SOURCES for path in (ROOT / "src" / "semblance").glob(pattern))
    key = digest(*sources, repr(sorted(asdict(recipe).items())), train.pixels.tobytes(), str(seed))[:16]
    place = KEPT / key
    if (place / "translator.json").exists():
        return recipe.load(place, SCHEMA)
    begun = time.process_time()
    model = recipe.fit(train, pipeline.begin(seed=seed))
    model = replace(model, facts={**model.facts, "cpu_s": time.process_time() - begun})
    draft = KEPT / f"{key}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    model.save(draft)
    draft.rename(place)
    return model


def turner(model: TranslatorModel, way: str = "T1>T2") -> Turn:
    def turn(patient: Patient) -> Floats:
        given = images("T1", [patient], "p")
        made = model.translate(given, pipeline.begin(seed=0), way=way).pixels[:, 0] / np.float32(255)
        return np.where(patient.brain, made, 0).astype(np.float32)

    return turn


def without_levels(model: TranslatorModel) -> TranslatorModel:
    return replace(model, levels=(Levels("none"), Levels("none")))


def simple(first: Sequence[Patient], second: Sequence[Patient], pairs: Sequence[Patient]) -> dict[str, Turn]:
    """`first`, `second`: the pools. `pairs`: patients whose pairs are known to the methods that need pairs."""
    t1, t2 = (np.concatenate([getattr(p, k)[p.brain] for p in ps]) for k, ps in (("t1", first), ("t2", second)))
    p1, p2 = (np.concatenate([getattr(p, k)[p.brain] for p in pairs]) for k in ("t1", "t2"))
    bound = paired.fit_pairs(*(np.concatenate([getattr(p, k) * p.brain for p in pairs]) for k in ("t1", "t2")))
    return {
        "identity": lambda p: p.t1,
        "1 − x": lambda p: negative(p.t1, p.brain),
        "inverted histogram match, pool to pool": lambda p: inverted_histogram_match(p.t1, p.brain, t1, t2),
        "inverted histogram match, patient to pool": lambda p: inverted_histogram_match(
            p.t1, p.brain, p.t1[p.brain], t2
        ),
        "lookup, *paired*": lambda p: paired_lookup(p.t1, p.brain, p1, p2),
        "U-Net, *paired*: the bound": lambda p: paired.turn(bound, p.t1 * p.brain, p.brain),
    }


def table(title: str, methods: dict[str, Turn], patients: Sequence[Patient]) -> str:
    lines = [f"\n{title}\n", HEAD]
    for name, turn in methods.items():
        found = [compare(turn(p), p.t2, p.brain) for p in patients]
        mean = Similarity(*(float(np.mean([getattr(f, k) for f in found])) for k in ("psnr", "ssim", "mae", "r")))
        lines.append(f"| {name} | {mean} |")
    return "\n".join(lines)


def asked(ours: Similarity, match: Similarity) -> str:
    """What the issue asks, against the better of the two histogram matches in each number."""
    gains = (ours.psnr - match.psnr, ours.ssim - match.ssim, match.mae - ours.mae, ours.r - match.r - 0.05)
    words = ("PSNR", "SSIM", "MAE", "r − .05")
    return ", ".join(f"{w} {'met' if g >= 0 else 'MISSED'} ({g:+.3f})" for w, g in zip(words, gains, strict=True))


def ms(recipe: CycleGAN, seed: int) -> None:
    people = {number: ms_patient(number) for number in ("07", "19")}
    model = fitted(recipe, [people["07"]], [people["19"]], seed)
    print(f"\n### Real: T1 of patient 07, T2 of patient 19 (64 px, seed {seed})\n\n{told(model)}")
    for number, other in (("19", "07"), ("07", "19")):
        p, methods = people[number], simple([people["07"]], [people["19"]], [people[other]])
        methods |= {"CycleGAN": turner(model), "CycleGAN, levels=none": turner(without_levels(model))}
        print(table(f"Patient {number} (what is paired was fitted on {other})", methods, [p]), flush=True)
        matches = [compare(methods[n](p), p.t2, p.brain) for n in methods if n.startswith("inverted")]
        best = Similarity(*(f(getattr(m, k) for m in matches) for k, f in BETTER.items()))
        print(f"\nAsked, against the better match: {asked(compare(methods['CycleGAN'](p), p.t2, p.brain), best)}.")
        print(f"\nLesions, brighter than what is around them by: {contrasts(methods, p)}.")
    picture(model, list(people.values()), KEPT / "ms.png")


def contrasts(methods: dict[str, Turn], patient: Patient) -> str:
    """By how much lesions exceed the two pixels around them, in the true T2 and in each translation."""
    ill = patient.lesions > 0.5
    near = np.stack([ndimage.binary_dilation(slice_, iterations=3) for slice_ in ill])
    ring = near & ~np.stack([ndimage.binary_dilation(slice_) for slice_ in ill]) & patient.brain
    shown = {"true T2": patient.t2, **{name: turn(patient) for name, turn in methods.items()}}
    return ", ".join(f"{name} {image[ill].mean() - image[ring].mean():+.3f}" for name, image in shown.items())


BETTER = {"psnr": max, "ssim": max, "mae": min, "r": max}


def phantom(recipe: CycleGAN, seed: int) -> None:
    maps, rng = tissue_maps(), np.random.default_rng(seed)

    def people(n: int, ill: float, hospital: Hospital = NORTH) -> list[Patient]:
        return [simulate(maps, rng, hospital, ill=i < ill * n, slices=SLICES) for i in range(n)]

    first = people(PATIENTS, 0.5)
    targets = {prevalence: people(PATIENTS, prevalence) for prevalence in (0.5, 0.0, 1.0)}
    tests = {"north": people(8, 0.5), "south": people(8, 0.5, SOUTH)}
    bright, rates = threshold(tests["north"]), {}
    methods = simple(first, targets[0.5], targets[0.5])
    for prevalence, target in targets.items():
        model = fitted(recipe, first, target, seed)
        name = f"CycleGAN, {prevalence:.0%} of targets ill"
        methods[name] = turner(model)
        if prevalence == 0.5:
            print(f"\n### Phantom (SIMULATED, 64 px, seed {seed})\n\n{told(model)}")
            methods["the same, levels=none"] = turner(without_levels(model))
            picture(model, [tests["north"][0], tests["south"][0]], KEPT / "phantom.png")
            print(f"\n{hiding(model, images('T1', tests['north'], 'n'), tests['north'])}")
    for hospital, patients in tests.items():
        print(table(f"Hospital {hospital}: 8 patients nobody learned from", methods, patients), flush=True)
    patients = tests["north"]
    print("\n| lesions, hospital north | erased | invented |\n| --- | --- | --- |")
    truth = tally([p.t2 for p in patients], patients, bright)
    print(f"| the true T2 ({truth.lesions} lesions, {truth.slices} slices without) | {truth} |")
    for name, turn in methods.items():
        rates[name] = tally([turn(p) for p in patients], patients, bright)
        print(f"| {name} | {rates[name]} |")


def told(model: TranslatorModel) -> str:
    facts = model.facts
    return f"{facts.get('cpu_s', float('nan')):.0f} CPU-s, {facts['steps']:.0f} steps; {', '.join(model.notes[:-1])}"


def picture(model: TranslatorModel, patients: Sequence[Patient], path: Path) -> None:
    """Columns of slices; rows: T1, translated, true T2, and back again to T1, for each patient."""
    from PIL import Image

    rows = []
    for patient in patients:
        given = images("T1", [patient], "p")
        turned = model.translate(given, pipeline.begin(seed=0), way="T1>T2")
        again = model.translate(turned, pipeline.begin(seed=0), way="T2>T1")
        at = np.linspace(1, len(patient.t1) - 2, 8).astype(int)
        shown = (patient.t1, turned.pixels[:, 0] / 255, patient.t2, again.pixels[:, 0] / 255)
        rows += [np.concatenate(list(part[at]), axis=1) for part in shown]
    whole = (np.concatenate(rows) * 255).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(whole).resize((2 * whole.shape[1], 2 * whole.shape[0]), Image.Resampling.NEAREST).save(path)
    print(f"\npicture: {path.relative_to(ROOT)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("ms", "phantom"), nargs="+", default=["ms", "phantom"])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fresh", action="store_true", help="fit anew what is kept")
    options = parser.parse_args()
    recipe = image_recipe("cyclegan", settings_in(options.set))
    assert isinstance(recipe, CycleGAN)
    if options.fresh:
        shutil.rmtree(KEPT, ignore_errors=True)
    for name in options.only:
        {"ms": ms, "phantom": phantom}[name](recipe, options.seed)


if __name__ == "__main__":
    main()
