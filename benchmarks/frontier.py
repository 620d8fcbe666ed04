"""Fidelity against memory, and what each ingredient of the chain is worth: one line for each setting.

    python benchmarks/frontier.py [--data ../shared/scorer] [--tables adult support2 diabetes130] [--seeds 1]

The same splits and the same outside scorer as ``benchmarks/splits.py``; all settings see the same rows in one run.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import semblance as sb
from benchmarks.splits import SETS, cut, measure
from semblance.data.dataset import Dataset
from semblance.generators.chain import Chain

FRONTIER = {f"reach {reach:g}": {"reach": reach} for reach in (0.5, 1.0, 1.5, 2.0, 3.0)}
ABLATION = {
    "cells: 32 in place of 256": {"max_cells": 32},
    "no shrinkage towards the parent node": {"smoothing": 0.0},
    "every earlier column is a parent": {"parents": 1.0},
    "labels of one patient have a cell": {"min_patients": 1},
}


def without_codes(schema: sb.Schema) -> sb.Schema:
    return replace(schema, columns=tuple(replace(c, code_system="") for c in schema))


def backwards(data: Dataset) -> Dataset:
    """The columns in the opposite order, which is the order in which the chain learns them."""
    schema = replace(data.schema, columns=data.schema.columns[::-1])
    return Dataset(data.frame[list(schema.names)], schema)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/scorer"))
    parser.add_argument("--tables", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    head = False
    for name in options.tables:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            cut(options.data / "splits" / name, place, options.rows if SETS[name] else None)
            for setting, changed in (FRONTIER | ABLATION).items():
                for seed in range(options.seeds):
                    row = measure(options.data, name, place, Chain(**changed), seed) | {"generator": setting}
                    head = show(row, head)
            for seed in range(options.seeds):
                row = measure(options.data, name, place, Chain(), seed, change=backwards)
                show(row | {"generator": "columns in the opposite order"}, head)
                if any(c.code_system for c in sb.describe(place / "train.csv")):
                    row = measure(options.data, name, place, Chain(), seed, meaning=without_codes)
                    show(row | {"generator": "codes without their hierarchy"}, head)


def show(row: dict[str, object], head: bool) -> bool:
    if not head:
        print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
    cells = (f"{v:.3f}" if isinstance(v, float) and k != "CPU s" else str(v) for k, v in row.items())
    print("| " + " | ".join(cells) + " |", flush=True)
    return True


if __name__ == "__main__":
    main()
