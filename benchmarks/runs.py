"""`semblance run` on seven real tables as they lie in their folders: verdict, time, memory, what failed.

    python benchmarks/runs.py [--data ../shared/data] [--only NAME]

Each is a process of its own, timed from outside; memory is that process's peak. Defaults everywhere, nothing tuned.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

RUNS = {
    "demo": ["demo"],
    "support2": ["run", "support2", "--target", "hospdead"],
    "diabetes130": ["run", "diabetes130/diabetic_data.csv.gz", "--subject", "patient_nbr", "--target", "readmitted"],
    "nhanes_2017_2018": ["run", "nhanes_2017_2018", "--target", "diabetes"],
    "adult": ["run", "adult", "--target", "income"],
    "uci_heart_4sites": ["run", "uci_heart_4sites", "--target", "disease"],
    "actg175": ["run", "actg175", "--target", "cens"],
    "pbcseq": ["run", "pbcseq", "--subject", "id"],
}
SHOWN = {
    "fidelity.pair.score": "pairs",
    "fidelity.c2st.auc": "C2ST AUC",
    "utility.gap.auc": "TSTR − TRTR",
    "copies.nearest.share": "nearer to train",
    "membership.density.auc": "membership",
}


def measure(words: list[str], data: Path) -> tuple[int, float, int, Path]:
    """Exit code, wall seconds, peak MB and the folder written."""
    folder = Path(tempfile.mkdtemp()) / "release"
    verb, *rest = words
    source = [str(data / rest[0]), *rest[1:]] if rest else []
    command = [sys.executable, "-m", "semblance", verb, *source, "--out", str(folder), "--json"]
    start = time.monotonic()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", 1, 0)])
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - start, usage.ru_maxrss // 1024, folder


def row(name: str, code: int, seconds: float, peak: int, folder: Path) -> str:
    if code not in (0, 20):
        return f"| {name} | exit {code} |" + " |" * (len(SHOWN) + 3)
    evidence = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    found = {f["name"]: f for f in evidence["findings"]}
    missed = [r["finding"] for r in evidence["verdict"]["rules"] if r["status"] not in ("pass", "not_applicable")]
    cells = [name, evidence["verdict"]["decision"], f"{seconds:.0f}", str(peak)]
    for finding in SHOWN:
        f = found.get(finding)
        known = f and f["value"] is not None
        cells.append(f"{f['value']:.3f} [{f['low']:.3f}, {f['high']:.3f}]" if known else "–")
    return "| " + " | ".join([*cells, ", ".join(missed) or "–"]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", choices=RUNS)
    options = parser.parse_args()
    head = ["table", "verdict", "wall s", "peak MB", *SHOWN.values(), "rules not met"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head), flush=True)
    for name, words in RUNS.items():
        if options.only in (None, name):
            print(row(name, *measure(words, options.data)), flush=True)


if __name__ == "__main__":
    main()
