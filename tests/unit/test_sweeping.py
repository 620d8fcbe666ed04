"""The sweep as a verb: the holdout stays closed, what is finished is kept, and the same call gives the same bytes."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from semblance import pipeline
from semblance.cli import main
from semblance.contracts import Model, Run
from semblance.data.dataset import Dataset
from semblance.engines.local import Local
from semblance.errors import FitError, InputError
from semblance.generators.chain import Chain
from semblance.generators.independent import Independent
from semblance.generators.marginals import Marginals
from semblance.pipeline.ladder import settings
from semblance.privacy.ledger_file import CohortLedger

ASKED: dict[str, Any] = {"target": "died", "quick": True, "seed": 3, "generator": "independent"}


@dataclass(frozen=True, slots=True)
class Telling:
    """Independent columns whose model tells facts of itself; fails where it is asked to."""

    name: ClassVar[str] = "independent"
    about: ClassVar[str] = "for tests"
    beta: float = 1.0
    fails_at: float = -1.0

    def refuses(self, schema: Any) -> str | None:
        return None

    def fit(self, train: Dataset, run: Run) -> Model:
        if self.beta == self.fails_at:
            raise FitError("training diverged at step 7.")
        run.progress("learning", 0, 1)
        return _Told(Independent().fit(train, run), {"rate_nats": 5 / self.beta, "distortion_nats": self.beta})

    @staticmethod
    def load(folder: Path, schema: Any) -> Model:
        raise NotImplementedError


@dataclass(frozen=True)
class _Told:
    inner: Model
    facts: Mapping[str, float]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture(scope="module")
def swept(patients_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> pipeline.Sweep:
    """Rows from one model: the cheapest of all sweeps."""
    out = tmp_path_factory.mktemp("swept") / "frontier"
    return pipeline.sweep(patients_csv, out=out, knob="rows", values=(200, 100), fits=1, **ASKED)


def test_it_writes_every_finding_of_every_point(swept: pipeline.Sweep) -> None:
    record = json.loads((swept.folder / "frontier.json").read_text(encoding="utf-8"))
    assert record == swept.frontier
    assert {p.name for p in swept.folder.iterdir()} == {"frontier.json", "frontier.html", "seconds.json"}
    assert record["values"] == [100, 200]
    assert [(p["value"], p["fit"]) for p in record["points"]] == [(100, 0), (200, 0)]
    for point in record["points"]:
        names = {f["name"] for f in point["findings"]}
        assert {
            "utility.tstr.auc",
            "fidelity.c2st.auc",
            "membership.strongest.auc",
            "inference.worst.advantage",
        } <= names
        assert not [name for name in names if "shadow" in name]
        assert all("detail" not in f for f in point["findings"])
    assert [s["value"] for s in swept.seconds] == [100, 200]
    assert swept.chosen is None or swept.chosen in record["values"]


def test_the_holdout_is_that_of_run_and_stays_closed(swept: pipeline.Sweep, patients_csv: Path) -> None:
    data = pipeline.read(patients_csv, pipeline.describe(patients_csv, target="died"))
    vault = pipeline.split(data, pipeline.begin(seed=3))
    split = swept.frontier["split"]
    assert split["sha256"] == vault.sha256
    assert split["holdout_opened_for"] == []
    assert split["train_patients"] + split["validation_patients"] == vault.train.n_subjects
    assert split["holdout_patients"] == vault.describe()["holdout_patients"]


def test_no_audit_ever_sees_a_held_out_patient(patients_csv: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Every table that is judged, and every table that is learned from, lies within the training part of `run`."""
    data = pipeline.read(patients_csv, pipeline.describe(patients_csv, target="died"))
    allowed = {tuple(row) for row in pipeline.split(data, pipeline.begin(seed=3)).train.frame.astype(str).to_numpy()}
    seen: list[Dataset] = []

    class Spy:
        def judge(self, comparison: Any, run: Run) -> tuple[()]:
            seen.extend([comparison.train, comparison.held])
            return ()

    monkeypatch.setattr("semblance.pipeline.brewing.catalog.AUDITS", dict.fromkeys(pipeline.brewing.QUESTIONS, Spy))
    made = pipeline.sweep(patients_csv, out=tmp_path / "f", knob="rows", values=(20, 40), fits=1, **ASKED)
    assert seen
    assert {tuple(row) for table in seen for row in table.frame.astype(str).to_numpy()} <= allowed
    assert made.chosen is None  # nothing was measured, so nothing is met


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "seconds.json"}


