"""What every generator in the catalog promises, on small tables that are awkward in one way each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.catalog import GENERATORS
from semblance.contracts import Generator, Model, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import FitError, SemblanceError
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

SECRET = 987_654.321  # one patient's own value, which nothing may print
N = 90


def _run(seed: int = 5) -> Run:
    return Run(Seeds(seed), Ledger(), Local(workers=1))


def _dataset(columns: tuple[Column, ...], values: dict[str, object]) -> Dataset:
    frame = pd.DataFrame({c.name: pd.Series(values[c.name], dtype=_dtype(c)) for c in columns})
    return Dataset(frame, Schema(columns))


def _dtype(column: Column) -> str:
    if column.kind in ("date", "datetime"):
        return "datetime64[us]"
    return "float64" if column.numeric else "object"


def _all_numeric() -> Dataset:
    rng = np.random.default_rng(1)
    age = np.round(rng.uniform(18, 90, N))
    dose = np.round(age / 10 + rng.normal(0, 1, N), 2)
    dose[rng.random(N) < 0.2] = np.nan
    dose[0] = SECRET
    return _dataset(
        (
            Column("age", "integer", low=18, high=90),
            Column("dose", "number", decimals=2, low=-5.0, high=1e6, missing=("",)),
        ),
        {"age": age, "dose": dose},
    )


def _all_labels() -> Dataset:
    rng = np.random.default_rng(2)
    sex = rng.choice(["F", "M"], N).astype(object)
    ward = np.where(sex == "F", "001", rng.choice(["002", "010"], N)).astype(object)
    ward[::7] = None
    stage = rng.choice(["I", "II", "III"], N).astype(object)
    return _dataset(
        (
            Column("sex", "category", categories=("F", "M")),
            Column("ward", "code", categories=("001", "002", "010"), missing=("NA",)),
            Column("stage", "ordinal", categories=("I", "II", "III"), role="target"),
            Column("alive", "boolean", categories=("yes", "no")),
        ),
        {"sex": sex, "ward": ward, "stage": stage, "alive": rng.choice(["yes", "no"], N)},
    )


def _dates() -> Dataset:
    rng = np.random.default_rng(3)
    first = np.datetime64("2019-01-01", "us")
    admitted = first + rng.integers(0, 500, N).astype("timedelta64[D]")
    seen = admitted + rng.integers(0, 86_400, N).astype("timedelta64[s]")
    seen[:5] = np.datetime64("NaT")
    low, high = (np.datetime64(d, "D").astype(int) for d in ("2019-01-01", "2020-12-31"))
    return _dataset(
        (
            Column("admitted", "date", date_format="%Y-%m-%d", low=float(low), high=float(high)),
            Column("seen", "datetime", date_format="%Y-%m-%d %H:%M:%S", missing=("",)),
        ),
        {"admitted": admitted, "seen": seen},
    )


def _degenerate() -> Dataset:
    rng = np.random.default_rng(4)
    return _dataset(
        (
            Column("site", "category", categories=("only",)),
            Column("dose", "number", decimals=1, low=2.5, high=2.5),
            Column("never", "number", missing=("",)),
            Column("nothing", "category", missing=("",)),
            Column("age", "integer", low=0, high=9),
        ),
        {
            "site": ["only"] * N,
            "dose": [2.5] * N,
            "never": [np.nan] * N,
            "nothing": [None] * N,
            "age": rng.integers(0, 10, N),
        },
    )


def _one_column() -> Dataset:
    values = np.round(np.random.default_rng(5).normal(120, 15, N), 1)
    return _dataset((Column("pressure", "number", decimals=1, low=40, high=220),), {"pressure": values})


def _thirty_rows() -> Dataset:
    return _all_numeric().take(np.arange(30))


def _not_ascii() -> Dataset:
    rng = np.random.default_rng(6)
    sex = rng.choice(["女", "男"], N)
    return _dataset(
        (
            Column('性别 "α", β', "category", categories=("女", "男")),
            Column("größe/cm", "number", decimals=1, low=100, high=220),
        ),
        {'性别 "α", β': sex, "größe/cm": np.round(np.where(sex == "女", 163, 176) + rng.normal(0, 6, N), 1)},
    )


def _with_patients() -> Dataset:
    base = _all_numeric()
    columns = (
        Column("patient", "code", role="subject", handling="surrogate"),
        Column("note", "text", handling="blank"),
        *base.schema.columns,
    )
    frame = base.frame.copy()
    frame.insert(0, "note", pd.Series([f"seen {i}" for i in range(N)], dtype=object))
    frame.insert(0, "patient", pd.Series([f"P{i // 3:04d}" for i in range(N)], dtype=object))
    return Dataset(frame, Schema(columns))


TABLES: dict[str, Callable[[], Dataset]] = {
    "all numeric": _all_numeric,
    "all labels": _all_labels,
    "dates": _dates,
    "degenerate": _degenerate,
    "one column": _one_column,
    "thirty rows": _thirty_rows,
    "not ASCII": _not_ascii,
    "patients": _with_patients,
}


@pytest.fixture(scope="module")
def fitted() -> Callable[[str, str], tuple[Dataset, Model]]:
    """Fit each generator once per table."""
    kept: dict[tuple[str, str], tuple[Dataset, Model]] = {}

    def fit(generator: str, table: str) -> tuple[Dataset, Model]:
        if (generator, table) not in kept:
            train = TABLES[table]()
            kept[generator, table] = train, GENERATORS[generator]().fit(train, _run())
        return kept[generator, table]

    return fit


# The nets take about a second to learn the smallest table: all their promises are held by `make test`, and the quick
# tests leave them to `tests/unit/generators`.
every_generator = pytest.mark.parametrize(
    "generator",
    [
        pytest.param(name, marks=pytest.mark.slow if hasattr(recipe, "extra") else ())
        for name, recipe in GENERATORS.items()
    ],
)
every_table = pytest.mark.parametrize("table", list(TABLES))


@every_generator
@every_table
def test_draws_what_the_schema_allows(fitted, generator: str, table: str) -> None:
    train, model = fitted(generator, table)
    fake = model.sample(57, _run())
    assert fake.origin == "synthetic"
    assert fake.n_rows == 57
    assert fake.frame.columns.tolist() == list(train.schema.names)
    assert fake.frame.dtypes.tolist() == train.frame.dtypes.tolist()
    for column in train.schema.modelled:
        values = fake.frame[column.name].dropna()
        if not column.numeric:
            assert set(values) <= set(column.categories), column.name
            continue
        scaled = fake.scale(column.name)[fake.frame[column.name].notna()]
        assert np.all(scaled >= (-np.inf if column.low is None else column.low)), column.name
        assert np.all(scaled <= (np.inf if column.high is None else column.high)), column.name
        if column.kind in ("number", "integer"):
            assert np.array_equal(scaled, np.round(scaled, column.decimals)), column.name
        if column.kind == "date":
            assert np.array_equal(scaled, np.round(scaled)), column.name
    for column in train.schema:
        if not column.modelled:
            assert fake.frame[column.name].isna().all(), f"{column.name} is not to be modelled"


@every_generator
@every_table
def test_missing_stays_possible_and_never_appears_from_nowhere(fitted, generator: str, table: str) -> None:
    train, model = fitted(generator, table)
    fake = model.sample(400, _run())
    for column in train.schema.modelled:
        share = train.frame[column.name].isna().mean()
        drawn = fake.frame[column.name].isna().mean()
        if share in (0.0, 1.0):
            assert drawn == share, column.name
        elif share > 0.05:
            assert drawn > 0, column.name


@every_generator
@every_table
def test_same_seed_same_bytes(fitted, generator: str, table: str) -> None:
    train, model = fitted(generator, table)
    again = GENERATORS[generator]().fit(train, _run())
    pd.testing.assert_frame_equal(model.sample(40, _run()).frame, again.sample(40, _run()).frame)


@every_generator
def test_another_seed_other_rows(fitted, generator: str) -> None:
    _, model = fitted(generator, "all numeric")
    assert not model.sample(40, _run(5)).frame.equals(model.sample(40, _run(6)).frame)


@every_generator
def test_more_workers_same_bytes(fitted, generator: str) -> None:
    train, model = fitted(generator, "all labels")
    many = Run(Seeds(5), Ledger(), Local(workers=3))
    again = GENERATORS[generator]().fit(train, many)
    pd.testing.assert_frame_equal(model.sample(40, _run()).frame, again.sample(40, many).frame)


@every_generator
@every_table
def test_save_and_load_draw_the_same_bytes(fitted, generator: str, table: str, tmp_path: Path) -> None:
    train, model = fitted(generator, table)
    model.save(tmp_path)
    loaded = GENERATORS[generator].load(tmp_path, train.schema)
    pd.testing.assert_frame_equal(model.sample(40, _run()).frame, loaded.sample(40, _run()).frame)


@every_generator
@every_table
def test_model_files_are_data(fitted, generator: str, table: str, tmp_path: Path) -> None:
    _, model = fitted(generator, table)
    model.save(tmp_path)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert files
    for file in files:
        assert file.suffix in (".json", ".npz", ".txt", ".safetensors"), file.name
        content = file.read_bytes()
        assert not content.startswith(b"\x80"), "a pickle begins like this"
        if file.suffix == ".json":
            json.loads(content)
        if file.suffix == ".npz":
            with np.load(file, allow_pickle=False) as arrays:
                assert all(arrays[name].dtype != object for name in arrays.files)


@every_generator
@every_table
def test_repr_shows_no_values(fitted, generator: str, table: str) -> None:
    train, model = fitted(generator, table)
    shown = repr(model) + str(model) + repr(GENERATORS[generator]())
    assert "987654" not in shown
    assert len(shown) < 2000, "a repr this long holds data"
    for column in train.schema:
        for label in column.categories:
            assert not re.search(rf"(?<!\w){re.escape(label)}(?!\w)", repr(model)), column.name


@every_generator
def test_keeps_a_lone_value_to_itself(fitted, generator: str) -> None:
    """One patient's extreme value, inside wide declared bounds, must not come out of the sampler."""
    _, model = fitted(generator, "all numeric")
    assert not np.isclose(model.sample(3000, _run()).scale("dose"), SECRET).any()


