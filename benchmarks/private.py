"""Private tables: what is left at epsilon 1, 3 and 10, and how long it takes, beside others.

    python -m benchmarks.private [--data ../shared/scorer] [--only adult] [--by semblance dpmm smartnoise mostly]
        [--methods aim mst vae gan] [--epsilons 1 3 10] [--rows 10000] [--limit 1200]

Even splits of two tables, cut to as many rows (0: whole), scored from outside: train on synthetic, test on real (TSTR,
AUC of LightGBM) beside train on real (TRTR), and the mean error of pairs of columns beside that of the training rows
(floor). Every row is a patient here, delta = 1e-6. The domain counts as *declared*: bounds and categories are those of
the training rows, as a data dictionary would name them; `found` lines declare nothing, and all cells are found by
charged searches instead. One fit a line: noise differs each time. CPU seconds are of fit and sample on one thread,
without imports. A peer that fails or overruns its limit keeps its line, which says so.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

import semblance as sb
from benchmarks.peers.environment import last_words, prepare
from benchmarks.peers.lines import HERE, Line
from benchmarks.peers.measure import ONE_THREAD
from benchmarks.splits import cut
from semblance.destination import write_table
from semblance.generators.marginals import Marginals
from semblance.privacy.ledger import Allowance, Ledger
from semblance.recipe import recipe

DELTA = 1e-6
OURS = "semblance"
BOTH = ("mst", "aim")
NETS = ("vae", "gan")
PEERS = {
    "dpmm": (Line("dpmm", "dpmm", "dpmm", "dpmm", "Apache-2.0", "defaults, told the domain"), BOTH),
    "smartnoise": (
        Line(
            "smartnoise",
            "smartnoise",
            "smartnoise",
            "smartnoise-synth",
            "MIT",
            "defaults; numbers cut for it",
        ),
        BOTH,
    ),
    "mostly": (
        Line("mostly", "mostly_private", "mostly", "mostlyai-engine", "Apache-2.0", "DP-SGD, finds its domain"),
        ("argn",),
    ),
}


@dataclass(frozen=True)
class Task:
    """`train.csv` and `holdout.csv` in `home`, and the scorer's folder."""

    name: str
    home: Path
    target: str
    scorer: Path


def declared(schema: sb.Schema, how: str) -> sb.Schema:
    if how == "declared":
        return replace(schema, columns=tuple(replace(c, bounds="declared") for c in schema))
    return replace(schema, columns=tuple(replace(c, low=None, high=None, categories=()) for c in schema))


def measure(task: Task, method: str, epsilon: float, domain: str) -> dict[str, object]:
    """One line of ours."""
    schema = declared(sb.describe(task.home / "train.csv", target=task.target), domain)
    real = sb.read(task.home / "train.csv", schema)
    run = replace(sb.begin(), ledger=Ledger(task.name, Allowance(epsilon, DELTA)))
    cpu = time.process_time()
    made = Marginals(method=method) if method in BOTH else recipe(method)
    fake = made.fit(real, run).sample(real.n_rows, run)
    cpu = time.process_time() - cpu
    with tempfile.TemporaryDirectory() as place:
        found = judged(task, write_table(fake, Path(place) / "synthetic.csv"))
    return line(task, OURS, method, domain, epsilon, found, cpu)


