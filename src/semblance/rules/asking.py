"""Conditional questions about the outer table, put to a model of the inner one.

A column that the rules leave as it is can be conditioned on and filled; so can, for conditions, one that is learned as
part of a combination. Of columns that are learned as a difference, computed, or emptied by a condition, the inner
table holds something else, and the question is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semblance.conditionals.condition import Condition, escaped, read_condition
from semblance.conditionals.evidence import allow
from semblance.contracts import Account, Conditional, Filled, Model, Run
from semblance.data.cells import Cells
from semblance.data.dataset import Dataset
from semblance.errors import InputError, Unsupported
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule
from semblance.rules.broken import inspect
from semblance.rules.recode import Rules
from semblance.rules.steps import Merged


def sample_given(inner: Model, rules: Rules, n: int, given: Sequence[str], run: Run) -> tuple[Dataset, Account]:
    """Draw `n` outer rows that meet the conditions and obey the rules.

    Raises:
        Unsupported: a condition is on a column that a rule decides.
        InputError: as the inner model's own `sample_given`.
    """
    known = [c.name for c in rules.schema.modelled]
    conditions = [read_condition(text, known) for text in given]
    passed = [c.text for c in conditions if c.column in rules.direct]
    others = [c for c in conditions if c.column not in rules.direct]
    asked = _conditional(inner)
    for step in rules.merged:
        names = {c.name for c in step.columns}
        if mine := [c for c in others if c.column in names]:
            passed.append(_on_combination(step, mine, asked))
            others = [c for c in others if c.column not in names]
    for condition in others:
        raise _refusal(rules, condition.column, "conditioned on")
    drawn, account = asked.sample_given(n, passed, run)
    return rules.decode(drawn), account


def _on_combination(step: Merged, conditions: Sequence[Condition], inner: Conditional) -> str:
    """Conditions on columns of a combination as one condition on the column in which they are learned together."""
    held = set(inner.labels_of(step.name))
    for place, column in enumerate(step.columns):
        mine = [c for c in conditions if c.column == column.name]
        if mine:
            seen = {row[place] for row in step.table.values()}
            labels = tuple(sorted(label for label in seen if label is not None))
            nothing = np.empty(0)
            cells = Cells(column, labels, nothing, (), nothing, np.empty(0, np.int32), None in seen)
            share = allow(cells, mine).share
            fits = {label for label, part in zip([*labels, None], share, strict=False) if part}
            held = {label for label in held if step.table[label][place] in fits}
    if not held:
        said = " and ".join(c.text for c in conditions)
        raise InputError(f"no combination of labels that the model can draw meets {said}; widen the conditions.")
    return f"{step.name} in {'|'.join(escaped(label) for label in sorted(held))}"


def impute(
    inner: Model, rules: Rules, data: Dataset, run: Run, *, columns: Sequence[str] = ()
) -> tuple[Dataset, Filled]:
    """Fill missing cells of columns that stand in no rule.

    Raises:
        Unsupported: a column to be filled stands in a rule; without `columns`, one that has gaps does.
    """
    tied = {name for rule in rules.schema.rules for name in _named(rule, rules)}
    gaps = [c.name for c in rules.schema.modelled if data.frame[c.name].isna().any()]
    for name in columns or gaps:
        if name in tied:
            raise _refusal(rules, name, "filled")
    filled, account = _conditional(inner).impute(rules.encode(data), run, columns=columns or gaps)
    frame = data.frame.copy()
    for name in columns or gaps:
        frame[name] = filled.frame[name]
    return replace(data, frame=frame, origin=filled.origin), account


def log_prob(inner: Model, rules: Rules, data: Dataset) -> NDArray[np.float64]:
    """Natural log of the probability of each row's inner cells, -inf for a row that breaks a rule: (n_rows,)."""
    told = _conditional(inner).log_prob(rules.encode(data))
    for rule in rules.schema.rules:
        if not isinstance(rule, Combination):  # one that never occurred has no cell, and so no probability
            told = np.where(inspect(data, rule).broken, -np.inf, told)
    return told


def labels_of(inner: Model, rules: Rules, column: str) -> tuple[str, ...]:
    """The labels of a column that can be drawn; also of one that is learned as part of a combination."""
    asked = _conditional(inner)
    for step in rules.merged:
        for place, member in enumerate(step.columns):
            if member.name == column:
                drawn = {step.table[label][place] for label in asked.labels_of(step.name)}
                return tuple(sorted(label for label in drawn if label is not None))
    if column in rules.schema and column not in rules.direct:
        raise _refusal(rules, column, "balanced")
    return asked.labels_of(column)


def _conditional(inner: Model) -> Conditional:
    if isinstance(inner, Conditional):
        return inner
    raise Unsupported("this model cannot answer conditional questions; fit one with the generator 'chain', which can.")


def _named(rule: Rule, rules: Rules) -> set[str]:
    """Every column that a rule speaks of."""
    columns = {c.name: c for c in rules.schema}
    match rule:
        case Order() | Combination():
            return set(rule.columns)
        case Anchor():
            return {rule.anchor, *rule.columns}
        case MissingUnless() | Derived():
            return {rule.column, *rule.parse(columns).columns}


def _refusal(rules: Rules, column: str, what: str) -> Unsupported:
    rule = next((r for r in rules.schema.rules if column in _named(r, rules)), None)
    because = f"the rule '{rule}' decides how it is learned" if rule else "the model does not learn it"
    return Unsupported(f"column {column!r} cannot be {what} yet: {because}; use other columns.")
