"""A model that holds its patients is caught, in whatever file it keeps them; one that learned them is not accused."""

from __future__ import annotations

import gzip
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline
from semblance.audits.reconstruction import Reconstruction
from semblance.contracts import Comparison, Generator, Model, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.privacy.ledger import Ledger
from semblance.schema import Column, Schema
from semblance.seeds import Seeds

COLUMNS = (
    Column("number", "code", role="identifier", handling="surrogate"),
    Column("age", "integer"),
    Column("lab", "number", decimals=2),
    Column("bill", "number", decimals=2),
    Column("seen", "date", date_format="%d/%m/%Y"),
    Column("sex", "category", categories=("female", "male")),
    Column("town", "category", categories=("north", "south")),
)
SCHEMA = Schema(COLUMNS)


def run_of(seed: int = 0) -> Run:
    return Run(Seeds(seed), Ledger(), Local(1), quick=True)


def patients(n: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1500, n), unit="D")
    towns = np.where(rng.random(n) < 0.5, "north", "south").astype(object)
    towns[: n // 20] = [f"hamlet {seed}-{i}" for i in range(n // 20)]  # each the home of one
    frame = pd.DataFrame(
        {
            "number": [f"MRN{k:09d}" for k in rng.integers(0, 10**9, n)],
            "age": np.round(rng.normal(60, 12, n)),
            "lab": np.round(rng.lognormal(3, 0.6, n), 2),
            "bill": np.round(rng.lognormal(9, 1.0, n), 2),
            "seen": pd.Series(days).astype("datetime64[us]"),
            "sex": rng.choice(np.array(["female", "male"], dtype=object), n),
            "town": towns,
        }
    )
    return Dataset(frame, Schema(COLUMNS))


@cache
def parts() -> tuple[Dataset, Dataset]:
    return patients(700, 1), patients(300, 2)


@dataclass(frozen=True)
class Keeps:
    """A model that writes what it is told to; everything else about it is innocent."""

    write: Callable[[Path], object]
    schema: Schema = SCHEMA
    keeps_real_values: bool = True

    def sample(self, n: int, run: Run) -> Dataset:
        return replace(parts()[0].take(np.arange(n)), origin="synthetic")

    def save(self, folder: Path) -> None:
        (folder / "weights.json").write_text(json.dumps({"layers": np.random.default_rng(5).normal(size=500).tolist()}))
        self.write(folder)


def judge(model: Model, train: Dataset | None = None, held: Dataset | None = None) -> dict[str, Finding]:
    train, held = train or parts()[0], held or parts()[1]
    found = Reconstruction().judge(Comparison(train, held, train.take(np.arange(5)), model), run_of())
    return {f.name.removeprefix("reconstruction."): f for f in found}


def numeric_part() -> np.ndarray:
    train = parts()[0]
    return np.column_stack([train.scale(c.name) for c in COLUMNS if c.numeric])


def safetensors(array: np.ndarray) -> bytes:
    body = array.astype("<f8").tobytes()
    header = json.dumps({"x": {"dtype": "F64", "shape": list(array.shape), "data_offsets": [0, len(body)]}}).encode()
    return struct.pack("<Q", len(header)) + header + body


def rows(folder: Path) -> pd.DataFrame:
    return parts()[0].frame.assign(seen=lambda f: f["seen"].dt.strftime("%d/%m/%Y"))


WAYS: dict[str, Callable[[Path], object]] = {
    "npz": lambda f: np.savez_compressed(f / "train.npz", data=numeric_part()),
    "npz, a column each": lambda f: np.savez(f / "t.npz", **{f"c{i}": c for i, c in enumerate(numeric_part().T)}),
    "npy, lying on its side": lambda f: np.save(f / "train.npy", numeric_part().T),
    "npz, standardised": lambda f: np.savez(f / "t.npz", z=(numeric_part() - 3.3) / 7.7),
    "npz, ranks in single precision": lambda f: np.savez(
        f / "t.npz", r=numeric_part().argsort(0).argsort(0)[:, 2].astype("f4")
    ),
    "JSON rows": lambda f: (f / "m.json").write_text(json.dumps(rows(f).values.tolist())),
    "JSON records": lambda f: (f / "m.json").write_text(json.dumps(rows(f).to_dict("records"))),
    "JSON columns": lambda f: (f / "m.json").write_text(json.dumps(rows(f).to_dict("list"))),
    "CSV": lambda f: rows(f).to_csv(f / "m.txt", index=False),
    "CSV, packed": lambda f: (f / "m.gz").write_bytes(gzip.compress(rows(f).to_csv(index=False).encode())),
    "safetensors": lambda f: (f / "m.safetensors").write_bytes(safetensors(numeric_part())),
    "pickle of numbers": lambda f: (f / "m.pkl").write_bytes(pickle.dumps(numeric_part())),
    "a tenth of the rows": lambda f: np.savez(f / "t.npz", prototypes=numeric_part()[:70]),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_stored_training_table_is_caught(way: str) -> None:
    found = judge(Keeps(WAYS[way]))["rows.excess"]
    assert found.low > 0.05  # type: ignore[operator]
    assert found.value == pytest.approx(0.1 if way == "a tenth of the rows" else 1.0, abs=0.02)
    assert found.detail["others"] == 0


def test_a_list_of_rare_labels_is_caught() -> None:
    """As encoders keep them: every category that was seen."""
    seen = sorted(parts()[0].frame["town"].unique())
    found = judge(Keeps(lambda f: (f / "encoder.json").write_text(json.dumps({"town": seen}))))
    assert found["strings.excess"].value == pytest.approx(35 / 700)
    assert found["strings.excess"].low > 0.03  # type: ignore[operator]
    assert found["strings.share"].value == pytest.approx(35 / 700)
    assert found["rows.excess"].value == 0


def test_labels_in_the_schema_beside_the_model_are_caught() -> None:
    schema = Schema(COLUMNS).with_column(
        replace(COLUMNS[-1], categories=tuple(sorted(parts()[0].frame["town"].unique())))
    )
    found = judge(Keeps(lambda f: None, schema=schema))
    assert found["strings.excess"].value == pytest.approx(35 / 700)


def test_identifiers_in_bytes_of_unknown_kind_are_caught() -> None:
    names = parts()[0].frame["number"].tolist()[:50]
    found = judge(Keeps(lambda f: (f / "m.bin").write_bytes(b"\xfe\xff\x00" + "".join(names).encode() + b"\x00\xc3")))
    assert found["strings.excess"].value == pytest.approx(50 / 700)


def test_one_extreme_is_caught() -> None:
    highest = float(parts()[0].frame["bill"].max())
    found = judge(Keeps(lambda f: (f / "scaler.json").write_text(json.dumps({"bill": {"high": highest}}))))
    assert found["extremes.excess"].value == pytest.approx(1 / 8)
    assert found["extremes.excess"].detail["columns"] == ["bill"]


def test_exact_numbers_and_dates_are_caught() -> None:
    train = parts()[0].frame
    few = train["bill"].iloc[:40].sample(frac=1, random_state=1)
    numbers = judge(Keeps(lambda f: (f / "knots.json").write_text(json.dumps(few.tolist()))))["numbers.excess"]
    assert numbers.value == pytest.approx(40 / 700, abs=0.005)
    assert numbers.low > 0.03  # type: ignore[operator]
    alone = train["seen"][~pd.concat([t.frame["seen"] for t in parts()]).duplicated(keep=False).to_numpy()[:700]]
    dates = judge(Keeps(lambda f: (f / "d.json").write_text(json.dumps([*alone.dt.strftime("%d/%m/%Y")]))))
    assert dates["numbers.excess"].value == pytest.approx(len(alone) / 700)


def test_what_cannot_be_looked_into_is_not_called_empty() -> None:
    noise = np.random.default_rng(0).bytes(20_000)
    found = judge(Keeps(lambda f: (f / "m.bin").write_bytes(noise)))
    assert {f.status for n, f in found.items() if n != "size.nats"} == {"underpowered"}

    def broken(folder: Path) -> None:
        with zipfile.ZipFile(folder / "m.npz", "w") as archive:
            archive.writestr("x.npy", b"\x93NUMPY")
        (folder / "m.npz").write_bytes((folder / "m.npz").read_bytes()[:-10])

    assert judge(Keeps(broken))["rows.excess"].status == "underpowered"


def test_an_innocent_model_is_not_accused() -> None:
    """Forty of them, fitted to other patients: their values meet the real ones by chance alone."""
    alarms = dict.fromkeys(("rows.excess", "strings.excess", "numbers.excess", "extremes.excess"), 0)
    for seed in range(40):
        train, held, others = (patients(k, 100 + 3 * seed + i) for i, k in enumerate((280, 120, 280)))
        found = judge(Independent().fit(others, run_of(seed)), train, held)
        for name in alarms:
            alarms[name] += found[name].low > 0  # type: ignore[operator]
    assert max(alarms.values()) <= 3  # 99 % of a binomial at .025


def test_without_a_model_it_says_so() -> None:
    train, held = parts()
    found = Reconstruction().judge(Comparison(train, held, train), run_of())
    assert {f.status for f in found} == {"skipped"}


RECIPES = [Independent(), pytest.param(Chain(trees=20), marks=pytest.mark.slow)]


@pytest.mark.parametrize("recipe", RECIPES, ids=["independent", "chain"])
def test_models_of_real_patients_hold_no_row_number_or_extreme(recipe: Generator) -> None:
    """The bundled patients, with the schema that Semblance guesses for them."""
    with files("semblance.data").joinpath("bundled/support2.csv.gz").open("rb") as stream:
        source = pd.read_csv(stream, compression="gzip", dtype=str, keep_default_na=False)
    data = pipeline.read(source, pipeline.describe(source, target="hospdead"))
    order = np.random.default_rng(0).permutation(data.n_rows)
    train, held = data.take(order[:2000]), data.take(order[2000:3000])
    found = judge(recipe.fit(train, run_of()), train, held)
    for name in ("strings.excess", "numbers.excess", "extremes.excess"):
        assert found[name].low <= 0, name  # type: ignore[operator]
    assert found["rows.excess"].detail["members"] == 0
    # The schema beside the model lists every label, also one that a handful of patients share.
    rare = any((train.frame[c.name].value_counts() < 11).any() for c in train.schema if not c.numeric)
    assert (found["strings.share"].value > 0) is rare  # type: ignore[operator]
    assert found["strings.share"].value < 0.01  # type: ignore[operator]
    if recipe.name == "independent":
        assert found["size.nats"].value < found["size.nats"].baseline  # type: ignore[operator]
