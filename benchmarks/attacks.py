"""What the attacks find on real tables with every default, how large a leak they would have seen, and four refusals.

    python -m benchmarks.attacks [--data ../shared/data] [--tables support2 adult …] [--quick] [--no-refusals]

Every table is a `semblance run` in a process of its own. The refusals are made on support2, by the default policy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.runs import RUNS
from semblance import pipeline
from semblance.attacks.leak import mix
from semblance.audits.fidelity import Fidelity
from semblance.contracts import Comparison, Run
from semblance.data import demo
from semblance.data.dataset import Dataset
from semblance.data.split import Vault
from semblance.generators.chain import Chain

TABLES = ("support2", "actg175", "adult", "diabetes130", "nhanes_2017_2018")
GREEDY = Chain(reach=1_000, min_leaf=1, smoothing=0, leaves=128, parents=1.0)
LEAK = 0.02
SIGN = {"<=": "≤", ">=": "≥"}
MARK = {"pass": "", "fail": " ✗", "underpowered": " ?", "not_run": " –", "not_applicable": " n/a"}


def table(head: list[str], rows: list[list[str]]) -> None:
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def judged(name: str, data: Path, *, quick: bool) -> dict[str, Any] | None:
    """What `semblance run` said and wrote; None where it did neither."""
    verb, source, *rest = RUNS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "release"
        command = [sys.executable, "-m", "semblance", verb, str(data / source), *rest, "--out", str(folder), "--json"]
        done = subprocess.run([*command, *["--quick"] * quick], capture_output=True, text=True)
        if done.returncode not in (0, 20):
            print(f"{name}: exit {done.returncode}: {done.stderr.strip().splitlines()[-1]}\n", flush=True)
            return None
        evidence = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
        return {**evidence, "seconds": json.loads(done.stdout)["seconds"]}


def overview(found: Mapping[str, dict[str, Any]]) -> None:
    stages = list(dict.fromkeys(stage for made in found.values() for stage in made["seconds"]))
    rows = []
    for name, made in found.items():
        seconds = made["seconds"]
        broken = [r for r in made["verdict"]["rules"] if r["status"] not in ("pass", "not_applicable")]
        rows.append(
            [name, made["verdict"]["decision"], f"{sum(seconds.values()):.0f}"]
            + [f"{seconds.get(stage, 0):.0f}" for stage in stages]
            + [", ".join(r["finding"] + MARK[r["status"]] for r in broken) or "–"]
        )
    table(["table", "verdict", "wall s", *(f"{stage} s" for stage in stages), "rules not met"], rows)


def bounds(found: Mapping[str, dict[str, Any]]) -> None:
    """The bound that the policy read, under its limit."""
    rules: dict[str, list[str]] = {}
    for made in found.values():
        for r in made["verdict"]["rules"]:
            asked = [f"{SIGN[r['op']]} {r['limit']:g}", r["reads"]]
            rules.setdefault(r["finding"], asked)
    for made in found.values():
        said = {r["finding"]: r for r in made["verdict"]["rules"]}
        for finding, row in rules.items():
            r = said.get(finding, {"bound": None, "status": "not_run"})
            row.append(("–" if r["bound"] is None else f"{r['bound']:.4g}") + MARK[r["status"]])
    table(["finding", "limit", "reads", *found], [[finding, *row] for finding, row in rules.items()])


def powers(found: Mapping[str, dict[str, Any]]) -> None:
    """The smallest leak seen, and from which on another draw would surely be seen."""
    names: dict[str, list[str]] = {}
    for made in found.values():
        names |= {f["name"]: [] for f in made["findings"] if f["name"].startswith("power.")}
    for made in found.values():
        said = {f["name"]: f for f in made["findings"]}
        for name, row in names.items():
            f = said.get(name)
            known = f is not None and f["value"] is not None
            sure = (
                "no leak is sure" if known and f["high"] >= 1 else f"sure from {100 * f['high']:g} %" if known else ""
            )
            row.append(f"{100 * f['value']:g} % ({sure})" + " *" * bool(f["why"]) if known else "none seen")
    table(["would have seen a leak of", *found], [[name, *row] for name, row in names.items()])
    print("\\* the attack sees something in the table as it is; the leak is what shows beyond that.\n", flush=True)


def early(vault: Vault, run: Run) -> Comparison:
    """Of three recipes, the one whose table lies nearest to the holdout: which is why the holdout was opened."""
    held = vault.open_holdout("choosing a recipe")
    pairs = [(c, pipeline.fit(vault.train, run, generator=c)) for c in (Chain(reach=r) for r in (0.5, 1.5, 3.0))]
    tables = [(recipe, pipeline.sample(model, run, n=vault.train.n_rows)) for recipe, model in pairs]

    def area(fake: Dataset) -> float:
        found = Fidelity().judge(Comparison(vault.train, held, fake), run)
        return next(f.value for f in found if f.name == "fidelity.c2st.auc")

    recipe, fake = min(tables, key=lambda pair: area(pair[1]))
    return Comparison(vault.train, vault.open_holdout("audit"), fake, recipe=recipe)


def made_by(generator: Chain) -> Callable[[Vault, Run], Comparison]:
    def make(vault: Vault, run: Run) -> Comparison:
        model = pipeline.fit(vault.train, run, generator=generator)
        fake = pipeline.sample(model, run, n=vault.train.n_rows)
        return Comparison(vault.train, vault.open_holdout("audit"), fake, model, generator)

    return make


def bootstrap(vault: Vault, run: Run) -> Comparison:
    rows = run.seeds("bootstrap").integers(0, vault.train.n_rows, vault.train.n_rows)
    fake = Dataset(vault.train.frame.iloc[rows].reset_index(drop=True), vault.train.schema, "synthetic")
    return Comparison(vault.train, vault.open_holdout("audit"), fake)


def leaky(vault: Vault, run: Run) -> Comparison:
    return mix(made_by(Chain())(vault, run), LEAK, run)


MADE: dict[str, Callable[[Vault, Run], Comparison]] = {
    "bootstrap copy": bootstrap,
    f"leak of {LEAK:.0%}": leaky,
    "overfitted chain": made_by(GREEDY),
    "recipe chosen by the holdout": early,
}


def refusals(*, quick: bool) -> None:
    """Judged without shadow models, as a table made elsewhere would be: the other attacks must do."""
    schema = pipeline.describe(demo.patients(), target=demo.TARGET)
    patients = pipeline.read(demo.patients(), schema)
    rows = []
    for name, make in MADE.items():
        run = pipeline.begin(seed=0, quick=quick)
        vault = pipeline.split(patients, run)
        comparison = make(vault, run)
        evidence = pipeline.audit(comparison, run, opened=vault.opened[:-1])
        verdict = pipeline.decide(evidence)
        broken = [r for r in verdict.rules if r.status == "fail"]
        rows.append(
            [name, verdict.decision, "; ".join(f"{r.finding} {r.seen:.3g} (≤ {r.rule.limit:g})" for r in broken)]
        )
    table(["planted in support2", "verdict", "refused for"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-refusals", action="store_true")
    options = parser.parse_args()
    found = {}
    try:
        for name in options.tables:
            if (said := judged(name, options.data, quick=options.quick)) is not None:
                found[name] = said
                print(f"{name}: {said['verdict']['decision']}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:  # hours may have gone into the tables that are done
        options.no_refusals = True
    if found:
        overview(found)
        bounds(found)
        powers(found)
    if not options.no_refusals:
        refusals(quick=options.quick)


if __name__ == "__main__":
    main()
