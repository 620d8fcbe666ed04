"""Do changes of images keep their labels, and are made images of a class of that class?

A flip of a chest with a lesion on the left shows one with a lesion on the right, and keeps its label: whoever learns
from it learns something false. Each transformation is tried on real images with classifiers of the same kind that
learned from the images, from the changed ones, and from both (``losses.py``), and judged by a margin that was stated
before (``verdict.py``). The same classifiers read what a generator made for each class (``made.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.audits.images.invariance import made, told
from semblance.audits.images.invariance.losses import Learner, Plain, Reader, begin, measure
from semblance.audits.images.invariance.verdict import MARGIN, Judged, judge
from semblance.augment.mirror import Flip
from semblance.augment.presets import preset
from semblance.contracts import Run
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import Augmentation, Examined, ImageComparison
from semblance.image_schema import ImageSchema
from semblance.imaging.plain_classifier import PlainClassifier

STEPS = 250
"""Of a net's training."""
FEWEST = 20
"""Patients of each class below which nobody is asked."""


@dataclass(frozen=True)
class Invariance:
    """The audit.

    Attributes:
        changes: What to try; by default the preset of the images' modality, and a flip.
        margin: Nats that a change may cost. folds: Parts of the patients that are left out in turn.
        net: Whether a net learns (PyTorch) or a logistic regression on coarse features, which takes a hundredth of
            the time and sees less; by default the latter.
    """

    name: ClassVar[str] = "invariance"
    asks: ClassVar[str] = "Do changes of images keep their labels, and are made images of a class of that class?"

    changes: tuple[Augmentation, ...] = ()
    margin: float = MARGIN
    folds: int = 5
    net: bool = False

    def judge(self, comparison: ImageComparison, run: Run) -> Examined:
        """Try each change on the training images, then read the synthetic ones beside the held-out ones."""
        found, plain = self.try_on(comparison.train, run)
        if plain is None:
            return found
        read = made.read(plain, comparison.held, comparison.fake, run)
        return Examined((*found.findings, *read), found.plates)

    def try_on(self, images: Images, run: Run) -> tuple[Examined, Plain | None]:
        """Try each change on real images alone; and who learned from them, None where nobody could.

        Privacy: findings are computed on real patients and covered by no epsilon; a picture shows them.
        """
        images, why = _labelled(images)
        changes = self.changes or usual(images.schema)
        if why:
            return Examined(tuple(told.not_asked(change, why, self.margin) for change in changes)), None
        plain = begin(images, self._learner(), run, folds=self.folds)
        judged: dict[str, Judged] = {}
        for number, change in enumerate(changes):
            run.progress("trying changes", number, len(changes))
            losses = measure(plain, change, run)
            judged[change.name] = judge(losses, run.seeds(f"invariance/judge/{change.name}"), margin=self.margin)
        run.progress("trying changes", len(changes), len(changes))
        findings: tuple[Finding, ...] = tuple(told.findings(judged, changes, images.schema))
        plates = (told.intervals(judged), told.changed(images, changes, run))
        return Examined(findings, plates), plain

    def _learner(self) -> Learner:
        return learn_net if self.net and find_spec("torch") is not None else learn_plainly


def usual(schema: ImageSchema) -> tuple[Augmentation, ...]:
    """The preset of the modality, and a flip: the change that is most often made and least often asked about."""
    return (*(one for one in preset(schema) if one.name != Flip.name), Flip())


def learn_plainly(images: NDArray[np.float32], labels: NDArray[np.int64], run: Run, /, *, n_classes: int) -> Reader:
    """Logistic regression on coarse features; see ``imaging/plain_classifier.py``."""
    return PlainClassifier.learn(images, labels, n_classes=n_classes)


def learn_net(images: NDArray[np.float32], labels: NDArray[np.int64], run: Run, /, *, n_classes: int) -> Reader:
    """The small net that all images are judged by; it always sees them moved and lit a little differently."""
    from semblance.nets.images.classifier import learn_classes

    return learn_classes(images, labels, run, n_classes=n_classes, steps=STEPS)


def _labelled(images: Images) -> tuple[Images, str]:
    """The images that have a label; or why nothing can be asked."""
    schema = images.schema
    if len(schema.classes) < 2:
        return images, "the images have no classes; say with --labels where a class is read from"
    labelled = images.take(images.codes(schema.label) >= 0)
    codes, patients = labelled.codes(schema.label), labelled.patients
    if min(len(np.unique(patients[codes == k])) for k in range(len(schema.classes))) < FEWEST:
        return images, f"a class has fewer than {FEWEST} patients"
    return labelled, ""
