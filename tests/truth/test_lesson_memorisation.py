"""The lesson `memorisation`: its formulas against brute force, the audits against them; broken ones are noticed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from semblance.errors import InputError
from semblance.explain import crowd
from semblance.explain.blur import Release, given_away, patients_of
from semblance.explain.lessons import memorisation as lesson
from semblance.explain.lessons.memorisation import ALARMS, Memorisation
from semblance.seeds import Seeds

KEPT = {name: getattr(lesson, name) for name in ("watch", "averaged", "copied")}
LEARNED: dict[Any, Any] = {}


def disagreeing(monkeypatch: pytest.MonkeyPatch, *, seed: int = 0, **knobs: Any) -> set[str]:
    """Claims that do not agree. What takes time runs once, so that formulas can be broken beside it for nothing."""

    def once(name: str) -> Callable[..., Any]:
        def call(first: Any, patients: int, seeds: Seeds) -> Any:
            key = (name, np.round(first, 9).tobytes(), patients, seeds.root)
            if key not in LEARNED:
                LEARNED[key] = KEPT[name](first, patients, seeds)
            return LEARNED[key]

        return call

    for name in KEPT:
        monkeypatch.setattr(lesson, name, once(name))
    return {claim.name for claim in Memorisation(**knobs).run(Seeds(seed)).claims if not claim.agrees}


@pytest.mark.slow
def test_the_simulation_bears_the_formulas_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert disagreeing(monkeypatch) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "knobs"), [(1, {}), (2, {"bandwidth": 0.02}), (3, {"bandwidth": 0.3}), (4, {"patients": 300})]
)
def test_the_simulation_bears_the_formulas_out_elsewhere(
    seed: int, knobs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert disagreeing(monkeypatch, seed=seed, **knobs) == set()


def test_golden_values_by_hand() -> None:
    # Copies alone: a member was drawn with chance 1 − 1/e and is then certain; else a coin is tossed.
    assert crowd.distance_auc(1e-5, 1000) == pytest.approx(1 - 0.5 / np.e, abs=1e-4)
    assert crowd.nearest_share(1e-5, 1000) == pytest.approx(1, abs=1e-4)
    assert crowd.exact_share(1e-5, 1000, 1e-4) == pytest.approx((1 - 0.1 * np.sqrt(2 / np.pi)) ** 2, abs=1e-5)
    # Nothing but the population: the nearest of 2n − 1 others is any of them.
    assert crowd.nearest_share(300.0, 1000) == pytest.approx(999 / 1999, abs=1e-4)
    assert crowd.distance_auc(300.0, 1000) == pytest.approx(0.5, abs=1e-4)
    # n = 1000, h = 0.1: κ = 10.
    assert crowd.utility(0.1, 1000) == pytest.approx(2 / 1.005 - 0.999 / 1.01 - 0.1, abs=1e-12)
    assert crowd.nearest_share(0.1, 1001) == pytest.approx(0.5 + np.log(21.02) / 40.04, abs=3e-4)
    best = crowd.best_bandwidth(1000)
    assert crowd.utility(best, 1000) >= max(crowd.utility(h, 1000) for h in np.geomspace(0.02, 1.4, 500))


@pytest.mark.parametrize("kappa", [0.1, 2.5, 40.0])
def test_nearest_shares_are_the_integrals_that_they_stand_for(kappa: float) -> None:
    n = 10**8  # so that n − 1 is n
    h = np.sqrt(kappa / n)
    plain = quad(lambda v: quad(lambda e: np.exp(-e - 2 * kappa * v * e), 0, np.inf)[0], 0, 1)[0]
    assert crowd.nearest_share(h, n) == pytest.approx(0.5 + plain / 2, abs=1e-6)
    rng = np.random.default_rng(1)
    at, blur = rng.normal(size=(2, 400_000, 2))
    ranks = np.exp(-2 * kappa * (np.exp(-(at**2)) * blur**2 / 2).sum(axis=1))
    assert crowd.nearest_share_in_ranks(h, n) == pytest.approx(0.5 + ranks.mean() / 2, abs=4 * ranks.std() / 1264)


@pytest.mark.parametrize("kappa", [0.1, 0.75, 2.5, 12.0])
def test_the_open_attacker_is_right_as_often_as_draws_from_the_law_say(kappa: float) -> None:
    rng, n = np.random.default_rng(2), 100_000
    rate = kappa * rng.random((2, n))
    sums, times = np.zeros((2, n)), np.zeros((2, n))
    while (times < 25).any():
        times += rng.exponential(size=(2, n)) / rate
        sums += np.exp(-times)
    right = ((1 + sums[0]) / rate[0] > sums[1] / rate[1]).mean()
    assert crowd.open_auc(np.sqrt(kappa / 1000), 1000) == pytest.approx(right, abs=4 * 0.5 / np.sqrt(n))


def test_from_where_an_alarm_rings() -> None:
    wide_to_narrow = np.array([0.4, 0.2, 0.1, 0.05])
    assert lesson.from_where(wide_to_narrow, np.array([-1.0, -1.0, 1.0, 2.0])) == pytest.approx(np.sqrt(0.02))
    assert lesson.from_where(wide_to_narrow, np.array([1.0, -1.0, 3.0, 2.0])) == pytest.approx(0.1 * 2**0.75)
    assert lesson.from_where(wide_to_narrow, np.array([1.0, 1.0, 1.0, 0.0])) == 0
    assert lesson.from_where(wide_to_narrow, np.ones(4)) == 0.4


@cache
def released(bandwidth: float, patients: int, times: int) -> Any:
    """What the alarms say of so many releases: (times, alarms, 3)."""
    found = []
    for i in range(times):
        rng = np.random.default_rng(100 + i)
        by_alarm = lesson.judged(Release.of(patients_of(patients, rng), bandwidth, rng), Seeds(i))
        found.append([[by_alarm[a].value, by_alarm[a].low, by_alarm[a].high] for a in ALARMS])
    return np.array(found)


@pytest.mark.slow
def test_the_audits_are_right_on_average() -> None:
    values = released(0.05, 400, 30)[:, :, 0]
    mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
    for i, alarm in enumerate(ALARMS):
        if alarm != "density":
            assert mean[i] == pytest.approx(lesson.truth(alarm, 0.05, 400), abs=4 * error[i]), alarm
    assert mean[ALARMS.index("density")] < crowd.open_auc(0.05, 400)


@pytest.mark.slow
def test_an_alarm_that_is_due_rings_in_half_of_all_releases() -> None:
    due = lesson.watch(np.array(lesson.BANDWIDTHS), 400, Seeds(1)).due
    for alarm in ("nearest", "distance", "exact"):
        i = ALARMS.index(alarm)
        found = released(round(float(due[i]), 3), 400, 20)[:, i]
        rung = (found[:, 1] > (0 if alarm == "exact" else 0.5)).mean()
        assert 0.1 <= rung <= 0.9, alarm  # 20 coins: once in 2,000 fewer than 3 or more than 18


def test_a_release_that_blurs_all_away_gives_nothing_away() -> None:
    rng = np.random.default_rng(3)
    for share in given_away(Release.of(patients_of(1000, rng), 1.0, rng)):
        assert share == pytest.approx(0.5, abs=0.06)


BROKEN: list[tuple[str, Callable[..., Any], str]] = [
    ("utility", lambda h, n: 2 / (1 + h**2 / 2) - 1 / (1 + h**2), "utility_best"),
    ("utility", lambda h, n: 2 / (1 + h**2 / 2) - 1 / (1 + h**2) - 1 / (2 * n * h**2), "utility"),
    ("nearest_share", lambda h, n: 0.5 + np.log1p(n * h**2) / (2 * n * h**2), "nearest"),
    ("nearest_share", lambda h, n: 0.5 + 0.5 / (1 + 2 * n * h**2), "nearest"),
    ("nearest_share_in_ranks", lambda h, n: 0.5 + 0.5 / (1 + 2 * n * h**2), "audit_nearest"),
    ("distance_auc", lambda h, n: 0.5 + (0.5 - 0.5 / np.e) / (1 + n * h**2), "distance"),
    ("open_auc", lambda h, n: 0.5 + 0.5 / (1 + n * h**2), "open"),
    ("open_auc", lambda h, n: 0.53, "audit_density"),
    ("open_auc", lambda h, n: 0.5, "open_best"),
    ("distance_auc", lambda h, n: 0.55, "audit_distance"),
    ("exact_share", lambda h, n, step: (step / h) ** 2 / (2 * np.pi), "audit_exact"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "broken", "noticed"), BROKEN)
def test_a_broken_formula_is_noticed(
    formula: str, broken: Callable[..., Any], noticed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    disagreeing(monkeypatch)
    monkeypatch.setattr(crowd, formula, broken)
    assert noticed in disagreeing(monkeypatch)


@pytest.mark.parametrize("knobs", [{"bandwidth": 0.001}, {"bandwidth": 0.5}, {"patients": 50}])
def test_a_knob_out_of_reach_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="bandwidth must lie in"):
        Memorisation(**knobs).run(Seeds(0))
