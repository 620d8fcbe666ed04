"""What does turning one knob of a recipe cost, and what does it buy? Many fits, each judged, and a line between them.

The source is split as `run` with the same seed splits it, and the holdout stays closed: choosing a setting is tuning,
and tuning never sees the holdout. The points are judged by validation patients, set aside from those that may be
learned from. So `run` with the chosen value and the same seed confirms it on patients whom no point has seen.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from semblance import provenance
from semblance.checkpoint import Work, check_resumable, work_on
from semblance.contracts import Generator, Progress, Run, silent
from semblance.data import demo
from semblance.data.dataset import Dataset
from semblance.data.describe.votes import fitting
from semblance.data.raw import Raw
from semblance.data.split import Vault, split_alone
from semblance.data.split import split as split_patients
from semblance.errors import InputError
from semblance.evidence import canonical_json
from semblance.frontier.page import render
from semblance.frontier.record import build
from semblance.pipeline import ladder
from semblance.pipeline.brewing import Bench, Brew, Meter, Timed, points_of
from semblance.pipeline.reading import begin, read, split, understood
from semblance.pipeline.spending import NO_PROMISE, Budget, as_votes_would_tell, enter_inside, usual
from semblance.privacy.ledger import Allowance, Charge
from semblance.release.gate import Policy
from semblance.report.language import language as language_of
from semblance.schema import Schema

RECORD, PAGE, SECONDS = "frontier.json", "frontier.html", "seconds.json"

VALIDATION = 0.3
"""Share of the patients that may be learned from who judge the points instead."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What `sweep` made.

    Attributes:
        frontier: As ``frontier.json`` holds it. seconds: Of each point; they lie in a file of their own, because all
            other bytes depend on the input alone.
    """

    folder: Path
    frontier: Mapping[str, Any]
    seconds: Sequence[Mapping[str, float]]

    @property
    def chosen(self) -> float | None:
        """The value of the knob that the policy would choose; None where its limits are met nowhere."""
        value: float | None = self.frontier["choice"]["chosen"]
        return value


def sweep(
    source: Any,
    *,
    out: Path | str,
    knob: str,
    values: Sequence[float] | None = None,
    fits: int = 2,
    generator: Generator | str | None = None,
    budget: Budget = NO_PROMISE,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
    seed: int = 0,
    policy: Policy | Path | str | None = None,
    shadows: bool = False,
    quick: bool = False,
    max_minutes: float | None = None,
    resume: bool = False,
    language: str = "en",
    progress: Progress = silent,
) -> Sweep:
    """Fit and judge a recipe at several values of one of its parameters; write the frontier as JSON and as a page.

    Args:
        knob: A numeric parameter of the recipe, "rows" (drawn from one and the same model), or "epsilon".
        values: Of the knob; None takes a ladder around the recipe's own value.
        generator, budget: As in `run`. fits: At each value; with one, the luck of a fit is not in the intervals.
        policy: Whose limits choose a point: a file, or the name of a bundled one.
        shadows: Make the shadow-model attack too; it takes longer than all the rest.
        max_minutes: Time for learning, shared evenly by all fits.
        resume: Continue what an interrupted call kept beside `out`. language: Of the page, "en" or "zh".

    Privacy: the frontier is read off real patients and has no guarantee, whatever the fits promise; it is entered in
    the ledger as such. The holdout is not opened.

    Raises:
        InputError, Unsupported: see the verbs, and ``ladder.py``. A fit that fails is told at its point.
    """
    budget = replace(budget, epsilon=budget.epsilon or 1.0) if knob == ladder.EPSILON else budget
    out, made = Path(out), usual(generator, budget)
    _check_asked(out, fits=fits, language=language)
    check_resumable(out, resume=resume)
    plan = _Plan(made, knob, fits, shadows, _policy(policy), budget.allowance)
    raw, meaning, patients = understood(source, schema=schema, target=target, subject=budget.subject(subject))
    patients = _as_fits_see_them(raw, patients, plan)
    enter_inside(raw, meaning, budget, purpose=f"sweep/{made.name}")
    steps = begin(seed=seed, quick=quick, progress=progress, cohort=raw.fingerprint, max_minutes=max_minutes)
    vault = split(patients, steps) if plan.allowance is None else split_alone(patients, steps.seeds)
    inner = split_patients(vault.train, steps.seeds.within("sweep"), holdout=VALIDATION)
    tried = ladder.settings(made, knob, values, rows=inner.train.n_rows)
    same = provenance.identity("sweep", raw.fingerprint, meaning, made, steps) | plan.identity(list(tried), quick)
    with work_on(out, same, resume=resume) as work:
        found = _found(plan, tried, inner, patients, steps, work)
        head = _head(plan, tried, raw, (vault, inner), steps)
        head |= {"target": meaning.target, "subject": meaning.subject, "edited": schema is not None}
        facts = {"target": meaning.target, "recipe": made.name}
        record = build([point for point, _ in found], policy=plan.policy, facts=facts, head=head)
        seconds = sorted((t for _, t in found), key=lambda told: (told["value"], told["fit"]))
        _write(out, record, seconds, language=language, scratch=work.scratch)
    return Sweep(out, record, seconds)


def _policy(asked: Policy | Path | str | None) -> Policy:
    return asked if isinstance(asked, Policy) else Policy.load(asked)


def _as_fits_see_them(raw: Raw, patients: Dataset, plan: _Plan) -> Dataset:
    """With a promise, what nobody declared is left for each fit to find by itself."""
    if plan.allowance is None:
        return patients
    meaning = as_votes_would_tell(raw, patients.schema, plan.allowance)
    return read(fitting(raw, meaning), meaning)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is turned, and how it is judged."""

    recipe: Generator
    knob: str
    fits: int
    shadows: bool
    policy: Policy
    allowance: Allowance | None = None

    def allowed(self, value: float) -> Allowance | None:
        """What a fit at this value of the knob may use."""
        if self.allowance is None or self.knob != ladder.EPSILON:
            return self.allowance
        return replace(self.allowance, epsilon=value)

    def identity(self, values: Sequence[float], quick: bool) -> dict[str, str]:
        """What must be the same for finished points to be continued; the policy only reads them."""
        allowed = None if self.allowance is None else asdict(self.allowance)
        return {"sweep": canonical_json([self.knob, values, self.fits, self.shadows, quick, allowed])}


