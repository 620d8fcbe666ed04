"""The loop: resumes to the same bytes wherever it was stopped, heeds the clock, sees divergence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from semblance import pipeline
from semblance.checkpoint import work_on
from semblance.contracts import Run
from semblance.errors import FitError
from semblance.nets import training
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within
from semblance.nets.training import Log, Watch, train

N = 40


class Line:
    """Fits y = 3 x with noise, so that every kind of randomness is used."""

    def __init__(self, *, stop_at: int = -1, spoil: bool = False) -> None:
        self.x = torch.linspace(-1, 1, N)
        self.slope = torch.nn.Parameter(torch.zeros(1))
        self.optimiser = torch.optim.Adam([self.slope], lr=0.05)
        self.stop_at, self.spoil, self.taken = stop_at, spoil, 0

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        if self.taken == self.stop_at:
            raise KeyboardInterrupt
        self.taken += 1
        x = self.x[rows] + 0.1 * torch.randn(len(rows), generator=noise)
        loss = ((self.slope * x - 3 * x) ** 2).mean() * (1 - share / 2)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"loss": math.nan if self.spoil else float(loss.detach())}

    def state(self) -> dict[str, Tensor]:
        return {"slope": self.slope.detach().clone(), **flat("adam", optimiser_tensors(self.optimiser))}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            self.slope.copy_(state["slope"])
        restore_optimiser(self.optimiser, within("adam", state))


def go(line: Line, run: Run, **more: object) -> Log:
    return train(line, N, steps=60, batch=8, run=run, key="fit/line", stage="training", **more)  # type: ignore[arg-type]


@pytest.fixture
def run() -> Run:
    return pipeline.begin(seed=3)


@pytest.mark.parametrize("stopped", [1, 17, 59])
def test_a_training_stopped_anywhere_ends_in_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: int
) -> None:
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    whole = Line()
    log = go(whole, run)
    with pytest.raises(KeyboardInterrupt), work_on(tmp_path / "m", {"a": "b"}, resume=False) as work:
        go(Line(stop_at=stopped), replace(run, checkpoint=work))
    with work_on(tmp_path / "m", {"a": "b"}, resume=True) as work:
        again = Line()
        resumed = go(again, replace(run, checkpoint=work))
    assert again.taken == 60 - stopped, "what was kept is not done again"
    assert torch.equal(again.slope, whole.slope)
    assert resumed.lines == log.lines


def test_it_learns_and_writes_what_it_lost_on_the_way(run: Run) -> None:
    line = Line()
    log = go(line, run, log_every=20)
    assert [entry["step"] for entry in log.lines] == [20, 40, 60]
    assert log.lines[-1]["loss"] < 0.5 * log.lines[0]["loss"]
    assert 1 < float(line.slope.detach()) < 3.5


def test_it_ends_in_the_best_state_and_stops_when_nothing_is_gained(run: Run) -> None:
    line = Line()
    watch = Watch(lambda: abs(float(line.slope.detach()) - 1.0), every=1, patience=5)
    log = go(line, run, watch=watch)
    assert log.step == log.best_step + 5 < 60
    assert abs(float(line.slope.detach()) - 1.0) == pytest.approx(log.best)


def test_the_clock_cuts_it_short_and_says_so(run: Run) -> None:
    log = go(Line(), run, minutes=1e-9)
    assert log.cut_short
    assert log.step < 60
    assert log.note
    assert "time limit" in log.note


def test_divergence_is_an_error_that_says_what_to_do(run: Run) -> None:
    with pytest.raises(FitError, match=r"diverged at step 0.*learning_rate"):
        go(Line(spoil=True), run)


class Wild(Line):
    """Spoils itself at given steps, unless it was told to be calmer often enough."""

    def __init__(self, *, spoils: int, until: int, stop_at: int = -1) -> None:
        super().__init__(stop_at=stop_at)
        self.spoils, self.until, self.calmed, self.at = spoils, until, 0, 0

    def calm(self, times: int) -> None:
        self.calmed = times

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        losses = super().step(rows, noise, share)
        self.at += 1
        if self.at == self.spoils and self.calmed < self.until:
            with torch.no_grad():
                self.slope.fill_(math.nan)
            return {"loss": math.nan}
        return losses

    def state(self) -> dict[str, Tensor]:
        return super().state() | {"at": torch.tensor(self.at)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        super().restore(state)
        self.at = int(state["at"])


def test_a_training_that_diverges_goes_back_and_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STRIDE", 10)
    wild = Wild(spoils=25, until=2)
    log = go(wild, run, rollbacks=3)
    assert (log.rollbacks, wild.calmed, log.step) == (2, 2, 60)
    assert torch.isfinite(wild.slope).all()
    assert wild.taken == 60 + 2 * 5  # twice it had to do steps 20 to 25 again


def test_a_training_that_goes_on_diverging_is_given_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STRIDE", 10)
    with pytest.raises(FitError, match="diverged"):
        go(Wild(spoils=25, until=9), run, rollbacks=3)


def test_a_spoilt_state_is_none_to_go_back_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameters are spoilt at step 20, where states are kept; the loss shows it a step later."""
    monkeypatch.setattr(training, "STRIDE", 10)

    class Sly(Wild):
        def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
            losses = super().step(rows, noise, share)
            if self.at == 20 and self.calmed < 1:
                with torch.no_grad():
                    self.slope.fill_(math.nan)
            return losses

    sly = Sly(spoils=-1, until=1)
    log = go(sly, run, rollbacks=1)
    assert log.rollbacks == 1
    assert sly.taken == 60 + 11  # back to step 10


@pytest.mark.parametrize("stop_at", [12, 24, 27, 33])
def test_resuming_after_a_rollback_ends_the_same(tmp_path: Path, stop_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STRIDE", 10)
    monkeypatch.setattr(training, "SAVE_SECONDS", 0.0)
    whole = Wild(spoils=25, until=1)
    log = go(whole, pipeline.begin(seed=3), rollbacks=2)
    run = pipeline.begin(seed=3)
    with (
        pytest.raises(KeyboardInterrupt),
        work_on(tmp_path / "model", {"source": "a"}, resume=False) as work,
    ):
        go(Wild(spoils=25, until=1, stop_at=stop_at), replace(run, checkpoint=work), rollbacks=2)
    with work_on(tmp_path / "model", {"source": "a"}, resume=True) as work:
        again = Wild(spoils=25, until=1)
        log_again = go(again, replace(run, checkpoint=work), rollbacks=2)
    assert again.taken < whole.taken
    assert torch.equal(again.slope, whole.slope)
    assert (log_again.lines, log_again.rollbacks) == (log.lines, log.rollbacks)


def test_a_limit_that_is_not_near_changes_nothing(run: Run) -> None:
    free, limited = Line(), Line()
    assert go(free, run).note is None
    assert go(limited, run, minutes=100.0).note is None
    assert torch.equal(free.slope, limited.slope)


def test_a_limit_that_sets_the_pace_says_so() -> None:
    log = Log()
    assert log.pace(0.10, 0.14) == 0.10
    assert log.note is None
    assert log.pace(0.10, 0.16) == 0.16
    assert "set the pace" in (log.note or "")


def test_who_looks_sees_every_so_often_and_the_end(run: Run) -> None:
    seen: list[int] = []
    go(Line(), run, look=training.Look(lambda log: seen.append(log.step), every=25))
    assert seen == [25, 50, 60]
