"""The verbs, one after another and all at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance import catalog, pipeline
from semblance.contracts import Comparison
from semblance.data import demo
from semblance.data.dataset import Dataset
from semblance.errors import InputError, SchemaError, Unsupported
from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.language.rule import Order
from semblance.release import bundle
from semblance.schema import Column, Schema


@pytest.fixture
def visits() -> pd.DataFrame:
    """Sixty people with three visits each, their names and record numbers, and notes."""
    rng = np.random.default_rng(3)
    firsts = ["Anna", "Bela", "Carl", "Dora", "Emil", "Fritz", "Greta", "Hugo", "Ida", "Jan"]
    lasts = ["Adler", "Bauer", "Conrad", "Dietz", "Ernst", "Fuchs"]
    names = [f"{first} {last}" for first in firsts for last in lasts]
    person = np.repeat(np.arange(60), 3)
    return pd.DataFrame(
        {
            "patient_id": [f"K{4000 + p}" for p in person],
            "full_name": [names[p] for p in person],
            "note": [f"seen on ward {p % 7} and spoke of the {i}th of nine long nights" for i, p in enumerate(person)],
            "age": rng.integers(20, 80, 180),
            "sex": rng.choice(["f", "m"], 180),
            "died": rng.choice(["no", "yes"], 180),
        }
    )


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.slow
def test_same_seed_same_bytes(patients_csv: Path, tmp_path: Path) -> None:
    def go(name: str, seed: int) -> dict[str, bytes]:
        outcome = pipeline.run(patients_csv, out=tmp_path / name, target="died", quick=True, seed=seed)
        return files(outcome.folder)

    first = go("a", 1)
    assert first == go("b", 1)
    assert first["evidence.json"] != go("c", 2)["evidence.json"]


@pytest.mark.slow
def test_the_same_release_from_another_place(patients_csv: Path, tmp_path: Path) -> None:
    """Neither the source's path nor the clock gets into the bytes."""
    moved = tmp_path / "moved.csv"
    moved.write_bytes(patients_csv.read_bytes())
    first = pipeline.run(patients_csv, out=tmp_path / "a", generator=Independent(), quick=True)
    second = pipeline.run(moved, out=tmp_path / "deep" / "b", generator=Independent(), quick=True)
    assert files(first.folder) == files(second.folder)
    assert set(first.seconds) == {"reading", "learning", "sampling", "judging", "writing"}


def test_the_folder_is_what_it_says(patients_csv: Path, tmp_path: Path) -> None:
    lenient = tmp_path / "lenient.toml"
    rule = (
        'name = "Rows are valid"\nfinding = "validity.rows.share"\nbound = "value"\nop = ">="\nlimit = 0.5\n'
        'reason = "a test"\nsource = "a test"\ntry = "nothing"\n'
    )
    lenient.write_text(f'schema_version = "1"\nname = "lenient"\nversion = "1"\n\n[[rules]]\n{rule}')
    outcome = pipeline.run(patients_csv, out=tmp_path / "r", target="died", policy=lenient, quick=True, rows=123)
    assert outcome.verdict.released
    assert set(files(outcome.folder)) == {
        "synthetic.csv",
        "synthetic.csv-metadata.json",
        "croissant.json",
        "schema.toml",
        "evidence.json",
        "report.html",
        "card.md",
        "policy.toml",
        "manifest.json",
    }
    bundle.verify(outcome.folder)
    real, fake = pd.read_csv(patients_csv), pd.read_csv(outcome.folder / "synthetic.csv")
    assert len(fake) == 123
    assert fake.columns.tolist() == real.columns.tolist()
    assert fake.dtypes.tolist() == real.dtypes.tolist()
    facts = json.loads((outcome.folder / "evidence.json").read_text(encoding="utf-8"))["provenance"]
    assert facts["target"] == "died"
    assert facts["recipe"] == "chain"
    assert facts["generator"]["parameters"]["trees"] > 0
    assert facts["split"]["train_rows"] + facts["split"]["holdout_rows"] == 400
    assert facts["split"]["holdout_opened_for"] == ["audit"]
    assert {"numpy", "lightgbm"} <= set(facts["libraries"])
    assert facts["source"]["attribution"] == ""


