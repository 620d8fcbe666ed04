"""All attacks of the catalog: as quiet on fresh patients as they state, and of one mind about a planted leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semblance.attacks.leak import mix
from semblance.audits.singling_out import SinglingOut
from semblance.catalog import AUDITS
from semblance.contracts import Audit, Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("age", "integer", role="quasi-identifier"),
    Column("sex", "category", role="quasi-identifier"),
    Column("lab", "number", role="sensitive", decimals=2),
    Column("y", "boolean", role="target"),
)
NAMES = ("copies", "membership", "singling_out", "linkage", "inference")
SPLITS = ((200, 200, 200), (400, 100, 400))
"""Training, held-out and fresh patients: at 50/50 and at 80/20."""
TAIL = 0.025
"""An interval of 95 % lies wholly above the truth this often."""


def attacks(predicates: int) -> list[Audit]:
    made = [AUDITS[name]() for name in NAMES]
    return [SinglingOut(attacks=predicates) if a.name == "singling_out" else a for a in made]


def table(n: int, rng: np.random.Generator) -> Dataset:
    """A measurement below and above zero, often missing; all hang together but the sex."""
    cause = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "age": np.round(60 + 10 * cause + 5 * rng.normal(size=n)),
            "sex": rng.choice(["f", "m"], n).astype(object),
            "lab": pd.Series(np.round(cause + rng.normal(size=n), 2)).mask(rng.random(n) < 0.2),
            "y": np.where(cause + rng.logistic(size=n) > 0, "1", "0").astype(object),
        }
    )
    return Dataset(frame, Schema(COLUMNS))


def fresh(seed: int, sizes: tuple[int, int, int]) -> tuple[Comparison, Run]:
    rng = np.random.default_rng(seed)
    train, held, fake = (table(n, rng) for n in sizes)
    comparison = Comparison(train, held, replace(fake, origin="synthetic"))
    return comparison, Run(Seeds(seed), Ledger(), Local(1), quick=True)


def alarms(finding: Finding) -> Iterator[tuple[str, bool]]:
    """What in a finding says at a stated rate that training patients fare worse than strangers, and whether it does."""
    if finding.low is None or finding.value is None:
        return
    if "excess" in finding.detail:  # shares that say how much is known at all; the leak is the difference
        yield finding.name, finding.detail["excess"]["low"] > 0
    elif finding.unit == "p":
        yield finding.name, finding.value <= TAIL
    else:
        assert finding.baseline is not None, finding.name
        yield finding.name, finding.low > finding.baseline


def check(trials: int) -> None:
    """Half of the trials at each split; no alarm comes more often than its rate allows, with 99.5 % probability."""
    rung, asked = Counter[str](), Counter[str]()
    for seed in range(trials):
        comparison, run = fresh(seed, SPLITS[seed % 2])
        for audit in attacks(400):
            for finding in audit.judge(comparison, run):
                for name, alarm in alarms(finding):
                    asked[name] += 1
                    rung[name] += alarm
    assert {name.split(".")[0] for name in asked} == set(NAMES)
    assert len(asked) > 20
    too_many = {name: (rung[name], n) for name, n in asked.items() if rung[name] > binom.ppf(0.995, n, TAIL)}
    assert not too_many
    # All together as well: not each just below its own limit.
    assert sum(rung.values()) <= 1.5 * TAIL * sum(asked.values())


def test_forty_innocent_tables() -> None:
    check(40)


@pytest.mark.slow
def test_two_hundred_innocent_tables() -> None:
    check(200)


HEADLINES = {
    "copies.exact.excess": 0.0,
    "membership.distance.auc": 0.5,
    "membership.density.auc": 0.5,
    "singling_out.multivariate.advantage": 0.0,
    "linkage.random.advantage": 0.0,
    "inference.worst.advantage": 0.0,
}


def detailed(n: int, rng: np.random.Generator) -> Dataset:
    """The same patients with three more measurements: enough to tell one from another."""
    data = table(n, rng)
    more = {name: np.round(rng.normal(size=n) - data.frame["age"] / 20, 2) for name in ("b", "c", "d")}
    columns = (*COLUMNS, *(Column(name, "number", decimals=2) for name in more))
    return Dataset(data.frame.assign(**more), Schema(columns))


def test_attacks_agree_about_a_planted_leak() -> None:
    """One table with none, a fifth and a half of its rows real: every attack rings, and the louder the larger."""
    rng, run = np.random.default_rng(1), Run(Seeds(1), Ledger(), Local(1), quick=True)
    train, held, fake = (detailed(700, rng) for _ in range(3))
    comparison = Comparison(train, held, replace(fake, origin="synthetic"))
    found = {
        share: {f.name: f for a in attacks(1_200) for f in a.judge(mix(comparison, share, run), run)}
        for share in (0.0, 0.2, 0.5)
    }
    for name, innocent in HEADLINES.items():
        values = [f[name].value for f in found.values()]
        assert found[0.0][name].low <= innocent, name  # type: ignore[operator]
        assert found[0.2][name].low > innocent, name  # type: ignore[operator]
        assert values == sorted(values), name  # type: ignore[type-var]
    for share in (0.2, 0.5):
        # One row in five of a table as long as the training table is one training patient in five.
        for name in ("copies.exact.excess", "linkage.random.advantage", "inference.worst.advantage"):
            assert found[share][name].low <= share <= found[share][name].high, name  # type: ignore[operator]
