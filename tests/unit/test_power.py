"""What the self-test says of attacks whose eyesight is known, and of real ones on planted leaks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from semblance.attacks.leak import LEAKS
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.data.encode import row_keys
from semblance.engines.local import Local
from semblance.evidence import Evidence, Finding, canonical_json
from semblance.power import ATTACKS, QUICK_LEAKS, Attack, Family, self_test
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (Column("a", "number"), Column("b", "integer"), Column("c", "category"), Column("d", "number"))


def run_of(seed: int = 3, *, workers: int = 2) -> Run:
    return Run(Seeds(seed), Ledger(), Local(workers), quick=True)


def fresh(n: int, seed: int, columns: tuple[Column, ...] = COLUMNS) -> Dataset:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    made = {
        "a": hidden + rng.normal(size=n),
        "b": pd.Series(rng.poisson(np.exp(hidden / 2))).astype(float).mask(rng.random(n) < 0.2),
        "c": np.array(["x", "y", "z"], dtype=object)[np.digitize(hidden + rng.normal(size=n), [-1, 1])],
        "d": rng.exponential(size=n),
        "empty": pd.Series([None] * n, dtype=object),
        "id": [f"p{i}" for i in rng.integers(0, max(1, n // 2), n)],
    }
    return Dataset(pd.DataFrame({c.name: made[c.name] for c in columns}), Schema(columns))


def three(sizes: tuple[int, int, int] = (600, 600, 600), columns: tuple[Column, ...] = COLUMNS) -> Comparison:
    train, held, fake = (fresh(n, seed, columns) for seed, n in enumerate(sizes))
    return Comparison(train, held, replace(fake, origin="synthetic"))


@dataclass(frozen=True)
class Eyes:
    """An audit that answers `says` of the share of synthetic rows that are training rows: (value, half width)."""

    name: ClassVar[str] = "eyes"
    asks: ClassVar[str] = "?"
    says: Callable[[float], tuple[float, float]]
    finding: str = "eyes.share"
    baseline: float = 0.0

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        real = np.isin(row_keys(comparison.fake, COLUMNS), row_keys(comparison.train, COLUMNS))
        value, half = self.says(float(real.mean()))
        return (Finding(self.finding, "?", value, value - half, value + half, baseline=self.baseline, n=9),)


def attack(says: Callable[[float], tuple[float, float]], name: str = "eyes", *, baseline: float = 0.0) -> Attack:
    eyes = Eyes(says, f"{name}.share", baseline)
    return Attack(eyes, eyes, (Family(name, name, (f"{name}.share",)),))


def found(*attacks: Attack, leaks: tuple[float, ...] = LEAKS) -> dict[str, Finding]:
    return {f.name: f for f in self_test(three((1_000, 300, 1_000)), run_of(), attacks=attacks, leaks=leaks)}


def test_a_blind_attack_is_underpowered() -> None:
    for finding in found(attack(lambda share: (0.0, 0.01))).values():
        assert finding.status == "underpowered"
        assert finding.value is None
        assert "20%" in finding.why


def test_an_attack_that_could_not_be_measured_is_underpowered() -> None:
    nobody = Attack(Eyes(lambda share: (0, 0)), Eyes(lambda share: (0, 0)), (Family("x", "x", ("no.such.finding",)),))
    for finding in found(nobody).values():
        assert finding.status == "underpowered"
        assert "could" in finding.why


def test_the_smallest_leak_seen_and_its_interval() -> None:
    limit = found(attack(lambda share: (share, 0.015)))["power.eyes.leak"]
    # seen from .02 on; sure of it where .015 fits in (1 + √2) times, at .05
    assert (limit.value, limit.low, limit.high, limit.status) == (0.02, 0.01, 0.05, "measured")
    assert [d["seen"] for d in limit.detail["doses"]] == [False, False, False, True, True, True]
    assert [d["leak"] for d in limit.detail["doses"]] == list(LEAKS)


def test_where_no_leak_is_plain_the_interval_has_no_end() -> None:
    assert found(attack(lambda share: (share, 0.15)))["power.eyes.leak"].high == 1.0


def test_a_leak_counts_only_if_every_larger_one_is_seen() -> None:
    fickle = found(attack(lambda share: (0.0 if share == 0.02 else share, 0.001)))["power.eyes.leak"]
    assert (fickle.value, fickle.low) == (0.05, 0.02)


def test_what_is_seen_without_a_leak_is_no_news_with_one() -> None:
    loud = found(attack(lambda share: (0.1, 0.02)))["power.eyes.leak"]
    assert loud.status == "underpowered"
    assert loud.detail["standing"]
    louder = found(attack(lambda share: (0.1 + share, 0.02)))["power.eyes.leak"]
    assert louder.value == 0.05
    assert "as it is" in louder.why


def test_an_answer_below_the_baseline_must_still_pass_the_baseline() -> None:
    shy = found(attack(lambda share: (0.4 + share, 0.01), baseline=0.5))["power.eyes.leak"]
    assert shy.value == 0.2


def test_the_best_is_the_smallest_at_a_stricter_level() -> None:
    sharp, dull = attack(lambda share: (share, 0.0045), "sharp"), attack(lambda share: (share, 0.1), "dull")
    alone, both = found(sharp), found(sharp, dull)
    assert alone["power.best.leak"].value == both["power.sharp.leak"].value == 0.005
    # two tries at the same level would be two chances to ring: the interval is widened, and .5 % no longer shows
    assert both["power.best.leak"].value == 0.01
    assert both["power.best.leak"].detail["doses"][2]["by"] == ["sharp"]


def test_the_audits_themselves_find_more_the_more_leaks() -> None:
    measured = self_test(three((700, 500, 700)), run_of())
    limits = {f.name: f for f in measured}
    assert set(limits) == {f"power.{f.name}.leak" for a in ATTACKS for f in a.families} | {"power.best.leak"}
    for finding in measured:
        doses = finding.detail["doses"]
        assert [d["leak"] for d in doses] == list(QUICK_LEAKS)
        if finding.name == "power.best.leak":
            continue
        for small, large in itertools.pairwise(doses):
            assert large["value"] >= small["value"] - (small["value"] - small["low"]), finding.name
        assert finding.status == "underpowered" or finding.low <= finding.value <= finding.high
    assert limits["power.copies.leak"].value == 0.02
    assert limits["power.best.leak"].value == 0.02


def test_an_attack_that_tested_itself_counts_towards_the_best() -> None:
    comparison, dull = three((1_000, 300, 1_000)), attack(lambda share: (share, 0.15), "dull")
    known = self_test(comparison, run_of(), attacks=[attack(lambda share: (share, 0.001), "sharp")], leaks=LEAKS)
    alone, both = (
        {f.name: f for f in self_test(comparison, run_of(), attacks=[dull], leaks=LEAKS, known=found)}
        for found in ((), (*known[:-1], Finding("power.none.leak", "?", status="skipped", why="nothing")))
    )
    assert (alone["power.best.leak"].value, both["power.best.leak"].value) == (0.2, 0.005)
    assert set(both["power.best.leak"].detail["attacks"]) == {"sharp", "dull"}


def test_the_same_seed_gives_the_same_answer_whatever_the_number_of_workers() -> None:
    fast = [ATTACKS[0], ATTACKS[3]]
    one, two = (
        canonical_json(Evidence(self_test(three((300, 200, 300)), run_of(workers=w), attacks=fast)).to_dict())
        for w in (1, 2)
    )
    assert one == two


SUBJECT = Column("id", "code", role="subject", handling="surrogate")
AWKWARD = {
    "twenty patients": three((14, 6, 14)),
    "one row each": three((1, 1, 1)),
    "no synthetic rows": three((100, 60, 0)),
    "empty holdout": three((100, 0, 100)),
    "one label": three((150, 150, 150), COLUMNS[2:3]),
    "an empty column": three((130, 110, 130), (*COLUMNS, Column("empty", "category"))),
    "nothing modelled": three((200, 150, 200), (SUBJECT,)),
    "repeated patients": three((300, 260, 300), (SUBJECT, *COLUMNS)),
    "many more rows than patients": three((60, 60, 700)),
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_tables(case: str) -> None:
    before = AWKWARD[case].fake.frame.copy(deep=True)
    measured = self_test(AWKWARD[case], run_of(), leaks=(0.0, 0.2))
    canonical_json(Evidence(measured).to_dict())
    for finding in measured:
        assert finding.question
        if finding.status == "measured":
            assert finding.low <= finding.value <= finding.high
    if case in ("twenty patients", "one row each", "no synthetic rows", "empty holdout", "nothing modelled"):
        assert {f.status for f in measured} == {"underpowered"}
    pd.testing.assert_frame_equal(before, AWKWARD[case].fake.frame)
