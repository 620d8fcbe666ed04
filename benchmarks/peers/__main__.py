"""Side by side: the chain and the best peers that can be installed, on the same rows, before the same judge.

    python -m benchmarks.peers [--tables adult …] [--lines chain CART …] [--limit CTGAN=3600] [--fresh]

Every peer is installed into an environment of its own under `.venv-peers/`, from the pinned file of its name beside
this script, and run there by a small adapter on one thread: CSV in, as many synthetic rows out. The scorer of
`../shared/scorer` judges all lines against the same training rows and holdout. A peer that cannot be installed, fails
or overruns its limit keeps its line, which says so.

Some peers are not open source (SDV is under the Business Source License). They are installed here to be compared with;
nothing of them is shipped with Semblance, imported by it, or asked for by its requirements.

What was measured is kept in `benchmarks/.cache` and not measured again unless code, versions, rows or seed change:
the peers cost about an hour the first time, afterwards only Semblance's own lines are run. `--fresh` measures the
lines asked for anew.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers import cache, measure, table
from benchmarks.peers.environment import CannotInstall, last_words, prepare
from benchmarks.peers.lines import HERE, LINES, OURS, Line
from benchmarks.splits import SETS, cut

COPY, UNSEEN = "*real rows: training again*", "*real rows: unseen*"


@dataclass(frozen=True)
class Task:
    """The rows to learn from and to be judged against: `train.csv` and `holdout.csv` in `home`."""

    name: str
    home: Path
    target: str
    rows: int
    seed: int


def prepare_task(name: str, options: argparse.Namespace) -> Task:
    source, rows = options.data / "splits" / name, options.rows if SETS[name] else None
    home = cache.CACHE / name / str(rows or "whole")
    home.mkdir(parents=True, exist_ok=True)
    cut(source, home, rows)
    n = len(pd.read_csv(home / "train.csv", dtype=str))
    target = json.loads((source / "meta.json").read_text(encoding="utf-8"))["target"]
    return Task(name, home, target, n, options.seed)


def unseen_rows(task: Task, source: Path, out: Path) -> bool:
    """Write real rows that the cut left out of both halves, as many from each; False if there are not enough."""
    rng, found = np.random.default_rng(1000), []  # the same draws as the cut's
    for part, wanted in (("train", task.rows - task.rows // 2), ("holdout", task.rows // 2)):
        real = pd.read_csv(source / f"{part}.csv.gz", dtype=str, keep_default_na=False)
        found.append(real.iloc[rng.permutation(len(real))[task.rows : task.rows + wanted]])
    rows = pd.concat(found)
    if len(rows) == task.rows:
        rows.to_csv(out, index=False)
    return len(rows) == task.rows


def run(line: Line, task: Task, place: Path) -> dict[str, Any]:
    """Fit and sample in the line's own environment; what it cost, and a remark if there is no table."""
    out, usage, log = place / "synthetic.csv", place / "usage.json", place / "log.txt"
    for old in (out, usage):
        old.unlink(missing_ok=True)
    settings = {**line.settings, **({"target": task.target} if line.requirements == OURS else {})}
    paths = {"train": str(task.home / "train.csv"), "out": str(out), "usage": str(usage)}
    words = json.dumps({**paths, "limit": line.limit, "rows": task.rows, "seed": task.seed, **settings})
    command = [str(line.python), "-P", str(HERE / "worker.py"), str(line.script), words]
    spent = measure.run(command, line.limit, log)
    cost: dict[str, Any] = {k: v for k, v in asdict(spent).items() if k != "code"}
    if spent.code == -signal.SIGXCPU:
        return {**cost, "remark": f"stopped at its limit of {line.limit:,} CPU s", "limit": line.limit}
    if spent.code < 0:
        return {**cost, "remark": f"ended from outside by {signal.Signals(-spent.code).name}", "again": True}
    if spent.code or not usage.exists():
        return {**cost, "remark": f"failed: {last_words(log)}"}
    told = json.loads(usage.read_text(encoding="utf-8"))
    return {**cost, "cpu_s": spent.cpu_s - told["import_cpu_s"], "wall_s": told["wall_s"]}


