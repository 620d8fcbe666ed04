"""What a source means, who its patients are, and who of them is set aside: the verbs that read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semblance import provenance, schema_toml
from semblance.audits.source import Source
from semblance.contracts import (
    FORGETFUL,
    Checkpoint,
    Comparison,
    Progress,
    Run,
    silent,
)
from semblance.data import parse
from semblance.data.dataset import Dataset
from semblance.data.describe import infer
from semblance.data.raw import Raw
from semblance.data.split import Vault
from semblance.data.split import split as split_patients
from semblance.disclosure_risk.roles import assume
from semblance.engines.local import Local
from semblance.errors import InputError
from semblance.evidence import Evidence
from semblance.explanation.explain import Explanation, explain
from semblance.privacy.ledger import Ledger
from semblance.recipe import recipe as recipe
from semblance.release import disclosure
from semblance.schema import Schema
from semblance.seeds import Seeds
from semblance.source import read_source


def begin(
    *,
    seed: int = 0,
    quick: bool = False,
    progress: Progress = silent,
    cohort: str = "",
    max_minutes: float | None = None,
    checkpoint: Checkpoint = FORGETFUL,
    ledger: Ledger | None = None,
) -> Run:
    """All that the verbs may use up: named random streams, an open ledger, this machine's processors, a person's time.

    Args:
        seed: Same seed and same input give the same bytes.
        quick: Less precision for less time; the findings' intervals say so.
        cohort: Fingerprint of the source, for the ledger.
        max_minutes: Time for learning; what it cuts short depends on the clock, and the model's notes say so.
        checkpoint: Where learning leaves what it has finished; see ``checkpoint.py``.
        ledger: One with an allowance, to promise something; None opens one that promises nothing.
    """
    limit = float("inf") if max_minutes is None else float(max_minutes)
    if not limit > 0:
        raise InputError("the time for learning (max_minutes) must be above 0.")
    return Run(Seeds(seed), ledger or Ledger(cohort), Local(), progress, quick, limit, checkpoint)


def describe(source: Any, *, target: str | None = None, subject: str | None = None) -> Schema:
    """Infer what a table means. A person should read and edit the result before it is believed.

    Args:
        source: A file, a folder or glob of files, or a pandas, polars or Arrow table.
        target: Column to be predicted from the others. subject: Column that names the patient.

    Raises:
        InputError: the source cannot be read, or lacks a column that was named.
    """
    return roles(infer.infer_schema(as_raw(source), subject=subject), target, subject)


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
    raw = as_raw(source)
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
    raw = as_raw(source)
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
    return parse.parse(as_raw(source), schema)


def understood(
    source: Any, *, schema: Schema | None, target: str | None, subject: str | None
) -> tuple[Raw, Schema, Dataset]:
    """A source as it was written, what it means (by `schema`, or as inferred), and its patients."""
    raw = as_raw(source)
    meaning = describe(raw, target=target, subject=subject) if schema is None else roles(schema, target, subject)
    return raw, meaning, read(raw, meaning)


def split(data: Dataset, run: Run, *, holdout: float = 0.3) -> Vault:
    """Set a share of the patients aside, before anything is learned, for audits only."""
    return split_patients(data, run.seeds, holdout=holdout)


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


def as_raw(source: Any) -> Raw:
    """Read a source once; what was read already stays as it is."""
    return source if isinstance(source, Raw) else read_source(source)
