"""Patients' images as a private thing that can be asked for sums only, to which noise is then added.

Each patient counts once: of a patient's images, at most `most` are used, and each adds its part, so that whatever is
asked of an image is asked of a patient's mean image. What is added up is no longer than a bound, image by image, and
so patient by patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semblance.data.images import Images
from semblance.imaging.waves import Floats
from semblance.privacy.capping import few_of_each

BLOCK = 512
"""Images at a time, which bounds the memory."""

Classes = NDArray[np.int64]
Pixels = NDArray[np.float32]
Question = Callable[[Pixels, Classes], Floats]
"""Images, (m, c, h, w), and their classes, (m,) -> a vector for each: (m, d)."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Images, and what each of them counts.

    Attributes:
        images: (n, c, h, w), -1 to 1. classes: (n,). patients: Number of each image's patient: (n,).
        weights: 1 over how many images of its patient are used: (n,). sizes: How many classes there are.
    """

    images: Pixels
    classes: Classes
    patients: Classes
    weights: Floats
    sizes: int

    def __repr__(self) -> str:
        return f"Crowd({self.sizes} classes)"

    @classmethod
    def of(cls, train: Images, *, most: int | None) -> Crowd:
        """Images of a known class, at most `most` of each patient (None: all); without classes all are of one."""
        schema = train.schema
        sizes = max(1, len(schema.classes))
        classes = train.codes(schema.label) if schema.classes else np.zeros(len(train), dtype=np.int64)
        known = np.flatnonzero(classes >= 0)
        used = known if most is None else known[few_of_each(train.patients[known], most)]
        patients = train.patients[used]
        weights = 1.0 / np.bincount(patients, minlength=1)[patients]
        return cls(train.take(used).unit(), classes[used], patients, weights, sizes)

    def sums(self, question: Question, *, reach: float) -> Floats:
        """For each class, the sum over patients of the mean answer of their images of it: (classes, d).

        One patient's part, all classes together, is at most `reach` long. PRIVACY: exact; goes into noise only.
        """
        total: Floats | None = None
        for images, classes, weights in self._blocks():
            answers = shorten(question(images, classes), reach) * weights[:, None]
            part = _by_class(answers, classes, self.sizes)
            total = part if total is None else total + part
        return np.zeros((self.sizes, 0)) if total is None else total

    def products(self, question: Question, *, reach: float) -> Floats:
        """For each class, the sum over patients of the mean outer product of their images' answers: (classes, d, d).

        One patient's part is at most `reach` squared long, as a vector of all its numbers. PRIVACY: as `sums`.
        """
        total: Floats | None = None
        for images, classes, weights in self._blocks():
            answers = shorten(question(images, classes), reach)
            parts = []
            for number in range(self.sizes):
                mine = classes == number
                parts.append((answers[mine] * weights[mine, None]).T @ answers[mine])
            total = np.stack(parts) if total is None else total + np.stack(parts)
        return np.zeros((self.sizes, 0, 0)) if total is None else total

    def _blocks(self) -> Iterator[tuple[Pixels, Classes, Floats]]:
        """At least one, which may be empty: so that what comes out has its size whoever is there."""
        for start in range(0, max(1, len(self.images)), BLOCK):
            part = slice(start, start + BLOCK)
            yield self.images[part], self.classes[part], self.weights[part]


def shorten(vectors: Floats, reach: float) -> Floats:
    """Vectors longer than `reach` cut to that length; those that are not finite become 0: (m, d)."""
    clean = np.where(np.isfinite(vectors).all(axis=1, keepdims=True), vectors, 0.0)
    lengths = np.linalg.norm(clean, axis=1, keepdims=True)
    return np.asarray(clean * (reach / np.maximum(lengths, reach)))


def _by_class(answers: Floats, classes: Classes, sizes: int) -> Floats:
    total = np.zeros((sizes, answers.shape[1]))
    for number in range(sizes):
        total[number] = answers[classes == number].sum(axis=0)
    return total
