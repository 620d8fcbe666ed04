"""The published yardstick: can XGBoost tell synthetic rows from the training rows? (1 = no, 0 = always.)

    make benchmark                      or, with an environment that holds xgboost and sdmetrics:
    python benchmarks/yardstick.py --judge PATH/TO/THAT/python [--seeds 3] [--data ../shared/yardstick]

Adult and Beijing, split and scored as in the literature (the score script lies beside the data). The schema is what
`describe` infers, all settings are the defaults. The score is taken against the *training* table, so memory raises
it too: read it beside `benchmarks/splits.py`, which measures memory on the same generator.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import semblance as sb
from semblance.destination import write_table

SETS = ("adult", "beijing")


def measure(folder: Path, judge: str, seed: int, generator: str) -> dict[str, object]:
    """Fit on train.csv, draw as many rows, score them; seconds are wall clock for fit + sample."""
    schema = sb.describe(folder / "train.csv")
    real = sb.read(folder / "train.csv", schema)
    run = sb.begin(seed=seed)
    start, cpu = time.monotonic(), time.process_time()
    model = sb.fit(real, run, generator=generator)
    fitted = time.monotonic()
    fake = sb.sample(model, run, n=real.n_rows)
    end = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        path = write_table(fake, Path(place) / "synthetic.csv")
        command = [judge, str(folder.parent / "xgb_c2st.py"), str(folder), str(path)]
        score = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        "data": folder.name,
        "generator": generator,
        "seed": seed,
        "xgb_c2st": score["xgb_c2st"],
        "fit_s": round(fitted - start, 1),
        "sample_s": round(end - fitted, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/yardstick"))
    parser.add_argument("--judge", required=True, help="python of an environment with xgboost and sdmetrics")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(
        "| data | generator | seed | XGB-C2ST | fit s | sample s | CPU s |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name in SETS:
        for generator in ("independent", "chain"):
            for seed in range(options.seeds if generator == "chain" else 1):
                row = measure(options.data / name, options.judge, seed, generator)
                print("| " + " | ".join(str(v) for v in row.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
