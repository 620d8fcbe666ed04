"""The verbs, in the order in which they are used. The command line is one more caller of them.

source ─describe→ Schema ─read→ Dataset ─split→ Vault ─fit→ Model ─sample→ Dataset′
       ─audit→ Evidence ─decide→ Verdict ─release→ folder
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance import catalog, model_folder, provenance, schema_toml
from semblance.audits.source import Source
from semblance.checkpoint import check_resumable, work_on
from semblance.clock import Clock
from semblance.contracts import (
    FORGETFUL,
    Account,
    Checkpoint,
    Comparison,
    Forge,
    Generator,
    Model,
    Progress,
    Repeatable,
    Run,
    silent,
)
from semblance.data import demo, parse
from semblance.data.dataset import Dataset
from semblance.data.describe import infer
from semblance.data.raw import Raw
from semblance.data.split import Vault
from semblance.data.split import split as split_patients
from semblance.destination import check_new
from semblance.disclosure_risk.roles import assume
from semblance.engines.local import Local
from semblance.errors import InputError, SchemaError, Unsupported
from semblance.evidence import Evidence, Finding
from semblance.explanation.explain import Explanation, explain
from semblance.power import self_test
from semblance.privacy.ledger import Charge, Ledger
from semblance.protocol import holdout_kept
from semblance.publication import as_drawn, write_synthetic
from semblance.recipe import recipe as recipe
from semblance.release import bundle, disclosure, gate
from semblance.release.gate import Policy, Verdict
from semblance.release.overrides import Override, check_overrides
from semblance.release.reuse import earlier_uses
from semblance.release.signing import Signer, load_signer
from semblance.release.terms import NO_TERMS, Terms
from semblance.rules.model import RuledModel, fit_with_rules
from semblance.schema import Schema
from semblance.seeds import Seeds
from semblance.source import read_source
from semblance.streaming import Stream, draw, draw_into


def begin(
    *,
    seed: int = 0,
    quick: bool = False,
    progress: Progress = silent,
    cohort: str = "",
    max_minutes: float | None = None,
    checkpoint: Checkpoint = FORGETFUL,
) -> Run:
    """All that the verbs may use up: named random streams, an open ledger, this machine's processors, a person's time.

    Args:
        seed: Same seed and same input give the same bytes.
        quick: Less precision for less time; the findings' intervals say so.
        cohort: Fingerprint of the source, for the ledger.
        max_minutes: Time for learning; what it cuts short depends on the clock, and the model's notes say so.
        checkpoint: Where learning leaves what it has finished; see ``checkpoint.py``.
    """
    limit = float("inf") if max_minutes is None else float(max_minutes)
    if not limit > 0:
        raise InputError("the time for learning (max_minutes) must be above 0.")
    return Run(Seeds(seed), Ledger(cohort), Local(), progress, quick, limit, checkpoint)


def describe(source: Any, *, target: str | None = None, subject: str | None = None) -> Schema:
    """Infer what a table means. A person should read and edit the result before it is believed.

    Args:
        source: A file, a folder or glob of files, or a pandas, polars or Arrow table.
        target: Column to be predicted from the others. subject: Column that names the patient.

    Raises:
        InputError: the source cannot be read, or lacks a column that was named.
    """
    return roles(infer.infer_schema(_raw(source), subject=subject), target, subject)


def explain_column(
    source: Any, name: str, *, schema: Schema | None = None, target: str | None = None, subject: str | None = None
) -> Explanation:
    """Say what column `name` is taken for, why, what would change that, and how to overrule it.

    Args:
        schema: As edited by a person; None infers it.

    Privacy: reads real patients without differential privacy. Names no label that fewer than eleven patients hold,
    counts no fewer than eleven patients, rounds other counts; bounds are those of the schema.

    Raises:
        InputError: the source cannot be read, or there is no such column.
    """
    raw = _raw(source)
    meaning = describe(raw, subject=subject) if schema is None else schema
    return explain(raw, roles(meaning, target, subject), name)


def source_risk(
    source: Any,
    *,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
    quasi: Sequence[str] = (),
    sensitive: Sequence[str] = (),
    population: int | None = None,
    seed: int = 0,
) -> Evidence:
    """How exposed the patients of a real table are, before anything is synthesised; see ``audits/source``.

    Args:
        quasi, sensitive: What others may know, and what would harm, instead of what the schema says.
        population: People the patients were drawn from; None tells a range.

    Privacy: reads real patients without differential privacy; small counts are blanked.
    """
    raw = _raw(source)
    meaning = describe(raw, target=target, subject=subject) if schema is None else roles(schema, target, subject)
    patients, steps = read(raw, assume(meaning, quasi=quasi, sensitive=sensitive)), begin(seed=seed)
    if population is not None and population < patients.n_subjects:
        raise InputError("the population is smaller than the table; say how many people the patients were drawn from.")
    nobody = patients.take(np.arange(0))
    findings = Source(population).judge(Comparison(patients, nobody, nobody), steps)
    return disclosure.protect(Evidence(findings, {}, provenance.of_run(steps)))


def read(source: Any, schema: Schema) -> Dataset:
    """Real patients, typed by `schema`.

    Raises:
        SchemaError: the table is not the one the schema describes; says where.
    """
    return parse.parse(_raw(source), schema)


def split(data: Dataset, run: Run, *, holdout: float = 0.3) -> Vault:
    """Set a share of the patients aside, before anything is learned, for audits only."""
    return split_patients(data, run.seeds, holdout=holdout)


def fit(train: Dataset, run: Run, *, generator: Generator | str = "chain") -> Model:
    """Learn from `train`.

    Privacy: charged to the ledger before training; without differential privacy as epsilon = infinity.

    Raises:
        Unsupported: the generator does not exist or cannot learn such a table.
        FitError: there was nothing to learn from.
    """
    made = recipe(generator) if isinstance(generator, str) else generator
    if (reason := made.refuses(train.schema)) is not None:
        raise Unsupported(f"generator {made.name!r} cannot learn this table: {reason}")
    run.ledger.charge(Charge(f"fit/{made.name}", mechanism="none"))
    return fit_with_rules(made, train, run) if train.schema.rules else made.fit(train, run)


def sample(
    model: Model,
    run: Run,
    *,
    n: int,
    given: Sequence[str] = (),
    balance: str = "",
    avoid: Dataset | None = None,
) -> Dataset:
    """Draw `n` synthetic rows, with fresh identifiers.

    Args:
        given, balance: Conditions that the rows meet; see `conditioning.sample_given`, which also says what the rows
            are worth. Here a warning says so where that is little. Beyond 50,000 rows, each block of 50,000 is drawn
            by itself, and balanced by itself.
        avoid: Real patients whose identifiers must not come up by chance.

    Privacy: reads no real value but the identifiers to avoid; spends nothing.
    """
    stream = Stream(model, run, n=n, given=given, balance=balance, avoid=avoid)
    fake = draw(stream)
    _warn(stream)
    return fake


def sample_to(
    model: Model, run: Run, *, path: Path | str, n: int, given: Sequence[str] = (), balance: str = ""
) -> Mapping[str, Account]:
    """`sample` into a new file, in the memory of a few blocks of rows; what conditional rows are worth, by condition.

    Raises:
        Unsupported: no format has this extension.
        InputError: the file exists, or cannot be written.
    """
    check_new(Path(path))
    stream = Stream(model, run, n=n, given=given, balance=balance)
    draw_into(path, stream)
    _warn(stream)
    return stream.accounts


def forge_of(recipe: Generator, model: Model | None = None) -> Forge:
    """What makes another table by `recipe` from other patients, with all rules of their schema.

    Args:
        model: The one that is judged. A recipe that can learns again with what was chosen for it, without a search.
    """
    inner = model.inner if isinstance(model, RuledModel) else model
    made = recipe.again(inner) if isinstance(recipe, Repeatable) and inner is not None else recipe

    def forge(patients: Dataset, n: int, run: Run, /) -> Dataset:
        # One worker: whoever needs several tables has them made side by side.
        apart = replace(run, ledger=Ledger(run.ledger.cohort), engine=Local(1), checkpoint=FORGETFUL, progress=silent)
        if made is not recipe:
            apart = replace(apart, max_minutes=float("inf"))  # no larger than the model, which the clock cut already
        return sample(fit(patients, apart, generator=made), apart, n=n)

    return forge


def audit(
    comparison: Comparison,
    run: Run,
    *,
    opened: Sequence[str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Evidence:
    """Ask every question of the catalog about a synthetic table, and of the attacks whether they would see a leak.

    Args:
        opened: What the holdout had been opened for before the table was drawn (``vault.opened``); None where that
            cannot be known.
        facts: What else the evidence should say about where the table came from.

    Privacy: the findings are computed on real patients and are not covered by any epsilon; small counts in their
    details are blanked here already.
    """
    findings: list[Finding] = [holdout_kept(opened)]
    for done, question in enumerate(catalog.AUDITS.values()):
        run.progress("judging", done, len(catalog.AUDITS))
        findings.extend(question().judge(comparison, run))
    run.progress("judging", len(catalog.AUDITS), len(catalog.AUDITS))
    findings.extend(self_test(comparison, run, known=findings))
    # A policy may ask less where these two are None: nothing to predict, no recipe to question.
    known = {"target": comparison.held.schema.target, "recipe": comparison.recipe and comparison.recipe.name}
    origin = {**known, **provenance.of_run(run), **(facts or {})}
    return disclosure.protect(Evidence(tuple(findings), run.ledger.to_dict(), origin))


def decide(
    evidence: Evidence, policy: Policy | Path | str | None = None, *, overrides: Sequence[Override] = ()
) -> Verdict:
    """Judge `evidence` by a policy, its name, or its file; None is the usual policy. Fails closed.

    Args:
        overrides: Which rules need not be met, who says so, and why; all of it is shown wherever the verdict is.
    """
    rules = policy if isinstance(policy, Policy) else Policy.load(policy)
    return gate.decide(evidence, rules, overrides=overrides)


def release(
    fake: Dataset,
    evidence: Evidence,
    verdict: Verdict,
    *,
    out: Path | str,
    policy: Policy | None = None,
    write_model: Callable[[Path], object] | None = None,
    signer: Signer | None = None,
    language: str = "en",
) -> Path:
    """Write the release folder: with the synthetic table when the verdict is RELEASE, without it otherwise.

    Args:
        write_model: Fills a new folder with the model, where the policy releases that too. signer: Signs the folder.
        language: Of report and card, "en" or "zh".
    """
    return bundle.write(
        Path(out),
        evidence=evidence,
        verdict=verdict,
        policy=policy or Policy.load(None),
        schema_text=schema_toml.dumps(as_drawn(fake)),
        write_synthetic=lambda folder: write_synthetic(fake, folder),
        write_model=write_model,
        signer=signer,
        language=language,
    )


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
    generator: Generator | str = "chain",
    rows: int | None = None,
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
        rows: Synthetic rows to draw; None draws as many as were learned from.
        policy: File, or name of a bundled one. overrides: See `decide`.
        terms: Whom to ask about the release and until when it holds. sign_with: File of a private key.
        language: Of report and card, "en" or "zh".
        max_minutes: Time for learning; see `begin`.
        resume: Continue what an interrupted run kept beside `out`: the same result, as if it had not been stopped.

    Raises:
        InputError, Unsupported, FitError: see the verbs. A refusal by the gate is not an error here: read
            ``outcome.verdict``.
    """
    clock, out = Clock(), Path(out)
    bundle.check_free(out)
    check_resumable(out, resume=resume)
    rules, made = Policy.load(policy), recipe(generator) if isinstance(generator, str) else generator
    check_overrides(rules, overrides)
    signer = None if sign_with is None else load_signer(Path(sign_with))
    # Written down before anything is learned: a policy chosen afterwards, to fit the evidence, can be told from it.
    committed = {"name": rules.name, "version": rules.version, "sha256": rules.sha256}
    with clock("reading"):
        raw = _raw(source)
        meaning = describe(raw, target=target, subject=subject) if schema is None else roles(schema, target, subject)
        patients = read(raw, meaning)
    steps = begin(seed=seed, quick=quick, progress=progress, cohort=raw.fingerprint, max_minutes=max_minutes)
    if schema is None:
        steps.ledger.charge(Charge("describe", mechanism="none"))
    vault = split(patients, steps)
    with work_on(out, provenance.identity("run", raw.fingerprint, meaning, made, steps), resume=resume) as work:
        steps = replace(steps, checkpoint=work)
        with clock("learning"):
            model = fit(vault.train, steps, generator=made)
        with clock("sampling"):
            fake = sample(model, steps, n=rows or vault.train.n_rows, avoid=patients)
        opened = vault.opened
        notes = provenance.all_notes(patients, vault.train, model)
        with clock("judging"):
            comparison = Comparison(vault.train, vault.open_holdout("audit"), fake, model, made, forge_of(made, model))
            facts = {
                "generator": provenance.of_recipe(made),
                "source": {"fingerprint": raw.fingerprint, "attribution": demo.attribution(raw.fingerprint)},
                "split": vault.describe(),
                "synthetic_rows": fake.n_rows,
                "notes": notes,
                "policy": committed,
                "terms": terms.to_dict(),
                "holdout": {"uses": 1 + earlier_uses(out, source=raw.fingerprint, split=vault.sha256)},
                "hashes": {
                    "schema": hashlib.sha256(schema_toml.dumps(meaning).encode()).hexdigest(),
                    "split": vault.sha256,
                    "model": model_folder.digest(model),
                },
            }
            evidence = audit(comparison, steps, opened=opened, facts=facts)
        with clock("writing"):
            verdict = decide(evidence, rules, overrides=overrides)

            def write_model(place: Path) -> None:
                said = {**provenance.of_run(steps), "ledger": steps.ledger.to_dict(), "notes": notes}
                model_folder.save(model, place, recipe=made, facts=said)

            release(
                fake,
                evidence,
                verdict,
                out=out,
                policy=rules,
                write_model=write_model,
                signer=signer,
                language=language,
            )
    return Outcome(out, verdict, evidence, meaning, tuple(notes), clock.seconds)


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
    raw = _raw(source)
    meaning = describe(raw, target=target, subject=subject) if schema is None else roles(schema, target, subject)
    steps = begin(seed=seed, progress=progress, cohort=raw.fingerprint, max_minutes=max_minutes)
    patients = read(raw, meaning)
    del raw  # as large as the patients themselves
    with work_on(folder, provenance.identity("fit", steps.ledger.cohort, meaning, made, steps), resume=resume) as work:
        model = fit(patients, replace(steps, checkpoint=work), generator=made)
        facts = {
            **provenance.of_run(steps),
            "ledger": steps.ledger.to_dict(),
            "notes": provenance.all_notes(patients, patients, model),
        }
        model_folder.save(model, folder, recipe=made, facts=facts, scratch=work.scratch)
    return model


