"""What is tried: the arms, how few real images there are, how many are added, and by how many seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from semblance.errors import InputError

Adds = Literal["", "duplicates", "synthetic", "real"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to learn.

    Attributes:
        adds: What joins the real training images of the rare class: nothing, copies of them, synthetic ones, or other
            patients' real ones, always as many. classical: All that is seen is transformed anew each time it is seen.
        alone: The synthetic images are all there is, as many of each class as there are real ones.
    """

    name: str
    adds: Adds = ""
    classical: bool = False
    alone: bool = False

    @property
    def generative(self) -> bool:
        """Whether its gain is what the experiment is about."""
        return self.adds == "synthetic" and not self.alone

    @property
    def rival(self) -> bool:
        """Whether it can be had without a generator and without more patients."""
        return self.adds in ("", "duplicates")


REAL, MORE = "real", "more-real"

ARMS: tuple[Arm, ...] = (
    Arm(REAL),
    Arm("oversampled", "duplicates"),
    Arm("classical", classical=True),
    Arm("oversampled+classical", "duplicates", classical=True),
    Arm("synthetic", "synthetic"),
    Arm("synthetic+classical", "synthetic", classical=True),
    Arm("synthetic-only", "synthetic", alone=True),
    Arm(MORE, "real"),
)
"""In the order in which a page tells them."""

NAMED = {arm.name: arm for arm in ARMS}


@dataclass(frozen=True, order=True, slots=True)
class Setting:
    """What one line of results is of.

    Attributes:
        keep: Patients of the rare class that are learned from. ratio: Images added for each image of them; 0 where the
            arm adds none.
    """

    keep: int
    arm: str
    ratio: float = 0.0


@dataclass(frozen=True, order=True, slots=True)
class Trial:
    """One training: a setting and the number of its seed."""

    setting: Setting
    seed: int


@dataclass(frozen=True, slots=True)
class Design:
    """The whole experiment, stated before it begins.

    Attributes:
        arms: Names, from `ARMS`. keeps, ratios: As in `Setting`. seeds: Trainings of each setting.
        steps: Of every training, whatever the arm. margin: How much worse, in area under the ROC curve, counts as not
            worse at the other site. confidence: Of every interval; what is concluded may be wrong as often as one of
            its tails, over all arms together. specificity: At which sensitivity is read. replicates: Of the bootstrap.
    """

    arms: tuple[str, ...]
    keeps: tuple[int, ...]
    ratios: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 5.0)
    seeds: int = 5
    steps: int = 200
    margin: float = 0.02
    confidence: float = 0.95
    specificity: float = 0.9
    replicates: int = 1000

    def __post_init__(self) -> None:
        if self.seeds < 2:
            raise InputError("an experiment needs at least 2 seeds: with one, the luck of a training is not seen.")
        if not self.keeps or min(self.keeps) < 2:
            raise InputError("--keep takes numbers of patients of the rare class, at least 2 each.")
        if not self.ratios or min(self.ratios) <= 0:
            raise InputError("--ratios takes numbers above 0: images added for each real one of the rare class.")
        if self.steps < 1 or self.margin <= 0:
            raise InputError("an experiment needs at least one training step, and a margin above 0.")

    def settings(self) -> list[Setting]:
        """All that is tried, in the order of the arms."""
        return [
            Setting(keep, name, ratio)
            for keep in self.keeps
            for name in self.arms
            for ratio in (self.ratios if NAMED[name].adds and not NAMED[name].alone else (0.0,))
        ]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
