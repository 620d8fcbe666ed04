"""What may be asked for, and what a promise refuses before it reads anything."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from semblance import pipeline
from semblance.errors import BudgetExceeded, InputError, Unsupported
from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.generators.marginals import Marginals
from semblance.language.rule import Order
from semblance.pipeline.spending import Budget, Promise, check_private, promising, usual, without_what_was_read
from semblance.privacy.events import DiscreteGaussian
from semblance.privacy.ledger_file import CohortLedger
from semblance.schema import Column, Schema
from semblance.source import read_source

ONE = Budget(epsilon=1.0)


@dataclass(frozen=True)
class Peeking(Independent):
    """Says that it is private, and is not."""

    name: ClassVar[str] = "peeking"
    private: ClassVar[bool] = True


@pytest.mark.parametrize(
    "asked",
    [{"delta": 1e-6}, {"epsilon": 0.0}, {"epsilon": float("inf")}, {"epsilon": 1.0, "delta": 1.0}, {"rows": 0}],
)
def test_what_cannot_be_promised_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Budget(**asked)


def test_two_units_are_refused() -> None:
    assert Budget(epsilon=1.0, unit="household").subject(None) == "household"
    assert ONE.subject("patient") == "patient"
    with pytest.raises(InputError, match="two units"):
        Budget(epsilon=1.0, unit="household").subject("patient")


def test_the_usual_recipe_depends_on_what_is_promised() -> None:
    assert (usual(None, Budget()).name, usual(None, ONE).name) == ("chain", "marginals")
    with pytest.raises(Unsupported, match="no differential privacy"):
        usual(Chain(), ONE)
    with pytest.raises(Unsupported, match="breaks its promise"):
        usual(Peeking(), ONE)


def test_rules_that_would_be_learned_without_a_charge_are_refused() -> None:
    schema = Schema((Column("low", "integer"), Column("high", "integer")), rules=(Order(("low", "high"), (False,)),))
    with pytest.raises(Unsupported, match="rules"):
        check_private(Marginals(), schema)
    check_private(Marginals(), replace(schema, rules=()))


def test_only_what_a_person_declared_stays_in_the_schema() -> None:
    read = Schema(
        (
            Column("age", "integer", low=18.0, high=94.0, why="seen"),
            Column("stage", "ordinal", categories=("I", "II")),
            Column("dose", "number", low=0.0, high=9.0, bounds="declared"),
        )
    )
    age, stage, dose = without_what_was_read(read).columns
    assert (age.low, age.high, age.why) == (None, None, "")
    assert (stage.kind, stage.categories) == ("category", ())
    assert dose == read["dose"]


def _fail_after_spending(promise: AbstractContextManager[Promise]) -> None:
    with promise as made:
        made.ledger.spend("counts", DiscreteGaussian(40.0))
        raise RuntimeError("the disk is full")


def test_a_promise_is_closed_however_it_ends(patients_csv: Path) -> None:
    raw = read_source(patients_csv)
    asked = {"schema": None, "target": None, "subject": None, "purpose": "run/test"}
    told: list[str] = []
    with promising(raw, replace(ONE, show=lambda plan: told.append(str(plan))), **asked) as promise:
        promise.ledger.spend("counts", DiscreteGaussian(40.0))
        promise.released = True
    with pytest.raises(RuntimeError):
        _fail_after_spending(promising(raw, ONE, **asked))
    with promising(raw, Budget(), **asked) as open_one:
        open_one.released = True
    (cohort,) = CohortLedger().books().each()
    assert [r.status for r in cohort.releases.values()] == ["committed", "aborted", "committed"]
    assert [len(r.spent) for r in cohort.releases.values()] == [1, 1, 0]
    assert cohort.unprotected == 1
    assert told
    assert "ε = 1.00 of the cohort's 3.00" in told[0]


def test_a_delta_that_hides_a_patient_is_refused(tmp_path: Path, patients_csv: Path) -> None:
    with pytest.raises(BudgetExceeded, match="delta"):
        pipeline.train(patients_csv, tmp_path / "m", budget=Budget(epsilon=1.0, delta=0.01))
    with pytest.raises(Unsupported, match="cannot be resumed"):
        pipeline.train(
            pd.read_csv(patients_csv), tmp_path / "m", budget=ONE, resume=True, schema=pipeline.describe(patients_csv)
        )
    assert not (tmp_path / "m").exists()
