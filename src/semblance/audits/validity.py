"""Is every synthetic row one that could exist: right types, allowed values, kept bounds, keys that are keys?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semblance.contracts import Comparison, Run
from semblance.data.codes.hierarchy import hierarchy_of
from semblance.data.dataset import Dataset, to_scale
from semblance.evidence import Finding
from semblance.language.agreement import used_by
from semblance.language.rule import Derived, Rule
from semblance.rules.broken import Verdict, inspect
from semblance.schema import Column

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Validity:
    """Every synthetic row is looked at, so these shares have no sampling error."""

    name: ClassVar[str] = "validity"
    asks: ClassVar[str] = "Is every synthetic row one that could exist?"

    def judge(self, comparison: Comparison, run: Run) -> tuple[Finding, ...]:
        findings = [_columns(comparison), _rows(comparison)]
        if comparison.train.schema.rules:
            findings.append(_rules(comparison))
        return tuple(findings)


def _columns(comparison: Comparison) -> Finding:
    """Share of the source's columns found at their place and of their kind; extra columns count against it."""
    real = [c for c in comparison.train.schema if c.handling != "drop"]
    fake = [c for c in comparison.fake.schema if c.handling != "drop"]
    right = sum(r.name == f.name and r.kind == f.kind for r, f in zip(real, fake, strict=False))
    share = right / max(1, len(real), len(fake))
    return Finding(
        name="validity.columns.match",
        question="Does the synthetic table have the columns of the source, in the same order and of the same kinds?",
        value=share,
        low=share,
        high=share,
        n=comparison.fake.n_subjects,
        unit="share",
        direction="higher",
        baseline=1.0,
        method="share of columns that stand at the same place with the same name and kind; dropped ones do not count",
    )


def _rows(comparison: Comparison) -> Finding:
    fake = comparison.fake
    question = "How many synthetic rows keep every type, category list, bound, key and rule of the schema?"
    if not fake.n_rows:
        why = "the synthetic table has no rows"
        return Finding("validity.rows.share", question, status="underpowered", why=why)
    broken = np.zeros(fake.n_rows, dtype=bool)
    problems = []
    computed = {rule.column for rule in comparison.train.schema.rules if isinstance(rule, Derived)}
    for column in comparison.train.schema:
        if column.name not in fake.schema or column.handling == "drop":
            continue
        if column.name in computed and column.bounds == "inferred":
            column = replace(column, low=None, high=None)  # the formula says what may occur; the bounds were a guess
        for problem, rows in _problems(column, comparison):
            if rows.any():
                problems.append({"name": column.name, "problem": problem, "rows_counts": int(rows.sum())})
                broken |= rows
    for rule, verdict in _judged(comparison):
        if verdict.broken.any():
            problems.append({"name": str(rule), "problem": "rule broken", "rows_counts": int(verdict.broken.sum())})
            broken |= verdict.broken
    method = f"all {fake.n_rows} synthetic rows inspected against the schema; there is no sampling error"
    return _unbroken("validity.rows.share", question, broken, fake, method=method, detail={"columns": problems})


def _rules(comparison: Comparison) -> Finding:
    """Share of rows that break no rule between columns; judged by the schema of the real table."""
    fake, schema = comparison.fake, comparison.train.schema
    question = "Do the declared rules between columns hold in every synthetic row?"
    if not fake.n_rows:
        why = "the synthetic table has no rows"
        return Finding("validity.rules.share", question, status="underpowered", why=why)
    if (unlike := _cannot_obey(comparison)) is not None:
        why = f"column {unlike!r} of the synthetic table is not there or not of its type"
        return Finding("validity.rules.share", question, status="skipped", why=why)
    broken = np.zeros(fake.n_rows, dtype=bool)
    found = []
    for rule, verdict in _judged(comparison):
        broken |= verdict.broken
        applies, breaks = int(verdict.applies.sum()), int(verdict.broken.sum())
        found.append({"name": str(rule), "rows_counts": breaks, "applies_counts": applies})
    method = f"all {fake.n_rows} synthetic rows inspected against {len(schema.rules)} rules; no sampling error"
    return _unbroken("validity.rules.share", question, broken, fake, method=method, detail={"rules": found})


