"""Text to a syntax tree, without ever running it: what formulas and conditions have in common.

The words are Python's own expressions, read by ``ast`` and walked over an allow-list, so a schema from a stranger can
compute nothing but numbers. A column whose name is no plain word stands in backticks: `` `num.co` ``.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection, Mapping

from semblance.errors import SchemaError

LONGEST = 2000
"""Characters of one formula or condition, at most."""

DEEPEST = 50
"""Levels of nesting, at most."""

_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`([^`]*)`")


def read_expression(text: str) -> tuple[ast.expr, Mapping[str, str]]:
    """The syntax tree of `text`, and which stand-in means which column named in backticks.

    Raises:
        SchemaError: it is no expression, too long, or too deeply nested.
    """
    if len(text) > LONGEST:
        raise SchemaError(f"a rule's text is longer than {LONGEST} characters; split it.")
    columns: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        columns[f"column_in_backticks_{len(columns)}"] = match[1]
        return list(columns)[-1]

    try:
        tree = ast.parse(_QUOTED.sub(stand_in, text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SchemaError(
            f"{text!r} cannot be read; write it as in weight / (height / 100) ** 2, with a column whose name is no "
            "plain word in backticks."
        ) from None
    if _depth(tree) > DEEPEST:
        raise SchemaError(f"a rule's text is nested more than {DEEPEST} levels deep; simplify it.")
    return tree, columns


def column_named(node: ast.Name, stand_ins: Mapping[str, str], known: Collection[str]) -> str:
    """The column that a name in the tree means.

    Raises:
        SchemaError: there is no such column.
    """
    name = stand_ins.get(node.id, node.id)
    if name not in known:
        raise SchemaError(f"there is no column {name!r}; the columns are {', '.join(known)}.")
    return name


def quoted(name: str) -> str:
    """A column's name as a formula, a condition or an order spells it."""
    return name if name.isidentifier() and not keyword.iskeyword(name) and name.isascii() else f"`{name}`"


def _depth(tree: ast.AST) -> int:
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return deepest
