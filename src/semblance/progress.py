"""Bars with the time left, on stderr and only when a person is watching. Each report is also a moment to stop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from semblance.contracts import Progress, silent
from semblance.interruption import check


@contextmanager
def bars(*, hidden: bool = False) -> Iterator[Progress]:
    """A Progress that draws one bar per stage; silent when `hidden` or when stderr is not a terminal.

    Each report raises KeyboardInterrupt if somebody asked to stop and the work went on.
    """
    with _drawing(hidden=hidden) as draw:

        def report(stage: str, done: int, total: int) -> None:
            check()
            draw(stage, done, total)

        yield report


@contextmanager
def _drawing(*, hidden: bool) -> Iterator[Progress]:
    if hidden or not sys.stderr.isatty():
        yield silent
        return
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(bar_width=30),
        rich.TaskProgressColumn(),
        rich.TimeRemainingColumn(elapsed_when_finished=True),
    )
    from rich.console import Console

    # Speed is taken over the whole stage: its steps are few and long.
    watching = rich.Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=86_400)
    with watching as drawing:
        tasks: dict[str, rich.TaskID] = {}
        lock = threading.Lock()  # stages report from worker threads

        def draw(stage: str, done: int, total: int) -> None:
            with lock:
                name = stage.partition(" · ")[0]  # what follows may change as the stage goes on
                if name not in tasks:  # what is done already took no time of this run
                    tasks[name] = drawing.add_task(stage, total=total, completed=done)
                else:
                    drawing.update(tasks[name], description=stage, completed=done, total=total)

        yield draw
