"""What pairs of masks and painted images are worth, each number beside the same number of real pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from benchmarks.images.scores import begin
from semblance.data.images import Images
from semblance.nets.images.segmenter import Effort, learn_segmenter

RING = 3
"""Pixels around a structure that it is compared with."""
FEWEST = 5
"""Pixels of a structure, and of the ring around it, from which on a slice counts."""


def dice(found: NDArray[np.uint8], truth: Images, structure: str) -> NDArray[np.float64]:
    """Overlap with the truth of each patient that has the structure, all slices together: (patients,)."""
    assert truth.masks is not None
    number = truth.schema.structures.index(structure) + 1
    scores = []
    for patient in range(truth.n_patients):
        rows = truth.patients == patient
        a, b = found[rows] == number, truth.masks[rows] == number
        if b.any():
            scores.append(2 * (a & b).sum() / (a.sum() + b.sum()))
    return np.array(scores)


def taught(pairs: Images, test: Images, *, seeds: int, effort: Effort) -> NDArray[np.uint8]:
    """What segmenters that learned from these pairs alone see in the test images: (seeds, n, height, width)."""
    assert pairs.masks is not None
    found = []
    for seed in range(seeds):
        learned, _ = learn_segmenter(
            pairs.unit(), pairs.masks, len(pairs.schema.structures), begin(seed, 1), effort=effort
        )
        found.append(learned.segment(test.unit()))
    return np.stack(found)


def contrast(pairs: Images, structure: str) -> tuple[float, float]:
    """How much brighter a structure is than the ring around it: mean and standard deviation over slices.

    Of the whole range from darkest to brightest. The ring holds no pixel of another structure that is not around it
    everywhere: what encloses the structure is what the ring shows.
    """
    assert pairs.masks is not None
    number = pairs.schema.structures.index(structure) + 1
    found = []
    for pixels, mask in zip(pairs.unit()[:, 0], pairs.masks, strict=True):
        inside = mask == number
        ring = binary_dilation(inside, iterations=RING) & ~inside
        if inside.sum() >= FEWEST and ring.sum() >= FEWEST:
            found.append((pixels[inside].mean() - pixels[ring].mean()) / 2)
    return float(np.mean(found)), float(np.std(found))


def alike(masks: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Overlap of each mask with the other that it overlaps most, any structure counted alone: (n,)."""
    structures = range(1, int(max(masks.max(), others.max())) + 1)
    both = np.zeros((len(masks), len(others)))
    sizes = np.zeros((len(masks), len(others)))
    for number in structures:
        a, b = ((m == number).reshape(len(m), -1).astype(np.float32) for m in (masks, others))
        both += a @ b.T
        sizes += a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :]
    best: NDArray[np.float64] = (2 * both / np.maximum(sizes, 1)).max(axis=1)
    return best
