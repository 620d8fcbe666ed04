"""Every image generator that is killed at random steps and resumed ends in the bytes of one that was left alone."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from semblance.catalog import IMAGE_GENERATORS
from semblance.checkpoint import UNFINISHED
from semblance.cli import main

N = 48
SETTINGS = {
    "kimg": 1,
    "mask_kimg": 1,
    "steps": 24,
    "batch": 16,
    "width": 16,
    "mask_width": 16,
    "critic_width": 16,
    "told": 16,
    "latent": 16,
    "solver_steps": 2,
    "learning_rate": 0.002,
}
"""As many as a recipe has of them: a training of seconds."""

KEPT_AT_EVERY_STEP = """
import sys
from semblance.cli import main
from semblance import nets
from semblance.nets import training
nets.PROCESSORS = 1  # as in the process that tests, or sums are added up in another order
training.SAVE_SECONDS = 0.0
sys.exit(main())
"""
"""The command line, but a net is kept after every step and not only now and then."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs and rings with masks of them, in an .npz."""
    place = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(1)
    down, right = np.mgrid[:16, :16]
    ring = np.arange(N) % 2
    far = np.hypot(down - rng.uniform(6, 9, (N, 1, 1)), right - rng.uniform(6, 9, (N, 1, 1)))
    marked = np.where(ring[:, None, None] == 1, np.abs(far - 4) < 1.3, far < rng.uniform(3, 5, (N, 1, 1)))
    images = np.clip(30 + marked * rng.uniform(100, 200, (N, 1, 1)) + rng.normal(0, 6, (N, 16, 16)), 0, 255)
    common = {"images": images.astype(np.uint8), "labels": ring}
    np.savez(place / "plain.npz", **common)
    np.savez(place / "masked.npz", **common, masks=marked.astype(np.uint8))
    return place


def fit(name: str, folder: Path, model: Path) -> list[str]:
    """The words of the command; images with masks only for a recipe that asks for them."""
    kind = IMAGE_GENERATORS[name]
    chosen = [f"{key}={value}" for key, value in SETTINGS.items() if key in {field.name for field in fields(kind)}]
    source = folder / ("masked.npz" if name == "mask" else "plain.npz")
    settings = [word for setting in chosen for word in ("--set", setting)]
    return ["images", "fit", str(source), "--model", str(model), "--generator", name, *settings]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def newest(model: Path) -> int:
    """When a state was last kept, by its seal; 0 for not yet."""
    times = [0]
    for seal in (model.parent / f".{model.name}.partial").glob("*/seal.json"):
        if seal.parent.name.startswith(UNFINISHED):  # a signal now, and it is not kept
            continue
        with suppress(FileNotFoundError):  # removed in between
            times.append(seal.stat().st_mtime_ns)
    return max(times)


def stop(words: list[str], model: Path, how: signal.Signals, chance: random.Random) -> str:
    """Begin or go on, and be stopped a random while after something new was kept; what it said."""
    before = newest(model)
    process = subprocess.Popen(
        [sys.executable, "-c", KEPT_AT_EVERY_STEP, *words, "--resume"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and newest(model) == before:
        time.sleep(0.01)
    time.sleep(chance.random() * 0.3)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert not model.exists(), "it was quicker than the signal"
    assert process.returncode == (-how if how == signal.SIGKILL else 130), said
    assert newest(model) > before
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", list(IMAGE_GENERATORS))
def test_killed_and_resumed_is_the_same_model(name: str, folder: Path) -> None:
    chance = random.Random(name)
    alone, model = folder / f"{name}-alone", folder / name
    assert main(fit(name, folder, alone)) == 0
    for _ in range(2 if name == "gan" else 1):
        stop(fit(name, folder, model), model, signal.SIGKILL, chance)
    assert main([*fit(name, folder, model), "--resume"]) == 0
    assert files(model) == files(alone)
    assert not list(folder.glob(f".{name}*")), "nothing is left of the work"
    seen, known = (files(folder / f"{place}.gallery") for place in (name, f"{name}-alone"))
    assert seen["latest.png"] == known["latest.png"], "and draws the same"


@pytest.mark.slow
def test_interrupted_it_says_how_to_go_on(folder: Path) -> None:
    model = folder / "interrupted"
    words = fit("flow", folder, model)
    said = stop(words, model, signal.SIGINT, random.Random(2))
    assert len(said.splitlines()) == 1
    assert "--resume" in said
    assert main(words) == 10, "unfinished work is not begun anew unasked"
    assert main([*words, "--set", "ema=0.5", "--resume"]) == 10, "nor gone on with by another recipe"
    assert main([*words, "--resume"]) == 0
    card = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert card["kind"] == "images"
    assert card["ledger"]["guarantee"] == "no formal guarantee (ε = ∞)"
