from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.contracts import Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import SchemaError
from semblance.generators.marginals import Marginals
from semblance.language.rule import Combination, Derived, MissingUnless, Order
from semblance.privacy.ledger import Allowance, Ledger
from semblance.rules.broken import inspect
from semblance.rules.model import load_with_rules
from semblance.rules.private import declared_facts, fit_with_rules_privately
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

RULES = (
    Order(("admitted", "discharged"), (False,)),
    Derived("stay", "discharged - admitted"),
    MissingUnless("pregnancies", 'sex == "F"'),
    Combination(("site", "ward")),
)
COLUMNS = (
    Column("admitted", "date", low=17_000, high=18_000, bounds="declared", date_format="%Y-%m-%d"),
    Column("discharged", "date", low=17_000, high=18_200, bounds="declared", date_format="%Y-%m-%d"),
    Column("stay", "integer"),
    Column("sex", "category", categories=("F", "M"), bounds="declared"),
    Column("pregnancies", "integer", low=0, high=15, bounds="declared", missing=("",)),
    Column("site", "category", categories=("A", "B"), bounds="declared"),
    Column("ward", "category", categories=("1", "2", "3"), bounds="declared"),
)


def begin(epsilon: float = 3.0) -> Run:
    return Run(Seeds(1), Ledger("cohort", Allowance(epsilon, 1e-6)), Local(workers=1))


def patients(n: int = 3000) -> Dataset:
    rng = np.random.default_rng(2)
    admitted = rng.integers(17_000, 18_000, n)
    stay = rng.poisson(6, n)
    stay[:20] = -3  # some rows break the order
    sex = rng.choice(["F", "M"], n).astype(object)
    site = rng.choice(["A", "B"], n).astype(object)
    ward = np.where(site == "A", "1", rng.choice(["2", "3"], n)).astype(object)
    ward[0], site[0] = "3", "A"  # one patient's own combination
    frame = pd.DataFrame(
        {
            "admitted": admitted.astype("datetime64[D]").astype("datetime64[us]"),
            "discharged": (admitted + stay).astype("datetime64[D]").astype("datetime64[us]"),
            "stay": stay.astype(float),
            "sex": sex,
            "pregnancies": np.where(sex == "F", rng.poisson(2, n), np.nan),
            "site": site,
            "ward": ward,
        }
    )
    return Dataset(frame, Schema(COLUMNS, rules=RULES))


def test_every_rule_holds_in_every_row_and_nothing_else_was_spent(tmp_path) -> None:
    run, recipe = begin(), Marginals(method="mst", cells=12)
    model = fit_with_rules_privately(recipe, patients(), run)
    fake = model.sample(3000, run)
    for rule in RULES:
        assert not inspect(fake, rule, real=[fake]).broken.any(), rule
    pairs = set(zip(fake.frame["site"], fake.frame["ward"], strict=True))
    assert pairs == {("A", "1"), ("B", "2"), ("B", "3")}, "the one patient's combination stays with the patient"
    stay = fake.scale("stay")
    assert abs(np.nanmean(stay) - 6) < 1.5
    assert {c.purpose.split("/")[0] for c in run.ledger.charges} == {"marginals"}
    assert 2.9 < run.ledger.epsilon <= 3.0
    assert model.rows == pytest.approx(2980, abs=300)
    model.save(tmp_path)
    again = load_with_rules(Marginals, tmp_path, patients().schema)
    pd.testing.assert_frame_equal(again.sample(500, run).frame, model.sample(500, run).frame)
    assert "A" not in str(model.notes)


def test_facts_without_patients_do_not_depend_on_them() -> None:
    facts = declared_facts(patients().schema)
    assert facts.gaps == {"discharged"}
    assert facts.own_gaps == {"stay"}
    assert facts.tables == {("site", "ward"): {}}
    assert facts.alone == {"discharged": 17_000.0}


@pytest.mark.slow
def test_combinations_that_drown_in_noise_are_refused_by_name() -> None:
    with pytest.raises(SchemaError, match="site, ward"):
        fit_with_rules_privately(Marginals(method="mst"), patients(60), begin(0.05))
