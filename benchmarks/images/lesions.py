"""Are lesions invented or erased? One rule, the same for every method, with thresholds read off the true images.

A pixel is bright where it exceeds the median of the slice's healthy deep white matter (known from the simulation) by
half of what true lesions exceed it by, in the median over true T2 images. A lesion is found where at least half of its
pixels are bright; it is erased where the truth has it found and the translation does not. A blob of at least `BLOB`
bright pixels in deep white matter, apart from every true lesion, is invented; invented is the share of slices without
any lesion that show one, beside the share in the truth itself, which noise alone makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.images.phantom import Patient

Floats = NDArray[np.float32]
DEEP, FREE, CORE = 0.95, 0.01, 0.5
"""Share of white matter that counts as deep; of lesion below which a pixel is healthy; and of a lesion's own pixels."""
BLOB = 4
"""Pixels of a lesion or a blob, at least: with 3.2 mm, a diameter of 7 mm."""


@dataclass(frozen=True)
class Tally:
    """`erased`: share of the true lesions that are gone. `invented`: share of lesion-free slices that show one."""

    erased: float
    invented: float
    lesions: int
    slices: int

    def __str__(self) -> str:
        return f"{self.erased:.0%} | {self.invented:.0%}"


def deep_white(patient: Patient) -> NDArray[np.bool_]:
    """Healthy deep white matter: (n, h, w)."""
    white = np.stack([ndimage.minimum_filter(s, 3) for s in patient.wm]) > DEEP
    near = np.stack([ndimage.maximum_filter(s, 5) for s in patient.lesions]) > FREE
    return np.asarray(white & ~near)


def excess(image: Floats, patient: Patient) -> Floats:
    """How much brighter than the slice's healthy deep white matter each pixel is; nothing where there is too little."""
    deep, found = deep_white(patient), np.full(image.shape, np.nan, np.float32)
    for number, (pixels, here) in enumerate(zip(image, deep, strict=True)):
        if here.sum() >= 20:
            found[number] = pixels - np.median(pixels[here])
    return found


def cores(patient: Patient) -> list[tuple[int, NDArray[np.bool_]]]:
    """Slice and pixels of each true lesion that is large enough."""
    found = []
    for number, share in enumerate(patient.lesions):
        parts, n = ndimage.label(share > CORE)
        found += [(number, parts == k) for k in range(1, n + 1) if (parts == k).sum() >= BLOB]
    return found


def threshold(patients: Sequence[Patient]) -> float:
    """Half of what true lesions exceed white matter by, in the median over these patients' true images."""
    heights = [np.mean(excess(p.t2, p)[number][core]) for p in patients for number, core in cores(p)]
    return float(np.nanmedian(heights)) / 2


def tally(images: Sequence[Floats], patients: Sequence[Patient], bright: float) -> Tally:
    """`images`: T2 of each patient, translated or true. Lesions that the truth itself does not show are left out."""
    shown = erased = slices = invented = 0
    for image, patient in zip(images, patients, strict=True):
        made, true, deep = excess(image, patient), excess(patient.t2, patient), deep_white(patient)
        for number, core in cores(patient):
            if (true[number][core] > bright).mean() >= 0.5:
                shown += 1
                erased += int((made[number][core] > bright).mean() < 0.5)
        for number in range(len(image)):
            if patient.lesions[number].max() > FREE or np.isnan(made[number]).all():
                continue
            slices += 1
            parts, n = ndimage.label((made[number] > bright) & deep[number])
            invented += int(any((parts == k).sum() >= BLOB for k in range(1, n + 1)))
    return Tally(erased / max(shown, 1), invented / max(slices, 1), shown, slices)
