"""The lessons `oversampling`, `augmentation` and `invariance`: formulas that hold, and broken ones noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from semblance.errors import InputError
from semblance.explain.lessons import augmentation, invariance, oversampling
from semblance.seeds import Seeds

LESSONS = {
    "augmentation": (augmentation, augmentation.Augmentation),
    "invariance": (invariance, invariance.Invariance),
    "oversampling": (oversampling, oversampling.Oversampling),
}


def disagreeing(name: str, seed: int = 0, **knobs: Any) -> set[str]:
    return {claim.name for claim in LESSONS[name][1](**knobs).run(Seeds(seed)).claims if not claim.agrees}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("augmentation", {"patients": 5, "copies": 20}),
        ("augmentation", {"within": 0.1, "moved": 2.0}),
        ("invariance", {"zoom": 1.1}),
        ("invariance", {"zoom": 1.9, "margin": 0.2, "error": 0.05}),
        ("oversampling", {"rare": 5, "times": 2, "share": 0.3}),
        ("oversampling", {"apart": 0.5, "times": 30}),
    ],
    ids=str,
)
def test_the_simulation_bears_the_formulas_out_elsewhere(name: str, knobs: dict[str, Any]) -> None:
    assert disagreeing(name, seed=1, **knobs) == set()


BROKEN: list[tuple[str, str, Callable[..., float], set[str]]] = [
    ("augmentation", "squared_error", lambda n, m, v, w, b=0.0: (v + w) / (n * m) + b**2, {"many", "bad"}),
    ("augmentation", "squared_error", lambda n, m, v, w, b=0.0: v / n + w / (n * m) + b, {"bad"}),
    ("augmentation", "worth", lambda m, v, w: float(m), {"worth"}),
    ("invariance", "relabelled", lambda z: 1 - 1 / z, {"relabelled"}),
    ("invariance", "conflict", lambda z: (z - 1) / 2 * math.log(2), {"conflict"}),
    ("invariance", "called_safe", lambda d, m, e: 0.1, {"wrongly_safe", "rightly_safe"}),
    ("invariance", "not_found", lambda d, e: 0.05, {"missed"}),
    ("oversampling", "variance_of_mean", lambda n, v, r: v / (n * r), {"repeated"}),
    ("oversampling", "between_two", lambda v: v, {"between"}),
    ("oversampling", "predicted", lambda p, r: p, {"said"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "what", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    name: str, what: str, broken: Callable[..., float], noticed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LESSONS[name][0], what, broken)
    assert noticed <= disagreeing(name)


def test_conflict_is_the_integral_of_its_definition() -> None:
    """Half the density of both, times the entropy of the label, where both kinds of images lie."""
    for zoom in (1.2, 1.8):

        def nats(size: float, z: float = zoom) -> float:
            large, small = 1.0 * (size <= 1), 1 / z
            p = large / (large + small)
            entropy = -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)
            return (large + small) / 2 * entropy

        assert quad(nats, 0.5, zoom / 2)[0] == pytest.approx(invariance.conflict(zoom), abs=1e-9)


def test_golden_values() -> None:
    assert augmentation.worth(10**9, 1.0, 2.0) == pytest.approx(3.0, abs=1e-6)
    assert oversampling.predicted(0.1, 9) == pytest.approx(0.5)
    assert invariance.called_safe(0.05, 0.05, 0.01) == pytest.approx(0.05, abs=1e-3)
    assert invariance.not_found(0.0, 1.0) == pytest.approx(0.95, abs=1e-12)
    assert np.isclose(invariance.relabelled(2.0), 0.25)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [("augmentation", {"copies": 1}), ("invariance", {"zoom": 3.0}), ("oversampling", {"share": 0.5})],
)
def test_knobs_beyond_their_range_are_refused(name: str, knobs: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"lesson '{name}'"):
        LESSONS[name][1](**knobs).run(Seeds(0))