def measure_peer(task: Task, peer: Line, method: str, epsilon: float, limit: int) -> dict[str, object]:
    """One line of a peer, in its own environment: the same rows, and where it takes one the same domain."""
    schema = sb.describe(task.home / "train.csv", target=task.target)
    with tempfile.TemporaryDirectory() as place:
        paths = {key: str(Path(place) / f"{key}.csv") for key in ("train", "out", "usage")}
        texts = pd.read_csv(task.home / "train.csv", dtype=str, keep_default_na=False)
        for column in schema:
            if column.missing:
                texts[column.name] = texts[column.name].where(~texts[column.name].isin(column.missing), "")
        texts.to_csv(paths["train"], index=False)
        told = {
            c.name: {"lower": c.low, "upper": c.high} if c.numeric else {"categories": c.categories} for c in schema
        }
        words = {**paths, "limit": limit, "rows": len(texts), "method": method, "epsilon": epsilon, "delta": DELTA}
        command = [str(peer.python), "-P", str(HERE / "worker.py"), str(peer.script)]
        code, cpu, said = _ran([*command, json.dumps({**words, "domain": told})])
        if code:
            why = f"over {limit} CPU s" if code == -signal.SIGXCPU else said
            return line(task, peer.name, method, "declared", epsilon, {}, cpu, why)
        cpu -= json.loads(Path(paths["usage"]).read_text())["import_cpu_s"]
        return line(task, peer.name, method, "declared", epsilon, judged(task, Path(paths["out"])), cpu)


def _ran(command: list[str]) -> tuple[int, float, str]:
    """Exit code, CPU seconds, and the last thing it said on stderr."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, cpu, last_words(done.stderr)


def line(
    task: Task, by: str, method: str, domain: str, epsilon: float, found: dict[str, float], cpu: float, why: str = ""
) -> dict[str, object]:
    scores = {key: found.get(key, "–") for key in ("TSTR", "TRTR", "pair error", "floor")}
    asked = {"data": task.name, "by": by, "method": method, "domain": domain, "epsilon": f"{epsilon:g}"}
    return {**asked, **scores, "CPU s": f"{cpu:.0f}", "remark": why}


def judged(task: Task, fake: Path) -> dict[str, float]:
    """TSTR and TRTR on the holdout, and the mean error of pairs beside that of the training half: the floor."""
    sys.path.insert(0, str(task.scorer))
    import score
    from common import infer_schema, load, typed

    texts = [load(task.home / "train.csv"), load(task.home / "holdout.csv"), load(fake)]
    schema = infer_schema(texts[0])
    train, held, synthetic = (typed(text, schema) for text in texts)
    rng = np.random.default_rng(0)
    useful = score.tstr(train, held, synthetic, schema, task.target, "classification", rng)
    bins = score.Binner(train, schema)
    pairs = list(itertools.combinations(schema, 2))
    errors = [float(score.pair_errors(bins(held), bins(other), bins.k, pairs).mean()) for other in (synthetic, train)]
    return {"TSTR": useful["tstr"], "TRTR": useful["trtr"], "pair error": errors[0], "floor": errors[1]}


def lines(task: Task, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    for by in options.by:
        if by != OURS:
            prepare(PEERS[by][0])
        known = (*BOTH, *NETS) if by == OURS else PEERS[by][1]
        methods = known if len(known) == 1 else [method for method in options.methods if method in known]
        for method, epsilon in itertools.product(methods, options.epsilons):
            if by != OURS:
                yield measure_peer(task, PEERS[by][0], method, epsilon, options.limit)
                continue
            yield measure(task, method, epsilon, "declared")
            if method == "aim":
                yield measure(task, method, epsilon, "found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/scorer"))
    parser.add_argument("--only", nargs="+", default=["adult", "diabetes130"])
    parser.add_argument("--by", nargs="+", default=[OURS, *PEERS], choices=[OURS, *PEERS])
    parser.add_argument("--methods", nargs="+", default=BOTH, choices=(*BOTH, *NETS))
    parser.add_argument("--epsilons", nargs="+", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--limit", type=int, default=1200, help="CPU seconds that a peer may take")
    options = parser.parse_args()
    head = False
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            source, home = options.data / "splits" / name, Path(folder)
            cut(source, home, options.rows or None)
            target = str(json.loads((source / "meta.json").read_text(encoding="utf-8"))["target"])
            for row in lines(Task(name, home, target, options.data), options):
                if not head:
                    print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
                    head = True
                cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values())
                print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