def test_nobodys_name_number_or_note_gets_out(visits: pd.DataFrame, tmp_path: Path) -> None:
    source = tmp_path / "visits.csv"
    visits.to_csv(source, index=False)
    schema = pipeline.describe(source, target="died", subject="patient_id")
    run = pipeline.begin(seed=1, quick=True)
    patients = pipeline.read(source, schema)
    vault = pipeline.split(patients, run)
    fake = pipeline.sample(pipeline.fit(vault.train, run, generator="independent"), run, n=200, avoid=patients)
    for column in ("patient_id", "full_name", "note"):
        real = set(visits[column])
        drawn = set(fake.frame[column].dropna()) if column in fake.schema else set()
        assert not real & drawn, column
    assert fake.n_subjects == 200, "every synthetic row is a patient of its own"
    outcome = pipeline.run(source, out=tmp_path / "r", target="died", subject="patient_id", quick=True)
    everything = b"".join(files(outcome.folder).values()).decode("utf-8")
    for name in set(visits["full_name"]) | set(visits["patient_id"]):
        assert name not in everything
    assert any("several rows" in note for note in outcome.notes)
    assert any("surrogates" in note and "full_name" in note for note in outcome.notes)


def test_rows_of_a_patient_stay_together(visits: pd.DataFrame) -> None:
    schema = pipeline.describe(visits, subject="patient_id")
    vault = pipeline.split(pipeline.read(visits, schema), pipeline.begin())
    held = vault.open_holdout("test")
    assert not set(vault.train.frame["patient_id"]) & set(held.frame["patient_id"])
    assert vault.train.n_rows + held.n_rows == len(visits)


def test_fit_cannot_reach_the_holdout(visits: pd.DataFrame) -> None:
    """What a generator is handed holds no row of a held-out patient, and the ledger is charged before it looks."""
    seen: list[Dataset] = []

    class Watcher(Independent):
        def fit(self, train: Dataset, run: object) -> object:  # type: ignore[override]
            assert [c.epsilon for c in run.ledger.charges] == [None]  # type: ignore[attr-defined]
            seen.append(train)
            return super().fit(train, run)  # type: ignore[arg-type]

    run = pipeline.begin()
    vault = pipeline.split(pipeline.read(visits, pipeline.describe(visits, subject="patient_id")), run)
    pipeline.fit(vault.train, run, generator=Watcher())
    assert seen[0] is vault.train


def test_a_fresh_ledger_says_no_guarantee(patients_csv: Path, tmp_path: Path) -> None:
    outcome = pipeline.run(patients_csv, out=tmp_path / "r", generator="independent", quick=True)
    assert [c["purpose"] for c in outcome.evidence.ledger["charges"]] == ["describe", "fit/independent"]
    assert "no formal guarantee" in outcome.evidence.ledger["guarantee"]


def test_roles_on_the_command_win_over_the_schema(patients_csv: Path) -> None:
    schema = pipeline.describe(patients_csv, target="died")
    assert pipeline.roles(schema, "sex", None).target == "sex"
    assert pipeline.roles(schema, None, None) == schema
    with pytest.raises(SchemaError):
        pipeline.roles(schema, "absent", None)


def test_a_generator_that_cannot_learn_says_so() -> None:
    notes = Schema((Column("note", "text", handling="blank"),))
    table = Dataset(pd.DataFrame({"note": ["x"] * 30}), notes)
    with pytest.raises(Unsupported, match="cannot learn"):
        pipeline.fit(table, pipeline.begin())


