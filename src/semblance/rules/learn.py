"""What rules need to know of real rows, and what a reader must know of the rows that break them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.data.bounds import bounds_of
from semblance.data.cells import MIN_PATIENTS
from semblance.data.dataset import Dataset
from semblance.errors import SchemaError
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.broken import inspect
from semblance.rules.grid import Grid
from semblance.rules.recode import Facts, Rules
from semblance.rules.steps import merge
from semblance.rules.values import as_values

CROWD = 11
"""Smaller counts are not told."""


@dataclass(frozen=True, eq=False)
class Learned:
    """Rules fitted to real rows; `rows` are those that may be learned from, `notes` a sentence for each finding."""

    rules: Rules
    rows: Dataset
    notes: tuple[str, ...]


def learn_rules(train: Dataset, *, min_patients: int = MIN_PATIENTS) -> Learned:
    """Fit the rules of `train.schema`; set aside rows that break an order.

    Args:
        min_patients: Patients behind a combination that may be drawn.

    Privacy: reads real rows without differential privacy. What is kept is shared by `min_patients` or rounded
    outward; the notes tell no count below 11.

    Raises:
        SchemaError: more than half of the rows to which a rule applies break it, or nothing is left to learn from.
    """
    schema = train.schema
    merged = {name for rule in schema.rules if isinstance(rule, Combination) for name in rule.columns}
    aside = np.zeros(train.n_rows, dtype=bool)
    notes = []
    for rule in schema.rules:
        verdict = inspect(train, rule, real=[train])
        applies, broken = int(verdict.applies.sum()), int(verdict.broken.sum())
        if not broken:
            continue
        counts = f"{tell(broken)} of {tell(applies)} rows to which it applies"
        if applies >= CROWD and broken > applies / 2:
            raise SchemaError(
                f"the rule {rule} is broken by {counts}; it cannot be meant like this: correct or drop it."
            )
        sets_aside = isinstance(rule, Order) or (isinstance(rule, MissingUnless) and rule.column in merged)
        if sets_aside:
            aside |= verdict.broken
        notes.append(f"The rule {rule} is broken by {counts}; {_treatment(rule, sets_aside)}.")
    rows = train.take(np.flatnonzero(~aside)) if aside.any() else train
    if train.n_rows and not rows.n_rows:
        raise SchemaError("every row breaks some rule, so there is nothing to learn from; correct or drop rules.")
    tables = {}
    for rule in schema.rules:
        if isinstance(rule, Combination):
            table, rare = _table(rows, rule, min_patients)
            tables[rule.columns] = table
            if rare:
                notes.append(
                    f"Of the {rule}, those that fewer than {min_patients} training patients share are never drawn; "
                    f"{tell(rare)} of {tell(rows.n_rows)} rows hold such a one."
                )
    facts = Facts(_gaps(rows), _own_gaps(rows), starts_of(rows), tables)
    return Learned(Rules(schema, facts), rows, tuple(notes))


def tell(count: int) -> str:
    """A count for a reader; small ones are not told."""
    return f"fewer than {CROWD}" if 0 < count < CROWD else f"{count:,}"


def _treatment(rule: Rule, sets_aside: bool) -> str:
    if sets_aside:
        return "they were set aside before learning"
    if isinstance(rule, Derived):
        return "their own values are not learned, and the synthetic column is computed in every row"
    return "the value that should be missing is not learned from them"


def _gaps(rows: Dataset) -> frozenset[str]:
    placed = {name for rule in rows.schema.rules if isinstance(rule, Order) for name in rule.columns[1:]}
    return frozenset(name for name in placed if rows.frame[name].isna().any())


def _own_gaps(rows: Dataset) -> frozenset[str]:
    """Computed columns with gaps where formula and conditions leave none."""
    columns = {c.name: c for c in rows.schema}
    found = set()
    for rule in rows.schema.rules:
        if isinstance(rule, Derived):
            formula = rule.parse(columns)
            values = as_values(lambda name: rows.frame[name], rows.schema, formula.columns)
            there = ~np.isnan(formula.compute(values, rows.n_rows))
            for other in rows.schema.rules:
                if isinstance(other, MissingUnless) and other.column == rule.column:
                    there &= ~inspect(rows, other).applies
            if (there & rows.frame[rule.column].isna().to_numpy()).any():
                found.add(rule.column)
    return frozenset(found)


def starts_of(rows: Dataset) -> dict[str, float]:
    """Whole steps from which a column is counted in rows where what it is counted from is missing.

    Below every value for an order, amid them for an anchor.
    """
    alone = {}
    for rule in rows.schema.rules:
        if isinstance(rule, Order | Anchor):
            for name in rule.columns[1:] if isinstance(rule, Order) else rule.columns:
                low, high = _ends(rows, Grid.of(rows.schema[name]))
                alone[name] = float(np.floor(low if isinstance(rule, Order) else (low + high) / 2))
    return alone


def _ends(rows: Dataset, grid: Grid) -> tuple[float, float]:
    """Whole steps that enclose a column: its bounds, or where it has none, its values rounded outward."""
    low, high = grid.range
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    steps = grid.count(rows.scale(grid.column.name))
    present = ~np.isnan(steps)
    if not present.any():
        low = low if np.isfinite(low) else min(0.0, high)
        return low, max(low, high) if np.isfinite(high) else low
    seen = bounds_of(steps[present], rows.subjects[present])
    return (low if np.isfinite(low) else seen.low), (high if np.isfinite(high) else seen.high)


def _table(rows: Dataset, rule: Combination, min_patients: int) -> tuple[dict[str, tuple[str | None, ...]], int]:
    """Combinations that enough patients share, in a fixed order, and in how many rows the others are.

    One that breaks a condition among the members is left out.
    """
    labels = merge([rows.frame[name] for name in rule.columns])
    held = pd.DataFrame({"label": labels, "patient": rows.subjects}).groupby("label")["patient"].nunique()
    common = sorted(map(str, held.index[held >= min_patients]))
    table = {label: tuple(json.loads(label)) for label in common}
    if not table:
        raise SchemaError(
            f"no combination of {', '.join(rule.columns)} is shared by {min_patients} patients, so none may be drawn; "
            "drop the rule or coarsen the labels."
        )
    return table, int((labels.notna() & ~labels.isin(list(table))).sum())
