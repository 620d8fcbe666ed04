"""Shadow models find what a recipe remembers, and nothing where there is nothing to find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semblance.attacks.targets import choose
from semblance.audits.membership import shadow
from semblance.audits.membership.lira import QUICK, Size
from semblance.contracts import Comparison, Forge, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("sex", "category", role="quasi-identifier"),
    Column("a", "number"),
    Column("b", "number"),
    Column("c", "category"),
    Column("d", "number"),
    Column("e", "number"),
)
EIGHT = Size(models=8, rows=4_000, targets=4_000)


def run_of(seed: int = 0) -> Run:
    return Run(Seeds(seed), Ledger(), Local(1))


def people(n: int, rng: np.random.Generator) -> Dataset:
    """One population: numbers and labels that hang together."""
    hidden = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "sex": np.where(rng.random(n) < 0.3, "f", "m").astype(object),
            "a": hidden + rng.normal(size=n),
            "b": pd.Series(rng.poisson(np.exp(hidden / 2))).astype(float).mask(rng.random(n) < 0.2),
            "c": np.array(["x", "y", "z"], dtype=object)[np.digitize(hidden + rng.normal(size=n), [-1, 1])],
            "d": rng.exponential(size=n),
            "e": hidden + rng.normal(size=n),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def remembering(noise: float) -> Forge:
    """A recipe that draws its own patients again, their numbers moved by some standard deviations."""

    def forge(patients: Dataset, n: int, run: Run, /) -> Dataset:
        rng = run.seeds("forge")
        drawn = patients.take(rng.integers(0, patients.n_rows, n))
        frame = drawn.frame.copy()
        for column in ("a", "b", "d", "e"):
            frame[column] += rng.normal(0, noise * float(patients.frame[column].std()), n)
        return Dataset(frame, patients.schema, "synthetic")

    return forge


def judged(comparison: Comparison, *, seed: int = 0, size: Size = EIGHT) -> dict[str, Finding]:
    return {f.name: f for f in shadow.judge(comparison, COLUMNS, run_of(seed), size)}


def world(seed: int, sizes: tuple[int, int, int], *, noise: float = 0.2) -> Comparison:
    """Training, held-out and fresh patients: the fresh ones stand for a table that remembers nobody."""
    rng = np.random.default_rng(seed)
    train, held, fresh = (people(n, rng) for n in sizes)
    return Comparison(train, held, replace(fresh, origin="synthetic"), forge=remembering(noise))


def remembered(comparison: Comparison, rows: int) -> Comparison:
    """The same, judged on a table that the recipe made from the training patients."""
    assert comparison.forge is not None
    return replace(comparison, fake=comparison.forge(comparison.train, rows, run_of(99)))


def _false_alarms(n: int) -> None:
    missed = rings = groups = 0
    for seed in range(n):
        found = judged(world(seed, (320, 310, 320)), seed=seed, size=replace(QUICK, targets=320))
        area, worst = found["membership.shadow.auc"], found["membership.shadow.groups.auc"]
        missed += not area.low <= 0.5 <= area.high  # type: ignore[operator]
        rings += found["membership.shadow.tpr_at_fpr_1pct"].low > 0.01  # type: ignore[operator]
        groups += worst.low > 0.5  # type: ignore[operator]
    for alarms, rate in ((missed, 0.05), (rings, 0.025), (groups, 0.025)):
        assert alarms <= binom.ppf(0.995, n, rate), (missed, rings, groups)


@pytest.fixture
def no_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semblance.audits.membership.controls.LEAKS", (0.0,))


@pytest.mark.usefixtures("no_leaks")
def test_a_table_that_remembers_nobody_alarms_no_more_often_than_stated() -> None:
    """The recipe would remember every patient; the scores still tell nothing, since nothing told them who is who."""
    _false_alarms(40)


@pytest.mark.slow
@pytest.mark.usefixtures("no_leaks")
def test_nor_does_it_in_two_hundred_worlds() -> None:
    _false_alarms(200)


def test_a_bootstrap_copy_is_told_nearly_always() -> None:
    comparison = remembered(world(1, (500, 400, 500), noise=0.0), rows=2_000)
    found = judged(comparison)
    # All but one in e⁴ training patients were drawn.
    assert found["membership.shadow.auc"].value > 0.97  # type: ignore[operator]
    assert found["membership.shadow.tpr_at_fpr_1pct"].low > 0.9  # type: ignore[operator]
    assert (
        found["membership.shadow.auc"].detail["naive_high"] > 0.5 > found["membership.shadow.auc"].detail["naive_low"]
    )


def test_blurred_memories_are_told_too_and_the_less_the_more_they_are_blurred() -> None:
    areas = [
        judged(remembered(world(2, (500, 400, 500), noise=noise), rows=500))["membership.shadow.auc"]
        for noise in (0.05, 0.3, 3.0)
    ]
    values = [area.value for area in areas]
    assert values == sorted(values, reverse=True)  # type: ignore[type-var]
    assert areas[1].low > 0.55  # type: ignore[operator]
    assert areas[2].low < 0.55  # type: ignore[operator]


def test_a_larger_leak_is_seen_better_and_the_smallest_seen_is_named() -> None:
    leak = judged(world(3, (900, 700, 900)))["power.shadow.leak"]
    doses = leak.detail["doses"]
    assert [dose["leak"] for dose in doses] == [0.0, 0.005, 0.01, 0.02, 0.05, 0.2]
    values = [dose["value"] for dose in doses]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(0.2, abs=0.03)
    assert leak.status == "measured"
    assert leak.value in (0.01, 0.02, 0.05)
    assert leak.low < leak.value <= leak.high  # type: ignore[operator]
    assert not doses[0]["seen"]


def test_a_leak_that_cannot_be_seen_is_not_claimed() -> None:
    blind = judged(world(4, (90, 40, 90)))["power.shadow.leak"]
    assert (blind.status, blind.value) == ("underpowered", None)
    assert blind.why


def test_the_group_that_leaks_is_named() -> None:
    comparison = world(5, (900, 800, 900))
    frame, women = comparison.fake.frame.copy(), comparison.train.frame.query("sex == 'f'")
    frame.iloc[: len(women)] = women.to_numpy()
    leaking = replace(comparison, fake=replace(comparison.fake, frame=frame.astype(comparison.fake.frame.dtypes)))
    worst = judged(leaking)["membership.shadow.groups.auc"]
    assert worst.detail["group"] == "sex = f"
    assert worst.detail["p"] < 0.001
    assert worst.low > 0.9  # type: ignore[operator]
    others = {group["name"]: group for group in worst.detail["groups"]}
    assert others["sex = m"]["low"] < 0.5 < others["sex = m"]["high"]


def test_isolated_patients_are_looked_at_by_themselves() -> None:
    """Recipes that copy only those unlike all others look harmless on average."""
    comparison = world(6, (1_500, 1_500, 1_500))
    targets = choose(comparison, COLUMNS, run_of(), members=1_500, others=1_500)
    far = targets.rows[0][targets.outliers[: targets.members.n_rows]]
    frame = comparison.fake.frame.copy()
    frame.iloc[: len(far)] = comparison.train.frame.iloc[far].to_numpy()
    leaking = replace(comparison, fake=replace(comparison.fake, frame=frame.astype(comparison.fake.frame.dtypes)))
    found = judged(leaking)
    assert found["membership.shadow.outliers.auc"].low > found["membership.shadow.auc"].high  # type: ignore[operator]


def test_a_rate_that_cannot_be_certified_is_refused() -> None:
    """2,995 held-out patients without one false alarm are what 0.1 % takes."""
    found = judged(world(7, (320, 310, 320)))
    refused = found["membership.shadow.tpr_at_fpr_01pct"]
    assert (refused.status, refused.value, refused.low, refused.high) == ("underpowered", None, None, None)
    assert "2995" in refused.why
    assert found["membership.shadow.tpr_at_fpr_1pct"].status == "measured"


@pytest.mark.slow
def test_a_rate_that_can_be_certified_is_stated() -> None:
    comparison = remembered(world(8, (3_100, 3_000, 3_100), noise=0.0), rows=3_100)
    found = judged(comparison, size=replace(EIGHT, models=4))["membership.shadow.tpr_at_fpr_01pct"]
    assert found.status == "measured"
    assert found.value == pytest.approx(1 - 1 / np.e, abs=0.05)
