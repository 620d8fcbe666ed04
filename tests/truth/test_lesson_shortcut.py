"""The lesson `shortcut`: its formulas against brute force; broken ones are noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from semblance.errors import InputError
from semblance.explain.lessons import shortcut as lesson
from semblance.explain.lessons.shortcut import Shortcut
from semblance.seeds import Seeds


def disagreeing(*, seed: int = 0, **knobs: Any) -> set[str]:
    return {claim.name for claim in Shortcut(**knobs).run(Seeds(seed)).claims if not claim.agrees}


@pytest.mark.parametrize(
    ("seed", "knobs"),
    [(0, {}), (1, {"signal": 2.5}), (2, {"ill": 0.3}), (3, {"ill": 0.98, "well": 0.02}), (4, {"sharper": 4.0})],
)
def test_the_simulation_bears_the_formulas_out(seed: int, knobs: dict[str, Any]) -> None:
    assert disagreeing(seed=seed, **knobs) == set()


def test_golden_values_by_hand() -> None:
    assert lesson.weight(0.8, 0.2) == pytest.approx(2 * np.log(4))
    assert lesson.area(1.0, 0.0, 0.3, 0.9) == pytest.approx(norm.cdf(np.sqrt(0.5)))
    assert lesson.area(1.0, 1e6, 1.0 - 1e-12, 1e-12) == pytest.approx(1)
    assert lesson.sharper(0.8, 2.0) == pytest.approx(16 / 17)
    # Where the mark means nothing it has no weight, and no verdict turns.
    assert lesson.turned(1.0, 0.4, 0.4) == pytest.approx(0)


def test_the_best_score_at_home_is_the_one_that_is_used() -> None:
    best = lesson.weight(0.8, 0.1)
    areas = [lesson.area(1.0, mark, 0.8, 0.1) for mark in (best - 1, best, best + 1)]
    assert areas[1] > max(areas[0], areas[2])


BROKEN: list[tuple[str, Callable[..., Any], str]] = [
    ("area", lambda d, w, p, q: float(norm.cdf(d / 2 + w * (p - q) / 9)), "home"),
    ("weight", lambda p, q: float(np.log(p / q)), "home"),
    ("turned", lambda d, p, q: 0.5 * (p * (1 - q) + q * (1 - p)), "turned"),
    ("sharper", lambda p, k: p, "sharp"),
]


@pytest.mark.parametrize(("formula", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    formula: str, broken: Callable[..., Any], noticed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, formula, broken)
    assert noticed in disagreeing()


@pytest.mark.parametrize("knobs", [{"signal": 0.1}, {"ill": 0.1, "well": 0.1}, {"sharper": 9.0}])
def test_a_knob_out_of_reach_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="signal must lie in"):
        Shortcut(**knobs).run(Seeds(0))
