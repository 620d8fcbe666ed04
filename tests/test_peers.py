"""The benchmark's comparison with peers: nothing is installed here, but its promises can be held without them."""

from __future__ import annotations

import importlib
import json
import signal
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


Peers = Callable[[str], Any]  # the module of that name


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Peers:
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.peers.{name}")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text("a\n1\n2\n")
    return path


def test_no_peer_is_a_dependency(peers: Peers) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(x for extra in project["optional-dependencies"].values() for x in extra)]
    locked = "".join(path.read_text() for path in (ROOT / "requirements").glob("*.txt"))
    for line in peers("lines").LINES.values():
        if line.requirements != "semblance":
            assert not [x for x in asked if x.startswith(line.package)]
            assert f"\n{line.package}==" not in "\n" + locked


def test_every_line_has_a_script_and_every_peer_a_pinned_version(peers: Peers) -> None:
    for line in peers("lines").LINES.values():
        assert line.script.exists()
        assert peers("environment").version(line)[0].isdigit()
        if line.requirements != "semblance":
            pins = [x for x in line.pins.read_text().splitlines() if x and not x.startswith("#")]
            assert all("==" in x for x in pins)


def test_a_key_is_of_the_rows_the_seed_and_the_settings_but_not_of_the_limit(peers: Peers, rows: Path) -> None:
    key, line = peers("cache").line_key, peers("lines").LINES["CTGAN"]
    first = key(line, rows, 0)
    assert key(replace(line, limit=1), rows, 0) == first
    assert key(line, rows, 1) != first
    assert key(replace(line, settings={"synthesiser": "TVAESynthesizer"}), rows, 0) != first
    rows.write_text("a\n1\n3\n")
    assert key(line, rows, 0) != first


def test_a_digest_keeps_its_parts_apart_and_sees_a_change_of_code(peers: Peers, tmp_path: Path) -> None:
    digest = peers("cache").digest
    assert digest("ab", "c") != digest("a", "bc")
    (tmp_path / "one.py").write_text("x = 1\n")
    before = digest(tmp_path)
    (tmp_path / "one.py").write_text("x = 2\n")
    assert digest(tmp_path) != before


def test_what_is_kept_is_only_recalled_under_its_key(peers: Peers, tmp_path: Path) -> None:
    cache, path = peers("cache"), tmp_path / "record.json"
    assert cache.recall(path, "k") is None
    cache.remember(path, "k", {"cpu_s": 1.5})
    assert cache.recall(path, "k") == {"key": "k", "cpu_s": 1.5}
    assert cache.recall(path, "other") is None


def test_a_line_without_a_table_keeps_its_place_and_says_why(peers: Peers) -> None:
    table = peers("table")
    cells = table.row("ARF", {"cpu_s": 1200.0, "wall_s": 1300.0, "peak_mb": 400, "remark": "stopped"}, None)
    assert len(cells) == len(table.HEAD)
    assert cells[0] == "ARF"
    assert cells[-1] == "stopped"
    assert "1200.0" in cells
    score = {
        "c2st": {"auc": 0.5},
        "tstr": {"ratio": 0.99},
        "pair_score": 0.97,
        "privacy": {"dcr_share": 0.5, "mia_domias_auc": 0.51},
    }
    assert table.row("x", {}, score)[1:6] == ["0.500", "0.990", "0.970", "0.500", "0.510"]


def adapter(folder: Path, body: str) -> Path:
    path = folder / "adapter.py"
    path.write_text(f"def synthesise(train, out, *, rows, seed):\n    {body}\n")
    return path


def work(peers: Peers, folder: Path, body: str, limit: int) -> tuple[Any, str]:
    """Run a made-up adapter as the benchmark runs a real one; what it spent and what it printed."""
    paths = {name: str(folder / name) for name in ("train", "out", "usage")}
    words = json.dumps({**paths, "limit": limit, "rows": 3, "seed": 0})
    command = [sys.executable, "-P", str(peers("lines").HERE / "worker.py"), str(adapter(folder, body)), words]
    spent = peers("measure").run(command, limit, folder / "log.txt")
    return spent, peers("environment").last_words(folder / "log.txt")


def test_a_run_is_timed_and_its_memory_seen(peers: Peers, tmp_path: Path) -> None:
    spent, _ = work(peers, tmp_path, "out.write_text('a' * len(bytearray(200_000_000)[:rows]))", limit=60)
    assert spent.code == 0
    assert (tmp_path / "out").read_text() == "aaa"
    assert spent.peak_mb > 190
    assert json.loads((tmp_path / "usage").read_text())["import_cpu_s"] < spent.cpu_s


def test_a_run_past_its_limit_is_stopped(peers: Peers, tmp_path: Path) -> None:
    spent, _ = work(peers, tmp_path, "while True: pass", limit=1)
    assert spent.code == -signal.SIGXCPU
    assert 0.5 < spent.cpu_s < 5


def test_a_failure_is_told_in_its_last_words(peers: Peers, tmp_path: Path) -> None:
    spent, said = work(peers, tmp_path, "raise ValueError('no such column')", limit=60)
    assert spent.code == 1
    assert said == "ValueError: no such column"
