"""Planted points: the Pareto line, what a policy would choose, and that it chooses nothing where nothing is good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.evidence import Finding
from semblance.frontier.choice import choose
from semblance.frontier.pareto import line
from semblance.frontier.points import STRONGEST, Luck, Point, pool, pooled, strongest
from semblance.release.gate import Policy

POLICY = Policy.loads(
    """
schema_version = "1"
name = "of the test"
version = "1"

[[rules]]
name = "Membership"
finding = "membership.distance.auc"
bound = "high"
op = "<="
limit = 0.60
reason = "r"
source = "s"
try = "t"

[[rules]]
name = "Not asked by a sweep"
finding = "power.best.leak"
bound = "high"
op = "<="
limit = 0.02
reason = "r"
source = "s"
try = "t"
"""
)
FACTS = {"target": "died", "recipe": "chain"}


def finding(name: str, value: float, half: float, **more: object) -> Finding:
    return Finding(name, "?", value, value - half, value + half, n=500, **more)  # type: ignore[arg-type]


def at(utility: float, risk: float, *, half: float = 0.02) -> dict[str, Finding]:
    found = (
        finding("utility.tstr.auc", utility, 0.02, direction="higher"),
        finding("membership.distance.auc", risk, half, direction="lower"),
        finding(STRONGEST, risk, half, direction="lower"),
    )
    return {f.name: f for f in found}


# ── the Pareto line ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_line_holds_what_nothing_beats_in_both() -> None:
    assert line([1, 2, 3, 4], [0.7, 0.8, 0.75, 0.9], [0.50, 0.55, 0.58, 0.70]) == [1, 2, 4]


def test_points_that_are_equal_share_the_line_and_a_worse_tie_is_off_it() -> None:
    assert line([1, 2], [0.8, 0.8], [0.5, 0.5]) == [1, 2]
    assert line([1, 2], [0.8, 0.8], [0.5, 0.6]) == [1]
    assert line([1, 2], [0.7, 0.8], [0.5, 0.5]) == [2]


def test_nothing_on_the_line_is_beaten_and_everything_off_it_is() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        utility, risk = rng.integers(0, 6, (2, 8)) / 5
        on = line(range(8), list(utility), list(risk))
        for i in range(8):
            beaten = any(
                utility[j] >= utility[i] and risk[j] <= risk[i] and (utility[j], risk[j]) != (utility[i], risk[i])
                for j in range(8)
            )
            assert (i in on) != beaten


# ── the choice ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_most_useful_point_within_the_limits_is_chosen() -> None:
    found = choose({1: at(0.70, 0.52), 2: at(0.80, 0.55), 3: at(0.90, 0.70)}, POLICY, FACTS)
    assert found.chosen == 2
    assert found.not_asked == ("Not asked by a sweep",)
    assert [r.status for r in found.rulings[3]] == ["fail"]


def test_it_is_the_bound_that_must_meet_the_limit_not_the_estimate() -> None:
    found = choose({1: at(0.70, 0.52), 2: at(0.80, 0.55, half=0.06)}, POLICY, FACTS)
    assert found.chosen == 1


def test_of_equally_useful_points_the_safest_is_chosen() -> None:
    """A standard error of the best is about .01 here: .795 is as good as .80, .78 is not."""
    found = choose({1: at(0.78, 0.50), 2: at(0.795, 0.53), 3: at(0.80, 0.57)}, POLICY, FACTS)
    assert found.equals == (2, 3)
    assert found.chosen == 2


def test_without_a_target_the_one_that_is_hardest_to_tell_apart_is_most_useful() -> None:
    def told(auc: float, risk: float) -> dict[str, Finding]:
        apart = finding("fidelity.c2st.auc", auc, 0.02, direction="lower")
        return {**{n: f for n, f in at(0.5, risk).items() if "utility" not in n}, apart.name: apart}

    found = choose({1: told(0.9, 0.51), 2: told(0.6, 0.55), 3: told(0.7, 0.50)}, POLICY, {"target": None})
    assert (found.useful, found.chosen) == ("fidelity.c2st.auc", 2)
    blind = {v: {n: f for n, f in at(0.7, risk).items() if "utility" not in n} for v, risk in ((1, 0.55), (2, 0.52))}
    assert (choose(blind, POLICY, FACTS).useful, choose(blind, POLICY, FACTS).chosen) == ("", 2)


def test_no_point_is_an_answer() -> None:
    found = choose({1: at(0.70, 0.62), 2: at(0.80, 0.65)}, POLICY, FACTS)
    assert found.chosen is None
    assert found.to_dict()["chosen"] is None
    assert not any(v["met"] for v in found.to_dict()["values"])


def test_what_is_not_known_is_not_chosen() -> None:
    unknown = Finding("membership.distance.auc", "?", status="underpowered", why="few")
    known = at(0.9, 0.5)
    assert choose({1: {**known, unknown.name: unknown}}, POLICY, FACTS).chosen is None
    assert choose({1: known}, POLICY, FACTS).chosen == 1
    assert choose({1: known}, POLICY, FACTS, failed=[1]).chosen is None
    assert choose({1: {}, 2: {}}, POLICY, FACTS).chosen is None
    assert choose({1: {}, 2: at(0.7, 0.5)}, POLICY, FACTS).chosen == 2


# ── several fits ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_luck_of_fits_widens_the_interval() -> None:
    fits = [finding("a.b", 0.50, 0.03), finding("a.b", 0.60, 0.03)]
    narrow, wide = pool(fits, Luck(0.0, 0)), pool(fits, Luck.of([[0.50, 0.60], [0.1, 0.2]], [1.0, 1.0]))
    assert (narrow.value, narrow.low, narrow.high) == pytest.approx((0.55, 0.52, 0.58))
    # spread .0707 of two fits, t of 2 degrees of freedom 4.303: .0707 / √2 × 4.303 = .2151; with .03, in squares
    assert wide.high == pytest.approx(0.55 + np.hypot(0.03, 0.2151), abs=1e-4)
    assert wide.low == pytest.approx(0.55 - np.hypot(0.03, 0.2151), abs=1e-4)


def test_intervals_of_pooled_fits_hold_as_often_as_stated() -> None:
    """Two fits at each of five values, no error but their own luck: the truth lies inside 95 times in a hundred."""
    rng, inside, tried = np.random.default_rng(1), 0, 0
    for _ in range(200):
        points = [Point(v, i, (finding("a.b", v + rng.normal(0, 0.1), 0.0),)) for v in range(5) for i in range(2)]
        for value, found in pooled(points).items():
            low, high = found["a.b"].low, found["a.b"].high
            assert low is not None
            assert high is not None
            inside += low <= value <= high
            tried += 1
    assert 0.93 <= inside / tried <= 0.97


def test_an_area_stays_an_area() -> None:
    fits = [finding("a.b", 0.97, 0.03, unit="AUC"), finding("a.b", 0.99, 0.01, unit="AUC")]
    assert pool(fits, Luck(0.05, 4)).high == 1.0
    assert (pool([replace(f, unit="") for f in fits], Luck(0.05, 4)).high or 0) > 1.0


def test_luck_grows_with_the_interval_of_a_value() -> None:
    """What is hard to measure at one value must not blur the others: there, luck is as small as their intervals."""
    points = [
        Point(v, i, (finding("a.b", 0.5 + sign * luck, luck),))
        for v, luck in ((1, 0.1), (2, 0.001))
        for i, sign in ((0, 1), (1, -1))
    ]
    found = pooled(points)
    assert found[1]["a.b"].high == pytest.approx(0.5 + 100 * ((found[2]["a.b"].high or 0) - 0.5))
    assert (found[2]["a.b"].high or 1) < 0.505
    rng, inside = np.random.default_rng(2), 0
    for _ in range(200):
        points = [
            Point(v, i, (finding("a.b", v + rng.normal(0, 0.01 * 3**v), 0.0001 * 3**v),))
            for v in range(5)
            for i in range(2)
        ]
        inside += sum((f["a.b"].low or 9) <= v <= (f["a.b"].high or -9) for v, f in pooled(points).items())
    assert 0.93 <= inside / 1000 <= 0.97


def test_where_there_is_no_interval_the_worst_fit_speaks() -> None:
    p = [
        Finding("a.p", "?", 0.4, unit="p", direction="higher"),
        Finding("a.p", "?", 0.01, unit="p", direction="higher"),
    ]
    assert pool(p, Luck(0.0, 0)).value == 0.01
    n = [Finding("a.n", "?", 0.4, direction="lower"), Finding("a.n", "?", 0.01, direction="lower")]
    assert pool(n, Luck(0.0, 0)).value == 0.4


def test_what_one_fit_does_not_know_is_not_known() -> None:
    fits = [finding("a.b", 0.5, 0.1), Finding("a.b", "?", status="underpowered", why="few")]
    assert pool(fits, Luck(0.0, 0)).status == "underpowered"
    alone = pooled([Point(1, 0, (finding("a.b", 0.5, 0.1),)), Point(1, 1, failed="diverged")])
    assert alone == {1: {}}


def test_the_strongest_attack_is_the_worst_at_each_end() -> None:
    found = strongest(
        [
            finding("membership.distance.auc", 0.52, 0.05),
            finding("membership.density.auc", 0.55, 0.01),
            finding("membership.density.outliers.auc", 0.9, 0.05),
        ]
    )
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.55, 0.54, 0.57))
    assert strongest([finding("a.b", 0.5, 0.1)]) is None
    unknown = Finding("membership.density.auc", "?", status="underpowered", why="few")
    fallen = strongest([finding("membership.distance.auc", 0.52, 0.05), unknown])
    assert fallen is not None
    assert fallen.status == "underpowered"


def test_a_point_reads_back_as_it_was_written() -> None:
    point = Point(2, 1, (finding("a.b", 0.5, 0.1),), {"rate_nats": 3.5}, ("cut short",))
    assert Point.from_dict(point.to_dict()) == point
