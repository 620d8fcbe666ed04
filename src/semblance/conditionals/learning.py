"""All links of a chain: learned in any order, kept one by one, within a stated time."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.allotment import Plan
from semblance.conditionals.lessons import Choice, learn_link
from semblance.conditionals.link import Codes, Link
from semblance.conditionals.trees import Capacity
from semblance.contracts import Run
from semblance.data.cells import Cells

STAGE = "learning columns"
FILE = "link.json"


@dataclass(frozen=True, eq=False)
class Links:
    """A link for each column, and how many of them had all the time that they wanted."""

    links: tuple[Link, ...]
    in_full: int

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence where the clock decided what was learned; none otherwise."""
        if self.in_full == len(self.links):
            return ()
        return (
            f"Stopped by the time limit: {self.in_full} of {len(self.links)} columns learned in full, the others with "
            "fewer trees; the same seed may give another result.",
        )


def learn_links(
    codes: Codes,
    cells: list[Cells],
    folds: NDArray[np.int64],
    *,
    subjects: NDArray[np.int64],
    capacity: Capacity,
    run: Run,
    choices: Mapping[int, Choice] | None = None,
) -> Links:
    """Learn every column from the columns before it; see `learn_link`.

    What `run.checkpoint` holds is not learned again. What is learned in full is kept there at once; a link that the
    clock cut short is not.

    Args:
        choices: Position of a column → what is known to serve it, so that no search is needed.
    """
    done = {i: link for i in range(len(cells)) if (link := _kept(i, run)) is not None}
    costs = expected_costs(codes)
    finished, total = sum(costs[i] for i in done), sum(costs)
    run.progress(STAGE, finished, total)
    # The dearest first, so that no worker is left with one when the others have nothing more to do.
    waiting = sorted(set(range(len(cells))) - done.keys(), key=lambda i: (-costs[i], i))
    plan = Plan([costs[i] for i in waiting], minutes=run.max_minutes, workers=run.engine.workers)
    lock = threading.Lock()

    def learn(turn: int) -> tuple[Link, bool]:
        nonlocal finished
        position = waiting[turn]
        time = plan.begin(turn)
        link = learn_link(
            position,
            codes,
            cells,
            folds,
            subjects=subjects,
            capacity=capacity,
            seeds=run.seeds,
            time=time,
            choice=(choices or {}).get(position),
        )
        plan.end(turn)
        if not time.cut_short:
            run.checkpoint.put(_key(position), lambda folder: _keep(link, position, folder))
        with lock:
            finished += costs[position]
            now = finished
        run.progress(STAGE, now, total)
        return link, not time.cut_short

    learned = dict(zip(waiting, run.engine.map(learn, range(len(waiting))), strict=True))
    links = tuple(done[i] if i in done else learned[i][0] for i in range(len(cells)))
    return Links(links, len(done) + sum(in_full for _, in_full in learned.values()))


def expected_costs(codes: Codes) -> list[int]:
    """How long each column takes to learn, in one unit for all: what trees see, times questions asked.

    A row is asked about as many questions as the column's cells have bits of entropy; one more stands for the rest.
    """
    costs = []
    for position in range(codes.shape[1]):
        counts = np.bincount((codes[:, position] + 1).astype(np.int64))
        shares = counts[counts > 0] / len(codes)
        bits = float(-(shares * np.log2(shares)).sum())
        costs.append(round(10 * (bits + 1) * (position + 8)) if position else 1)
    return costs


def _key(position: int) -> str:
    return f"chain-{position:04d}"


def _keep(link: Link, position: int, folder: Path) -> None:
    (folder / FILE).write_text(json.dumps(link.save(folder, position)), encoding="utf-8")


def _kept(position: int, run: Run) -> Link | None:
    folder = run.checkpoint.get(_key(position))
    if folder is None:
        return None
    return Link.load(folder, position, json.loads((folder / FILE).read_text(encoding="utf-8")))
