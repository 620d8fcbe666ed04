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
