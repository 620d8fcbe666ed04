"""Private tables: what is left at epsilon 1, 3 and 10, and how long it takes.

    python benchmarks/private.py [--data ../shared/scorer] [--only adult] [--methods aim mst] [--epsilons 1 3 10]
        [--dpmm PATH/TO/python]

Halves of two tables, scored from outside: train on synthetic, test on real (TSTR, AUC of LightGBM) beside train on
real (TRTR), and the mean error of pairs of columns. Every row is a patient here. The domain counts as *declared*:
bounds and categories are those of the training half, as a data dictionary would name them; `found` lines declare
nothing, and all cells are found by charged searches instead. delta = 1e-6. One fit a line: noise differs each time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import semblance as sb
from semblance.data.dataset import Dataset
from semblance.destination import write_table
from semblance.generators.marginals import Marginals
from semblance.privacy.ledger import Allowance, Ledger

HERE = Path(__file__).parent
DELTA = 1e-6
LIMIT = 3600  # CPU seconds a peer may take
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def declared(schema: sb.Schema, how: str) -> sb.Schema:
    if how == "declared":
        return replace(schema, columns=tuple(replace(c, bounds="declared") for c in schema))
    return replace(schema, columns=tuple(replace(c, low=None, high=None, categories=()) for c in schema))


def measure(scorer: Path, name: str, method: str, epsilon: float, domain: str) -> dict[str, object]:
    """One line of ours."""
    folder = scorer / "splits" / name
    schema = declared(sb.describe(folder / "train.csv.gz", target=target_of(folder)), domain)
    real: Dataset = sb.read(folder / "train.csv.gz", schema)
    run = replace(sb.begin(), ledger=Ledger(name, Allowance(epsilon, DELTA)))
    cpu = time.process_time()
    model = Marginals(method=method).fit(real, run)
    fake = model.sample(real.n_rows, run)
    cpu = time.process_time() - cpu
    with tempfile.TemporaryDirectory() as place:
        found = judged(scorer, folder, write_table(fake, Path(place) / "synthetic.csv"))
    return line(name, "semblance", method, domain, run.ledger.epsilon, found, cpu)


def measure_peer(scorer: Path, name: str, method: str, epsilon: float, python: str) -> dict[str, object]:
    """One line of dpmm, in the environment of that python: the same rows, the same domain."""
    folder = scorer / "splits" / name
    schema = sb.describe(folder / "train.csv.gz", target=target_of(folder))
    with tempfile.TemporaryDirectory() as place:
        paths = {key: str(Path(place) / f"{key}.csv") for key in ("train", "out", "usage")}
        texts = pd.read_csv(folder / "train.csv.gz", dtype=str, keep_default_na=False)
        for column in schema:
            if column.missing:
                texts[column.name] = texts[column.name].where(~texts[column.name].isin(column.missing), "")
        texts.to_csv(paths["train"], index=False)
        told = {
            c.name: {"lower": c.low, "upper": c.high} if c.numeric else {"categories": c.categories} for c in schema
        }
        words = {**paths, "limit": LIMIT, "rows": len(texts), "method": method, "epsilon": epsilon, "delta": DELTA}
        command = [python, "-P", str(HERE / "peers/worker.py"), str(HERE / "peers/adapters/dpmm.py")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, json.dumps(words | {"domain": told})], check=True, env={**os.environ, **ONE_THREAD})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        cpu -= json.loads(Path(paths["usage"]).read_text())["import_cpu_s"]
        return line(name, "dpmm", method, "declared", epsilon, judged(scorer, folder, Path(paths["out"])), cpu)


def target_of(folder: Path) -> str:
    return str(json.loads((folder / "meta.json").read_text())["target"])


def line(
    name: str, who: str, method: str, domain: str, epsilon: float, found: dict[str, float], cpu: float
) -> dict[str, object]:
    told = {"data": name, "by": who, "method": method, "domain": domain, "epsilon": f"{epsilon:.3f}"}
    return {**told, **found, "CPU s": f"{cpu:.0f}"}


def judged(scorer: Path, folder: Path, fake: Path) -> dict[str, float]:
    """TSTR and TRTR on the holdout, and the mean error of pairs beside that of the training half: the floor."""
    sys.path.insert(0, str(scorer))
    import score
    from common import infer_schema, load, typed

    texts = [load(folder / "train.csv.gz"), load(folder / "holdout.csv.gz"), load(fake)]
    schema = infer_schema(texts[0])
    train, held, synthetic = (typed(text, schema) for text in texts)
    rng = np.random.default_rng(0)
    useful = score.tstr(train, held, synthetic, schema, target_of(folder), "classification", rng)
    cut = score.Binner(train, schema)
    pairs = list(itertools.combinations(schema, 2))
    errors = [float(score.pair_errors(cut(held), cut(other), cut.k, pairs).mean()) for other in (synthetic, train)]
    return {"TSTR": useful["tstr"], "TRTR": useful["trtr"], "pair error": errors[0], "floor": errors[1]}


def lines(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    for name, method, epsilon in itertools.product(options.only, options.methods, options.epsilons):
        yield measure(options.data, name, method, epsilon, "declared")
        if (method, epsilon) == ("aim", options.epsilons[0]):
            yield measure(options.data, name, method, epsilon, "found")
        if options.dpmm:
            yield measure_peer(options.data, name, method, epsilon, options.dpmm)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/scorer"))
    parser.add_argument("--only", nargs="+", default=["adult", "diabetes130"])
    parser.add_argument("--methods", nargs="+", default=["mst", "aim"])
    parser.add_argument("--epsilons", nargs="+", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--dpmm", default="", help="python of an environment with benchmarks/peers/dpmm.txt")
    head = False
    for row in lines(parser.parse_args()):
        if not head:
            print("| " + " | ".join(row) + " |\n|" + " --- |" * len(row))
            head = True
        cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values())
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
