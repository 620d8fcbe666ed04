"""Rules where privacy is promised: nothing is read off patients but what the recipe charges for.

What ``learn.py`` reads freely is taken from the schema instead (which columns may have gaps, where a column that stands
alone is counted from), or is left to the recipe: combinations reach it as labels of one undeclared column, so those
that may be drawn are the ones it finds by a charged search. Whether a row breaks an order is asked of that row alone.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Conditional, Generator, Model, Run
from semblance.data.dataset import Dataset, from_columns
from semblance.errors import InputError, SchemaError
from semblance.language.rule import Combination, Derived, MissingUnless, Order
from semblance.rules.broken import inspect
from semblance.rules.learn import starts_of
from semblance.rules.model import RuledModel
from semblance.rules.recode import Facts, Rules
from semblance.rules.steps import Merged
from semblance.schema import Schema

NOTE = "Rows that break a rule between columns were not learned from; how many there are is not told."


def fit_with_rules_privately(recipe: Generator, train: Dataset, run: Run) -> RuledModel:
    """Let a recipe that charges what it does learn the inner table of `train`.

    PRIVACY: what the recipe spends, and nothing else. The inner table is made row by row, so a patient moves no more
    of it than before.

    Raises:
        SchemaError: no combination that a rule asks for could be told from noise.
        FitError, BudgetExceeded: as the recipe's own `fit`.
    """
    rules = Rules(train.schema, declared_facts(train.schema))
    rows = train.take(~_breaks_an_order(train))
    inner = recipe.fit(rules.encode(rows), run)
    tables = {tuple(c.name for c in merged.columns): _found(merged, inner) for merged in rules.merged}
    found = Rules(train.schema, replace(rules.facts, tables=tables))
    return RuledModel(inner, found, (NOTE, *getattr(inner, "notes", ())))


def declared_facts(schema: Schema) -> Facts:
    """What can be known without patients: any column that a rule places or computes may have gaps of its own."""
    placed = {name for rule in schema.rules if isinstance(rule, Order) for name in rule.columns[1:]}
    computed = {rule.column for rule in schema.rules if isinstance(rule, Derived)}
    tables: dict[tuple[str, ...], dict[str, tuple[str | None, ...]]] = {
        rule.columns: {} for rule in schema.rules if isinstance(rule, Combination)
    }
    return Facts(frozenset(placed), frozenset(computed), starts_of(from_columns({}, schema, 0)), tables)


def _breaks_an_order(rows: Dataset) -> NDArray[np.bool_]:
    """Rows that break an order, or a condition within a combination: (n_rows,)."""
    merged = {name for rule in rows.schema.rules if isinstance(rule, Combination) for name in rule.columns}
    broken = np.zeros(rows.n_rows, dtype=bool)
    for rule in rows.schema.rules:
        if isinstance(rule, Order) or (isinstance(rule, MissingUnless) and rule.column in merged):
            broken |= inspect(rows, rule).broken
    return broken


def _found(merged: Merged, inner: Model) -> dict[str, tuple[str | None, ...]]:
    """The combinations that the recipe found, as it writes them."""
    try:
        assert isinstance(inner, Conditional)
        return {label: tuple(json.loads(label)) for label in inner.labels_of(merged.name)}
    except InputError as error:
        names = ", ".join(column.name for column in merged.columns)
        raise SchemaError(
            f"no combination of {names} is common enough to be told from noise; allow a larger epsilon, or leave the "
            "rule out."
        ) from error