def _unbroken(
    name: str, question: str, broken: NDArray[np.bool_], fake: Dataset, *, method: str, detail: dict[str, Any]
) -> Finding:
    """The share of rows that break nothing. Every row was looked at, so it has no error."""
    share = 1 - float(broken.mean())
    return Finding(
        name=name,
        question=question,
        value=share,
        low=share,
        high=share,
        n=fake.n_subjects,
        unit="share",
        direction="higher",
        baseline=1.0,
        method=method,
        detail=detail,
    )


def _cannot_obey(comparison: Comparison) -> str | None:
    """A column of which a rule speaks and which the synthetic table lacks, or holds in another type."""
    schema, fake, real = comparison.train.schema, comparison.fake.frame, comparison.train.frame
    used = {name for rule in schema.rules for name in used_by(rule, {c.name: c for c in schema})}
    return next((name for name in sorted(used) if name not in fake or fake[name].dtype != real[name].dtype), None)


def _judged(comparison: Comparison) -> Iterator[tuple[Rule, Verdict]]:
    """Each rule of the real table's schema, and the synthetic rows that break it."""
    if _cannot_obey(comparison) is not None:
        return
    schema, fake = comparison.train.schema, comparison.fake
    there = replace(schema, columns=tuple(c for c in schema if c.name in fake.schema))
    judged = Dataset(fake.frame[list(there.names)], there, "synthetic")
    real = [table for table in (comparison.train, comparison.held) if table.n_rows]
    for rule in schema.rules:
        yield rule, inspect(judged, rule, real=real)


def _problems(column: Column, comparison: Comparison) -> Iterator[tuple[str, Mask]]:
    """What may be wrong with a column, and on which rows."""
    values = comparison.fake.frame[column.name]
    present = values.notna().to_numpy()
    if column.modelled:
        yield "missing, though never missing in the source", ~present & _never_missing(column, comparison)
        yield from (
            _number_problems(column, values, present) if column.numeric else _label_problems(column, values, present)
        )
    elif column.handling == "blank":
        yield "not blank", present
    elif column.handling == "surrogate" and present.any() and _is_key(column, comparison):
        # Surrogates not yet written are no fault of the rows; those written must not repeat.
        yield "repeated key", present & values.duplicated(keep=False).to_numpy()


def _number_problems(column: Column, values: pd.Series[Any], present: Mask) -> Iterator[tuple[str, Mask]]:
    if column.kind in ("date", "datetime"):
        right = pd.api.types.is_datetime64_any_dtype(values.dtype)
    else:
        right = pd.api.types.is_numeric_dtype(values.dtype)
    if not right:
        yield "not of its type", present
        return
    scaled = to_scale(values, column)
    finite = np.isfinite(scaled)
    yield "infinite", present & ~finite
    with np.errstate(invalid="ignore"):
        if column.kind == "integer":
            yield "not a whole number", finite & (scaled != np.round(scaled))
        # A bound is written with the column's decimals; a hair's breadth is rounding, not a breach.
        slack = 1e-9 * np.maximum(1.0, np.abs(scaled))
        if column.low is not None:
            yield "below its bound", finite & (scaled < column.low - slack)
        if column.high is not None:
            yield "above its bound", finite & (scaled > column.high + slack)


def _label_problems(column: Column, values: pd.Series[Any], present: Mask) -> Iterator[tuple[str, Mask]]:
    yield "not of its type", present & ~values.map(lambda v: isinstance(v, str)).to_numpy(dtype=bool)
    if column.categories:
        allowed = values.isin(column.categories).to_numpy()
        if column.bounds == "inferred" and (codes := hierarchy_of(column.code_system)) is not None:
            # The list is what the patients happened to have; any published code of the system could exist.
            allowed |= values.map(lambda v: isinstance(v, str) and codes.knows(v)).to_numpy(dtype=bool)
        yield "not an allowed category", present & ~allowed


def _never_missing(column: Column, comparison: Comparison) -> bool:
    real = (comparison.train, comparison.held)
    return not column.missing and not any(t.frame[column.name].isna().any() for t in real if t.n_rows)


def _is_key(column: Column, comparison: Comparison) -> bool:
    """No two rows of either real table share a value."""

    def unique(data: Dataset) -> bool:
        return not data.frame[column.name].dropna().duplicated().any()

    return unique(comparison.train) and unique(comparison.held)
