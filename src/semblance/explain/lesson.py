"""What a lesson is made of: numbers that are said twice, by a formula and by a simulation that does not use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal, Protocol, cast

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from semblance.explain.words import Words
from semblance.seeds import Seeds

Error = Literal["rounding", "sampling", "search", "training"]
"""Why a simulation may differ from its formula: floating point; a finite number of draws (then `tolerance` is four
standard errors, so that one honest claim in 16,000 is lost to chance); a grid that was searched; a finite number of
training steps."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One number, twice.

    Attributes:
        name: Its sentence is ``claims.NAME`` of the lesson's words.
        formula: What the closed form says.
        simulated: What came out when it was tried, without the closed form.
        tolerance: How far apart the two may lie; >= 0, and stated before the simulation is looked at.
        error: Why they may lie apart at all.
        relation: "=", or "<=" (">=") where the closed form is an upper (lower) bound on what is simulated.
    """

    name: str
    formula: float
    simulated: float
    tolerance: float
    error: Error
    relation: Literal["=", "<=", ">="] = "="

    @property
    def apart(self) -> float:
        """By how much the simulation breaks the claim, before any tolerance; 0 where a bound is kept."""
        gap = self.simulated - self.formula
        return {"=": abs(gap), "<=": max(gap, 0.0), ">=": max(-gap, 0.0)}[self.relation]

    @property
    def agrees(self) -> bool:
        """Whether the simulation bears the formula out; never where one of them is not a number."""
        return bool(np.isfinite(self.simulated) and self.apart <= self.tolerance)


@dataclass(frozen=True, slots=True)
class Told:
    """What a lesson found out when it ran.

    Attributes:
        claims: In the order of the table.
        numbers: What fills the ``{slots}`` of the lesson's words. A slot whose name ends in ``_percent`` holds a share.
        paragraphs: Which ``paragraphs.NAME`` of the lesson's words are true of this run, in order.
        drawn: What the picture shows: arrays by name, the lesson's own affair.
    """

    claims: tuple[Claim, ...]
    numbers: Mapping[str, float | int | str]
    paragraphs: tuple[str, ...]
    drawn: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether every claim does."""
        return all(claim.agrees for claim in self.claims)


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing and its heading: the name of an entry of the lesson's words, and the SVG."""

    heading: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels side by side under one caption, which is ``caption`` of the lesson's words.

    Attributes:
        panels: From left to right; one above the other on a phone.
        legend: (swatch of style.css such as "line fake", name of an entry of the lesson's words).
    """

    panels: tuple[Panel, ...]
    legend: tuple[tuple[str, str], ...] = ()


class Lesson(Protocol):
    """A frozen dataclass; its fields, all with defaults, are the knobs that ``--set KEY=VALUE`` turns.

    Its words are ``lessons/NAME.en.toml`` and ``lessons/NAME.zh.toml``, with "_" for "-" in the name.
    """

    name: ClassVar[str]

    def run(self, seeds: Seeds) -> Told:
        """Find out, in seconds. The same seeds give the same bytes.

        Raises:
            InputError: a knob is turned to where the lesson makes no sense.
        """
        ...

    def draw(self, told: Told, words: Words) -> Picture:
        """The picture of what was found out, labelled in the language of `words`."""
        ...


def settings_of(lesson: Lesson) -> dict[str, Any]:
    """Where the knobs of a lesson stand."""
    return asdict(cast(Any, lesson))
