"""Without a leak the self-test sees none, no more often than its intervals say: fresh patients play the table."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from semblance.attacks.response import TAIL
from semblance.contracts import Comparison, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.power import ATTACKS, self_test
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("a", "number", role="quasi-identifier"),
    Column("b", "integer"),
    Column("c", "category", role="quasi-identifier"),
    Column("d", "number"),
    Column("y", "boolean", role="target"),
)
LIGHT = [attack for attack in ATTACKS if attack.audit.name != "singling_out"]
"""Singling out needs larger tables: see ``test_linking_and_singling_out_null.py``."""
NAMES = {f"power.{family.name}.leak" for attack in LIGHT for family in attack.families} | {"power.best.leak"}


def fresh(n: int, rng: np.random.Generator) -> Dataset:
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


def alarms(seeds: int) -> tuple[Counter[str], Counter[str]]:
    """How often each of the findings could be measured, and how often it saw something where nothing was planted."""

    def one(seed: int) -> dict[str, bool]:
        rng = np.random.default_rng(seed)
        comparison = Comparison(fresh(400, rng), fresh(400, rng), fresh(400, rng))
        found = self_test(comparison, Run(Seeds(seed), Ledger(), Local(1), quick=True), attacks=LIGHT, leaks=(0.0,))
        return {f.name: f.detail["doses"][0]["seen"] for f in found if f.detail.get("doses")}

    measured, rung = Counter[str](), Counter[str]()
    for answers in Local().map(one, range(seeds)):
        measured.update(list(answers))
        rung.update(name for name, rings in answers.items() if rings)
    return measured, rung


@pytest.mark.slow
def test_nothing_is_seen_where_nothing_leaks() -> None:
    """Forty tables are asked in ``test_attacks_together.py``, finding by finding; here all that is read together."""
    measured, rung = alarms(200)
    assert set(measured) == NAMES
    for name, n in measured.items():
        assert n >= 150, f"{name} was measured {n} times"
        # in the 99 % band of a binomial, or on the careful side of it
        assert rung[name] <= binom.ppf(0.995, n, TAIL), f"{name} rang {rung[name]} times of {n}"
