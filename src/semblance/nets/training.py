"""The one loop that trains every net: named randomness, a time limit, a log, and resuming to the same bytes.

Nothing random is carried from step to step. The order of an epoch's rows and the noise of a step follow from the
run's seeds and the step's number alone, so a training that is killed at any step and resumed from what it had saved
goes on exactly as if nothing had happened, provided that the trainee's `state` is complete.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from semblance.contracts import Run
from semblance.errors import FitError
from semblance.nets.device import device
from semblance.nets.tensors import read_tensors, within, write_tensors

SAVE_SECONDS = 20.0
"""At most so much work is lost when a training is killed."""
TELL_SECONDS = 0.25
STRIDE = 200
"""Steps between two states that a training that diverges can go back to."""
TOO_LARGE = 1e6
"""A loss beyond this, or one that is no number, is not learning any more."""
SLACK = 0.05
"""Share of a training by which the clock may be ahead of the steps before it sets the pace."""
LOG, SOUND, TENSORS = "log.json", "sound.json", "state.safetensors"


class Trainee(Protocol):
    """What is trained."""

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """Learn from these rows of the training table: (batch,) of row numbers, on the processor. Returns losses.

        Args:
            noise: The only randomness that the step may use; it lives on the processor, so that a GPU sees the same
                numbers: draw there, then move. share: How much of the training is over, 0 to 1.
        """

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on: parameters, averages, optimisers."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""


@runtime_checkable
class Calming(Protocol):
    """What a trainee can also do: go on more carefully after it diverged."""

    def calm(self, times: int) -> None:
        """Learn with steps half as large for each time that training had to go back: told after every `restore`."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How to find out when enough has been learned, and which state was the best.

    Attributes:
        measure: Lower is better. Must not look at anything but training patients.
        every: Steps between two looks. patience: Looks without a gain before training stops.
    """

    measure: Callable[[], float]
    every: int
    patience: int


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody who wants to see how it goes: every so many steps, and at the end. Must change nothing."""

    see: Callable[[Log], object]
    every: int


@dataclass(slots=True)
class Log:
    """What happened in training.

    Attributes:
        step: Steps taken. seconds: By the wall, over all sessions; not part of what is compared.
        lines: Mean losses since the line before, with "step".
        best: Lowest value that was watched. best_step: When. since: Looks since then.
        cut_short: The time was up before the last step. hurried: The time went by faster than the steps, at times.
        rollbacks: How often training diverged and went back.
    """

    step: int = 0
    seconds: float = 0.0
    lines: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    summed: int = 0
    best: float = math.inf
    best_step: int = 0
    since: int = 0
    cut_short: bool = False
    hurried: bool = False
    rollbacks: int = 0

    def add(self, losses: Mapping[str, float], every: int) -> None:
        """Count one step's losses; write a line after `every` steps."""
        self.step += 1
        self.summed += 1
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(loss)
        if self.summed >= every:
            means = {name: total / self.summed for name, total in self.sums.items()}
            self.lines.append({"step": self.step, **means})
            self.sums, self.summed = {}, 0

    def pace(self, done: float, gone: float) -> float:
        """How much of the training is over: the share of the steps done, or of the time gone if clearly more.

        A limit that is never near changes nothing, to the last digit.
        """
        if gone <= done + SLACK:
            return done
        self.hurried = True
        return gone

    @property
    def note(self) -> str | None:
        """One sentence where the clock decided what was learned; None otherwise."""
        if self.cut_short:
            return f"Stopped by the time limit after {self.step} training steps; the same seed may give another result."
        if self.hurried:
            return "The time limit set the pace of learning; the same seed may give another result."
        return None


def train(
    trainee: Trainee,
    n_rows: int,
    *,
    steps: int,
    batch: int,
    run: Run,
    key: str,
    stage: str,
    minutes: float = math.inf,
    watch: Watch | None = None,
    look: Look | None = None,
    rollbacks: int = 0,
    log_every: int = 50,
) -> Log:
    """Let `trainee` take `steps` steps over batches of `n_rows` rows, each row once an epoch.

    With `watch` it ends in its best state, not its last. It may diverge and go back `rollbacks` times (`STRIDE`).

    Args:
        batch: Rows of a step; all of them where there are fewer. key: Name of the seeds and of what is kept.
        stage: What a person reads beside the bar. minutes: Time for all of it; a resumed training goes on counting.

    Raises:
        FitError: a loss is no longer a finite number, and every rollback is used up.
    """
    session = _Session(trainee, run, key)
    log, best = session.resume()
    sound = _Sound(trainee, log, session.sound, rollbacks)
    begun, told, saved = time.monotonic() - log.seconds, 0.0, time.monotonic()
    while log.step < steps and not (watch and log.since >= watch.patience):
        log.seconds = time.monotonic() - begun
        log.cut_short = log.seconds > 60 * minutes
        if log.cut_short:
            break
        share = log.pace(log.step / steps, log.seconds / (60 * minutes))
        losses = trainee.step(session.rows(log.step, min(batch, n_rows), n_rows), session.noise(log), share)
        if not all(abs(loss) < TOO_LARGE for loss in losses.values()):
            sound.go_back(log)
            continue
        log.add(losses, log_every)
        if log.step % STRIDE == 0:
            sound.keep(log)
        if watch and log.step % watch.every == 0:
            best = _look(trainee, watch, log, best)
        if look and log.step % look.every == 0 and log.step < steps:
            look.see(log)
        if (now := time.monotonic()) - told > TELL_SECONDS:
            run.progress(stage, log.step, steps)
            told = now
        if now - saved > SAVE_SECONDS:
            session.save(log, best, sound)
            saved = time.monotonic()
    run.progress(stage, steps, steps)
    session.save(log, best, sound)
    if watch and best:
        trainee.restore({name: value.to(device()) for name, value in best.items()})
    if look:
        look.see(log)
    return log


