"""The games that `gan` can play: on 25 clusters of which a collapsed generator would miss some, and on Adult.

    python -m benchmarks.games [--shared ../shared] [--judge PATH/TO/PYTHON/WITH/xgboost] [--steps 1500]

The clusters stand on a grid that is turned, so that neither column alone shows them (on an upright grid, two columns
drawn each on its own would be perfect). A cluster is shown if at least a quarter of its share of rows fall within
three standard deviations of it; a row is sound if it lies within three of any. With --judge, each game also learns
Adult for the same number of the critic's updates, scored as in `benchmarks/neural.py`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import semblance as sb
from benchmarks.neural import column_errors
from semblance.destination import write_table
from semblance.errors import FitError
from semblance.generators.gan import GAN, LOSSES

SPREAD = 0.06
TURN = np.deg2rad(27)
CENTRES = np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)), axis=-1).reshape(-1, 2) @ np.array(
    [[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]
)


def clusters(n: int, seed: int) -> pd.DataFrame:
    """Rows about the 25 centres."""
    rng = np.random.default_rng(seed)
    points = CENTRES[rng.integers(0, 25, n)] + SPREAD * rng.normal(size=(n, 2))
    return pd.DataFrame({"x": points[:, 0].round(3).astype(str), "y": points[:, 1].round(3).astype(str)})


def shown(points: np.ndarray) -> tuple[int, float]:
    """Clusters shown, and the share of sound rows: points is (n, 2)."""
    away = np.linalg.norm(points[:, None] - CENTRES, axis=2)
    sound = away.min(axis=1) <= 3 * SPREAD
    counts = np.bincount(away.argmin(axis=1)[sound], minlength=25)
    return int((counts >= 0.25 * len(points) / 25).sum()), float(sound.mean())


def line(recipe: GAN, options: argparse.Namespace) -> str:
    """What one game did."""
    begun = time.process_time()
    table = clusters(10_000, 0)
    data = sb.read(table, sb.describe(table))
    run = sb.begin(seed=0)
    try:
        model = sb.fit(data, run, generator=replace(recipe, max_cells=64, batch=250, epochs=1000))
        fake = sb.sample(model, run, n=10_000)
        found, sound = shown(fake.frame[["x", "y"]].to_numpy(dtype=np.float64))
        toy = [f"{found} of 25", f"{sound:.2f}", f"{time.process_time() - begun:.0f}"]
    except FitError as error:
        toy = [f"refused: {error}", "–", f"{time.process_time() - begun:.0f}"]
    return "| " + " | ".join([recipe.loss, *toy, *adult(recipe, options)]) + " |"


def adult(recipe: GAN, options: argparse.Namespace) -> list[str]:
    if not options.judge:
        return ["–"] * 4
    begun = time.process_time()
    home = options.shared / "yardstick" / "adult"
    real = sb.read(home / "train.csv", sb.describe(home / "train.csv", target="income"))
    run = sb.begin(seed=0)
    try:
        model = sb.fit(real, run, generator=recipe)
    except FitError as error:
        return [f"refused: {error}", "–", "–", f"{time.process_time() - begun:.0f}"]
    fake = sb.sample(model, run, n=real.n_rows)
    seconds = time.process_time() - begun
    facts = getattr(model, "facts", {})
    errors = max(column_errors(real, fake).values())
    with tempfile.TemporaryDirectory() as place:
        judged = [options.judge, str(home.parent / "xgb_c2st.py"), str(home)]
        judged.append(str(write_table(fake, Path(place) / "synthetic.csv")))
        score = json.loads(subprocess.run(judged, check=True, capture_output=True, text=True).stdout)["xgb_c2st"]
    return [f"{score:.3f}", f"{errors:.3f}", f"{facts['mode_coverage']:.3f}", f"{seconds:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--judge", help="python of an environment with xgboost and sdmetrics")
    parser.add_argument("--losses", nargs="+", default=list(LOSSES))
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    print(
        "| loss | clusters shown | sound rows | CPU s | Adult XGB-C2ST | column error | mode coverage | CPU s |\n"
        + "| --- " * 8
        + "|"
    )
    found, sound = shown(clusters(10_000, 1).to_numpy(dtype=np.float64))
    print(f"| real rows | {found} of 25 | {sound:.2f} |" + " – |" * 5, flush=True)
    for loss in options.losses:
        print(line(GAN(loss=loss, steps=options.steps), options), flush=True)


if __name__ == "__main__":
    main()
