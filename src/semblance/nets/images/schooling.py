"""What the trainings of all image nets have in common: when they are looked at, and how often they may go back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from semblance.contracts import Run
from semblance.nets.training import Log, Look, Trainee, train

LOOKS = 10
"""Pictures of a training as it goes."""
ROLLBACKS = 3

N = TypeVar("N")


class Course(Protocol):
    """How long a training is."""

    @property
    def steps(self) -> int:
        """Of all of it."""

    @property
    def batch(self) -> int:
        """Images of a step."""


def school(
    trainee: Trainee,
    n: int,
    *,
    plan: Course,
    run: Run,
    key: str,
    stage: str,
    fitted: Callable[[], N],
    see: Callable[[N, Log], object] | None = None,
    log_every: int = 50,
) -> tuple[N, Log]:
    """Train on `n` images and hand out what came of it.

    Args:
        key, stage: As `training.train` has them. fitted: Makes what draws of what the trainee has learned so far.
        see: Shown it ten times on the way.

    Raises:
        FitError: training diverged, and going back did not help.
    """
    log = train(
        trainee,
        n,
        steps=plan.steps,
        batch=plan.batch,
        run=run,
        key=key,
        stage=stage,
        minutes=run.max_minutes,
        look=Look(lambda log: see(fitted(), log), max(1, plan.steps // LOOKS)) if see else None,
        rollbacks=ROLLBACKS,
        log_every=log_every,
    )
    return fitted(), log
