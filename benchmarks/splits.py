"""Fidelity beside memory, as an outside scorer sees them, on even splits of three tables.

    python benchmarks/splits.py [--data ../shared/scorer] [--rows 10000]

Train and holdout are halves of one table, so the share of synthetic rows nearer to train is .5 for a generator that
remembers nobody. The scorer is not part of Semblance and shares no code with its audits. Settings are the defaults,
the schema is what `describe` infers; Adult and diabetes130 are cut to the same 10,000 + 10,000 rows as the peers in the
scorer's own table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import semblance as sb
from semblance.data.dataset import Dataset
from semblance.destination import write_table

SETS = {"adult": True, "support2": False, "diabetes130": True}  # whether it is cut


def cut(folder: Path, into: Path, rows: int | None) -> None:
    """Copy train and holdout, cut as the scorer's authors cut them."""
    rng = np.random.default_rng(1000)
    for part in ("train", "holdout"):
        table = pd.read_csv(folder / f"{part}.csv.gz", dtype=str, keep_default_na=False)
        if rows is not None:
            table = table.iloc[rng.permutation(len(table))[:rows]]
        table.to_csv(into / f"{part}.csv", index=False)


def measure(
    scorer: Path,
    name: str,
    place: Path,
    generator: str | sb.Chain,
    seed: int,
    *,
    meaning: Callable[[sb.Schema], sb.Schema] = lambda schema: schema,
    change: Callable[[Dataset], Dataset] = lambda data: data,
) -> dict[str, object]:
    """One line of the table; `meaning` and `change` alter the schema and the training rows before the fit."""
    target = json.loads((scorer / "splits" / name / "meta.json").read_text())["target"]
    schema = meaning(sb.describe(place / "train.csv", target=target))
    real = change(sb.read(place / "train.csv", schema))
    run = sb.begin(seed=seed)
    cpu = time.process_time()
    fake = sb.sample(sb.fit(real, run, generator=generator), run, n=real.n_rows)
    cpu = time.process_time() - cpu
    table = write_table(fake, place / "synthetic.csv")
    command = [sys.executable, str(scorer / "score.py"), str(place / "train.csv"), str(place / "holdout.csv")]
    done = subprocess.run(
        [*command, str(table), "--target", target, "--json"], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    private = found["privacy"]
    return {
        "data": name,
        "generator": generator if isinstance(generator, str) else generator.name,
        "seed": seed,
        "C2ST AUC": found["c2st"]["auc"],
        "TSTR/TRTR": found["tstr"]["ratio"],
        "pair": found["pair_score"],
        "pair floor": found["pair_floor"],
        "nearer to train": private["dcr_share"],
        "membership, distance": private["mia_distance_auc"],
        "membership, density": private["mia_domias_auc"],
        "CPU s": round(cpu, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/scorer"))
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    head = False
    for name, is_cut in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            cut(options.data / "splits" / name, place, options.rows if is_cut else None)
            for generator in ("independent", "chain"):
                for seed in range(options.seeds if generator == "chain" else 1):
                    row = measure(options.data, name, place, generator, seed)
                    if not head:
                        print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
                        head = True
                    cells = (f"{v:.3f}" if isinstance(v, float) and k != "CPU s" else str(v) for k, v in row.items())
                    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
