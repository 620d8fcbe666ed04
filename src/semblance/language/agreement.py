"""Do the rules of a schema fit its columns and each other? And in which order are columns made so that all hold?

What decides a column: an order places every column but its first, an anchor its columns, a combination its members,
a formula the column it computes. Two rules that decide one column would fight, so such a schema is refused here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from semblance.errors import SchemaError
from semblance.language.formula import ANYTHING, Described, Interval
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule

Columns = Mapping[str, Described]
DAYS = ("date", "datetime")


def check(rules: Sequence[Rule], columns: Columns) -> None:
    """See that every rule can be honoured in every row, together with all others.

    Raises:
        SchemaError: naming the rule, and the cure.
    """
    for number, rule in enumerate(rules, start=1):
        try:
            _check_alone(rule, columns)
        except SchemaError as error:
            raise SchemaError(f"rule {number}: {error}") from None
    _check_deciders(rules)
    _check_combined(rules, columns)
    decoding_order(rules, columns)
    for rule in rules:
        if isinstance(rule, Derived):
            _check_promise(rule, rules, columns)


def used_by(rule: Rule, columns: Columns) -> tuple[str, ...]:
    """Every column a rule speaks of."""
    match rule:
        case Order() | Combination():
            return rule.columns
        case Anchor():
            return (rule.anchor, *rule.columns)
        case MissingUnless():
            return (rule.column, *rule.parse(columns).columns)
        case Derived():
            return (rule.column, *rule.parse(columns).columns)


def labels_named(rules: Sequence[Rule], columns: Columns) -> set[tuple[str, str]]:
    """The (column, label) pairs that conditions speak of; a schema must go on listing them."""
    conditions = (rule.parse(columns) for rule in rules if isinstance(rule, MissingUnless))
    return {pair for condition in conditions for pair in condition.labels}


def needs(rules: Sequence[Rule], columns: Columns) -> dict[str, set[str]]:
    """Which columns must be made before each column: {column: columns}."""
    before: dict[str, set[str]] = {name: set() for name in columns}
    merged = {name: rule.columns for rule in rules if isinstance(rule, Combination) for name in rule.columns}
    for rule in rules:
        match rule:
            case Order():
                for smaller, larger, _ in rule.pairs:
                    before[larger].add(smaller)
            case Anchor():
                for name in rule.columns:
                    before[name].add(rule.anchor)
            case MissingUnless():
                asked = set(rule.parse(columns).columns)
                before[rule.column] |= asked - set(merged.get(rule.column, ()))
            case Derived():
                before[rule.column] |= set(rule.parse(columns).columns)
            case Combination():
                pass
    return before


def decoding_order(rules: Sequence[Rule], columns: Columns) -> tuple[str, ...]:
    """The columns, in an order in which each comes after those it needs; otherwise as in the schema.

    Raises:
        SchemaError: the rules go round in a circle.
    """
    before = needs(rules, columns)
    made: dict[str, None] = {}
    while len(made) < len(columns):
        ready = next((name for name in columns if name not in made and before[name] <= made.keys()), None)
        if ready is None:
            waiting = [name for name in columns if name not in made and _in_circle(name, before)]
            raise SchemaError(f"the rules go round in a circle through {', '.join(waiting)}; take one of them out.")
        made[ready] = None
    return tuple(made)


def promised(rules: Sequence[Rule], columns: Columns) -> dict[str, Interval]:
    """Bounds that every synthetic value of a numeric column obeys.

    Those of the schema; but a computed column whose bounds were merely inferred obeys only its formula.
    """
    formulas = {rule.column: rule for rule in rules if isinstance(rule, Derived)}
    bounds: dict[str, Interval] = {}
    for name in decoding_order(rules, columns):
        column = columns[name]
        if not column.numeric:
            continue
        stated = (-math.inf if column.low is None else column.low, math.inf if column.high is None else column.high)
        if column.kind == "datetime":  # a formula counts days
            stated = (stated[0] / 86_400, stated[1] / 86_400)
        if name in formulas and column.bounds != "declared":
            stated = ANYTHING
        if name in formulas:
            low, high = formulas[name].parse(columns).enclose(bounds)
            half = 0.5 * 10.0**-column.decimals if column.kind in ("number", "integer") else 1.0
            stated = (max(stated[0], low - half), min(stated[1], high + half))
        bounds[name] = stated
    return bounds


# ── one rule at a time ───────────────────────────────────────────────────────────────────────────────────────────────


def _check_alone(rule: Rule, columns: Columns) -> None:
    if isinstance(rule, Order | Anchor | Combination):
        for name in used_by(rule, columns):
            if name not in columns:
                raise SchemaError(f"there is no column {name!r}; the columns are {', '.join(columns)}.")
    elif rule.column not in columns:
        raise SchemaError(f"there is no column {rule.column!r}; the columns are {', '.join(columns)}.")
    for name in used_by(rule, columns):
        if "`" in name:
            raise SchemaError(f"column {name!r}: a name with a backtick cannot be written in a rule; rename it.")
        if not columns[name].modelled:
            raise SchemaError(
                f"column {name!r} is never learned (see its role and handling), so no rule can speak of it."
            )
    match rule:
        case Order():
            _check_order(rule, columns)
        case Anchor():
            for name in used_by(rule, columns):
                if columns[name].kind not in DAYS:
                    raise SchemaError(f"column {name!r} is no date; an anchor counts days from one date to another.")
        case Combination():
            for name in rule.columns:
                if columns[name].numeric:
                    raise SchemaError(f"column {name!r} is a {columns[name].kind}; a combination is one of labels.")
        case MissingUnless():
            asked = rule.parse(columns).columns
            if not asked:
                raise SchemaError("the condition asks for no column; name one.")
            if rule.column in asked:
                raise SchemaError(f"column {rule.column!r} cannot be its own condition; name other columns.")
        case Derived():
            if not columns[rule.column].numeric:
                raise SchemaError(f"column {rule.column!r} holds labels; only a number or a date can be computed.")
            if rule.column in rule.parse(columns).columns:
                raise SchemaError(f"column {rule.column!r} cannot be computed from itself; name other columns.")
            if not rule.parse(columns).columns:
                raise SchemaError("the formula names no column; name one.")


def _check_order(rule: Order, columns: Columns) -> None:
    kinds = {
        "label" if not columns[n].numeric else "date" if columns[n].kind in DAYS else "number" for n in rule.columns
    }
    if "label" in kinds:
        name = next(n for n in rule.columns if not columns[n].numeric)
        raise SchemaError(f"column {name!r} holds labels; an order is one of numbers or of dates.")
    if len(kinds) > 1:
        raise SchemaError("an order cannot mix numbers and dates; compare like with like.")
    for smaller, larger, _ in rule.pairs:
        least, most = columns[smaller].low, columns[larger].high
        factors = [86_400.0 if columns[n].kind == "date" else 1.0 for n in (smaller, larger)]
        if least is not None and most is not None and least * factors[0] > (most + (factors[1] > 1)) * factors[1]:
            raise SchemaError(
                f"the lower bound of {smaller!r} lies above the upper bound of {larger!r}, so no row can obey; "
                "mend the bounds or the order."
            )


# ── rules among each other ───────────────────────────────────────────────────────────────────────────────────────────


def _deciders(rules: Sequence[Rule]) -> Iterator[tuple[str, str, str]]:
    """(column, which kind of rule decides it, in words)."""
    for rule in rules:
        match rule:
            case Order():
                yield from ((name, "order", "placed by an order") for name in rule.columns[1:])
            case Anchor():
                yield from ((name, "anchor", f"counted from {rule.anchor!r}") for name in rule.columns)
            case Combination():
                yield from ((name, "combination", "part of a combination") for name in rule.columns)
            case Derived():
                yield rule.column, "derived", "computed by a formula"
            case MissingUnless():
                pass


def _check_deciders(rules: Sequence[Rule]) -> None:
    decided: dict[str, tuple[str, str]] = {}
    for name, kind, words in _deciders(rules):
        if (
            name in decided and not kind == decided[name][0] == "order"
        ):  # several orders agree: the largest start counts
            raise SchemaError(
                f"two rules decide column {name!r}: it is {decided[name][1]} and {words}; keep one of them."
            )
        decided[name] = (kind, words)
    for rule in rules:
        for name in rule.columns if isinstance(rule, Order) else ():
            if decided.get(name, ("", ""))[0] == "derived":
                raise SchemaError(
                    f"column {name!r} is computed by a formula and cannot be moved to obey {rule}; "
                    "order the columns it is computed from instead."
                )


def _check_combined(rules: Sequence[Rule], columns: Columns) -> None:
    merged = {name: rule.columns for rule in rules if isinstance(rule, Combination) for name in rule.columns}
    for rule in rules:
        if isinstance(rule, MissingUnless) and rule.column in merged:
            outside = set(rule.parse(columns).columns) - set(merged[rule.column])
            if outside:
                raise SchemaError(
                    f"column {rule.column!r} is part of a combination and missing unless {rule.condition}; the "
                    f"condition may then only ask for members of the combination, and {min(outside)!r} is none."
                )


def _in_circle(name: str, before: Mapping[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(before[name])
    while waiting:
        other = waiting.pop()
        if other not in seen:
            seen.add(other)
            waiting.extend(before[other])
    return name in seen


def _check_promise(rule: Derived, rules: Sequence[Rule], columns: Columns) -> None:
    """A declared bound of a computed column must follow from the bounds of what it is computed from."""
    column = columns[rule.column]
    if column.bounds != "declared" or (column.low is None and column.high is None):
        return
    low, high = rule.parse(columns).enclose(promised([r for r in rules if r is not rule], columns))
    if column.kind == "datetime":
        low, high = low * 86_400, high * 86_400
    low, high = (_as_held(end, column) for end in (low, high))
    if (column.low is not None and low < column.low) or (column.high is not None and high > column.high):
        raise SchemaError(
            f"column {rule.column!r}: its declared bounds cannot be promised, because {rule.formula} may lie anywhere "
            f"from {low:g} to {high:g} within the bounds of its inputs; tighten those, widen these, or write "
            'bounds = "inferred" to let the formula decide.'
        )


def _as_held(end: float, column: Described) -> float:
    """An end of an interval as the column would hold it: rounded, or on a clock cut off."""
    if not math.isfinite(end):
        return end
    return round(end, column.decimals) if column.kind in ("number", "integer") else math.floor(end)
