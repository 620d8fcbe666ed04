"""A model of every row of a source, for `sample`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from semblance import model_folder, provenance
from semblance.checkpoint import check_resumable
from semblance.contracts import (
    Generator,
    Model,
    Progress,
    silent,
)
from semblance.pipeline.making import fit
from semblance.pipeline.reading import as_raw
from semblance.pipeline.spending import NO_PROMISE, Budget, promising, usual
from semblance.schema import Schema


def train(
    source: Any,
    folder: Path | str,
    *,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
    generator: Generator | str | None = None,
    budget: Budget = NO_PROMISE,
    seed: int = 0,
    max_minutes: float | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> Model:
    """Fit on every row of `source` and save the model. No holdout is kept: the result cannot be judged fairly.

    Args:
        generator, budget: As in `run`.
        max_minutes, resume: As in `run`; what an interrupted call kept lies beside `folder`.
    """
    folder = Path(folder)
    model_folder.check_free(folder)
    check_resumable(folder, resume=resume)
    made = usual(generator, budget)
    raw = as_raw(source)
    with promising(raw, budget, schema=schema, target=target, subject=subject, purpose=f"fit/{made.name}") as promise:
        steps = promise.begin(seed=seed, progress=progress, max_minutes=max_minutes)
        meaning, patients = promise.understand(steps)
        same = provenance.identity("fit", steps.ledger.cohort, meaning, made, steps)
        with promise.work_on(folder, same, resume=resume) as work:
            model = fit(patients, replace(steps, checkpoint=work), generator=made)
            facts = {
                **provenance.of_run(steps),
                "ledger": steps.ledger.to_dict(),
                "notes": promise.notes(patients, patients, model),
                "learned": provenance.of_model(model),
            }
            model_folder.save(model, folder, recipe=made, facts=facts, scratch=getattr(work, "scratch", None))
            promise.released = True
    return model
