"""Parts of unfinished work: whole or not there, of this work or refused, and gone at the end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from semblance import checkpoint, model_folder, pipeline
from semblance.checkpoint import place_beside, work_on
from semblance.engines.local import Local
from semblance.errors import InputError
from semblance.generators.chain import Chain

OF = {"source": "a", "seed": "1"}


def test_a_part_comes_back_as_it_was_written(tmp_path: Path) -> None:
    with work_on(tmp_path / "m", OF, resume=False) as work:
        assert work.get("a") is None
        work.put("a", lambda folder: (folder / "x.txt").write_text("one"))
        part = work.get("a")
        assert part is not None
        assert (part / "x.txt").read_text() == "one"
        assert place_beside(tmp_path / "m").stat().st_mode & 0o077 == 0, "nobody else may look in"
    assert not list(tmp_path.iterdir())


def test_work_without_parts_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as stopped, work_on(tmp_path / "m", OF, resume=False):
        raise KeyboardInterrupt
    assert not hasattr(stopped.value, "__notes__")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The place of work that was interrupted after one part, and in the middle of another."""

    def broken(folder: Path) -> None:
        (folder / "x.txt").write_text("half")
        raise KeyboardInterrupt

    def two_parts() -> None:
        with work_on(tmp_path / "m", OF, resume=False) as work:
            work.put("a", lambda folder: (folder / "x.txt").write_text("one"))
            work.put("b", broken)

    with pytest.raises(KeyboardInterrupt) as error:
        two_parts()
    assert "--resume" in error.value.__notes__[0]
    return place_beside(tmp_path / "m")


def test_interrupted_work_is_refused_then_resumed(stopped: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--resume"), work_on(tmp_path / "m", OF, resume=False):
        pass
    (stopped / "tmp-left").mkdir()  # as a kill leaves it
    with work_on(tmp_path / "m", OF, resume=True) as work:
        assert work.get("a") is not None
        assert work.get("b") is None
        assert {p.name for p in stopped.iterdir()} == {"work.json", "a"}
    assert not stopped.exists()


def test_other_work_is_refused_and_kept(stopped: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="another seed; run the command"),
        work_on(tmp_path / "m", {**OF, "seed": "2"}, resume=True),
    ):
        pass
    assert (stopped / "a").is_dir()
    (stopped / "work.json").write_text("{")
    with pytest.raises(InputError, match="another record"), work_on(tmp_path / "m", OF, resume=True):
        pass


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "more", "no seal"])
def test_a_damaged_part_is_no_part(damage: str, stopped: Path, tmp_path: Path) -> None:
    file = stopped / "a" / "x.txt"
    match damage:
        case "cut":
            file.write_text("on")
        case "changed":
            file.write_text("two")
        case "gone":
            file.unlink()
        case "more":
            (stopped / "a" / "y.txt").write_text("")
        case "no seal":
            (stopped / "a" / "seal.json").unlink()
    with work_on(tmp_path / "m", OF, resume=True) as work:
        assert work.get("a") is None
        work.put("a", lambda folder: (folder / "x.txt").write_text("again"))
        assert work.get("a") is not None


def test_what_a_killed_removal_left_is_removed(stopped: Path, tmp_path: Path) -> None:
    (stopped / "work.json").unlink()
    with work_on(tmp_path / "m", OF, resume=False) as work:
        assert work.get("a") is None


# ── a chain ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_interrupted_after_each_column(patients_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more column each time, one of them damaged meanwhile; then the very model, with each charge entered once."""
    recipe = Chain(trees=5)
    pipeline.train(patients_csv, tmp_path / "alone", target="died", generator=recipe, seed=3)
    place, put = place_beside(tmp_path / "m"), checkpoint.Work.put

    def put_and_stop(self: checkpoint.Work, key: str, write: object) -> None:
        put(self, key, write)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.Work, "put", put_and_stop)
    monkeypatch.setattr("semblance.pipeline.reading.Local", lambda: Local(workers=1))
    for times in range(1, 7):
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(patients_csv, tmp_path / "m", target="died", generator=recipe, seed=3, resume=times > 1)
        assert len(list(place.glob("chain-*"))) == times
    monkeypatch.undo()
    tree = next(place.glob("chain-*/*.txt"))
    tree.write_text(tree.read_text()[:-40])
    pipeline.train(patients_csv, tmp_path / "m", target="died", generator=recipe, seed=3, resume=True)
    assert files(tmp_path / "m") == files(tmp_path / "alone")
    charges = json.loads((tmp_path / "m" / "model.json").read_text())["ledger"]["charges"]
    assert [c["purpose"] for c in charges] == ["describe", "fit/chain"]
    assert not place.exists()


@pytest.mark.parametrize("changed", ["seed", "generator", "schema", "source", "command"])
def test_another_fit_is_not_continued(
    changed: str, patients_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(patients_csv.read_bytes())
    schema = pipeline.describe(table, target="died")
    asked = {"schema": schema, "generator": Chain(trees=2), "seed": 0}

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model_folder, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(table, tmp_path / "m", **asked)
    match changed:
        case "seed":
            asked["seed"] = 1
        case "generator":
            asked["generator"] = Chain(trees=3)
        case "schema":
            asked["schema"] = schema.with_column(replace(schema["age"], high=120.0))
        case "source":
            rows = pd.read_csv(table, dtype=str, keep_default_na=False)
            rows.iloc[::-1].to_csv(table, index=False)
    with pytest.raises(InputError, match=f"another {changed};"):
        _ = (
            pipeline.run(table, out=tmp_path / "m", resume=True, **asked)
            if changed == "command"
            else pipeline.train(table, tmp_path / "m", resume=True, **asked)
        )