def measured(line: Line, task: Task, place: Path) -> dict[str, Any]:
    """From the cache if nothing changed; an overrun is tried again only with a higher limit."""
    place.mkdir(parents=True, exist_ok=True)
    key = cache.line_key(line, task.home / "train.csv", task.seed)
    kept = cache.recall(place / "record.json", key)
    if kept and kept.get("limit", line.limit) >= line.limit:
        return kept
    print(f"· {task.name}: {line.name}", file=sys.stderr, flush=True)
    (place / "record.json").unlink(missing_ok=True)
    try:
        prepare(line)
    except CannotInstall as reason:
        return {"remark": f"could not be installed: {reason}"}
    found = run(line, task, place)
    return found if found.get("again") else cache.remember(place / "record.json", key, found)


def scored(task: Task, place: Path, scorer: Path) -> dict[str, Any]:
    """What the outside scorer says of `synthetic.csv` in that place."""
    files = [task.home / "train.csv", task.home / "holdout.csv", place / "synthetic.csv"]
    key = cache.digest(*files, scorer / "score.py", scorer / "common.py", cache.libraries())
    kept = cache.recall(place / "score.json", key)
    if kept:
        return kept
    command = [sys.executable, str(scorer / "score.py"), *map(str, files), "--target", task.target, "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return cache.remember(place / "score.json", key, json.loads(done.stdout))


def side_by_side(task: Task, options: argparse.Namespace) -> str:
    """One table's lines; those of real rows come first."""
    copied, unseen = task.home / "copy", task.home / "unseen"
    for place in (copied, unseen):
        place.mkdir(exist_ok=True)
    shutil.copyfile(task.home / "train.csv", copied / "synthetic.csv")
    floor = scored(task, copied, options.data)
    if SETS[task.name] and unseen_rows(task, options.data / "splits" / task.name, unseen / "synthetic.csv"):
        first = table.row(UNSEEN, {"remark": "the best there is"}, scored(task, unseen, options.data))
    else:
        first = table.row(UNSEEN, {"remark": "none are left: the halves hold the whole table"}, None)
    lines = [first, table.row(COPY, {"remark": "nothing but memory"}, floor)]
    for line in (x.on(task.name) for x in options.lines):
        place = task.home / line.name.replace(" ", "-")
        if options.fresh:
            shutil.rmtree(place, ignore_errors=True)
        record = measured(line, task, place)
        score = None if "remark" in record else scored(task, place, options.data)
        told = {"remark": f"{line.less[task.name]} epochs"} if task.name in line.less else {}
        lines.append(table.row(line.name, {**told, **record}, score))
    return table.heading(task.name, task.rows, floor) + "\n\n" + table.markdown(table.HEAD, lines)


def limits(words: list[str]) -> dict[str, int]:
    found = {name: int(seconds) for name, _, seconds in (word.rpartition("=") for word in words)}
    unknown = found.keys() - LINES.keys()
    if unknown:
        raise SystemExit(f"--limit names no line of {', '.join(LINES)}: {', '.join(unknown)}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/scorer"))
    parser.add_argument("--tables", choices=SETS, nargs="+", default=list(SETS))
    parser.add_argument("--lines", choices=LINES, nargs="+", default=list(LINES))
    parser.add_argument("--rows", type=int, default=10_000, help="rows of each half of adult and diabetes130")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", action="append", default=[], metavar="LINE=CPU_SECONDS")
    parser.add_argument("--fresh", action="store_true", help="measure the lines asked for anew")
    options = parser.parse_args()
    allowed = limits(options.limit)
    options.lines = [replace(LINES[name], limit=allowed.get(name, LINES[name].limit)) for name in options.lines]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exception, so that no peer outlives us
    print(table.who(options.lines), flush=True)
    for name in options.tables:
        print("\n" + side_by_side(prepare_task(name, options), options), flush=True)


if __name__ == "__main__":
    main()