class _Sound:
    """The last state that training is known to have been sound in, and the way back to it.

    Attributes:
        log: What was logged until then. state: The trainee's; nothing where no rollback is allowed.
    """

    def __init__(
        self, trainee: Trainee, log: Log, kept: tuple[dict[str, Any], dict[str, Tensor]] | None, allowed: int
    ) -> None:
        self._trainee, self._allowed = trainee, allowed
        self.log: dict[str, Any] = {}
        self.state: dict[str, Tensor] = {}
        if kept and allowed:
            self.log, self.state = kept
            _calm(trainee, log.rollbacks)
        else:
            self.keep(log)

    def keep(self, log: Log) -> None:
        """Remember this state, if it is one to go back to: a step may spoil it and the loss show so only later."""
        now = self._trainee.state() if self._allowed else {}
        if all(bool(tensor.isfinite().all()) for tensor in now.values()):
            self.log = {name: asdict(log)[name] for name in ("step", "lines", "sums", "summed")}
            self.state = {name: tensor.detach().clone() for name, tensor in now.items()}

    def go_back(self, log: Log) -> None:
        """Undo the steps since, and go on with smaller ones and other random numbers.

        Raises:
            FitError: it went back as often as is allowed.
        """
        if log.rollbacks >= self._allowed:
            raise FitError(
                f"training diverged at step {log.step}: a loss is no longer a finite number; "
                "choose a smaller learning_rate, or another loss."
            )
        log.step, log.lines, log.sums = self.log["step"], list(self.log["lines"]), dict(self.log["sums"])
        log.summed, log.rollbacks = self.log["summed"], log.rollbacks + 1
        self._trainee.restore({name: tensor.clone() for name, tensor in self.state.items()})
        _calm(self._trainee, log.rollbacks)


def _calm(trainee: Trainee, times: int) -> None:
    if isinstance(trainee, Calming):
        trainee.calm(times)


def _look(trainee: Trainee, watch: Watch, log: Log, best: dict[str, Tensor]) -> dict[str, Tensor]:
    """The best state so far, after another look."""
    value = watch.measure()
    if value < log.best:
        log.best, log.best_step, log.since = value, log.step, 0
        return {name: tensor.detach().clone() for name, tensor in trainee.state().items()}
    log.since += 1
    return best


class _Session:
    """A training's randomness, and what it keeps in the run's checkpoint: two places in turn, the newer one whole."""

    def __init__(self, trainee: Trainee, run: Run, key: str) -> None:
        self._trainee, self._run, self._key = trainee, run, key
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)
        self._turn = 0
        self.sound: tuple[dict[str, Any], dict[str, Tensor]] | None = None

    def rows(self, step: int, batch: int, n_rows: int) -> Tensor:
        """The rows of a step; the last few of an epoch that fill no batch are left for another epoch."""
        epoch, place = divmod(step, n_rows // batch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._run.seeds(f"{self._key}/epoch/{epoch}").permutation(n_rows)
        return torch.from_numpy(self._order[place * batch : (place + 1) * batch])

    def noise(self, log: Log) -> torch.Generator:
        """The randomness of the next step; another one after each rollback."""
        again = f"/again/{log.rollbacks}" if log.rollbacks else ""
        return torch.Generator().manual_seed(self._run.seeds.integer(f"{self._key}/step/{log.step}{again}"))

    def save(self, log: Log, best: Mapping[str, Tensor], sound: _Sound) -> None:
        tensors = {f"now.{name}": value for name, value in self._trainee.state().items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        tensors |= {f"sound.{name}": value for name, value in sound.state.items()}

        def write(folder: Path) -> None:
            write_tensors(tensors, folder / TENSORS)
            (folder / LOG).write_text(json.dumps(asdict(log)), encoding="utf-8")
            if sound.state:
                (folder / SOUND).write_text(json.dumps(sound.log), encoding="utf-8")

        self._run.checkpoint.put(self._place(self._turn), write)
        self._turn = 1 - self._turn

    def resume(self) -> tuple[Log, dict[str, Tensor]]:
        """Where to go on: the newest state that was kept, and the best; a fresh log where there is none."""
        found = [(turn, folder) for turn in (0, 1) if (folder := self._run.checkpoint.get(self._place(turn)))]
        logs = {turn: _read_log(folder) for turn, folder in found}
        if not logs:
            return Log(), {}
        turn = max(logs, key=lambda t: (logs[t].rollbacks, logs[t].step))
        tensors = {name: value.to(device()) for name, value in read_tensors(dict(found)[turn] / TENSORS).items()}
        self._trainee.restore(within("now", tensors))
        self._turn = 1 - turn
        if (known := dict(found)[turn] / SOUND).is_file():
            self.sound = json.loads(known.read_text(encoding="utf-8")), within("sound", tensors)
        log = logs[turn]
        log.cut_short = False
        return log, within("best", tensors)

    def _place(self, turn: int) -> str:
        return f"{self._key.replace('/', '-')}-{turn}"


def _read_log(folder: Path) -> Log:
    return Log(**json.loads((folder / LOG).read_text(encoding="utf-8")))