def _found(
    plan: _Plan, tried: Mapping[float, tuple[Generator, int]], inner: Vault, patients: Dataset, run: Run, work: Work
) -> list[Timed]:
    """All points, fits side by side. Every fit is charged before the first begins, resumed or not."""
    brews = _brews(plan, tried)
    for _ in brews:
        run.ledger.charge(Charge(f"sweep/{plan.recipe.name}", mechanism="none"))
    meter = Meter(run.progress, len(tried) * plan.fits)
    minutes = run.max_minutes * min(run.engine.workers, len(brews)) / len(brews)
    bench = Bench(inner, patients, run, plan.shadows, minutes, work, meter)
    return [timed for group in run.engine.map(lambda brew: points_of(brew, bench), brews) for timed in group]


def _brews(plan: _Plan, tried: Mapping[float, tuple[Generator, int]]) -> list[Brew]:
    if plan.knob == ladder.ROWS:
        rows = {value: rows for value, (_, rows) in tried.items()}
        return [Brew(plan.recipe, i, rows, plan.allowance) for i in range(plan.fits)]
    return [
        Brew(made, i, {value: rows}, plan.allowed(value))
        for value, (made, rows) in tried.items()
        for i in range(plan.fits)
    ]


def _head(
    plan: _Plan, tried: Mapping[float, tuple[Generator, int]], raw: Raw, cut: tuple[Vault, Vault], run: Run
) -> dict[str, Any]:
    """What the points are of."""
    vault, inner = cut
    sizes = inner.describe()
    return {
        "knob": plan.knob,
        **({"allowance": asdict(plan.allowance)} if plan.allowance else {}),
        "generator": provenance.of_recipe(plan.recipe),
        "settings": _settings(plan.recipe),
        "values": list(tried),
        "fits": plan.fits,
        "shadows": plan.shadows,
        "split": {
            "train_patients": sizes["train_patients"],
            "train_rows": sizes["train_rows"],
            "validation_patients": sizes["holdout_patients"],
            "holdout_patients": vault.describe()["holdout_patients"],
            "holdout_opened_for": list(vault.opened),
            "sha256": vault.sha256,
        },
        "source": {"fingerprint": raw.fingerprint, "attribution": demo.attribution(raw.fingerprint)},
        "provenance": provenance.of_run(run),
        "ledger": run.ledger.to_dict(),
    }


def _settings(made: Generator) -> dict[str, Any]:
    """The parameters that are not what they usually are."""
    return {f.name: value for f in fields(made) if (value := getattr(made, f.name)) != f.default}


def _check_asked(out: Path, *, fits: int, language: str) -> None:
    """Refuse early: a place that holds something else, no fit at all, a language that is not there."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / RECORD).is_file()):
        raise InputError(f"{out} exists and is not a frontier of Semblance's; choose another place for it.")
    if fits < 1:
        raise InputError("a sweep needs at least one fit at each value.")
    language_of(language)


def _write(
    out: Path, record: Mapping[str, Any], seconds: Sequence[Mapping[str, float]], *, language: str, scratch: Path | None
) -> None:
    """The folder, at once or not at all; an earlier frontier in its place is replaced."""
    text = canonical_json(record)
    files = {RECORD: text, PAGE: render(json.loads(text), language=language), SECONDS: canonical_json(list(seconds))}
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"tmp-{out.name}-", dir=scratch or out.parent))
    try:
        for name, content in files.items():
            (building / name).write_text(content, encoding="utf-8")
        building.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        building.replace(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
