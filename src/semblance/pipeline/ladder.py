"""Which values of a knob to try, and what a recipe looks like with each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace

from semblance.contracts import Generator
from semblance.errors import InputError
from semblance.frontier.points import EPSILON as EPSILON
from semblance.frontier.points import ROWS as ROWS

STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of a recipe's own value, or of the rows learned from: what is tried where nobody says and no ladder is below."""

EPSILONS = (0.3, 1.0, 3.0, 10.0)

LADDERS: dict[str, tuple[float, ...]] = {
    "reach": (0.5, 1.0, 1.5, 2.0, 3.0),
    "parents": (0.5, 0.8, 0.95, 1.0),
    "min_patients": (11, 16, 25, 50),
}


def settings(
    recipe: Generator, knob: str, values: Sequence[float] | None, *, rows: int
) -> dict[float, tuple[Generator, int]]:
    """By value, in rising order: the recipe, and how many rows to draw.

    Args:
        values: To be tried; None takes a ladder around the recipe's own value. rows: As many as are learned from.

    Raises:
        InputError: there is no such knob, or the recipe refuses a value of it.
    """
    whole = _is_whole(recipe, knob)
    asked = sorted({_number(v, knob, whole=whole) for v in values}) if values is not None else []
    if values is None:
        ladder = (
            EPSILONS
            if knob == EPSILON
            else LADDERS.get(knob) or [s * (rows if knob == ROWS else getattr(recipe, knob)) for s in STEPS]
        )
        asked = sorted({max(1, round(v)) if whole else v for v in ladder})
    made: dict[float, tuple[Generator, int]] = {}
    for value in asked:
        try:
            made[value] = (recipe, int(value)) if knob == ROWS else (_turned(recipe, knob, value), rows)
        except InputError:
            if values is not None:
                raise
    if len(made) < 2:
        raise InputError(f"a sweep of {knob!r} needs two different values or more, such as --values 0.5,1,2.")
    return made


def _is_whole(recipe: Generator, knob: str) -> bool:
    """Whether the knob takes whole numbers only; refuses what is no knob."""
    if knob == EPSILON:
        return False
    kinds = {f.name: type(getattr(recipe, f.name)) for f in fields(recipe)}
    knobs = {ROWS: int, **{name: kind for name, kind in kinds.items() if kind in (int, float)}}
    if knob not in knobs:
        raise InputError(f"generator {recipe.name!r} has no knob {knob!r}; it has {', '.join(sorted(knobs))}.")
    return knobs[knob] is int


def _number(value: float, knob: str, *, whole: bool) -> float:
    if not math.isfinite(value):
        raise InputError(f"values of knob {knob!r} must be finite numbers.")
    if whole and value != int(value):
        raise InputError(f"knob {knob!r} takes whole numbers only.")
    if knob == EPSILON and value <= 0:
        raise InputError("epsilon must be above 0.")
    if knob == ROWS and value < 1:
        raise InputError("the number of rows to draw must be at least 1.")
    return int(value) if whole else float(value)


def _turned(recipe: Generator, knob: str, value: float) -> Generator:
    if knob == EPSILON:
        return recipe  # its allowance is turned, not the recipe
    return replace(recipe, **{knob: value})  # every recipe is a frozen dataclass
