"""Time divided among pieces of work, and a chain that is complete however little it was given."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.conditionals import allotment
from semblance.conditionals.allotment import Allotment, Plan
from semblance.conditionals.learning import expected_costs
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import InputError
from semblance.generators.chain import Chain


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(allotment, "time", made)
    return made


def test_each_piece_gets_its_share(clock: Clock) -> None:
    plan = Plan([3.0, 1.0, 2.0], minutes=1, workers=1)
    first = plan.begin(0)
    assert first.until - clock.now == pytest.approx(30)
    clock.now += 36  # it took longer than it was given
    plan.end(0)
    second = plan.begin(1)
    assert second.until - clock.now == pytest.approx(8)
    clock.now += 2  # and this one less
    plan.end(1)
    assert plan.begin(2).until - clock.now == pytest.approx(22)


def test_two_workers_share_the_time_of_both(clock: Clock) -> None:
    plan = Plan([2.0, 1.0, 1.0], minutes=1, workers=2)
    assert plan.begin(0).until - clock.now == pytest.approx(60)
    assert plan.begin(1).until - clock.now == pytest.approx(30)
    clock.now += 30
    plan.end(1)
    assert plan.begin(2).until - clock.now == pytest.approx(30)


def test_a_piece_beside_one_that_nobody_else_can_speed_up(clock: Clock) -> None:
    plan = Plan([9.0, 1.0], minutes=1, workers=2)
    assert plan.begin(0).until - clock.now == pytest.approx(60)
    assert plan.begin(1).until - clock.now == pytest.approx(60)


def test_no_limit_is_never_over(clock: Clock) -> None:
    mine = Plan([1.0, 0.0], minutes=float("inf"), workers=2).begin(0)
    spent = mine.part(0.5)
    clock.now += 1e9
    assert not spent()
    assert not mine.cut_short


def test_parts_of_a_piece_share_what_is_left(clock: Clock) -> None:
    mine = Allotment(clock.now + 10)
    half = mine.part(0.5)
    assert not half()
    clock.now += 5
    assert half()
    assert mine.cut_short
    rest = mine.part(1.0)
    assert not rest()
    clock.now += 5
    assert rest()


def linked(n: int = 1500) -> Dataset:
    rng = np.random.default_rng(0)
    risk = rng.normal(size=n)
    table = pd.DataFrame({f"lab{i}": np.round(10 + risk + rng.normal(size=n), 2) for i in range(6)})
    schema = pipeline.describe(table)
    return pipeline.read(table, schema)


def test_a_chain_without_time_is_complete_and_says_so() -> None:
    data = linked()
    run = pipeline.begin(max_minutes=1e-9)
    start = time.monotonic()
    model = pipeline.fit(data, run)
    hurried = time.monotonic() - start
    (note,) = model.notes  # type: ignore[attr-defined]
    assert note.startswith("Stopped by the time limit: 1 of 6 columns learned in full")
    fake = pipeline.sample(model, run, n=1500).frame
    assert fake.notna().all().all()
    for name in fake:  # the marginals need no time
        assert fake[name].mean() == pytest.approx(data.frame[name].mean(), abs=0.15)
    assert abs(fake["lab0"].corr(fake["lab5"])) < 0.1
    assert hurried < 5


def test_a_limit_that_is_not_met_changes_nothing() -> None:
    data = linked(400)
    free, limited = (Chain(trees=4).fit(data, pipeline.begin(max_minutes=limit)) for limit in (None, 60))
    assert limited.notes == ()
    assert [link.boosters for link in free.links] == [link.boosters for link in limited.links]


def test_little_time_cuts_every_column_instead_of_leaving_the_last_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock ticks once each time it is asked, so that the test does not depend on how busy the machine is."""
    clock = Clock()

    def tick() -> float:
        clock.now += 1.0
        return clock.now

    monkeypatch.setattr(clock, "monotonic", tick)
    monkeypatch.setattr(allotment, "time", clock)
    one = Local(workers=1)
    model = Chain().fit(linked(), replace(pipeline.begin(max_minutes=20), engine=one))
    assert "Stopped by the time limit" in model.notes[0]
    assert all(any(link.boosters) for link in model.links[1:])


def test_time_must_be_above_nothing() -> None:
    with pytest.raises(InputError, match="max_minutes"):
        pipeline.begin(max_minutes=0)


def test_what_is_asked_more_costs_more() -> None:
    rng = np.random.default_rng(0)
    coin, many, constant = rng.integers(0, 2, 1000), rng.integers(0, 200, 1000), np.zeros(1000)
    costs = expected_costs(np.column_stack([coin, constant, coin, many, coin]).astype(np.float32))
    assert costs[0] < costs[1] < costs[2] < costs[4] < costs[3]
