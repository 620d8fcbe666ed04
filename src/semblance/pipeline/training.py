"""A model of every row of a source, for `sample`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from semblance import model_folder, provenance
from semblance.checkpoint import check_resumable, work_on
from semblance.contracts import (
    Generator,
    Model,
    Progress,
    silent,
)
from semblance.pipeline.making import fit
from semblance.pipeline.reading import begin, understood
from semblance.recipe import recipe as recipe
from semblance.schema import Schema


def train(
    source: Any,
    folder: Path | str,
    *,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
    generator: Generator | str = "chain",
    seed: int = 0,
    max_minutes: float | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> Model:
    """Fit on every row of `source` and save the model. No holdout is kept: the result cannot be judged fairly.

    Args:
        max_minutes, resume: As in `run`; what an interrupted call kept lies beside `folder`.
    """
    folder = Path(folder)
    model_folder.check_free(folder)
    check_resumable(folder, resume=resume)
    made = recipe(generator) if isinstance(generator, str) else generator
    raw, meaning, patients = understood(source, schema=schema, target=target, subject=subject)
    steps = begin(seed=seed, progress=progress, cohort=raw.fingerprint, max_minutes=max_minutes)
    del raw  # as large as the patients themselves
    with work_on(folder, provenance.identity("fit", steps.ledger.cohort, meaning, made, steps), resume=resume) as work:
        model = fit(patients, replace(steps, checkpoint=work), generator=made)
        facts = {
            **provenance.of_run(steps),
            "ledger": steps.ledger.to_dict(),
            "notes": provenance.all_notes(patients, patients, model),
            "learned": provenance.of_model(model),
        }
        model_folder.save(model, folder, recipe=made, facts=facts, scratch=work.scratch)
    return model
