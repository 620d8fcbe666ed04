"""A sweep that is killed at random moments and resumed ends in the bytes of one that was left alone."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semblance.cli import main

KILLS = 3


def words(table: Path, out: Path) -> list[str]:
    asked = ["--knob", "leaves", "--values", "4,16", "--seeds", "1", "--set", "trees=10", "--target", "died", "--quick"]
    return ["sweep", str(table), *asked, "--out", str(out)]


def parts(out: Path) -> set[str]:
    return {p.name for p in (out.parent / f".{out.name}.partial").glob("*-*") if not p.name.startswith("tmp-")}


def files(folder: Path) -> dict[str, bytes]:
    """All that depends on the input alone."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "seconds.json"}


@pytest.mark.slow
def test_killed_and_resumed_is_the_same_frontier(patients_csv: Path, tmp_path: Path) -> None:
    chance = random.Random(0)
    assert main(words(patients_csv, tmp_path / "alone")) == 0
    out, stopped = tmp_path / "killed", 0
    for _ in range(KILLS):
        before = parts(out)
        call = [sys.executable, "-m", "semblance", *words(patients_csv, out), "--resume"]
        process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not parts(out) - before:  # until something new was finished …
            time.sleep(0.01)
        time.sleep(chance.random() * 0.3)  # … and a random while longer
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate(timeout=60)
        if out.exists():  # it was quicker than the signal
            break
        stopped += 1
        assert process.returncode == -signal.SIGKILL, said
        assert parts(out) - before  # what learning kept goes once its point is there
    assert stopped
    if not out.exists():
        assert main([*words(patients_csv, out), "--resume"]) == 0
    assert files(out) == files(tmp_path / "alone")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".killed")]
