"""A Schema as TOML that a person reads and edits."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from semblance.errors import SchemaError
from semblance.language import toml as rules_toml
from semblance.language.rule import Rule
from semblance.schema import HANDLINGS, KINDS, ROLES, Column, Schema

HEADER = """\
# What this table means. Semblance wrote a first guess; correct it, then pass this file with --schema.
#
# kind      number, integer            a scale
#           date, datetime             a day, a moment
#           boolean, category          labels without order
#           ordinal                    labels in the order in which `categories` lists them
#           code                       labels with many levels (ICD, ATC, …); leading zeros are kept
#           text                       free text
# role      feature, target, subject (the patient: all rows with one value are one person),
#           identifier (names a person directly), quasi-identifier (known to others), sensitive (can harm)
# handling  model (learned), surrogate (never learned; fresh values of the same form), blank (empty), drop (left out)
# low, high, categories   what may occur
# bounds    "declared" once you have checked low, high and categories; "inferred" means they were read off the data
# missing   the spellings that mean "no value"; the first is the one written
# why       what the guess rests on
"""
ORDER = (
    "name", "kind", "role", "handling", "unit", "low", "high", "bounds", "categories", "decimals", "min_decimals",
    "decimal_mark", "date_format", "missing", "missing_reason", "code_system", "form", "storage", "why",
)  # fmt: skip
TYPES: dict[str, type] = dict.fromkeys(ORDER, str) | {
    "low": float, "high": float, "categories": tuple, "missing": tuple, "decimals": int, "min_decimals": int,
}  # fmt: skip
CHOICES = {
    "kind": KINDS,
    "role": ROLES,
    "handling": HANDLINGS,
    "bounds": ("declared", "inferred"),
    "decimal_mark": (".", ","),
}
USUAL = {field: getattr(Column("", "text"), field) for field in ORDER if field not in ("name", "kind")}
EPOCH = datetime(1970, 1, 1)  # naive: local times are kept as they stand
WIDTH = 100


def dumps(schema: Schema, *, proposals: Sequence[Rule] = ()) -> str:
    """The schema as TOML; `loads` reads the same schema back, to the last digit.

    Args:
        proposals: Rules for a person to consider; written as comments, so that `loads` passes them over.
    """
    parts = [HEADER, f"table = {_text(schema.name)}\n"]
    for column in schema:
        lines = ["[[column]]"]
        lines += [f"{field} = {_value(column, field)}" for field in ORDER if _matters(column, field)]
        parts.append("\n".join(lines) + "\n")
    if schema.dialect:
        lines = ["# How the source file is written; the output is written the same way.", "[dialect]"]
        lines += [f"{_key(key)} = {_text(value)}" for key, value in schema.dialect.items()]
        parts.append("\n".join(lines) + "\n")
    parts.append(rules_toml.HEADER)
    parts.extend(rules_toml.dump_rule(rule) for rule in schema.rules)
    if proposals:
        parts.append(rules_toml.PROPOSALS + "".join(map(rules_toml.propose_rule, proposals)))
    return "\n".join(parts)


def _matters(column: Column, field: str) -> bool:
    if field in ("name", "kind"):
        return True
    if field == "bounds":
        return (
            column.bounds == "declared" or column.low is not None or column.high is not None or bool(column.categories)
        )
    if field == "decimals" and column.kind == "number":
        return True
    return bool(getattr(column, field) != USUAL[field])


def _value(column: Column, field: str) -> str:
    value = getattr(column, field)
    if isinstance(value, tuple):
        return _array(value)
    if isinstance(value, str):
        return _text(value)
    if field in ("low", "high"):
        return _bound(float(value), column.kind)
    return str(value)


def _array(texts: tuple[str, ...]) -> str:
    items = [_text(text) for text in texts]
    if sum(map(len, items)) + 2 * len(items) <= WIDTH:
        return f"[{', '.join(items)}]"
    lines, line = [], "  "
    for item in items:
        if len(line) + len(item) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = "  "
        line += f"{item}, "
    return "\n".join(["[", *lines, line.rstrip(), "]"])


def _text(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", quoted)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _bound(value: float, kind: str) -> str:
    """A bound as a person would write it, if that reads back as exactly the same number."""
    if kind in ("date", "datetime"):
        try:
            moment = EPOCH + (timedelta(days=value) if kind == "date" else timedelta(seconds=value))
            spelled = moment.date().isoformat() if kind == "date" else moment.isoformat()
            if _on_scale(moment.date() if kind == "date" else moment, kind) == value:
                return spelled
        except (OverflowError, ValueError):
            pass
    whole = value.is_integer() and abs(value) < 2**53 and str(value) != "-0.0"
    return str(int(value)) if whole else repr(value)


def _on_scale(day: date, kind: str) -> float:
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    if moment.tzinfo is not None:
        offset = moment.utcoffset()
        moment = moment.replace(tzinfo=None) - (offset or timedelta(0))
    passed = moment - EPOCH
    return passed / timedelta(days=1) if kind == "date" else passed / timedelta(seconds=1)


def loads(text: str, *, where: str) -> Schema:
    """Read a schema; `where` names the file in error messages.

    Raises:
        SchemaError: naming the line, the column or the rule, and the cure.
    """
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = re.search(r"\(at (line \d+), column \d+\)|\(at (end of document)\)", str(error))
        spot = next(filter(None, place.groups()), "an unknown place") if place else "an unknown place"
        raise SchemaError(f"{where} is not valid TOML at {spot}; check quotes, brackets and commas there.") from None
    for key in found:
        if key not in ("table", "column", "dialect", "rules"):
            raise SchemaError(
                f"{where}: {key!r} is not known; a schema has table, [[column]], [dialect] and [[rules]]."
            )
    name, columns, dialect = found.get("table", "table"), found.get("column"), found.get("dialect", {})
    if not isinstance(name, str):
        raise SchemaError(f'{where}: `table` is the name of the table; write it in quotes, as in table = "visits".')
    if not isinstance(columns, list) or not columns or not all(isinstance(c, dict) for c in columns):
        raise SchemaError(f"{where} has no columns; write one [[column]] block for each.")
    if not isinstance(dialect, dict) or not all(isinstance(v, str) for v in dialect.values()):
        raise SchemaError(f'{where}: every entry of [dialect] is a text in quotes, as in delimiter = ";".')
    blocks = found.get("rules", [])
    if not isinstance(blocks, list) or not all(isinstance(b, dict) for b in blocks):
        raise SchemaError(f"{where}: write each rule between columns as a [[rules]] block of its own.")
    try:
        return Schema(
            tuple(_column(entry, f"{where}, column {i + 1}") for i, entry in enumerate(columns)),
            name,
            dialect,
            tuple(rules_toml.load_rule(block, f"{where}, rule {i + 1}") for i, block in enumerate(blocks)),
        )
    except SchemaError as error:
        raise error if str(error).startswith(where) else SchemaError(f"{where}: {error}") from None


def _column(entry: Mapping[str, Any], place: str) -> Column:
    name = entry.get("name")
    if not isinstance(name, str):
        raise SchemaError(f'{place}: `name` is missing or no text; write it in quotes, as in name = "age".')
    place = f"{place} ({name!r})"
    for key in entry:
        if key not in ORDER:
            raise SchemaError(f"{place}: {key!r} is not known; use {', '.join(ORDER[1:])}.")
    if "kind" not in entry:
        raise SchemaError(f"{place}: `kind` is missing; use one of {', '.join(KINDS)}.")
    kind = entry["kind"]
    values: dict[str, Any] = {key: _read(value, key, kind, place) for key, value in entry.items()}
    if values.get("low", float("-inf")) > values.get("high", float("inf")):
        raise SchemaError(f"{place}: `low` lies above `high`; swap them.")
    return Column(**values)


def _read(value: Any, key: str, kind: Any, place: str) -> Any:
    wanted = TYPES[key]
    if key in ("low", "high"):
        if isinstance(value, date) and kind in ("date", "datetime"):
            return _on_scale(value, kind)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            example = "1990-01-01" if kind in ("date", "datetime") else "0.5"
            raise SchemaError(
                f"{place}: `{key}` must be {'a date' if '-' in example else 'a number'}, as in {key} = {example}."
            )
        return float(value)
    if wanted is tuple:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SchemaError(f'{place}: `{key}` must be a list of texts in quotes, as in {key} = ["no", "yes"].')
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, wanted):
        what = "a whole number" if wanted is int else "a text in quotes"
        raise SchemaError(f"{place}: `{key}` must be {what}.")
    if isinstance(value, int) and not 0 <= value <= 30:
        raise SchemaError(f"{place}: `{key}` must lie between 0 and 30.")
    if key in CHOICES and value not in CHOICES[key]:
        raise SchemaError(f"{place}: `{key}` cannot be {value!r}; use one of {', '.join(CHOICES[key])}.")
    return value
