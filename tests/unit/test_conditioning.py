"""The verbs that condition: what they promise whatever the model, and every cell they leave as it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semblance as sb
from semblance import conditioning, model_folder, pipeline
from semblance.cli import main
from semblance.contracts import Account, Conditional, Model
from semblance.destination import write_table
from semblance.errors import InputError, SchemaError, Unsupported


@pytest.fixture(scope="module")
def folder(patients_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain of 400 made-up patients, saved."""
    place = tmp_path_factory.mktemp("models") / "model"
    pipeline.train(patients_csv, place, generator=sb.Chain(trees=15, min_leaf=20), target="died")
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return model_folder.load(folder)


def test_rows_meet_the_conditions_and_a_seed_gives_the_same_rows(model: Model) -> None:
    given = ["age>=65", "sex=female", "sodium is present"]
    one, two, other = (sb.sample(model, sb.begin(seed=s), n=80, given=given) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert not one.frame.equals(other.frame)
    assert (one.frame["age"] >= 65).all()
    assert set(one.frame["sex"]) == {"female"}
    assert one.frame["sodium"].notna().all()
    assert one.origin == "synthetic"
    assert len(one.frame.drop_duplicates()) == 80


def test_labels_are_balanced_and_mixed(model: Model) -> None:
    fake = sb.sample(model, sb.begin(), n=91, balance="ward", given=["age<70"])
    assert set(fake.frame["ward"].value_counts()) == {30, 31}
    assert (fake.frame["age"] < 70).all()
    assert fake.frame["ward"].iloc[:20].nunique() == 3
    fake, accounts = sb.sample_given(model, sb.begin(), n=40, balance="died=yes:3,no:1")
    assert fake.frame["died"].value_counts().to_dict() == {"yes": 30, "no": 10}
    assert set(accounts) == {"died=yes", "died=no"}
    assert sum(account.probability for account in accounts.values()) == pytest.approx(1, abs=0.1)
    with pytest.raises(InputError, match="no labels"):
        sb.sample(model, sb.begin(), n=10, balance="age")


def test_little_worth_is_said_once_as_a_warning(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    poor = Account(50, 1000, 3.2, 40, 0.001)
    fake = model.sample(50, sb.begin())
    monkeypatch.setattr(type(model), "sample_given", lambda self, n, given, run: (fake, poor))
    with pytest.warns(UserWarning, match="50 rows tell as much as 3 independent"):
        sb.sample(model, sb.begin(), n=50, given=["age>=90"])


def test_a_model_that_cannot_condition_says_so(patients_csv: Path) -> None:
    run = sb.begin()
    patients = sb.read(patients_csv, sb.describe(patients_csv))
    model = sb.fit(patients, run, generator="independent")
    assert not isinstance(model, Conditional)
    with pytest.raises(Unsupported, match="'chain'"):
        sb.sample(model, run, n=5, given=["sex=male"])
    with pytest.raises(Unsupported, match="'chain'"):
        sb.impute(model, patients, run)


def test_gaps_are_filled_and_all_else_is_untouched(model: Model, patients_csv: Path) -> None:
    patients = sb.read(patients_csv, model.schema)
    patients.frame.loc[:9, "sex"] = None
    patients.frame.loc[5:7, "sodium"] = np.nan
    patients.frame.loc[0, "ward"] = "a ward of its own"  # without a cell: kept, and no obstacle
    before = patients.frame.copy()
    filled = sb.impute(model, patients, sb.begin(seed=3))
    pd.testing.assert_frame_equal(patients.frame, before)
    assert filled.frame.notna().all(axis=None)
    assert filled.frame.where(before.notna()).equals(before)
    assert (filled.frame.dtypes == before.dtypes).all()
    assert filled.origin == "augmented"
    some = sb.impute(model, patients, sb.begin(seed=3), columns=["sex"])
    assert some.frame["sodium"].equals(before["sodium"])
    assert some.frame["sex"].notna().all()
    with pytest.raises(InputError, match="'bed'"):
        sb.impute(model, patients, sb.begin(), columns=["bed"])


def test_a_table_without_gaps_comes_back_as_it_is(model: Model, patients_csv: Path) -> None:
    patients = sb.read(patients_csv, model.schema)
    whole = patients.take(patients.frame.notna().all(axis=1).to_numpy())
    pd.testing.assert_frame_equal(sb.impute(model, whole, sb.begin()).frame, whole.frame)


def test_log_prob_tells_who_is_likely(model: Model, patients_csv: Path) -> None:
    patients = sb.read(patients_csv, model.schema)
    odd = patients.take(np.arange(400))
    odd.frame["ward"] = patients.frame["ward"].sample(frac=1, random_state=0).to_numpy()
    assert model.log_prob(patients).mean() > model.log_prob(odd).mean() + 0.1  # type: ignore[attr-defined]
    odd.frame.loc[0, "ward"] = "nowhere"
    assert model.log_prob(odd)[0] == -np.inf  # type: ignore[attr-defined]
    inside = model.log_prob(patients, density=True)  # type: ignore[attr-defined]
    assert (np.isfinite(inside)).mean() > 0.9


# ── from the command line ────────────────────────────────────────────────────────────────────────────────────────────


def call(*words: Any) -> int:
    return main([str(w) for w in words])


AWKWARD = """\
"age";sex;ward;pressure;sodium;died
70.0;"female";surgery;140;;yes
65;male;;120;139.50;no
40;male;trauma;;1;
"""  # another dialect than the model's own table, numbers spelled oddly, gaps where training had none


def awkward(folder: Path) -> str:
    (folder / "gaps.csv").write_text(AWKWARD, newline="")
    return AWKWARD


def test_the_command_fills_cells_and_leaves_every_other_byte(folder: Path, tmp_path: Path) -> None:
    source = awkward(tmp_path)
    assert call("impute", folder, tmp_path / "gaps.csv", "-o", tmp_path / "full.csv") == 0
    made = (tmp_path / "full.csv").read_text()
    assert len(made.splitlines()) == len(source.splitlines())
    for before, after in zip(source.splitlines(), made.splitlines(), strict=True):
        for old, new in zip(before.split(";"), after.split(";"), strict=True):
            assert new.strip('"') == old.strip('"') if old else new
    assert call("impute", folder, tmp_path / "gaps.csv", "-o", tmp_path / "full.csv") == 10  # it exists


def test_one_column_is_filled_when_one_is_named(folder: Path, tmp_path: Path) -> None:
    awkward(tmp_path)
    assert call("impute", folder, tmp_path / "gaps.csv", "-o", tmp_path / "f.csv", "--column", "sodium") == 0
    lines = (tmp_path / "f.csv").read_text().splitlines()
    assert lines[1].split(";")[4]
    assert lines[3].endswith(";")


def test_a_typed_table_keeps_its_types_and_values(folder: Path, patients_csv: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = pd.read_csv(patients_csv).astype({"age": "int16", "pressure": "float32"})
    table = table[["died", "age", "sodium", "sex", "pressure", "ward"]]
    table.to_parquet(tmp_path / "gaps.parquet", index=False)
    assert call("impute", folder, tmp_path / "gaps.parquet", "-o", tmp_path / "full.parquet") == 0
    made = pd.read_parquet(tmp_path / "full.parquet")
    assert made["sodium"].notna().all()
    pd.testing.assert_frame_equal(made.where(table.notna()), table, check_dtype=False)
    assert pq.read_schema(tmp_path / "full.parquet").types == pq.read_schema(tmp_path / "gaps.parquet").types
    assert call("impute", folder, tmp_path / "gaps.parquet", "-o", tmp_path / "full.csv") == 0
    assert pd.read_csv(tmp_path / "full.csv").notna().all(axis=None)


def test_a_table_of_other_columns_is_refused(folder: Path, tmp_path: Path, model: Model) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,\n2,3\n")
    assert call("impute", folder, tmp_path / "other.csv", "-o", tmp_path / "x.csv") == 10
    with pytest.raises(SchemaError, match="lacks the column"):
        conditioning.complete(model, tmp_path / "other.csv", sb.begin(), output="x.csv")


def test_conditions_on_the_command_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    words = ("sample", folder, "--rows", 40, "-o", tmp_path / "a.csv", "--given", "sex=male", "--given", "age<50")
    assert call(*words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["conditions"]["sex=male and age<50"]["rows"] == 40
    drawn = pd.read_csv(tmp_path / "a.csv")
    assert set(drawn["sex"]) == {"male"}
    assert (drawn["age"] < 50).all()
    assert call("sample", folder, "--rows", 40, "-o", tmp_path / "b.csv", "--balance", "died") == 0
    assert set(pd.read_csv(tmp_path / "b.csv")["died"].value_counts()) == {20}
    for wrong in ("sex=man", "age>=200", "height=1", "age"):
        assert call("sample", folder, "--rows", 5, "-o", tmp_path / "c.csv", "--given", wrong) == 10
        assert wrong in capsys.readouterr().err
    assert not (tmp_path / "c.csv").exists()


def test_rare_conditions_are_warned_of_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from semblance.conditionals import particles

    monkeypatch.setattr(particles, "FEWEST", 1)
    monkeypatch.setattr(particles, "MOST", 1)
    given = ("--given", "pressure<100", "--given", "died=yes")
    assert call("sample", folder, "--rows", 60, "-o", tmp_path / "a.csv", *given) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "60 rows tell as much as" in line


def test_a_floor_model_is_refused_on_the_command_line(patients_csv: Path, tmp_path: Path) -> None:
    assert call("fit", patients_csv, "--model", tmp_path / "m", "--generator", "independent") == 0
    assert call("sample", tmp_path / "m", "--rows", 5, "-o", tmp_path / "x.csv", "--given", "sex=male") == 11
    assert call("impute", tmp_path / "m", patients_csv, "-o", tmp_path / "x.csv") == 11
    shutil.rmtree(tmp_path / "m")


def test_filled_files_are_the_same_for_the_same_seed(model: Model, patients_csv: Path, tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run = sb.begin(seed=seed)
        done, account = conditioning.complete(model, patients_csv, run, output=tmp_path / f"{name}.csv")
        made.append(write_table(done, tmp_path / f"{name}.csv").read_bytes())
        assert account.cells > 30
    assert made[0] == made[1] != made[2]
