"""The points of a sweep: one fit each, drawn from and judged, with one worker a fit and every finished point kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semblance import catalog, provenance
from semblance.checkpoint import Work
from semblance.contracts import Checkpoint, Comparison, Generator, Model, Progress, Run
from semblance.data.dataset import Dataset
from semblance.data.split import Vault
from semblance.engines.local import Local
from semblance.errors import FitError
from semblance.evidence import Evidence, Finding, canonical_json
from semblance.frontier.points import Point, strongest
from semblance.pipeline.making import fit, forge_of, sample
from semblance.privacy.ledger import Allowance, Ledger
from semblance.release import disclosure

PART = "point.json"

QUESTIONS = ("validity", "fidelity", "utility", "copies", "membership", "singling_out", "linkage", "inference")
"""Audits that every point is put to. Those left out ask of the real table, of the model's own contents, or plant leaks:
they cost more than the fit, or do not depend on the knob."""


@dataclass(frozen=True, slots=True)
class Brew:
    """One fit, and the settings that are judged by it: several where only the rows drawn differ.

    Attributes:
        fit: Number of the fit, from 0. rows: By value of the knob, how many to draw.
        allowance: What a fit with differential privacy may use; None for one without.
    """

    recipe: Generator
    fit: int
    rows: Mapping[float, int]
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What every point shares.

    Attributes:
        vault: Who is learned from, and who judges. patients: Everybody, whose identifiers must not come up by chance.
        shadows: Make the shadow-model attack too. minutes: Time for each fit. work: Where finished points are kept.
    """

    vault: Vault
    patients: Dataset
    run: Run
    shadows: bool
    minutes: float
    work: Work
    meter: Meter


class Meter:
    """How far all points are together; also the moment at which a worker hears that somebody asked to stop."""

    STEPS = 2 + len(QUESTIONS)
    """Of a point: learn, draw, and each question."""

    def __init__(self, progress: Progress, points: int) -> None:
        self._progress, self._total, self._done = progress, points * self.STEPS, 0
        self._lock = threading.Lock()

    def step(self, n: int = 1) -> None:
        with self._lock:
            self._done += n
            self._progress("sweeping", self._done, self._total)

    def still_here(self, stage: str, done: int, total: int) -> None:
        """A Progress for what goes on inside a step."""
        self._progress("sweeping", self._done, self._total)


Timed = tuple[Point, dict[str, float]]
"""A point, and the seconds that it took."""


def points_of(brew: Brew, bench: Bench) -> list[Timed]:
    """The points of one fit: those that are kept are read back, the others made and kept."""
    found: dict[float, Timed] = {}
    for value in brew.rows:
        if (folder := bench.work.get(_key(value, brew.fit))) is not None:
            known = json.loads((folder / PART).read_text(encoding="utf-8"))
            found[value] = Point.from_dict(known["point"]), known["seconds"]
            bench.meter.step(Meter.STEPS)
    if missing := [value for value in brew.rows if value not in found]:
        begun = time.monotonic()
        model = _learned(brew, bench)
        learning = time.monotonic() - begun
        for value in missing:
            begun = time.monotonic()
            bench.meter.step()
            point = _point(value, brew, model, bench)
            judging = round(time.monotonic() - begun, 2)
            seconds = {"value": value, "fit": brew.fit, "learning": round(learning, 2), "judging": judging}
            found[value] = point, seconds
            bench.work.put(_key(value, brew.fit), _writer({"point": point.to_dict(), "seconds": seconds}))
        bench.work.forget(_parts(brew))
    return [found[value] for value in brew.rows]


def _key(value: float, fit: int) -> str:
    return f"point-{value!r}-{fit}"


def _parts(brew: Brew) -> str:
    """What the names begin with of what its learning keeps."""
    return f"fit-{_key(next(iter(brew.rows)), brew.fit)}-"


def _writer(part: Mapping[str, Any]) -> Callable[[Path], object]:
    return lambda place: (place / PART).write_text(canonical_json(part), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Within:
    """The part of a checkpoint that belongs to one fit."""

    whole: Checkpoint
    prefix: str

    def get(self, key: str) -> Path | None:
        return self.whole.get(self.prefix + key)

    def put(self, key: str, write: Callable[[Path], object]) -> None:
        self.whole.put(self.prefix + key, write)


def _learned(brew: Brew, bench: Bench) -> Model | str:
    """The model, or why there is none."""
    kept = _Within(bench.work, _parts(brew))
    try:
        alone = replace(_alone(brew, bench), max_minutes=bench.minutes, checkpoint=kept)
        return fit(bench.vault.train, alone, generator=brew.recipe)
    except FitError as error:
        return str(error)


def _alone(brew: Brew, bench: Bench) -> Run:
    """One worker. Fits of one number share their luck, so that points of one number differ by the knob alone."""
    return replace(
        bench.run,
        seeds=bench.run.seeds.within(f"sweep/fit/{brew.fit}"),
        ledger=Ledger(bench.run.ledger.cohort, brew.allowance),  # all fits were entered before the first began
        engine=Local(1),
        progress=bench.meter.still_here,
    )


def _point(value: float, brew: Brew, model: Model | str, bench: Bench) -> Point:
    if isinstance(model, str):
        bench.meter.step(Meter.STEPS - 1)
        return Point(value, brew.fit, failed=model)
    alone = _alone(brew, bench)
    fake = sample(model, alone, n=brew.rows[value], avoid=bench.patients)
    bench.meter.step()
    forge = forge_of(brew.recipe, model) if bench.shadows else None
    validation = bench.vault.open_holdout("sweep")
    comparison = Comparison(bench.vault.train, validation, fake, model, brew.recipe, forge)
    judge = replace(alone, seeds=bench.run.seeds.within("sweep/judge"))  # the same patients examine every point
    findings: list[Finding] = []
    for name in QUESTIONS:
        findings.extend(catalog.AUDITS[name]().judge(comparison, judge))
        bench.meter.step()
    if not bench.shadows:  # not asked, which is another thing than not known
        findings = [f for f in findings if ".shadow." not in f.name]
    if (worst := strongest(findings)) is not None:
        findings.append(worst)
    evidence = disclosure.protect(Evidence(tuple(findings)))
    return Point(value, brew.fit, evidence.findings, provenance.of_model(model), tuple(provenance.on_learning(model)))
