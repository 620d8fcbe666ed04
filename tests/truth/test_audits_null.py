"""With nothing to find, alarms come no more often than stated. Each test here repeats one audit on innocent data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, kstest

from semblance.audits.copies import Copies
from semblance.audits.fidelity.marginals import marginals
from semblance.audits.fidelity.samples import Samples
from semblance.audits.fidelity.twosample import twosample
from semblance.audits.membership import Membership
from semblance.audits.utility import Utility
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

pytestmark = pytest.mark.slow

COLUMNS = (
    Column("a", "number"),
    Column("b", "integer"),
    Column("c", "category"),
    Column("d", "number"),
    Column("y", "boolean", role="target"),
)


def table(n: int, rng: np.random.Generator) -> Dataset:
    """One population: dependent numbers with gaps, a label, an outcome."""
    hidden = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "a": hidden + rng.normal(size=n),
            "b": pd.Series(rng.poisson(np.exp(hidden / 2))).astype(float).mask(rng.random(n) < 0.2),
            "c": np.array(["x", "y", "z"], dtype=object)[np.digitize(hidden + rng.normal(size=n), [-1, 1])],
            "d": rng.exponential(size=n),
            "y": np.where(hidden + rng.logistic(size=n) > 0, "1", "0").astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def trial(seed: int, sizes: tuple[int, int, int]) -> tuple[Comparison, Run]:
    rng = np.random.default_rng(seed)
    return Comparison(*(table(n, rng) for n in sizes)), Run(Seeds(seed), Ledger(), Local(1), quick=True)


def expected(hits: int, n: int, rate: float) -> None:
    """`hits` of `n` lies in the 99 % band of a binomial at `rate`, or on the careful side of it."""
    assert hits <= binom.ppf(0.995, n, rate), f"{hits} of {n} at a stated rate of {rate}"


@pytest.mark.parametrize("sizes", [(200, 200, 300), (320, 80, 300)], ids=["50/50", "80/20"])
def test_nearest_neighbour_p_is_uniform_at_any_split(sizes: tuple[int, int, int]) -> None:
    n = 120
    nearest, tail, share, near = [], [], 0, 0
    for seed in range(n):
        comparison, run = trial(seed, sizes)
        found = {f.name: f for f in Copies(permutations=1_000).judge(comparison, run)}
        nearest.append(found["copies.nearest.p"].value)
        tail.append(found["copies.tail.p"].value)
        share += not found["copies.nearest.share"].low <= 0.5 <= found["copies.nearest.share"].high  # type: ignore[operator]
        near += found["copies.near.excess"].low > 0  # type: ignore[operator]
    assert kstest(nearest, "uniform").pvalue > 0.01
    for values in (nearest, tail):
        for level in (0.01, 0.05, 0.2):
            expected(sum(p <= level for p in values), n, level)
    expected(share, n, 0.05)
    expected(near, n, 0.025)


def test_excess_over_the_floor_covers_nothing() -> None:
    """Per column, and for the mean over columns."""
    n, beyond, columns_beyond = 200, 0, 0
    for seed in range(n):
        comparison, run = trial(seed, (400, 300, 400))
        samples = Samples(COLUMNS, comparison.train, comparison.held, comparison.fake)
        found = marginals(samples, run).detail
        beyond += not found["excess"]["low"] <= 0 <= found["excess"]["high"]
        columns_beyond += sum(not c["excess_low"] <= 0 <= c["excess_high"] for c in found["columns"])
    expected(beyond, n, 0.05)
    expected(columns_beyond, n * len(COLUMNS), 0.05)


def test_classifier_interval_covers_a_half() -> None:
    n, missed, below, values = 40, 0, 0, []
    for seed in range(n):
        comparison, run = trial(seed, (400, 400, 400))
        found = twosample(Samples(COLUMNS, comparison.train, comparison.held, comparison.fake), run)
        missed += found.low > 0.5  # type: ignore[operator]
        below += found.high < 0.5  # type: ignore[operator]
        values.append(found.value)
    expected(missed, n, 0.025)
    expected(below, n, 0.025)
    assert np.mean(values) == pytest.approx(0.5, abs=0.015)  # type: ignore[arg-type]


def test_membership_intervals_cover_chance() -> None:
    n = 30
    missed = dict.fromkeys(("distance", "density"), 0)
    hits = dict.fromkeys(missed, 0)
    for seed in range(n):
        comparison, run = trial(seed, (700, 700, 700))
        found = {f.name: f for f in Membership().judge(comparison, run)}
        for attack in missed:
            area, rate = found[f"membership.{attack}.auc"], found[f"membership.{attack}.tpr_at_fpr_1pct"]
            missed[attack] += not area.low <= 0.5 <= area.high  # type: ignore[operator]
            hits[attack] += rate.low > 0.01  # type: ignore[operator]
    for attack in missed:
        expected(missed[attack], n, 0.05)
        expected(hits[attack], n, 0.025)


def test_fresh_patients_teach_as_well_as_any() -> None:
    n, missed = 25, 0
    for seed in range(n):
        comparison, run = trial(seed, (400, 400, 400))
        gap = {f.name: f for f in Utility().judge(comparison, run)}["utility.gap.auc"]
        missed += not gap.low <= 0 <= gap.high  # type: ignore[operator]
    expected(missed, n, 0.05)


def test_rows_of_one_patient_are_not_independent_news() -> None:
    """Three rows a patient, all alike but for a jitter: the test that permutes patients keeps its level."""
    columns = (Column("id", "code", role="subject", handling="surrogate"), *COLUMNS)
    p = []
    for seed in range(80):
        rng = np.random.default_rng(seed)

        def visits(n: int, rng: np.random.Generator = rng) -> Dataset:
            once = table(n, rng).frame
            frame = once.loc[np.repeat(np.arange(n), 3)].reset_index(drop=True)
            frame["a"] += rng.normal(0, 0.01, len(frame))
            frame.insert(0, "id", [f"p{i}" for i in np.repeat(np.arange(n), 3)])
            return Dataset(frame, Schema(columns))

        comparison = Comparison(visits(120), visits(60), visits(80))
        run = Run(Seeds(seed), Ledger(), Local(1), quick=True)
        p.append({f.name: f for f in Copies(permutations=1_000).judge(comparison, run)}["copies.nearest.p"].value)
    assert kstest(p, "uniform").pvalue > 0.01
