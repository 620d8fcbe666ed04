"""Real images with masks: slices of hippocampi, and of two brains with lesions of multiple sclerosis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, map_coordinates

from benchmarks.images.cohorts import DATA
from semblance.data.images import Images
from semblance.errors import InputError
from semblance.image_schema import ImageSchema
from semblance.imaging.lesions import Lesion, put_lesion

TESTED = 60
"""Hippocampi that only test."""
BOX = (slice(8, 120), slice(16, 112))
"""Rows and columns of the brains' slices that hold brain, in the common space that both were brought to: 112 × 96."""

BLOCK, GAP = 10, 3
"""Slices of a block, and those of its end that are left out."""


@dataclass(frozen=True)
class Pairs:
    """Images and masks. `train` may be learned from, `test` judges. counted: Structures whose Dice is asked for."""

    train: Images
    test: Images
    counted: tuple[str, ...]


def hippocampi(*, trial: bool = False) -> Pairs:
    """All axial slices that show anything of 140 and 60 patients' hippocampi, 64 × 48; 1 mm.

    Args:
        trial: A fifth of the training patients tests, and the test patients are not looked at.
    """
    file = np.load(DATA / "hippocampus_mri" / "hippocampus_3d.npz")
    schema = ImageSchema(
        *(64, 48),
        modality="MR",
        spacing_mm=(1.0, 1.0),
        patient=True,
        structures=("anterior", "posterior"),
        mirror="left-right",
    )
    order = np.random.default_rng(0).permutation(len(file["images"]))
    test, train = order[:TESTED], order[TESTED:]
    if trial:
        test, train = train[:28], train[28:]
    volumes, masks = (np.moveaxis(file[name], 3, 1).transpose(0, 1, 3, 2)[:, :, ::-1] for name in ("images", "labels"))
    return Pairs(*(_slices(volumes, masks, cases, schema) for cases in (train, test)), counted=schema.structures)


def lesions(train: str, test: str) -> Pairs:
    """FLAIR slices of one patient to learn from and of another to test with, 112 × 96; 1 mm.

    The same name twice splits a patient: blocks of slices to learn from and blocks between them to test with, apart by
    a gap, since neighbours are nearly the same.
    """
    schema = ImageSchema(
        *(112, 96),
        modality="MR",
        spacing_mm=(1.0, 1.0),
        patient=True,
        structures=("brain", "lesion"),
        mirror="left-right",
    )
    both = []
    for number, name in enumerate((train, test)):
        file = np.load(DATA / "ms_brain_mri" / f"mni_patient{name}.npz")
        mask = np.where(file["lesion_mask"] > 0, 2, file["brain_mask"] > 0).astype(np.uint8)
        images = _slices(file["flair"][None, :, *BOX], mask[None, :, *BOX], [0], schema, name=f"{number}-")
        both.append(images if train != test else images.take(_blocks(len(images), number)))
    return Pairs(*both, counted=("lesion",))


def _blocks(n: int, number: int) -> NDArray[np.intp]:
    """Every other block of slices without its last ones; the first block is of the `number` 0."""
    at = np.arange(n)
    return np.flatnonzero((at // BLOCK % 2 == number) & (at % BLOCK < BLOCK - GAP))


def _slices(
    volumes: NDArray[np.uint8], masks: NDArray[np.uint8], cases: object, schema: ImageSchema, *, name: str = ""
) -> Images:
    """The slices of these cases that show anything: (cases, slices, height, width) -> Images."""
    case = np.asarray(cases)
    shows = volumes[case].any(axis=(2, 3))
    who = np.repeat(case, shows.sum(axis=1))
    about = pd.DataFrame({"patient": [f"{name}{number}" for number in who]}, dtype=object)
    pixels = np.ascontiguousarray(volumes[case][shows][:, None].astype(np.float32))
    return Images(pixels, about, schema, np.ascontiguousarray(masks[case][shows]))


def warped(masks: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each mask turned, stretched and bent a little, smoothly: (n, height, width)."""
    height, width = masks.shape[1:]
    grid = np.stack(np.mgrid[:height, :width]).astype(float)
    middle = np.array([height, width])[:, None, None] / 2
    made = np.empty_like(masks)
    for place, mask in enumerate(masks):
        turn, scale = rng.normal(0, 0.1), np.exp(rng.normal(0, 0.08, 2))
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * scale
        smooth = min(height, width) / 8
        bend = np.stack([gaussian_filter(rng.normal(size=(height, width)), smooth) for _ in range(2)])
        bend *= 0.02 * min(height, width) / bend.std()
        at = np.einsum("ij,jhw->ihw", matrix, grid - middle) + middle + bend + rng.normal(0, 1.5, 2)[:, None, None]
        made[place] = map_coordinates(mask, at, order=0, mode="constant")
    return made


def with_new_lesions(images: Images, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The images' masks, bent, their lesions taken out and as many put in at other places, of sizes that occur."""
    assert images.masks is not None
    number = images.schema.structures.index("lesion") + 1
    pieces = [label(mask == number)[0] for mask in images.masks]
    sizes = np.concatenate([np.bincount(piece.reshape(-1))[1:] for piece in pieces])
    counts = [piece.max() for piece in pieces]
    made = warped(np.where(images.masks == number, 1, images.masks).astype(np.uint8), rng)
    for place in range(len(made)):
        for area in rng.choice(sizes, size=rng.choice(counts)):
            lesion = Lesion("lesion", "brain", float(np.sqrt(area / np.pi)), stretch=rng.uniform(1, 2.5))
            try:
                made[place : place + 1] = put_lesion(made[place : place + 1], lesion, images.schema, rng)
            except InputError:  # the slice shows too little brain for it
                continue
    return made