def test_interrupted_and_resumed_is_the_same_folder(swept: pipeline.Sweep, patients_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "frontier"
    asked: dict[str, Any] = {**ASKED, "out": out, "knob": "rows", "values": (100, 200), "fits": 1}

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "sweeping" and done >= total * 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        pipeline.sweep(patients_csv, progress=stop, **asked)
    assert "--resume" in stopped.value.__notes__[0]
    kept = out.parent / f".{out.name}.partial"
    assert [p.name for p in kept.glob("point-*")] == ["point-100-0"]
    with pytest.raises(InputError, match="add --resume"):
        pipeline.sweep(patients_csv, **asked)
    with pytest.raises(InputError, match="another sweep"):
        pipeline.sweep(patients_csv, resume=True, **{**asked, "values": (100, 300)})
    pipeline.sweep(patients_csv, resume=True, **asked)
    assert files(out) == files(swept.folder)
    assert not kept.exists()


@pytest.mark.usefixtures("silent_audits")
def test_rows_are_drawn_from_one_model(patients_csv: Path, tmp_path: Path, monkeypatch: Any) -> None:
    fits: list[int] = []
    plain = Independent.fit

    def counted(self: Independent, train: Dataset, run: Run) -> Model:
        fits.append(train.n_rows)
        return plain(self, train, run)

    monkeypatch.setattr(Independent, "fit", counted)
    pipeline.sweep(patients_csv, out=tmp_path / "rows", knob="rows", values=(10, 20, 30), fits=2, **ASKED)
    assert len(fits) == 2
    pipeline.sweep(patients_csv, out=tmp_path / "cells", knob="max_cells", values=(8, 16, 32), fits=2, **ASKED)
    assert len(fits) == 2 + 6


class Silent:
    def judge(self, comparison: Any, run: Run) -> tuple[()]:
        return ()


@pytest.fixture
def silent_audits(monkeypatch: Any) -> None:
    monkeypatch.setattr("semblance.pipeline.brewing.catalog.AUDITS", dict.fromkeys(pipeline.brewing.QUESTIONS, Silent))


@pytest.mark.usefixtures("silent_audits")
def test_what_learning_kept_is_removed_once_its_points_are_finished(
    patients_csv: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """A net in the making is large, and as private as a model."""
    monkeypatch.setattr("semblance.pipeline.reading.Local", lambda: Local(1))
    kept: list[str] = []

    def stop(stage: str, done: int, total: int) -> None:
        kept.extend(p.name for p in (tmp_path / ".f.partial").glob("fit-*"))
        if done > 0.9 * total:
            raise KeyboardInterrupt

    asked = {**ASKED, "generator": Chain(trees=1), "progress": stop, "fits": 1}
    with pytest.raises(KeyboardInterrupt):
        pipeline.sweep(patients_csv, out=tmp_path / "f", knob="leaves", values=(2, 3), **asked)
    left = [p.name for p in (tmp_path / ".f.partial").iterdir()]
    done = [name for name in left if name.startswith("point-")]
    assert len(done) == 1
    assert any(name.startswith(f"fit-{done[0]}-") for name in kept)
    assert not any(name.startswith(f"fit-{done[0]}-") for name in left)


@pytest.mark.usefixtures("silent_audits")
def test_what_a_model_tells_of_itself_is_carried_along(patients_csv: Path, tmp_path: Path) -> None:
    asked = {**ASKED, "generator": Telling()}
    made = pipeline.sweep(patients_csv, out=tmp_path / "f", knob="beta", values=(0.5, 1, 2), **asked)
    rate = made.frontier["facts"]["rate_nats"]
    assert [(p["value"], p["estimate"]) for p in rate["points"]] == [(0.5, 10.0), (1.0, 5.0), (2.0, 2.5)]
    assert rate["order"]["verdict"] == "falls"
    assert "KL(q(z|x)‖p(z))" in (made.folder / "frontier.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("silent_audits")
def test_a_fit_that_fails_is_told_at_its_point(patients_csv: Path, tmp_path: Path) -> None:
    asked = {**ASKED, "generator": Telling(fails_at=2.0)}
    made = pipeline.sweep(patients_csv, out=tmp_path / "f", knob="beta", values=(1, 2), fits=1, **asked)
    assert made.frontier["failed"] == [2.0]
    assert [p["failed"] for p in made.frontier["points"]] == ["", "training diverged at step 7."]
    assert made.frontier["facts"]["rate_nats"]["points"][0]["estimate"] == 5.0


@pytest.mark.usefixtures("silent_audits")
def test_the_number_of_processors_changes_nothing(patients_csv: Path, tmp_path: Path, monkeypatch: Any) -> None:
    folders, threads = [], set()
    plain = Telling.fit

    def watched(self: Telling, train: Dataset, run: Run) -> Model:
        threads.add(threading.get_ident())
        assert run.engine.workers == 1  # each point has one
        return plain(self, train, run)

    monkeypatch.setattr(Telling, "fit", watched)
    for workers in (1, 3):
        monkeypatch.setattr("semblance.pipeline.reading.Local", lambda n=workers: Local(n))
        out = tmp_path / str(workers)
        asked = {**ASKED, "generator": Telling()}
        folders.append(pipeline.sweep(patients_csv, out=out, knob="beta", values=(1, 2, 3), **asked).folder)
    assert files(folders[0]) == files(folders[1])
    assert len(threads) > 1


# ── knobs and values ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ladder_is_tried_where_nobody_says() -> None:
    assert list(settings(Chain(), "reach", None, rows=100)) == [0.5, 1.0, 1.5, 2.0, 3.0]
    assert list(settings(Chain(), "trees", None, rows=100)) == [100, 200, 400, 800, 1600]
    assert list(settings(Chain(trees=2), "trees", None, rows=100)) == [1, 2, 4, 8]
    assert list(settings(Chain(), "rows", None, rows=100)) == [25, 50, 100, 200, 400]
    assert list(settings(Chain(leaves=4), "leaves", None, rows=100)) == [2, 4, 8, 16]  # one leaf is refused
    assert all(v >= 11 for v in settings(Chain(), "min_patients", None, rows=100))


def test_a_value_is_what_the_recipe_learns_with() -> None:
    made = settings(Chain(leaves=4), "reach", (2, 1), rows=100)
    assert {value: (recipe.reach, recipe.leaves, n) for value, (recipe, n) in made.items()} == {  # type: ignore[attr-defined]
        1.0: (1.0, 4, 100),
        2.0: (2.0, 4, 100),
    }
    assert [n for _, n in settings(Chain(), "rows", (7, 9), rows=100).values()] == [7, 9]


@pytest.mark.parametrize(
    ("knob", "values", "said"),
    [
        ("nothing", None, "has no knob 'nothing'; it has"),
        ("trees", (10.5, 20), "takes whole numbers only"),
        ("reach", (1.0,), "needs two different values"),
        ("reach", (0.0, 1.0), "must be above 0"),
        ("rows", (0, 10), "must be at least 1"),
        ("reach", (float("nan"), 1.0), "finite"),
        ("trees", (float("inf"), 1.0), "finite"),
    ],
)
def test_what_cannot_be_turned_is_refused(knob: str, values: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        settings(Chain(), knob, values, rows=100)


def test_epsilon_turns_what_a_fit_may_use_and_not_the_recipe() -> None:
    made = settings(Marginals(), "epsilon", None, rows=100)
    assert list(made) == [0.3, 1.0, 3.0, 10.0]
    assert set(made.values()) == {(Marginals(), 100)}
    with pytest.raises(InputError, match="above 0"):
        settings(Marginals(), "epsilon", (0.0, 1.0), rows=100)


@pytest.mark.slow
def test_a_sweep_of_epsilon_is_entered_as_what_it_is(patients_csv: Path, tmp_path: Path, silent_audits: None) -> None:
    out = tmp_path / "f"
    words = ["sweep", str(patients_csv), "--knob", "epsilon", "--values", "0.5,5", "--seeds", "1"]
    assert main([*words, "--set", "method=mst", "--target", "died", "--out", str(out)]) == 0
    record = json.loads((out / "frontier.json").read_text(encoding="utf-8"))
    assert record["generator"]["name"] == "marginals"
    assert "ε = ∞" in record["ledger"]["guarantee"]
    (cohort,) = CohortLedger().books().each()
    (entered,) = cohort.releases.values()
    assert (entered.status, entered.private, cohort.unprotected) == ("inside", False, 0)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_where_the_page_is(
    patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], silent_audits: None
) -> None:
    words = ["sweep", str(patients_csv), "--knob", "rows", "--values", "10,20", "--generator", "independent", "--json"]
    assert main([*words, "--target", "died", "--seeds", "1", "--lang", "zh", "--out", str(tmp_path / "f")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["chosen"] is None
    assert told["values"] == [10, 20]
    assert '<html lang="zh-Hans">' in Path(told["page"]).read_text(encoding="utf-8")
    with_text = ["sweep", str(patients_csv), "--knob", "rows", "--values", "10,x", "--out", str(tmp_path / "g")]
    assert main(with_text) == 2
    assert main([*with_text[:3], "epsilon", "--generator", "chain", "--out", str(tmp_path / "g")]) == 11
    assert main([*with_text[:3], "leaves", "--out", str(tmp_path)]) == 10
    assert "is not a frontier" in capsys.readouterr().err


def test_run_takes_the_parameters_that_a_sweep_chose(patients_csv: Path, tmp_path: Path) -> None:
    words = ["run", str(patients_csv), "--target", "died", "--quick"]
    assert main([*words, "--set", "leaves=1", "--out", str(tmp_path / "a")]) == 10  # refused by the recipe itself
    assert main([*words, "--set", "nothing=1", "--out", str(tmp_path / "a")]) == 10


def test_only_a_frontier_is_replaced(swept: pipeline.Sweep, tmp_path: Path, patients_csv: Path) -> None:
    (tmp_path / "mine.txt").write_text("dear diary", encoding="utf-8")
    with pytest.raises(InputError, match="is not a frontier"):
        pipeline.sweep(patients_csv, out=tmp_path, knob="rows")
    with pytest.raises(InputError, match="at least one fit"):
        pipeline.sweep(patients_csv, out=tmp_path / "new", knob="rows", fits=0)
    with pytest.raises(InputError, match="there is no language"):
        pipeline.sweep(patients_csv, out=tmp_path / "new", knob="rows", language="de")
    assert np.all([p.exists() for p in swept.folder.iterdir()])
