"""One training of the experiment: from what it is given to what it says of the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import FORGETFUL, Run
from semblance.data.images import Images
from semblance.experiment.arms import lesson
from semblance.experiment.cohort import Cohort, Ground, positive
from semblance.experiment.plan import NAMED, Design, Trial
from semblance.image_contracts import Augmentation


@dataclass(frozen=True, eq=False)
class Bench:
    """What all trainings share.

    Attributes:
        elsewhere: Images of another site, None where there are none. transforms: Of the classical arms.
    """

    design: Design
    cohort: Cohort
    elsewhere: Images | None
    transforms: tuple[Augmentation, ...]

    @property
    def judged(self) -> Sequence[Images]:
        """The test images of each site."""
        return [self.cohort.test, *([] if self.elsewhere is None else [self.elsewhere])]


def attempt(
    trial: Trial, ground: Ground, drawn: Images | None, bench: Bench, run: Run
) -> tuple[list[NDArray[np.float64]], int]:
    """Train and ask: the chance of the rare class of each test image, (n,) a site, and how many images it learned from.

    All arms of a seed begin at the same weights and have the same steps.
    """
    from semblance.nets.images.contender import Validation, learn_contest

    setting, cohort = trial.setting, bench.cohort
    seeds = run.seeds.within(f"experiment/{setting.keep}/{trial.seed}")
    given = lesson(
        NAMED[setting.arm],
        ground,
        drawn,
        seeds,
        rare=cohort.rare,
        ratio=setting.ratio,
        transforms=bench.transforms,
    )
    schema = given.images.schema
    rare = schema.classes.index(cohort.rare)
    judge = learn_contest(
        given.images.unit(),
        given.images.codes(schema.label),
        Validation(cohort.validation.unit(), positive(cohort.validation, cohort.rare)),
        replace(run, seeds=seeds, checkpoint=FORGETFUL, max_minutes=float("inf")),
        n_classes=len(schema.classes),
        positive=rare,
        steps=bench.design.steps,
        seen=given.seen,
    )
    return [judge.chances(images.unit())[:, rare] for images in bench.judged], len(given.images)
