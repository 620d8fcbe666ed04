"""What is a synthetic table worth? The verbs that judge, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from semblance import catalog, provenance
from semblance.contracts import (
    Comparison,
    Progress,
    Run,
    silent,
)
from semblance.data import parse
from semblance.data.raw import Raw
from semblance.errors import InputError, SchemaError
from semblance.evidence import Evidence, Finding
from semblance.pipeline.reading import as_raw, begin, describe, read, roles
from semblance.power import self_test
from semblance.privacy.linter import unlinted
from semblance.protocol import holdout_kept, promise_kept
from semblance.recipe import recipe as recipe
from semblance.release import disclosure
from semblance.schema import Schema


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
    if comparison.recipe is not None:
        units = comparison.train.n_subjects + comparison.held.n_subjects
        findings.extend(promise_kept(run.ledger, units=units, uncharged=len(unlinted(comparison.recipe))))
    for done, question in enumerate(catalog.AUDITS.values()):
        run.progress("judging", done, len(catalog.AUDITS))
        findings.extend(question().judge(comparison, run))
    run.progress("judging", len(catalog.AUDITS), len(catalog.AUDITS))
    findings.extend(self_test(comparison, run, known=findings))
    # A policy may ask less where these are None: nothing to predict, no recipe to question, nothing promised.
    known = {
        "target": comparison.held.schema.target,
        "recipe": comparison.recipe and comparison.recipe.name,
        "guarantee": _promised(run),
    }
    made = {"generator": provenance.of_recipe(comparison.recipe)} if comparison.recipe else {}
    origin = {**known, **made, "synthetic_rows": comparison.fake.n_rows, **provenance.of_run(run), **(facts or {})}
    return disclosure.protect(Evidence(tuple(findings), run.ledger.to_dict(), origin))


def _promised(run: Run) -> dict[str, Any] | None:
    claim = run.ledger.claim()
    return claim and {key: claim[key] for key in ("epsilon", "delta", "unit", "relation", "rows_per_unit")}


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
    train_raw, held_raw, fake_raw = as_raw(learned_from), as_raw(holdout), as_raw(synthetic)
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
        "notes": provenance.notes_on(real),
    }
    return audit(Comparison(real, held, replace(fake, origin="synthetic")), steps, facts=facts)