def judge(
    learned_from: Any,
    holdout: Any,
    synthetic: Any,
    *,
    schema: Schema | None = None,
    target: str | None = None,
    subject: str | None = None,
    seed: int = 0,
    quick: bool = False,
    progress: Progress = silent,
) -> Evidence:
    """`audit` for tables made elsewhere.

    Args:
        schema: None infers it from the two real tables together, never from the synthetic one.
    """
    train_raw, held_raw, fake_raw = _raw(learned_from), _raw(holdout), _raw(synthetic)
    if held_raw.fingerprint and held_raw.fingerprint == train_raw.fingerprint:
        raise InputError("the holdout is the training table itself; pass patients that the generator never saw.")
    for raw, what in ((held_raw, "holdout"), (fake_raw, "synthetic")):
        if strange := set(raw.frame.columns) ^ set(train_raw.frame.columns):
            name = min(map(str, strange))
            lacks = "lacks" if name in train_raw.frame.columns else "has, unlike the training table,"
            raise SchemaError(f"the {what} table {lacks} column {name!r}; give the tables the same columns.")
    if schema is None:
        both = pd.concat([train_raw.frame, held_raw.frame[list(train_raw.frame.columns)]], ignore_index=True)
        schema = describe(Raw(both, train_raw.dialect, train_raw.storage))
    meaning = roles(schema, target, subject)
    steps = begin(seed=seed, quick=quick, progress=progress, cohort=train_raw.fingerprint)
    real, held = read(train_raw, meaning), read(held_raw, meaning)
    fake = parse.parse(fake_raw, meaning, strict=False)  # what breaks the schema is counted, not refused
    facts = {
        "source": {"train": train_raw.fingerprint, "holdout": held_raw.fingerprint, "synthetic": fake_raw.fingerprint},
        "synthetic_rows": fake.n_rows,
        "notes": provenance.notes_on(real),
    }
    return audit(Comparison(real, held, replace(fake, origin="synthetic")), steps, facts=facts)


def roles(schema: Schema, target: str | None, subject: str | None) -> Schema:
    """A copy of `schema` in which these columns are the target and the patient; None leaves the schema's own."""
    if subject is not None:
        schema = schema.with_role(subject, "subject")
    return schema if target is None else schema.with_role(target, "target")


def load_schema(path: Path | str) -> Schema:
    """A schema as `describe` wrote it and a person edited it."""
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"schema {path}: cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"schema {path}: is not UTF-8 text; save it as UTF-8.") from error
    return schema_toml.loads(text, where=str(path))


def _warn(stream: Stream) -> None:
    for caution in {account.caution for account in stream.accounts.values()} - {None}:
        warnings.warn(str(caution), stacklevel=3)


def _raw(source: Any) -> Raw:
    return source if isinstance(source, Raw) else read_source(source)
