"""What the audits cost, and whether their alarms come as often as they say.

    python benchmarks/audits.py [SOURCE] [--target COL] [--subject COL]     what each audit takes, and finds
    python benchmarks/audits.py [SOURCE] --null 60                          the same on fresh patients, many times
    python benchmarks/audits.py SOURCE --scorer ../shared/scorer            beside an outside scorer

Without a SOURCE the bundled patients are used. The first splits 70/30, fits the chain and judges what it makes. The
second never fits anything: it plays a third group of real patients as the synthetic table, so every alarm is false.
The third halves the table and judges fresh patients and independent columns twice, here and with the scorer, which is
no part of Semblance and shares no code with it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kstest

import semblance as sb
from semblance.catalog import AUDITS
from semblance.contracts import Comparison
from semblance.data.dataset import Dataset
from semblance.destination import write_table
from semblance.evidence import Finding

CHANCE = {"fidelity.c2st.auc": 0.5, "copies.nearest.share": 0.5, "membership.distance.auc": 0.5} | {
    "membership.density.auc": 0.5,
    "membership.distance.tpr_at_fpr_1pct": 0.01,
    "membership.density.tpr_at_fpr_1pct": 0.01,
}


def bundled() -> Path:
    return Path(sb.__file__).parent / "data" / "bundled" / "support2.csv.gz"


def cost(data: Dataset, seed: int, generator: str) -> None:
    run = sb.begin(seed=seed)
    vault = sb.split(data, run)
    model = sb.fit(vault.train, run, generator=generator)
    fake = sb.sample(model, run, n=vault.train.n_rows)
    comparison = Comparison(vault.train, vault.open_holdout("benchmark"), fake)
    print(f"{comparison.train}, {comparison.held}, {comparison.fake}; {generator}\n")
    print("| audit | wall s | CPU s | peak MB |\n| --- | --- | --- | --- |")
    found: list[Finding] = []
    for name, audit in AUDITS.items():
        wall, cpu = time.monotonic(), time.process_time()
        found += audit().judge(comparison, run)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"| {name} | {time.monotonic() - wall:.1f} | {time.process_time() - cpu:.1f} | {peak} |")
    print("\n| finding | value | low | high | baseline | n | status |\n| --- | --- | --- | --- | --- | --- | --- |")
    for f in found:
        numbers = ["" if x is None else f"{x:.4f}" for x in (f.value, f.low, f.high, f.baseline)]
        print(f"| {f.name} | {' | '.join(numbers)} | {f.n} | {f.status} |")


def null(data: Dataset, seeds: int, rows: int, shares: tuple[float, ...]) -> None:
    """False alarms of every finding, by share of real patients used as train."""
    for share in shares:
        seen: dict[str, list[Finding]] = defaultdict(list)
        for seed in range(seeds):
            run = replace(sb.begin(seed=seed), quick=True)
            chosen = np.random.default_rng(seed).permutation(data.n_subjects)[:rows]
            parts = np.split(chosen, [int(0.6 * len(chosen) * share), int(0.6 * len(chosen))])
            train, held, fake = (data.take_subjects(p) for p in parts)
            for audit in AUDITS.values():
                for finding in audit().judge(Comparison(train, held, fake), run):
                    seen[finding.name].append(finding)
        print(f"\n{seeds} × {train}, {held}, fresh {fake}\n")
        print("| finding | mean | sd | stated | false alarms |\n| --- | --- | --- | --- | --- |")
        for name, findings in seen.items():
            line = _alarms(name, [f for f in findings if f.value is not None])
            if line:
                print(f"| {name} | {line} |")


def _alarms(name: str, findings: list[Finding]) -> str:
    values = np.array([f.value for f in findings], dtype=float)
    about = f"{values.mean():.4f} | {values.std():.4f}"
    if name.endswith(".p"):
        uniform = kstest(values, "uniform").pvalue
        return f"{about} | .05 | {np.mean(values <= 0.05):.3f} (uniform: p = {uniform:.2f})"
    if findings[0].unit == "score":
        beyond = [f.detail["excess"]["low"] > 0 for f in findings]
        return f"{about} | .025 | {np.mean(beyond):.3f} (excess over the floor above 0)"
    if ".gap." in name:
        return f"{about} | .025 | {np.mean([f.high < 0 for f in findings]):.3f} (whole interval below 0)"
    if name in CHANCE or name.endswith(".excess"):
        chance = CHANCE.get(name, 0.0)
        return f"{about} | .025 | {np.mean([f.low > chance for f in findings]):.3f} (whole interval above {chance:g})"
    return ""


PAIRS = (
    ("fidelity.marginal.score", lambda s: s["marginal_score"]),
    ("fidelity.pair.score", lambda s: s["pair_score"]),
    ("fidelity.triple.score", lambda s: s["triple_score"]),
    ("fidelity.c2st.auc", lambda s: s["c2st"]["auc"]),
    ("utility.tstr.auc", lambda s: s["tstr"]["tstr"]),
    ("utility.trtr.auc", lambda s: s["tstr"]["trtr"]),
    ("copies.nearest.share", lambda s: s["privacy"]["dcr_share"]),
    ("membership.distance.auc", lambda s: s["privacy"]["mia_distance_auc"]),
    ("membership.density.auc", lambda s: s["privacy"]["mia_domias_auc"]),
    ("membership.density.tpr_at_fpr_1pct", lambda s: s["privacy"]["mia_domias_tpr_at_1pct_fpr"]),
)


def beside(data: Dataset, scorer: Path, seed: int) -> None:
    """Two thirds are halved into train and holdout; the rest, and mixed-up and repeated train rows, are judged."""
    rng = np.random.default_rng(seed)
    train, held, fresh = (data.take_subjects(p) for p in np.array_split(rng.permutation(data.n_subjects), 3))
    mixed = pd.DataFrame({c: train.frame[c].to_numpy()[rng.permutation(train.n_rows)] for c in train.frame.columns})
    repeated = train.take(rng.integers(0, train.n_rows, train.n_rows))
    run = sb.begin(seed=seed)
    for what, fake in (("fresh", fresh), ("independent", replace(train, frame=mixed)), ("bootstrap", repeated)):
        found = {f.name: f for audit in AUDITS.values() for f in audit().judge(Comparison(train, held, fake), run)}
        with tempfile.TemporaryDirectory() as place:
            paths = [write_table(t, Path(place) / f"{i}.csv") for i, t in enumerate((train, held, fake))]
            command = [sys.executable, str(scorer / "score.py"), *map(str, paths), "--json"]
            command += ["--target", str(data.schema.target)] if data.schema.target else []
            theirs = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"\n{what}: {fake.n_rows} rows\n\n| finding | Semblance | interval | scorer |\n| --- | --- | --- | --- |")
        for name, get in PAIRS:
            f = found.get(name)
            if f is not None and f.value is not None:
                print(f"| {name} | {f.value:.4f} | {f.low:.4f} to {f.high:.4f} | {get(theirs):.4f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path, default=bundled())
    parser.add_argument("--target")
    parser.add_argument("--subject")
    parser.add_argument("--generator", default="chain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--null", type=int, default=0, metavar="SEEDS")
    parser.add_argument("--rows", type=int, default=3_000, help="patients in each --null trial")
    parser.add_argument("--scorer", type=Path)
    options = parser.parse_args()
    if options.source == bundled():
        options.target = options.target or "hospdead"
    schema = sb.describe(options.source, target=options.target, subject=options.subject)
    data = sb.read(options.source, schema)
    if options.null:
        null(data, options.null, options.rows, (0.5, 0.8))
    elif options.scorer:
        beside(data, options.scorer, options.seed)
    else:
        cost(data, options.seed, options.generator)


if __name__ == "__main__":
    main()
