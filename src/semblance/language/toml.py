"""The `[[rules]]` of a schema file: one key says which rule it is.

order = "admitted <= surgery < discharged"
anchor = "admitted"             columns = ["seen", "called"]
combination = ["city", "postcode"]
missing = "pregnant"            unless = 'sex == "F" and age >= 12'
derived = "bmi"                 from = "weight / (height / 100) ** 2"       tolerance = 0.1
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from semblance.errors import SchemaError
from semblance.language.rule import Anchor, Combination, Derived, MissingUnless, Order, Rule, parse_order

KEYS: dict[str, tuple[str, ...]] = {  # the key that names the rule, and those that must or may stand beside it
    "order": (),
    "anchor": ("columns",),
    "combination": (),
    "missing": ("unless",),
    "derived": ("from", "tolerance"),
}
HEADER = """\
# Rules that hold in every synthetic row. One block each:
#   order = "admitted <= surgery < discharged"             numbers or dates, from small to large
#   anchor = "admitted"   columns = ["seen"]               dates learned as days from another date
#   combination = ["city", "postcode"]                     only combinations that patients have
#   missing = "pregnant"  unless = 'sex == "F"'            empty wherever the condition is not true
#   derived = "bmi"       from = "weight / height ** 2"    computed, never learned
"""


PROPOSALS = """\
# No row that was looked at breaks these. That may be chance: take away the # of those that are true of every patient.
"""


def propose_rule(rule: Rule) -> str:
    """The same block as a comment."""
    return "#\n" + "".join(f"# {line}\n" for line in dump_rule(rule).splitlines())


def dump_rule(rule: Rule) -> str:
    """A `[[rules]]` block that `load_rule` reads back as the same rule."""
    match rule:
        case Order():
            entries: dict[str, Any] = {"order": str(rule)}
        case Anchor():
            entries = {"anchor": rule.anchor, "columns": rule.columns}
        case Combination():
            entries = {"combination": rule.columns}
        case MissingUnless():
            entries = {"missing": rule.column, "unless": rule.condition}
        case Derived():
            entries = {"derived": rule.column, "from": rule.formula}
            if rule.tolerance is not None:
                entries["tolerance"] = float(rule.tolerance)
    return "\n".join(["[[rules]]", *(f"{key} = {_spell(value)}" for key, value in entries.items())]) + "\n"


def load_rule(entry: Mapping[str, Any], place: str) -> Rule:
    """One block of the file; `place` names it in messages.

    Raises:
        SchemaError: a key is unknown, absent, or of the wrong type, or a text cannot be read.
    """
    kinds = [key for key in KEYS if key in entry]
    if len(kinds) != 1:
        raise SchemaError(f"{place}: a rule has exactly one of the keys {', '.join(KEYS)}.")
    kind = kinds[0]
    for key in entry:
        if key not in (kind, *KEYS[kind]):
            beside = f"; beside `{kind}` stands {' or '.join(KEYS[kind])}" if KEYS[kind] else ""
            raise SchemaError(f"{place}: {key!r} is not known{beside}.")
    try:
        match kind:
            case "order":
                return parse_order(_text(entry, "order"))
            case "anchor":
                return Anchor(_text(entry, "anchor"), _names(entry, "columns"))
            case "combination":
                return Combination(_names(entry, "combination"))
            case "missing":
                return MissingUnless(_text(entry, "missing"), _text(entry, "unless"))
            case _:
                return Derived(_text(entry, "derived"), _text(entry, "from"), _number(entry, "tolerance"))
    except SchemaError as error:
        raise SchemaError(f"{place}: {error}") from None


def _text(entry: Mapping[str, Any], key: str) -> str:
    if not isinstance(entry.get(key), str):
        raise SchemaError(f"`{key}` is missing or no text; write it in quotes.")
    return str(entry[key])


def _names(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = entry.get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SchemaError(f'`{key}` must be a list of columns in quotes, as in {key} = ["city", "postcode"].')
    return tuple(names)


def _number(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise SchemaError(f"`{key}` must be a number, as in {key} = 0.5.")
    return None if value is None else float(value)


def _spell(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_spell, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
