from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.contracts import Run
from semblance.data.cells import Cells
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import BudgetExceeded, FitError, InputError, Unsupported
from semblance.generators.marginals import Marginals, MarginalsModel
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.ledger import Allowance, Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

DELTA = 1e-6
FAST = Marginals(method="mst", cells=8)


def begin(epsilon: float | None = 2.0, seed: int = 1, cap: int | None = 1) -> Run:
    allowed = None if epsilon is None else Allowance(epsilon, DELTA, cap=cap)
    return Run(Seeds(seed), Ledger("cohort", allowed), Local(workers=1))


def patients(n: int = 2500) -> Dataset:
    """Every kind of column, all declared: age tells the stage, and the stage tells who dies."""
    rng = np.random.default_rng(4)
    age = rng.integers(18, 96, n)
    stage = np.clip((age - 18) // 26 + (rng.random(n) < 0.2), 0, 2)
    dead = rng.random(n) < np.array([0.05, 0.3, 0.8])[stage]
    dose = np.round(age / 10 + rng.normal(0, 1, n), 2)
    dose[rng.random(n) < 0.3] = np.nan
    day = np.datetime64("2020-01-01", "us") + rng.integers(0, 900, n).astype("timedelta64[D]")
    seen = day + rng.integers(0, 86_400, n).astype("timedelta64[s]")
    columns = (
        Column("age", "integer", low=0, high=120),
        Column("dose", "number", low=-10.0, high=100.0, decimals=2, missing=("NA",)),
        Column("stage", "ordinal", categories=("I", "II", "III")),
        Column("dead", "boolean", categories=("no", "yes"), role="target"),
        Column("day", "date", low=18_000.0, high=20_000.0, date_format="%Y-%m-%d"),
        Column("seen", "datetime", low=1.5e9, high=1.7e9, date_format="%Y-%m-%d %H:%M:%S"),
        Column("code", "code", categories=("001", "010", "200"), missing=("",)),
    )
    frame = pd.DataFrame(
        {
            "age": age.astype(float),
            "dose": dose,
            "stage": np.array(["I", "II", "III"], dtype=object)[stage],
            "dead": np.where(dead, "yes", "no").astype(object),
            "day": day,
            "seen": seen,
            "code": pd.Series(rng.choice(["001", "010"], n), dtype=object),
        }
    )
    return Dataset(frame, Schema(tuple(replace(c, bounds="declared") for c in columns)))


@pytest.fixture(scope="module")
def learned() -> tuple[Dataset, Run, MarginalsModel, Dataset]:
    data, run = patients(), begin()
    model = FAST.fit(data, run)
    return data, run, model, model.sample(4000, run)


def test_every_value_is_one_that_the_schema_allows(learned) -> None:
    data, _, _, fake = learned
    assert fake.frame.dtypes.tolist() == data.frame.dtypes.tolist()
    for column in data.schema:
        values = fake.frame[column.name].dropna()
        if not column.numeric:
            assert set(values) <= set(column.categories)
            continue
        scaled = fake.scale(column.name)
        scaled = scaled[~np.isnan(scaled)]
        assert scaled.min() >= column.low
        assert scaled.max() <= column.high
        if column.kind in ("integer", "number"):
            assert np.array_equal(scaled, np.round(scaled, column.decimals))
        if column.kind == "date":
            assert np.array_equal(scaled, np.round(scaled))


def test_what_belongs_together_stays_together(learned) -> None:
    data, _, _, fake = learned
    for table in (data, fake):
        old = table.frame["age"] > 75
        assert (table.frame["stage"][old] == "III").mean() > 0.65
    rates = [t.frame["dead"].eq("yes").groupby(t.frame["stage"]).mean() for t in (data, fake)]
    assert np.abs(rates[0] - rates[1]).max() < 0.12
    assert abs(fake.frame["dose"].isna().mean() - 0.3) < 0.05
    assert not fake.frame["age"].isna().any(), "no gaps from noise"
    assert abs(data.scale("age").mean() - fake.scale("age").mean()) < 3


def test_all_that_was_spent_is_entered_and_within_the_allowance(learned) -> None:
    data, run, model, _ = learned
    assert [c.purpose for c in run.ledger.charges] == ["marginals/cells", "marginals/columns", "marginals/links"]
    assert 1.98 < run.ledger.epsilon <= 2.0
    assert epsilon_of(run.ledger.event, DELTA).epsilon == run.ledger.epsilon
    assert abs(model.rows - data.n_rows) < 200
    assert model.rows != data.n_rows, "how many patients there are is noised like all else"


def test_a_second_fit_finds_nothing_left(learned) -> None:
    data, run, _, _ = learned
    before = len(run.ledger.charges)
    with pytest.raises(BudgetExceeded):
        FAST.fit(data, run)
    assert len(run.ledger.charges) == before


@pytest.mark.slow
def test_noise_does_not_come_from_the_seed(learned) -> None:
    data, _, model, _ = learned
    again = FAST.fit(data, begin())
    assert any(
        not np.array_equal(model.graph.potentials[a], again.graph.potentials.get(a)) for a in model.graph.potentials
    )


def test_drawing_comes_from_the_seed_and_spends_nothing(learned) -> None:
    _, run, model, fake = learned
    spent = run.ledger.epsilon
    pd.testing.assert_frame_equal(model.sample(4000, run).frame, fake.frame)
    assert not model.sample(4000, begin(seed=2)).frame.equals(fake.frame)
    assert run.ledger.epsilon == spent


def test_a_saved_model_draws_the_same(learned, tmp_path: Path) -> None:
    data, run, model, fake = learned
    model.save(tmp_path)
    pd.testing.assert_frame_equal(Marginals.load(tmp_path, data.schema).sample(4000, run).frame, fake.frame)
    (tmp_path / "potentials.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="complete"):
        Marginals.load(tmp_path, data.schema)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "epsilon"), [("aim", 0.05), ("aim", 5.0), ("mst", 0.05)])
