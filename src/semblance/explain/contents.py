"""The only list of lessons: one line each, in the order in which a newcomer would read them."""

from __future__ import annotations

from semblance.explain.lesson import Lesson
from semblance.explain.lessons.augmentation import Augmentation
from semblance.explain.lessons.composition import Composition
from semblance.explain.lessons.epsilon import Epsilon
from semblance.explain.lessons.gan_game import GanGame
from semblance.explain.lessons.invariance import Invariance
from semblance.explain.lessons.memorisation import Memorisation
from semblance.explain.lessons.oversampling import Oversampling
from semblance.explain.lessons.shortcut import Shortcut
from semblance.explain.lessons.vae import Vae
from semblance.explain.lessons.wasserstein import Wasserstein

_ALL: tuple[type[Lesson], ...] = (
    GanGame,
    Wasserstein,
    Vae,
    Memorisation,
    Epsilon,
    Composition,
    Oversampling,
    Augmentation,
    Invariance,
    Shortcut,
)

LESSONS: dict[str, type[Lesson]] = {lesson.name: lesson for lesson in _ALL}
