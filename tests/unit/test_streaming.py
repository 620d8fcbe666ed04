"""Rows in blocks: the same rows however they are kept, identifiers that never come twice, memory that does not grow."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import pipeline, streaming
from semblance.contracts import Model
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import InputError
from semblance.formats.csv import Csv
from semblance.generators.chain import Chain
from semblance.schema import Column, Schema

SMALL = 100


@pytest.fixture(scope="module")
def model() -> Model:
    """A chain over two linked columns, beside two identifiers, one of text and one of numbers."""
    rng = np.random.default_rng(0)
    age = rng.integers(20, 90, 600).astype(float)
    frame = pd.DataFrame(
        {
            "id": pd.Series([f"P{i:05d}" for i in range(600)], dtype=object),
            "number": np.arange(600.0),
            "age": age,
            "old": pd.Series(np.where(age > 65, "yes", "no"), dtype=object),
        }
    )
    columns = (
        Column("id", "code", role="identifier", handling="surrogate", form="pattern:\\P####"),
        Column("number", "integer", role="identifier", handling="surrogate"),
        Column("age", "integer", low=20, high=90),
        Column("old", "category", categories=("no", "yes")),
    )
    return pipeline.fit(Dataset(frame, Schema(columns)), pipeline.begin(), generator=Chain(trees=20))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BLOCK", SMALL)


def test_one_block_is_what_the_model_draws(model: Model, small: None) -> None:
    fake = pipeline.sample(model, pipeline.begin(seed=1), n=SMALL)
    learned = ["age", "old"]
    pd.testing.assert_frame_equal(fake.frame[learned], model.sample(SMALL, pipeline.begin(seed=1)).frame[learned])


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.csv.zst", "t.parquet"])
def test_the_same_rows_kept_or_written_on_one_processor_or_two(
    name: str, model: Model, small: None, tmp_path: Path
) -> None:
    one = replace(pipeline.begin(seed=1), engine=Local(workers=1))
    two = replace(pipeline.begin(seed=1), engine=Local(workers=2))
    whole = pipeline.sample(model, one, n=250)
    pd.testing.assert_frame_equal(whole.frame, pipeline.sample(model, two, n=250).frame)
    assert len(whole.frame) == 250
    assert list(whole.frame.index) == list(range(250))
    pipeline.sample_to(model, two, path=tmp_path / name, n=250)
    pipeline.sample_to(model, one, path=tmp_path / f"again-{name}", n=250)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    written = pipeline.read(tmp_path / name, whole.schema)
    pd.testing.assert_frame_equal(written.frame, whole.frame)


def test_blocks_differ_and_identifiers_never_repeat(model: Model, small: None) -> None:
    fake = pipeline.sample(model, pipeline.begin(seed=1), n=5 * SMALL).frame
    assert fake["id"].is_unique
    assert fake["number"].is_unique
    parts = [fake["age"].iloc[i : i + SMALL].reset_index(drop=True) for i in range(0, 5 * SMALL, SMALL)]
    assert not any(a.equals(b) for i, a in enumerate(parts) for b in parts[:i])
    assert ((fake["age"] > 65) == (fake["old"] == "yes")).mean() > 0.85


def test_longer_identifiers_where_the_form_is_too_short(model: Model, small: None) -> None:
    """`form` has 9,000 texts, and room is wanted for four times the rows: all of them get another digit."""
    fake = pipeline.sample(model, pipeline.begin(), n=30 * SMALL).frame
    assert fake["id"].is_unique


def test_conditions_hold_in_every_block(model: Model, small: None) -> None:
    stream = streaming.Stream(model, pipeline.begin(), n=250, given=["age>=70"])
    fake = streaming.draw(stream).frame
    assert len(fake) == 250
    assert (fake["age"] >= 70).all()
    (account,) = stream.accounts.values()
    assert account.rows == 250
    assert 0 < account.probability < 1


def test_shares_hold_in_every_block(model: Model, small: None) -> None:
    fake = pipeline.sample(model, pipeline.begin(), n=250, balance="old").frame
    for start in (0, 100, 200):
        block = fake["old"].iloc[start : start + SMALL]
        assert (block == "yes").sum() == len(block) // 2


def test_nothing_is_there_until_the_end(model: Model, small: None, tmp_path: Path) -> None:
    class Breaks:
        """A model whose third block fails."""

        schema, keeps_real_values, drawn = model.schema, False, 0

        def sample(self, n: int, run: object) -> Dataset:
            self.drawn += 1
            if self.drawn == 3:
                raise KeyboardInterrupt
            return model.sample(n, pipeline.begin())

    one = replace(pipeline.begin(), engine=Local(workers=1))
    with pytest.raises(KeyboardInterrupt):
        pipeline.sample_to(Breaks(), one, path=tmp_path / "t.csv", n=250)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(InputError, match="left as it is"):
        pipeline.sample_to(model, one, path=tmp_path / "t.csv", n=2)
    with pytest.raises(InputError, match="at least 1"):
        pipeline.sample(model, one, n=0)


@pytest.mark.parametrize(
    "dialect",
    [
        {"encoding": "utf-8-sig", "line_end": "crlf"},
        {"encoding": "utf-16", "final_line_end": "no"},
        {"encoding": "utf-16-be-bom", "quoting": "all"},
        {"header": "no", "delimiter": ";"},
    ],
)
def test_blocks_of_a_csv_file_are_the_whole_file(dialect: dict[str, str], model: Model, tmp_path: Path) -> None:
    fake = pipeline.sample(model, pipeline.begin(), n=30)
    fake = replace(fake, schema=replace(fake.schema, dialect={"format": "csv", **dialect}))
    Csv().write(fake, tmp_path / "whole.csv")
    Csv().write_blocks((fake.take(np.arange(i, i + 10)) for i in (0, 10, 20)), tmp_path / "parts.csv")
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "parts.csv").read_bytes()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Ten blocks need as much as four, within a tenth, where kept rows would need far more."""
    table = tmp_path / "table.csv"
    rng = np.random.default_rng(0)
    pd.DataFrame({f"x{i}": rng.integers(0, 40, 400) for i in range(6)}).to_csv(table, index=False)
    pipeline.train(table, tmp_path / "model", generator="independent")
    code = (
        "import resource, sys\n"
        "from semblance import model_folder, pipeline, streaming\n"
        "streaming.BLOCK = 20_000\n"
        "model = model_folder.load(sys.argv[1])\n"
        "pipeline.sample_to(model, pipeline.begin(), path=sys.argv[2], n=int(sys.argv[3]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )

    def peak(n: int) -> int:
        words = [sys.executable, "-c", code, str(tmp_path / "model"), str(tmp_path / f"{n}.csv"), str(n)]
        return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    assert peak(400_000) < 1.1 * peak(80_000)