def test_recipes_by_name() -> None:
    assert pipeline.recipe("chain", {"trees": 7, "learning_rate": 1}) == Chain(trees=7, learning_rate=1)
    with pytest.raises(Unsupported, match="independent"):
        pipeline.recipe("magic")
    with pytest.raises(InputError, match="trees"):
        pipeline.recipe("chain", {"tree": 7})
    with pytest.raises(InputError, match="int"):
        pipeline.recipe("chain", {"trees": True})


def test_sampling_no_rows_is_refused(patients_csv: Path) -> None:
    run = pipeline.begin()
    patients = pipeline.read(patients_csv, pipeline.describe(patients_csv))
    model = pipeline.fit(patients, run, generator="independent")
    with pytest.raises(InputError, match="at least 1"):
        pipeline.sample(model, run, n=0)


def test_findings_keep_the_catalogs_order_and_progress_is_told(patients_csv: Path) -> None:
    told: list[tuple[str, int, int]] = []
    run = pipeline.begin(quick=True, progress=lambda *step: told.append(step))
    patients = pipeline.read(patients_csv, pipeline.describe(patients_csv, target="died"))
    vault = pipeline.split(patients, run)
    fake = pipeline.sample(pipeline.fit(vault.train, run, generator="independent"), run, n=100)
    evidence = pipeline.audit(Comparison(vault.train, vault.open_holdout("test"), fake), run)
    rooms = list(dict.fromkeys(f.name.split(".")[0] for f in evidence))
    asked = [room for room in rooms if room in catalog.AUDITS]
    assert rooms[0] == "protocol"
    assert asked == list(catalog.AUDITS)
    assert evidence.provenance["recipe"] is None
    n = len(catalog.AUDITS)
    assert [step for step in told if step[0] == "judging"] == [("judging", i, n) for i in range(n + 1)]


def test_the_bundled_patients_are_thanked() -> None:
    import hashlib

    content = demo.patients().read_bytes()
    assert demo.attribution(hashlib.sha256(content).hexdigest()) == demo.ATTRIBUTION
    assert demo.attribution("0" * 64) == ""
    schema = pipeline.describe(demo.patients(), target=demo.TARGET)
    assert len(schema) == 33
    assert not [c.name for c in schema if not c.modelled], "no column of the demo is an identifier"


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> pipeline.Outcome:
    return pipeline.run(demo.patients(), out=tmp_path_factory.mktemp("demo") / "release", target=demo.TARGET)


@pytest.mark.slow
def test_the_demo_releases(demo_folder: pipeline.Outcome) -> None:
    assert demo_folder.verdict.released, [r.why for r in demo_folder.verdict.failures]
    bundle.verify(demo_folder.folder)
    real, fake = pd.read_csv(demo.patients()), pd.read_csv(demo_folder.folder / "synthetic.csv")
    assert fake.columns.tolist() == real.columns.tolist()
    assert fake.dtypes.tolist() == real.dtypes.tolist()
    report = (demo_folder.folder / "report.html").read_text(encoding="utf-8")
    assert "SUPPORT2" in report
    assert "CC BY 4.0" in report


def test_a_forge_obeys_rules_and_searches_for_nothing_that_the_model_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(0, 20, 600).astype(float)
    frame = pd.DataFrame({"first": first, "second": first + rng.integers(0, 20, 600)})
    columns = (Column("first", "integer", low=0, high=20), Column("second", "integer", low=0, high=40))
    patients = Dataset(frame, Schema(columns, rules=(Order(("first", "second"), (False,)),)))
    recipe, run = Chain(trees=20), pipeline.begin()
    model = pipeline.fit(patients, run, generator=recipe)
    monkeypatch.setattr("semblance.conditionals.lessons.search", _never)
    made = pipeline.forge_of(recipe, model)(patients.take(np.arange(300)), 200, run)
    assert made.n_rows == 200
    assert (made.frame["first"] <= made.frame["second"]).all()
    assert len(run.ledger.to_dict()["charges"]) == 1  # the model's own


def _never(*_: object, **__: object) -> None:
    raise AssertionError("a search, although all is known")
