"""Every measurement, written to benchmarks/RESULTS.md with the command that makes it.

    make benchmark            about half an hour on two cores, and an hour more for the peers the first time (what they
                              did is kept in benchmarks/.cache); needs ../shared beside the checkout

The yardstick's judge (xgboost, sdmetrics) is installed into an environment of its own, `.venv-judge`: SDMetrics is a
measuring tool with a licence we do not take into the product. The peers live in environments of their own too,
`.venv-peers`, and are never a dependency.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
JUDGE = ROOT / ".venv-judge"

PARTS = {
    "The published yardstick": (
        "yardstick",
        "XGB-C2ST against the training table, 1 = indistinguishable. Asked: Adult ≥ .97, Beijing ≥ .82, Adult's fit + "
        "sample ≤ 45 s on two cores. Best published: Adult .855 (TabPC), Beijing .772 (TabDiff). The score is taken "
        "against the training table, so it also rises with memory: read it with the next table.",
        ["benchmarks/yardstick.py", "--judge", str(JUDGE / "bin/python")],
    ),
    "Fidelity beside memory": (
        "splits",
        "The outside scorer on even splits: C2ST AUC (.5 ideal) beside the share of synthetic rows nearer to train and "
        "two membership attacks (.5 = no memory). Standard errors of the last three are about .007. Asked: C2ST Adult "
        "≤ .52, support2 ≤ .58, diabetes130 ≤ .60; nearer to train and density ≤ .52; TSTR/TRTR ≥ .99, .99, .97.",
        ["benchmarks/splits.py"],
    ),
    "The frontier, and what each ingredient is worth": (
        "frontier",
        "The chain with other settings than its defaults, same rows, same scorer. `reach` says how many trees are "
        "kept, as a multiple of what serves unseen patients best; 1.5 is the default. The other lines take one "
        "ingredient away.",
        ["-m", "benchmarks.frontier"],
    ),
    "Side by side": (
        "peers",
        "The best peers that can be installed, each in an environment of its own with its defaults, and our lines, on "
        "the same rows before the outside scorer. C2ST AUC, nearer to train and membership: .5 ideal. TSTR/TRTR and "
        "pairs: higher is better. CPU seconds are those of describe, fit and sample on one thread (ours uses two), "
        "without imports; memory is the peak of all its processes; load is how many processes wanted the two cores "
        "meanwhile (– not noted), which makes CPU seconds up to twice as many. One seed; standard errors of nearer "
        "to train and membership are about .007. Lines of peers may come from an earlier run's cache.",
        ["-m", "benchmarks.peers"],
    ),
    "Two nets": (
        "neural",
        "The generators `vae` and `gan` with every default. Asked on Adult: XGB-C2ST ≥ .50 and ≥ .30, TSTR/TRTR ≥ .98, "
        "every column's error ≤ .05, fit + sample ≤ 5 min on two cores; on support2 and diabetes130: finished, "
        "missingness kept, validity passed. The chain stands beside them.",
        ["-m", "benchmarks.neural", "--judge", str(JUDGE / "bin/python")],
    ),
    "Private tables": (
        "private",
        "The generator `marginals` at epsilon 1, 3 and 10, delta 1e-6, on halves of Adult and diabetes130; `declared` "
        "is told bounds and categories, `found` nothing. Asked on Adult: TSTR ≥ .87 at epsilon 1 and ≥ .895 at 10, AIM "
        "at epsilon 1 in ≤ 5 min on two cores. `--dpmm PATH/TO/python` (an environment with "
        "`benchmarks/peers/dpmm.txt`) adds dpmm's MST and AIM on the same rows.",
        ["benchmarks/private.py"],
    ),
    "Five games": (
        "games",
        "What each loss of `gan` shows of 25 clusters, and reaches on Adult for as many of the critic's updates.",
        ["-m", "benchmarks.games", "--judge", str(JUDGE / "bin/python")],
    ),
    "Seven tables as they are": (
        "runs",
        "`semblance run` (and `demo`) with every default. A refusal is an answer: small tables cannot show that they "
        "are safe, and the rules not met are named. Asked: the demo's run < 90 s.",
        ["benchmarks/runs.py"],
    ),
    "What the attacks find": (
        "attacks",
        "`semblance run` with every default and the policy that ships: verdict, seconds by stage, each bound that the "
        "policy read (✗ failed, ? underpowered, – not run, n/a does not apply), how large a leak each attack would "
        "have seen, and four tables that must be refused, with the rules that refused them. Asked: support2 ≤ 5 min "
        "on two cores with 16 shadow models.",
        ["-m", "benchmarks.attacks"],
    ),
    "A million rows": (
        "million",
        "Adult grown to 1,000,000 × 15: what `semblance fit` and `sample` take, each in a process of its own, from CSV "
        "to Parquet. Asked: fit + sample ≤ 5 min on two cores, peak ≤ 2 GB, sampling ≥ 20,000 rows/s. Load is how many "
        "processes wanted the two cores; this needs two of them to itself.",
        ["benchmarks/million.py"],
    ),
    "What the audits cost": (
        "audits",
        "All audits on the bundled SUPPORT2, 70/30. Asked: ≤ 60 s.",
        ["benchmarks/audits.py", "--target", "hospdead"],
    ),
    "False alarms of the audits": (
        "null",
        "A third group of real patients plays the synthetic table, so every alarm is false.",
        ["benchmarks/audits.py", "--target", "hospdead", "--null", "20"],
    ),
    "Direct identifiers": (
        "identifiers",
        "Recall on planted columns, and alarms on real tables. Asked: recall ≥ .95, no false alarm on nhanes, support2 "
        "and diabetes130 (record and patient numbers are rightly flagged).",
        ["benchmarks/identifiers.py", "../shared/data"],
    ),
}


def prepare_judge() -> None:
    if not (JUDGE / "bin/python").exists():
        venv.create(JUDGE, with_pip=True)
        pip = [str(JUDGE / "bin/python"), "-m", "pip", "install", "--quiet", "-r", str(HERE / "judge.txt")]
        subprocess.run(pip, check=True)


def section(title: str, about: str, command: list[str]) -> str:
    print(f"· {title}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    shown = " ".join(["python", *command]).replace(str(ROOT) + "/", "")
    body = done.stdout.strip() if done.returncode == 0 else f"This part failed: {done.stderr.strip().splitlines()[-1]}"
    return f"## {title}\n\n{about}\n\n    {shown}\n\n{body}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", choices=[key for key, *_ in PARTS.values()], nargs="+", help="print these, write none"
    )
    options = parser.parse_args()
    if not options.only or {"yardstick", "neural", "games"} & set(options.only):
        prepare_judge()
    head = (
        "# Results\n\nEach part is what the command above it printed (`make benchmark` runs them all and writes this "
        "file); nothing is typed by hand. Development tables, so no claim "
        f"about tables never seen. Python {platform.python_version()}, {platform.machine()}, two cores, no GPU; "
        "the machine was shared, so compare CPU seconds where they are given.\n"
    )
    made = [
        section(title, about, cmd)
        for title, (key, about, cmd) in PARTS.items()
        if not options.only or key in options.only
    ]
    if options.only:
        print("\n".join(made))
    else:
        (HERE / "RESULTS.md").write_text("\n".join([head, *made]), encoding="utf-8")


if __name__ == "__main__":
    main()