@every_generator
def test_refuses_a_table_with_nothing_to_model(generator: str) -> None:
    recipe: Generator = GENERATORS[generator]()
    only_text = _dataset((Column("note", "text", handling="blank"),), {"note": ["a"] * 30})
    reason = recipe.refuses(only_text.schema)
    assert reason
    assert reason.endswith(".")
    with pytest.raises(SemblanceError):
        recipe.fit(only_text, _run())
    assert recipe.refuses(_all_numeric().schema) is None


@every_generator
def test_refuses_no_rows(generator: str) -> None:
    with pytest.raises(FitError):
        GENERATORS[generator]().fit(_all_numeric().take(np.array([], dtype=np.int64)), _run())


@every_generator
def test_fit_leaves_the_training_rows_alone(generator: str) -> None:
    train = _all_labels()
    before = train.frame.copy(deep=True)
    GENERATORS[generator]().fit(train, _run())
    pd.testing.assert_frame_equal(train.frame, before)


@every_generator
def test_a_column_of_labels_that_are_all_too_rare_comes_out_empty(generator: str) -> None:
    frame = pd.DataFrame({"age": [*range(20, 80)] * 5, "code": [f"K{i % 90:02d}.x{i % 90}" for i in range(300)]})
    data = pipeline.read(frame, pipeline.describe(frame))
    run = pipeline.begin(quick=True)
    assert pipeline.sample(pipeline.fit(data, run, generator=generator), run, n=20).frame["code"].isna().all()