def test_both_methods_stay_within_any_allowance(method: str, epsilon: float) -> None:
    run = begin(epsilon)
    fake = Marginals(method=method, cells=6).fit(patients(800), run).sample(50, run)
    assert fake.n_rows == 50
    assert 0.98 * epsilon < run.ledger.epsilon <= epsilon


@pytest.mark.slow
def test_nothing_is_read_off_that_nobody_declared() -> None:
    """Bounds and labels that were inferred are ignored: two schemas that differ in them alone behave alike."""
    data = patients()
    wrong = Schema(tuple(replace(c, bounds="inferred", low=None, high=None, categories=()) for c in data.schema))
    frame = data.frame.copy()
    frame.loc[0, "code"] = "one patient's own"
    frame.loc[0, "dose"] = 98_765.43
    run = begin(4.0)
    model = FAST.fit(Dataset(frame, wrong), run)
    fake = model.sample(2500, run)
    assert set(fake.frame["code"].dropna()) == {"001", "010"}
    assert set(fake.frame["stage"]) == {"I", "II", "III"}
    doses = fake.scale("dose")[fake.frame["dose"].notna()]
    assert 98_765.43 not in doses
    assert (doses >= 1000).mean() < 0.05  # noise alone may find somebody in an empty power of two
    assert abs(np.nanmedian(fake.scale("age")) - np.median(data.scale("age"))) < 12
    assert any("failure" in charge.mechanism for charge in run.ledger.charges)


def test_dates_that_noise_puts_beyond_the_calendar_stay_dates() -> None:
    """Without declared bounds noise may make a cell where nobody is: in a power of two that no calendar holds."""
    column = Column("day", "date", date_format="%Y-%m-%d")
    far = np.array([-(2.0**40), 2.0**40])
    cells = Cells(column, (), np.full(2, np.nan), tuple(np.array([x, x]) for x in far), far[1:], np.arange(2), False)
    drawn = cells.decode(np.array([0, 1], dtype=np.int32), np.random.default_rng(0))
    assert drawn.dt.year.tolist() == [1000, 9999]


@pytest.mark.slow
def test_a_patient_with_many_rows_weighs_as_one() -> None:
    """A thousand rows of one patient, and one each of a thousand others: capped at 1, they hardly show."""
    columns = (
        Column("id", "code", role="subject", handling="surrogate"),
        Column("sex", "category", categories=("F", "M"), bounds="declared"),
    )
    names = ["loud"] * 1000 + [f"p{i}" for i in range(1000)]
    frame = pd.DataFrame({"id": names, "sex": ["M"] * 1000 + ["F"] * 1000}, dtype=object)
    data = Dataset(frame, Schema(columns))
    run = begin(8.0)
    model = FAST.fit(data, run)
    assert (model.sample(2000, run).frame["sex"] == "M").mean() < 0.02
    assert 900 < model.rows < 1100
    three = begin(8.0, cap=3)
    assert 900 < FAST.fit(data, three).rows < 1100
    assert three.ledger.epsilon <= 8.0


def test_without_an_allowance_answers_are_exact_and_nothing_is_claimed() -> None:
    data, run = patients(), begin(None)
    model = FAST.fit(data, run)
    assert not run.ledger.charges, "the pipeline enters it as epsilon = infinity"
    fake, again = (FAST.fit(data, begin(None)).sample(400, run) for _ in range(2))
    pd.testing.assert_frame_equal(fake.frame, again.frame)
    assert model.rows == data.n_rows


def test_rows_under_conditions_meet_them_and_are_the_models_own_otherwise(learned) -> None:
    _, run, model, _ = learned
    free = model.sample(20_000, run).frame
    meets = (free["age"] >= 70) & (free["dead"] == "yes")
    rows, account = model.sample_given(5000, ["age>=70", "dead=yes"], run)
    assert (rows.frame["age"] >= 70).all()
    assert (rows.frame["dead"] == "yes").all()
    assert account.probability == pytest.approx(meets.mean(), abs=0.02)
    assert account.caution is None
    stages = [
        frame["stage"].value_counts(normalize=True).reindex(["I", "II", "III"], fill_value=0.0)
        for frame in (rows.frame, free[meets])
    ]
    assert np.abs(stages[0] - stages[1]).max() < 0.05
    gaps, _ = model.sample_given(100, ["dose is missing"], run)
    assert gaps.frame["dose"].isna().all()
    assert model.labels_of("stage") == ("I", "II", "III")
    with pytest.raises(InputError):
        model.sample_given(5, ["age is missing"], run)
    for refused in (lambda: model.impute(rows, run), lambda: model.log_prob(rows)):
        with pytest.raises(Unsupported, match="chain"):
            refused()


@pytest.mark.parametrize("wrong", [{"method": "magic"}, {"cells": 3}, {"graph": 10}, {"min_patients": 0}])
def test_wrong_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Marginals(**wrong)


def test_nothing_to_learn_from_is_refused_before_anything_is_charged() -> None:
    run = begin()
    with pytest.raises(FitError):
        FAST.fit(patients().take(np.array([], dtype=np.int64)), run)
    assert not run.ledger.charges
