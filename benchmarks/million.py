"""A million rows of fifteen columns: learned from a file, and a million drawn to Parquet. Wall, CPU, peak memory.

    python benchmarks/million.py [--data ../shared/yardstick/adult/train.csv] [--rows 1000000]

The table is Adult drawn with replacement. So that rows are not mere copies, `fnlwgt`, which no two people share, gets
normal noise of 5 % of its standard deviation, and ages and hours move by one year or hour in a third of the rows,
within their range. Stages run in processes of their own, timed from outside: each one's peak is its own. Asked: fit
and sample together within 5 minutes on two cores, no process above 2 GB.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd


def grow(source: Path, into: Path, rows: int) -> None:
    """Write the large table."""
    rng = np.random.default_rng(0)
    adult = pd.read_csv(source, keep_default_na=False)
    big = adult.take(rng.integers(0, len(adult), rows)).reset_index(drop=True)
    weight = adult["fnlwgt"]
    noisy = big["fnlwgt"] + rng.normal(0, 0.05 * weight.std(), rows)
    big["fnlwgt"] = noisy.round().clip(weight.min(), weight.max()).astype(int)
    for name in ("age", "hours.per.week"):
        moved = big[name] + rng.choice([-1, 0, 0, 0, 0, 1], rows)
        big[name] = moved.clip(adult[name].min(), adult[name].max())
    big.to_csv(into, index=False)


def measure(words: list[str]) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak MB of one process. Raises SystemExit when it fails."""
    command = [sys.executable, "-m", "semblance", *words, "--json"]
    start = time.monotonic()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", 1, 0)])
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{words[0]} failed")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/yardstick/adult/train.csv"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    print("| stage | wall s | CPU s | peak MB | rows/s | load |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        grow(options.data, place / "big.csv", options.rows)
        rows = str(options.rows)
        stages = {
            "fit": ["fit", str(place / "big.csv"), "--model", str(place / "model"), "--target", "income"],
            "sample to Parquet": ["sample", str(place / "model"), "--rows", rows, "-o", str(place / "drawn.parquet")],
            "sample to CSV": ["sample", str(place / "model"), "--rows", rows, "-o", str(place / "drawn.csv")],
        }
        for stage, words in stages.items():
            wall, cpu, peak = measure(words)
            speed = f"{options.rows / wall:,.0f}" if words[0] == "sample" else "–"
            print(f"| {stage} | {wall:.0f} | {cpu:.0f} | {peak} | {speed} | {os.getloadavg()[0]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
