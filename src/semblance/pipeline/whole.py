"""The main job: from real patients to a judged release folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semblance import model_folder, provenance, schema_toml
from semblance.checkpoint import check_resumable
from semblance.clock import Clock
from semblance.contracts import Comparison, Generator, Model, Progress, Run, silent
from semblance.data import demo
from semblance.data.raw import Raw
from semblance.data.split import Vault
from semblance.evidence import Evidence
from semblance.pipeline.judging import audit
from semblance.pipeline.making import fit, forge_of, sample
from semblance.pipeline.reading import as_raw
from semblance.pipeline.releasing import decide, release
from semblance.pipeline.spending import NO_PROMISE, Budget, Promise, promising, rows_to_draw, usual
from semblance.recipe import recipe as recipe
from semblance.release import bundle
from semblance.release.gate import Policy, Verdict
from semblance.release.overrides import Override, check_overrides
from semblance.release.reuse import earlier_uses
from semblance.release.signing import Signer, load_signer
from semblance.release.terms import NO_TERMS, Terms
from semblance.schema import Schema


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `run` made. `seconds` per stage is told here, not in the folder, whose bytes depend on the input alone."""

    folder: Path
    verdict: Verdict
    evidence: Evidence
    schema: Schema
    notes: tuple[str, ...]
    seconds: Mapping[str, float]


def run(
    source: Any,
    *,
    out: Path | str,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
    generator: Generator | str | None = None,
    rows: int | None = None,
    budget: Budget = NO_PROMISE,
    seed: int = 0,
    policy: Path | str | None = None,
    overrides: Sequence[Override] = (),
    terms: Terms = NO_TERMS,
    sign_with: Path | None = None,
    language: str = "en",
    quick: bool = False,
    max_minutes: float | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """From real patients to a judged release folder.

    Args:
        schema: As edited by a person; None infers it.
        generator: None for the usual one: "chain", or with a budget "marginals".
        rows: Synthetic rows to draw; None draws as many as were learned from.
        budget: What is promised, and on whose account; see ``spending.py``. The usual one promises nothing.
        policy: File, or name of a bundled one. overrides: See `decide`. sign_with: File of a private key.
        terms: Whom to ask about the release and until when it holds. language: Of report and card, "en" or "zh".
        max_minutes: Time for learning; see `begin`. resume: Continue what an interrupted run kept beside `out`.

    Privacy: with an epsilon every touch of patients up to the synthetic table is charged first, to the run and to the
    cohort's ledger. The findings are not: they are for the board, and `share` leaves them out.

    Raises:
        BudgetExceeded: see ``spending.py``; nothing was drawn.
        InputError, Unsupported, FitError: see the verbs. A refusal by the gate is no error: read ``outcome.verdict``.
    """
    clock, out = Clock(), Path(out)
    bundle.check_free(out)
    check_resumable(out, resume=resume)
    made = usual(generator, budget)
    rules = Policy.load(policy)
    check_overrides(rules, overrides)
    signer = None if sign_with is None else load_signer(Path(sign_with))
    with clock("reading"):
        raw = as_raw(source)
    asked = {"seed": seed, "quick": quick, "progress": progress, "max_minutes": max_minutes}
    job = _Job(out, made, rules, overrides, terms, signer, language, rows, resume)
    with promising(raw, budget, schema=schema, target=target, subject=subject, purpose=f"run/{made.name}") as promise:
        return _made(promise, job, asked, clock)


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked of `run`, checked."""

    out: Path
    recipe: Generator
    policy: Policy
    overrides: Sequence[Override]
    terms: Terms
    signer: Signer | None
    language: str
    rows: int | None
    resume: bool


def _made(promise: Promise, job: _Job, asked: Mapping[str, Any], clock: Clock) -> Outcome:
    """From the source to the release folder, spending from the promise."""
    raw, made = promise.raw, job.recipe
    with clock("reading"):
        steps = promise.begin(**asked)
        meaning, patients = promise.understand(steps)
    vault = promise.split(patients, steps)
    uses = earlier_uses(job.out, source=raw.fingerprint, split=vault.sha256)
    written = _commitments(job.policy, meaning, vault, uses)
    same = provenance.identity("run", raw.fingerprint, meaning, made, steps)
    with promise.work_on(job.out, same, resume=job.resume) as work:
        steps = replace(steps, checkpoint=work)
        with clock("learning"):
            model = fit(vault.train, steps, generator=made)
        with clock("sampling"):
            n = rows_to_draw(job.rows, vault.train, model, steps)
            fake = sample(model, steps, n=n, avoid=promise.avoided(patients))
        notes, opened = promise.notes(patients, vault.train, model), vault.opened
        with clock("judging"):
            comparison = Comparison(vault.train, vault.open_holdout("audit"), fake, model, made, forge_of(made, model))
            written["hashes"]["model"] = model_folder.digest(model)
            origin = _origin(raw, vault, model, notes, job.terms)
            evidence = audit(comparison, steps, opened=opened, facts=origin | written)
        with clock("writing"):
            verdict = decide(evidence, job.policy, overrides=job.overrides)
            keep = _model_writer(model, made, steps, notes)
            told: dict[str, Any] = {"policy": job.policy, "signer": job.signer, "language": job.language}
            release(fake, evidence, verdict, out=job.out, write_model=keep, **told)
            promise.released = verdict.released
    return Outcome(job.out, verdict, evidence, meaning, tuple(notes), clock.seconds)


def _commitments(rules: Policy, meaning: Schema, vault: Vault, uses_before: int) -> dict[str, Any]:
    """What is written down before anything is learned: a policy chosen to fit the evidence can be told from it."""
    schema = hashlib.sha256(schema_toml.dumps(meaning).encode()).hexdigest()
    return {
        "policy": {"name": rules.name, "version": rules.version, "sha256": rules.sha256},
        "holdout": {"uses": 1 + uses_before},
        "hashes": {"schema": schema, "split": vault.sha256},
    }


def _origin(raw: Raw, vault: Vault, model: Model, notes: Sequence[str], terms: Terms) -> dict[str, Any]:
    learned = provenance.of_model(model)
    return {
        "terms": terms.to_dict(),
        "source": {"fingerprint": raw.fingerprint, "attribution": demo.attribution(raw.fingerprint)},
        "split": vault.describe(),
        "notes": list(notes),
        **({"learned": learned} if learned else {}),
    }


def _model_writer(model: Model, made: Generator, steps: Run, notes: Sequence[str]) -> Callable[[Path], object]:
    ledger = steps.ledger.to_dict()
    if steps.ledger.allowance is not None:  # the model may travel: what names the patients' table stays here
        ledger = {key: value for key, value in ledger.items() if key not in ("cohort", "head")}
    facts = {**provenance.of_run(steps), "ledger": ledger, "notes": list(notes)}
    return lambda place: model_folder.save(model, place, recipe=made, facts=facts)
