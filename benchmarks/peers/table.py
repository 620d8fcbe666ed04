"""What was found, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.peers.environment import version
from benchmarks.peers.lines import Line

HEAD = (
    "line",
    "C2ST AUC",
    "TSTR/TRTR",
    "pairs",
    "nearer to train",
    "membership, density",
    "CPU s",
    "wall s",
    "peak MB",
    "load",
    "remark",
)


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def who(lines: Iterable[Line]) -> str:
    rows = ([x.name, f"{x.package} {version(x)}", x.licence, f"{x.limit:,}", x.about] for x in lines)
    return markdown(("line", "version", "licence", "CPU-second limit", "how it is run"), rows)


def row(name: str, record: Mapping[str, Any], score: Mapping[str, Any] | None) -> list[str]:
    """Cells for one line; a line without a score keeps its place and its remark says why."""
    fidelity = ["–"] * 5
    if score:
        private = score["privacy"]
        values = (
            score["c2st"]["auc"],
            score["tstr"]["ratio"],
            score["pair_score"],
            private["dcr_share"],
            private["mia_domias_auc"],
        )
        fidelity = [f"{value:.3f}" for value in values]
    shown = {"cpu_s": ".1f", "wall_s": ".1f", "peak_mb": ",.0f", "load": ".1f"}
    cost = [format(record[k], form) if record.get(k) is not None else "–" for k, form in shown.items()]
    return [name, *fidelity, *cost, str(record.get("remark", ""))]


def heading(table: str, rows: int, score: Mapping[str, Any]) -> str:
    """With the best that could be reached, which depends on the real rows alone."""
    floor = f"training rows against the holdout: pairs {score['pair_floor']:.3f}, TRTR AUC {score['tstr']['trtr']:.3f}"
    return f"### {table}: {rows:,} rows; {floor}"
