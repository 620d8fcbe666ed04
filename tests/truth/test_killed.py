"""A fit that is killed at random moments and resumed ends in the model of a fit that was left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.cli import main

KILLS = 2
COLUMNS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of linked columns, and the model of a fit that nobody stopped."""
    place = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(0)
    risk = rng.normal(size=1500)
    columns = {f"lab{i}": np.round(10 + risk * (i % 3) + rng.normal(size=1500), 2) for i in range(COLUMNS - 1)}
    pd.DataFrame({**columns, "died": np.where(risk > 1, "yes", "no")}).to_csv(place / "table.csv", index=False)
    assert main(fit(place / "alone", place / "table.csv")) == 0
    return place


def fit(model: Path, table: Path) -> list[str]:
    return ["fit", str(table), "--model", str(model), "--target", "died", "--set", "trees=60"]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def kept(model: Path) -> int:
    return len(list((model.parent / f".{model.name}.partial").glob("chain-*")))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_killed_and_resumed_is_the_same_model(how: signal.Signals, folder: Path) -> None:
    chance = random.Random(how.value)
    model = folder / how.name
    words = [sys.executable, "-m", "semblance", *fit(model, folder / "table.csv"), "--resume"]
    stopped = 0
    for _ in range(KILLS):
        before = kept(model)
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and kept(model) == before:  # until something new was learned …
            time.sleep(0.01)
        time.sleep(chance.random() * 0.1)  # … and a random while longer
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
        if model.exists():  # it was quicker than the signal
            break
        stopped += 1
        assert process.returncode == (-how if how == signal.SIGKILL else 130), said
        assert how == signal.SIGKILL or "--resume" in said
        assert kept(model) > before
    assert stopped
    if not model.exists():
        assert main([*fit(model, folder / "table.csv"), "--resume"]) == 0
    assert files(model) == files(folder / "alone")
    for name in (how.name, "alone"):
        table = folder / f"{how.name}-{name}.csv"
        assert main(["sample", str(folder / name), "--rows", "200", "-o", str(table), "--seed", "4"]) == 0
    drawn = [(folder / f"{how.name}-{name}.csv").read_bytes() for name in (how.name, "alone")]
    assert drawn[0] == drawn[1]
    assert not [p for p in os.listdir(folder) if p.startswith(f".{how.name}")]


NEURAL = """
import sys
from semblance.cli import main
from semblance.nets import training
training.SAVE_SECONDS = 0.0
sys.exit(main())
"""
"""The command line, but a net is kept after every step and not only now and then."""


def newest(model: Path) -> int:
    """When a state of a net was last kept; 0 for not yet.

    By its seal: the folder of an older state changes once more while it is removed.
    """
    times = [0]
    for seal in (model.parent / f".{model.name}.partial").glob("fit-*/seal.json"):
        with suppress(FileNotFoundError):  # removed in between
            times.append(seal.stat().st_mtime_ns)
    return max(times)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=lambda s: s.name)
def test_a_net_killed_at_random_steps_and_resumed_is_the_same_net(how: signal.Signals, folder: Path) -> None:
    chance = random.Random(how.value)
    table, alone, model = folder / "table.csv", folder / f"net-{how.name}-alone", folder / f"net-{how.name}"

    def words(target: Path) -> list[str]:
        settings = ("steps=80", "width=32", "latent=4", "batch=128", "max_cells=8")
        chosen = [word for setting in settings for word in ("--set", setting)]
        return ["fit", str(table), "--model", str(target), "--target", "died", "--generator", "vae", *chosen]

    assert main(words(alone)) == 0
    for _ in range(KILLS if how == signal.SIGKILL else 1):
        before = newest(model)
        process = subprocess.Popen(
            [sys.executable, "-c", NEURAL, *words(model), "--resume"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and newest(model) == before:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.5)
        process.send_signal(how)
        _, said = process.communicate(timeout=60)
        assert not model.exists(), "it was quicker than the signal"
        assert process.returncode == (-how if how == signal.SIGKILL else 130), said
        assert newest(model) > before
    assert main([*words(model), "--resume"]) == 0
    assert files(model) == files(alone)
