"""Private tables: what is left at epsilon 1, 3 and 10, and how long it takes.

    python benchmarks/private.py [--data ../shared/scorer] [--only adult] [--methods aim mst] [--epsilons 1 3 10]

Halves of two tables, scored from outside: train on synthetic, test on real (TSTR, AUC of LightGBM) beside train on
real (TRTR), and the mean error of pairs of columns. Every row is a patient here. The domain counts as *declared*:
bounds and categories are those of the training half, as a data dictionary would name them; `found` lines declare
nothing, and all cells are found by charged searches instead. delta = 1e-6. One fit a line: noise differs each time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import semblance as sb
from semblance.data.dataset import Dataset
from semblance.destination import write_table
from semblance.generators.marginals import Marginals
from semblance.privacy.ledger import Allowance, Ledger

DELTA = 1e-6


def declared(schema: sb.Schema, how: str) -> sb.Schema:
    if how == "declared":
        return replace(schema, columns=tuple(replace(c, bounds="declared") for c in schema))
    return replace(schema, columns=tuple(replace(c, low=None, high=None, categories=()) for c in schema))


def measure(scorer: Path, name: str, method: str, epsilon: float, domain: str) -> dict[str, object]:
    folder = scorer / "splits" / name
    target = json.loads((folder / "meta.json").read_text())["target"]
    schema = declared(sb.describe(folder / "train.csv.gz", target=target), domain)
    real: Dataset = sb.read(folder / "train.csv.gz", schema)
    run = replace(sb.begin(), ledger=Ledger(name, Allowance(epsilon, DELTA)))
    cpu = time.process_time()
    model = Marginals(method=method).fit(real, run)
    fitted = time.process_time() - cpu
    fake = model.sample(real.n_rows, run)
    cpu = time.process_time() - cpu
    with tempfile.TemporaryDirectory() as place:
        table = write_table(fake, Path(place) / "synthetic.csv")
        command = [sys.executable, str(scorer / "score.py"), str(folder / "train.csv.gz")]
        command += [str(folder / "holdout.csv.gz"), str(table), "--target", target, "--json"]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        "data": name,
        "method": method,
        "domain": domain,
        "epsilon": f"{run.ledger.epsilon:.3f}",
        "TSTR": found["tstr"]["tstr"],
        "TRTR": found["tstr"]["trtr"],
        "pair error": 1 - found["pair_score"],
        "floor": 1 - found["pair_floor"],
        "C2ST AUC": found["c2st"]["auc"],
        "membership": found["privacy"]["mia_domias_auc"],
        "cells": sum(m.size for m in model.graph.marginals),
        "fit CPU s": f"{fitted:.0f}",
        "CPU s": f"{cpu:.0f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/scorer"))
    parser.add_argument("--only", nargs="+", default=["adult", "diabetes130"])
    parser.add_argument("--methods", nargs="+", default=["mst", "aim"])
    parser.add_argument("--epsilons", nargs="+", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--domains", nargs="+", default=["declared", "found"])
    options = parser.parse_args()
    head = False
    for name in options.only:
        for method in options.methods:
            for epsilon in options.epsilons:
                for domain in options.domains:
                    if domain == "found" and (method, epsilon) != ("aim", options.epsilons[0]):
                        continue
                    row = measure(options.data, name, method, epsilon, domain)
                    if not head:
                        print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
                        head = True
                    print(
                        "| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()) + " |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
