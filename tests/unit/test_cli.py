"""Words in, one verb called, exit code out."""

from __future__ import annotations

import builtins
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from semblance.cli import main
from semblance.data import surrogates
from semblance.errors import MissingExtra
from semblance.interruption import listening
from semblance.manner import Manner
from semblance.progress import bars
from semblance.release import bundle


def call(*words: object) -> int:
    return main([str(w) for w in words])


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The error: one line on stderr and nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("semblance: ")
    assert lines[0].endswith(".")
    return lines[0]


def semblance(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "semblance", *map(str, words))
    return subprocess.run(words, capture_output=True, text=True, check=False, **options)


# ── bad input: one sentence, its exit code, nothing written ──────────────────────────────────────────────────────────


BAD = {
    "empty": ("", 10),
    "header only": ("age,sex\n", 10),
    "one row": ("age,sex\n40,F\n", 10),
    "too few patients": ("age,sex\n" + "40,F\n50,M\n" * 5, 10),
    "two columns of one name": ("age,age\n" + "40,1\n50,2\n" * 50, 10),
    "a row too long": ("age,sex\n" + "40,F\n50,M\n" * 50 + "60,F,7\n", 10),
    "infinity": ("age,dose\n" + "40,1.5\n50,2.5\n" * 50 + "60,inf\n", 10),
    "nothing to learn": ("note,empty\n" + "".join(f"this is long note number {i} of many,\n" for i in range(60)), 11),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_tables(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, code = BAD[case]
    source = tmp_path / "source.csv"
    source.write_text(content, encoding="utf-8")
    assert call("run", source, "--out", tmp_path / "release", "--quick") == code
    one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["source.csv"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--target", "height"), 10, "'height'"),
        (("--subject", "person"), 10, "'person'"),
        (("--generator", "magic"), 11, "chain, gan, independent, marginals, vae"),
        (("--epsilon", "1", "--generator", "chain"), 11, "no differential privacy"),
        (("--epsilon", "9", "--generator", "marginals"), 13, "cap"),
        (("--epsilon", "1", "--delta", "0.01"), 13, "delta"),
        (("--delta", "1e-5"), 10, "epsilon"),
        (("--policy", "absent.toml"), 10, "absent.toml"),
        (("--schema", "absent.toml"), 10, "absent.toml"),
    ],
)
def test_bad_wishes(
    words: tuple[str, ...], code: int, said: str, patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", patients_csv, "--out", tmp_path / "release", "--quick", *words) == code
    assert said in one_line(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("run", "x.csv"),
        ("run", "x.csv", "--out", "y", "--rows", "0"),
        ("run", "x.csv", "--out", "y", "--seed", "-1"),
        ("dance",),
        ("list", "secrets"),
        ("sample", "model", "-o", "x.csv"),
        ("fit", "x.csv", "--model", "m", "--set", "trees"),
    ],
)
def test_words_that_are_not_understood(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error:" in err


def test_no_such_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("describe", tmp_path / "absent.csv") == 10
    assert "absent.csv" in one_line(capsys)
    assert call("describe", __file__) == 11
    one_line(capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_no_permission(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert call("describe", patients_csv, "-o", closed / "schema.toml") == 10
    one_line(capsys)


def test_a_place_that_cannot_be_written(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where a folder should be: what root cannot do either."""
    (tmp_path / "file").write_text("x")
    for words in (
        ("describe", patients_csv, "-o", tmp_path / "file" / "schema.toml"),
        ("describe", patients_csv, "-o", tmp_path),
        ("run", patients_csv, "--out", tmp_path / "file", "--quick"),
        ("fit", patients_csv, "--model", tmp_path / "file"),
    ):
        assert call(*words) == 10, words
        one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("verb", ["run", "fit"])
def test_a_foreign_folder_is_left_alone(
    verb: str, patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said before anything is read or learned."""
    monkeypatch.setattr(
        "semblance.pipeline.reading.read_source", lambda source: pytest.fail("read before the output was checked")
    )
    (tmp_path / "thesis.docx").write_text("ten years of work")
    option = "--out" if verb == "run" else "--model"
    assert call(verb, patients_csv, option, tmp_path) == 10
    assert tmp_path.name in one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_schema_of_another_table(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    other.write_text("height,weight\n" + "".join(f"{150 + i},{50 + i}\n" for i in range(50)))
    assert call("describe", other, "-o", tmp_path / "schema.toml") == 0
    capsys.readouterr()
    assert call("run", patients_csv, "--schema", tmp_path / "schema.toml", "--out", tmp_path / "release") == 10
    one_line(capsys)
    (tmp_path / "schema.toml").write_text("columns = [")
    assert call("run", patients_csv, "--schema", tmp_path / "schema.toml", "--out", tmp_path / "release") == 10
    one_line(capsys)
    (tmp_path / "schema.toml").write_bytes(b"\xff\xfe\x00")
    assert call("run", patients_csv, "--schema", tmp_path / "schema.toml", "--out", tmp_path / "release") == 10
    one_line(capsys)
    assert not (tmp_path / "release").exists()


def test_sampling_does_not_intervene_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("sample", tmp_path, "--rows", 3, "-o", tmp_path / "x.csv", "--do", "sex=F") == 11
    one_line(capsys)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_is_one_object_and_nothing_else(
    patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(*words: object) -> dict[str, Any]:
        code = call(*words, "--json")
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        told = json.loads(out)
        assert isinstance(told, dict)
        assert told.get("exit_code", 0) in (0, code)
        return told

    assert "age" in answer("describe", patients_csv)["schema"]
    assert answer("describe", patients_csv, "--target", "died", "-o", tmp_path / "s.toml")["target"] == "died"
    run = answer("run", patients_csv, "--out", tmp_path / "r", "--quick", "--target", "died", "--generator", "chain")
    assert run["decision"] in ("RELEASE", "REFUSE")
    assert Path(run["report"]).is_file()
    assert answer("verify", tmp_path / "r")["intact"] is True
    assert answer("fit", patients_csv, "--model", tmp_path / "m")["model"]
    assert answer("sample", tmp_path / "m", "--rows", 5, "-o", tmp_path / "f.csv")["rows"] == 5
    assert set(answer("list", "generators")["generators"]) == {"chain", "gan", "independent", "marginals", "vae"}
    assert answer("describe", tmp_path / "absent.csv") == {
        "error": "InputError",
        "exit_code": 10,
        "message": f"there is no file {tmp_path / 'absent.csv'}; check the path.",
    }


def test_describe_explains_columns(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("describe", patients_csv, "--explain", "age", "--explain", "sex", "--explain", "age") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("age: integer")
    assert out.count("What the table holds") == 2
    assert call("describe", patients_csv, "--explain", "died", "--target", "died", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["columns"]
    assert told["by_hand"] == ["role: target; the table alone suggests feature"]
    assert call("describe", patients_csv, "-o", tmp_path / "s.toml") == 0
    capsys.readouterr()
    assert call("describe", patients_csv, "--schema", tmp_path / "s.toml", "--explain", "died", "--json") == 0
    assert json.loads(capsys.readouterr().out)["columns"][0]["by_hand"] == []
    assert call("describe", patients_csv, "--explain", "presure") == 10
    assert "'pressure'" in one_line(capsys)
    assert call("describe", patients_csv, "--explain", "age", "-o", tmp_path / "x.txt") == 2
    assert call("describe", patients_csv, "--schema", tmp_path / "s.toml") == 2


def test_a_refusal_exits_20_after_writing_the_folder(
    patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The floor generator on few patients cannot pass."""
    words = ("run", patients_csv, "--out", tmp_path / "r", "--quick", "--target", "died", "--generator", "independent")
    assert call(*words) == 20
    out, err = capsys.readouterr()
    assert out.startswith("REFUSED:")
    assert len(err.splitlines()) == 1
    held = {p.name for p in (tmp_path / "r").iterdir()}
    assert held == {"schema.toml", "evidence.json", "report.html", "card.md", "policy.toml", "manifest.json"}
    assert call("verify", tmp_path / "r") == 0


def test_a_changed_release_exits_21(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("run", patients_csv, "--out", tmp_path / "r", "--quick", "--generator", "independent")
    (tmp_path / "r" / "card.md").write_text("all is well")
    capsys.readouterr()
    assert call("verify", tmp_path / "r") == 21
    assert "card.md" in one_line(capsys)
    assert call("verify", tmp_path / "nowhere") == 10


def test_fit_then_sample(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "model"
    assert call("fit", patients_csv, "--model", model, "--set", "trees=10", "--set", "learning_rate=1") == 0
    card = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert card["generator"] == "chain"
    assert card["parameters"]["trees"] == 10
    for name in ("a.csv", "b.csv", "c.csv.gz", "d.parquet"):
        assert call("sample", model, "--rows", 30, "-o", tmp_path / name, "--seed", 4) == 0
    assert call("sample", model, "--rows", 30, "-o", tmp_path / "e.csv", "--seed", 5) == 0
    drawn = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert drawn.splitlines()[0] == patients_csv.read_text(encoding="utf-8").splitlines()[0]
    assert len(drawn.splitlines()) == 31
    assert drawn == (tmp_path / "b.csv").read_text(encoding="utf-8")
    assert drawn != (tmp_path / "e.csv").read_text(encoding="utf-8")
    capsys.readouterr()
    assert call("sample", model, "--rows", 30, "-o", tmp_path / "f.xlsx") == 11
    one_line(capsys)
    assert call("fit", patients_csv, "--model", model, "--generator", "independent") == 0, "a model may be replaced"


@pytest.mark.parametrize(
    ("setting", "said"),
    [("leafs=3", "'leafs'"), ("trees=many", "'trees'"), ("trees=1.5", "'trees'"), ("trees=true", "'trees'")],
)
def test_settings_that_do_not_exist(
    setting: str, said: str, patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("fit", patients_csv, "--model", tmp_path / "m", "--set", setting) == 10
    assert said in one_line(capsys)


@pytest.mark.parametrize("damage", ["no folder", "no schema", "bad json", "other version", "missing part"])
def test_a_damaged_model(damage: str, patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "model"
    assert call("fit", patients_csv, "--model", model, "--generator", "independent") == 0
    match damage:
        case "no folder":
            model = tmp_path / "elsewhere"
        case "no schema":
            (model / "schema.toml").unlink()
        case "bad json":
            (model / "model.json").write_text("{")
        case "other version":
            (model / "model.json").write_text('{"schema_version": "99", "generator": "chain"}')
        case "missing part":
            next((model / "fitted").iterdir()).unlink()
    capsys.readouterr()
    assert call("sample", model, "--rows", 5, "-o", tmp_path / "x.csv") == 10
    one_line(capsys)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.slow
def test_audit_judges_any_table(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = patients_csv.read_text(encoding="utf-8").splitlines(keepends=True)
    for name, part in (("t", rows[1:200]), ("h", rows[200:400]), ("s", [*rows[1:150], "200,robot,ward,900,,yes\n"])):
        (tmp_path / f"{name}.csv").write_text(rows[0] + "".join(part), encoding="utf-8")
    tables = ("--train", tmp_path / "t.csv", "--holdout", tmp_path / "h.csv", "--synthetic", tmp_path / "s.csv")
    words = (
        "audit",
        *tables,
        "--target",
        "died",
        "--quick",
        "-o",
        tmp_path / "e.json",
        "--report",
        tmp_path / "r.html",
    )
    assert call(*words) == 0
    evidence = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert evidence["verdict"]["decision"] == "REFUSE"
    found = {f["name"]: f for f in evidence["findings"]}
    assert found["copies.exact.excess"]["value"] > 0.5
    assert found["validity.rows.share"]["value"] < 1
    assert (tmp_path / "r.html").stat().st_size > 10_000
    assert "robot" not in (tmp_path / "e.json").read_text(encoding="utf-8")
    for made in ("e.json", "r.html"):
        (tmp_path / made).unlink()
    assert call(*words, "--enforce") == 20
    for made in ("e.json", "r.html"):
        (tmp_path / made).unlink()
    capsys.readouterr()
    (tmp_path / "s.csv").write_text("height\n1\n2\n", encoding="utf-8")
    assert call(*words) == 10
    one_line(capsys)


# ── a process of its own ─────────────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_c_leaves_nothing_but_what_can_be_resumed(tmp_path: Path) -> None:
    from semblance.data.demo import patients

    words = [sys.executable, "-m", "semblance", "run", str(patients()), "--out", str(tmp_path / "release")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(tmp_path.glob(".release.partial/chain-*")):
        time.sleep(0.05)
    assert process.poll() is None, "finished before it could be interrupted"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "interrupted" in err
    assert "--resume" in err
    assert [p.name for p in tmp_path.iterdir()] == [".release.partial"]


def test_a_swallowed_interrupt_stops_at_the_next_report() -> None:
    before = signal.getsignal(signal.SIGINT)
    with listening(), bars(hidden=True) as progress:
        progress("learning columns", 0, 2)
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(KeyboardInterrupt):  # as a library's callback would
                os.kill(os.getpid(), number)
                time.sleep(1)
            with pytest.raises(KeyboardInterrupt):
                progress("learning columns", 1, 2)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stated_time_for_learning(patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("fit", patients_csv, "--model", tmp_path / "model", "--max-minutes", "1e-9", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert any(note.startswith("Stopped by the time limit: 1 of 6 columns") for note in told["notes"])
    card = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    assert card["max_minutes"] == 1e-9
    assert card["notes"] == told["notes"]
    assert call("fit", patients_csv, "--model", tmp_path / "model", "--max-minutes", "0") == 2
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("moment", ["surrogates.fill", "bundle.write"])
@pytest.mark.slow
def test_an_interruption_at_a_late_moment(
    moment: str,
    patients_csv: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    words = ("run", patients_csv, "--out", tmp_path / "release", "--quick")
    with monkeypatch.context() as patch:
        room, name = (bundle, "render") if moment == "bundle.write" else (surrogates.Surrogates, "fill")
        patch.setattr(room, name, stop)
        assert call(*words) == 130
    assert "--resume" in one_line(capsys)
    assert [p.name for p in tmp_path.iterdir()] == [".release.partial"]
    assert call(*words) == 10
    assert "--resume" in one_line(capsys)
    monkeypatch.setattr("semblance.conditionals.lessons.search", stop)  # the model is not learned again
    assert call(*words, "--resume") in (0, 20)
    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_a_full_disk(
    patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    from semblance.formats.csv import Csv

    assert call("fit", patients_csv, "--model", tmp_path / "model", "--generator", "independent") == 0
    monkeypatch.setattr(Csv, "write_blocks", full)
    capsys.readouterr()
    assert call("sample", tmp_path / "model", "--rows", 3, "-o", tmp_path / "drawn.csv") == 10
    assert "space" in one_line(capsys)
    assert {p.name for p in tmp_path.iterdir()} == {"model"}


@pytest.mark.parametrize("verb", ["describe", "sample", "audit"])
def test_no_file_is_ever_replaced(
    verb: str, patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(patients_csv.read_bytes())
    words = {
        "describe": ("describe", mine, "-o", mine),
        "sample": ("sample", tmp_path / "model", "--rows", 3, "-o", mine),
        "audit": ("audit", "--train", mine, "--holdout", mine, "--synthetic", mine, "-o", mine),
    }
    assert call(*words[verb]) == 10
    assert "left as it is" in one_line(capsys)
    assert mine.read_bytes() == patients_csv.read_bytes()


def test_the_training_table_is_no_holdout(
    patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = ("--train", patients_csv, "--holdout", patients_csv, "--synthetic", patients_csv)
    assert call("audit", *same, "-o", tmp_path / "e.json") == 10
    assert "never saw" in one_line(capsys)


def test_an_unforeseen_error_is_one_line_without_its_words(patients_csv: Path) -> None:
    code = (
        "import sys\n"
        "from semblance import pipeline, cli\n"
        "def broken(*a, **k): raise ValueError('Mrs Miller is 47')\n"
        "pipeline.describe = broken\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    words = [sys.executable, "-c", code, "describe", str(patients_csv)]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert "--debug" in told.stderr
    assert "Miller" not in told.stderr
    debugged = subprocess.run([*words, "--debug"], capture_output=True, text=True, check=False)
    assert debugged.returncode == 1
    assert "Traceback" in debugged.stderr


def test_debug_shows_the_traceback_and_keeps_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("describe", tmp_path / "absent.csv", "--debug") == 10
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_stops_early(patients_csv: Path) -> None:
    words = f"{sys.executable} -m semblance describe {patients_csv} | head -1"
    told = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert told.stderr == ""
    assert told.stdout


def test_no_bars_and_no_colours_without_a_terminal(patients_csv: Path, tmp_path: Path) -> None:
    told = semblance("run", patients_csv, "--out", tmp_path / "r", "--quick", "--generator", "independent")
    assert "\x1b" not in told.stdout + told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_missing_openmp_library_has_a_cure(
    patients_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = builtins.__import__

    def slim(name: str, *rest: Any, **named: Any) -> Any:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file: No such file or directory")
        return known(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", slim)
    assert call("run", patients_csv, "--out", tmp_path / "r") == MissingExtra.exit_code
    assert "apt-get install libgomp1" in one_line(capsys)


def test_the_manner_of_telling(capsys: pytest.CaptureFixture[str]) -> None:
    Manner().tell({"a": 1}, "one is a")
    Manner(json=True).tell({"a": "ä"}, "one is a")
    assert capsys.readouterr().out == 'one is a\n{"a": "ä"}\n'
